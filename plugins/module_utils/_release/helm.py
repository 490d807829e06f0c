"""What is asked of the helm program beside kubernetes.core.helm: its version, a release's record, a chart's manifests.

A helm that asks a cluster gets the variables of `_kube.kubeconfig`, so it asks as the module itself does.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import json
import os
import re
import subprocess
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import kubeconfig as kubeconfigs
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import forbidden

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator, Sequence

Row = dict[str, t.Any]

# The exit codes of timeout(1) and of a shell.
TIMED_OUT = 124
NOT_FOUND = 127
_VERSION = re.compile(r"v(\d+\.\d+\.\d+)")
# The API server's words, pkg/endpoints/handlers/responsewriters/errors.go of k8s.io/apiserver.
_FORBIDDEN = re.compile(
    r'is forbidden: User "(?P<account>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)"'
    r'(?: in API group "[^"]*")?(?: in the namespace "(?P<namespace>[^"]*)")?'
)
# Every state in which a release exists. Plain `helm list` leaves out most of them.
_STATES = ("--deployed", "--failed", "--pending", "--uninstalling")


@dataclasses.dataclass(frozen=True)
class Ended:
    """A finished helm: exit code, what it printed, and what it complained of."""

    code: int
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """Helm's own reason on one line, without the warnings before it; empty where it was content."""
        if not self.code:
            return ""
        return " ".join(re.sub(r"(?s)^.*?Error: ", "", self.errors).split()) or f"exit code {self.code}"

    @property
    def denied(self) -> str:
        """The sentence about a right that the account lacks, where Helm complains of one; else empty."""
        found = _FORBIDDEN.search(self.complaint)
        return forbidden(found["verb"], found["resource"], found["namespace"], found["account"]) if found else ""


def run(
    words: Sequence[str],
    *,
    text: str = "",
    seconds: float | None = None,
    environment: t.Mapping[str, str] | None = None,
) -> Ended:
    """Run helm, `words` being program and arguments, with `text` as its input. Every failure is in the result.

    :param environment: variables besides those of this process
    """
    try:
        # Not AnsibleModule.run_command: it ends the module where a program cannot be started, and here the caller
        # gets every failure as a result.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            list(words),
            input=text,
            env=os.environ | dict(environment or {}),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ended(TIMED_OUT, "", f"nothing within {seconds:g} s")
    except OSError as error:
        return Ended(NOT_FOUND, "", f"{words[0]}: {error.strerror}")
    return Ended(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def version_and_record(
    helm: str | None, params: Row, kubeconfig: Row | FindingError, seconds: float
) -> Iterator[t.Callable[[], Row | None]]:
    """Ask for Helm's version and its record of a release beside the block, which gets a function that waits for both.

    :param helm: the program
    :param params: release_name, release_namespace and helm_values
    :param kubeconfig: as _kube.kubeconfig makes it, or why there is none
    :return: of that function: `version` (empty where none was told), `said` (the words instead), `release` (an entry of
        `helm list`, empty without one), `values_digest` (of what the release was given; empty where helm was not asked
        for it, by helm_values, or told none), `problem` (why there is no answer about the release, else empty),
        `denied` (that the account lacks a right, and the file that has it, where that is the problem; else empty)
    """
    if helm is None:
        yield lambda: None
        return
    name = re.escape(params["release_name"])
    record = [helm, "list", "--filter", f"^{name}$", *_STATES, "--output", "json"]
    record += ["--namespace", params["release_namespace"]]
    if isinstance(kubeconfig, FindingError):
        version, refusal = run([helm, "version", "--short"], seconds=seconds), Ended(1, "", kubeconfig.message)
        yield lambda: _answer(version, refusal)
        return
    given = [helm, "get", "values", params["release_name"], "--output", "json"]
    given += ["--namespace", params["release_namespace"]]
    with kubeconfigs.variables(kubeconfig) as environment, concurrent.futures.ThreadPoolExecutor(3) as pool:
        first = pool.submit(run, [helm, "version", "--short"], seconds=seconds)
        second = pool.submit(run, record, seconds=seconds, environment=environment)
        third = pool.submit(run, given, seconds=seconds, environment=environment) if params.get("helm_values") else None
        yield lambda: _answer(first.result(), second.result(), third.result() if third else None)


def _answer(version: Ended, record: Ended, given: Ended | None = None) -> Row:
    found = _VERSION.search(version.output)
    answer: Row = {"version": found.group(1) if found else "", "said": version.output.strip() or version.complaint}
    answer["values_digest"] = _values_digest(given) if given else ""
    try:
        releases = json.loads(record.output or "[]") if record.code == 0 else []
    except ValueError:
        return answer | {"release": {}, "problem": "helm list answered something that is no JSON", "denied": ""}
    release = releases[0] if releases else {}
    return answer | {"release": release, "problem": record.complaint, "denied": record.denied}


def _values_digest(given: Ended) -> str:
    try:
        # Helm writes null where a release was given no values.
        values = (json.loads(given.output) or {}) if given.code == 0 else None
    except ValueError:
        return ""
    if values is None:
        return ""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def template(helm: str, chart: str, params: Row, environment: t.Mapping[str, str] | None = None) -> Ended:
    """The manifests of a chart.

    :param params: release_name, release_namespace, values (without secrets)
    """
    words = [helm, "template", params["release_name"], chart, "--namespace", params["release_namespace"]]
    return run([*words, "--values", "-"], text=json.dumps(params["values"]), environment=environment)


__all__ = ("TIMED_OUT", "Ended", "run", "template", "version_and_record")
