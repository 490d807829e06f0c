"""Helm as a module runs it to change a release: with the module's own account, and ended with the run's Lease."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import json
import sys
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import kubeconfig as kubeconfigs
from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm
from ansible_collections.ai_platform.agent.plugins.module_utils._release.lease_keeper import PROGRAM
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import release_selector

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

# More revisions than Helm keeps by default (10).
_MOST = 256
# Seconds for a question.
ANSWER_SECONDS = 60.0
_NOT_FOUND = "release: not found"


@dataclasses.dataclass(frozen=True)
class Helm:
    """The program for one release.

    :param lease: folder of the Lease (`release_lease`), empty in check mode, where nothing is changed
    """

    program: str
    release: str
    namespace: str
    lease: str
    environment: t.Mapping[str, str]

    def ask(self, *words: str) -> helm.Ended:
        """Run a subcommand that only reads."""
        command = [self.program, *words, "--namespace", self.namespace]
        return helm.run(command, seconds=ANSWER_SECONDS, environment=self.environment)

    def change(self, *words: str) -> None:
        """Run a subcommand that changes the release, which has to succeed.

        :raises FindingError: it failed, or the Lease is lost
        """
        if not self.lease:
            raise FindingError("argument-invalid", "Helm may change a release only under its Lease: `lease` is empty.")
        prefix = [sys.executable, "-I", str(Path(self.lease, PROGRAM)), self.lease, self.program]
        done = helm.run([*prefix, *words, "--namespace", self.namespace], environment=self.environment)
        if done.code:
            words_of = " ".join(words[:2])
            raise FindingError("cluster-refused", done.denied or f"`helm {words_of}` failed: {done.complaint}.")

    def history(self) -> list[Object]:
        """The release's revisions as Helm keeps them, the oldest first; none where there is no release.

        :raises FindingError: Helm gave no answer
        """
        done = self.ask("history", self.release, "--max", str(_MOST), "--output", "json")
        if done.code and _NOT_FOUND in done.complaint:
            return []
        if done.code:
            raise FindingError("cluster-refused", done.denied or f"`helm history` failed: {done.complaint}.")
        try:
            found: list[Object] = json.loads(done.output)
        except ValueError:
            raise FindingError("cluster-refused", "`helm history` answered something that is no JSON.") from None
        return sorted(found, key=lambda entry: int(entry["revision"]))

    def manifests(self, revisions: Sequence[int]) -> dict[int, str]:
        """What each of these revisions deployed, without hooks; a revision that Helm does not tell is left out."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            words = [("get", "manifest", self.release, "--revision", str(number)) for number in revisions]
            done = list(pool.map(lambda each: self.ask(*each), words))
        return {number: each.output for number, each in zip(revisions, done, strict=True) if each.code == 0}


def roll_back(cluster: Cluster, helm: Helm, revision: int, *options: str) -> None:
    """Have Helm roll back.

    Helm 3 would change a finished Job of the migration, which Kubernetes refuses (docs/runbook.md, release-pending), so
    those that succeeded are deleted before.

    :raises FindingError: it failed, or the Lease is lost
    """
    if helm.ask("version", "--short").output.strip().startswith("v3."):
        labels = f"{release_selector(helm.release)},job=migration"
        for job in cluster.list("batch/v1", "jobs", helm.namespace, labels=labels):
            if (job.get("status") or {}).get("succeeded"):
                cluster.delete("batch/v1", "jobs", job["metadata"]["name"], helm.namespace)
    helm.change("rollback", helm.release, str(revision), *options)


@contextlib.contextmanager
def of(params: Object, cluster: Cluster) -> Iterator[Helm]:
    """Helm for a module's parameters `helm_binary`, `release_name`, `release_namespace` and `lease`.

    :raises FindingError: the account cannot be told to Helm
    """
    with kubeconfigs.variables(kubeconfigs.kubeconfig(cluster)) as environment:
        yield Helm(
            params["helm_binary"],
            params["release_name"],
            params["release_namespace"],
            params["lease"] or "",
            environment,
        )


__all__ = ("Helm", "of", "roll_back")
