"""A release's Secret and its agent pods, for a rotation."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import answers, shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Refused
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import PROBE, ROTATION, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession, may_exec
from ansible_collections.ai_platform.agent.plugins.module_utils._release import look
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import ANNOTATION

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import Login

Object = dict[str, t.Any]
ROTATION_ID: t.Final = "ai-agent/rotation-id"
# Two connections and a few statements, each of which has a limit of its own.
ANSWER_SECONDS = 60.0
# The probe ends itself; a provider far away takes seconds for a handshake.
PROBE_SECONDS, PROBE_TIMEOUT_SECONDS = 45.0, 15.0


@dataclasses.dataclass(frozen=True)
class Release:
    """A release whose Secret is the role's.

    :param name: of the release
    :param secret_name: of the Secret
    """

    cluster: Cluster
    name: str
    namespace: str
    secret_name: str

    def secret(self) -> Object:
        """The Secret now.

        :raises FindingError: there is none
        """
        found = self.cluster.get("v1", "secrets", self.secret_name, self.namespace)
        if found is None:
            words = f"There is no Secret {self.namespace}/{self.secret_name}, so the release has no password to change"
            raise FindingError("release-missing", f"{words}: deploy it first.")
        return found

    def write(self, secret: Object, login: Login, data: Mapping[str, str]) -> None:
        """Patch the annotation and keys of the Secret in one request (see `run.Keeper`).

        :raises FindingError: somebody else wrote the Secret meanwhile, or the API server refuses
        """
        self.write_record(secret, {ANNOTATION: login.as_annotation()}, data)

    def write_record(
        self, secret: Object, annotations: Mapping[str, str], data: Mapping[str, str | None] | None = None
    ) -> None:
        """Patch annotations and keys of the Secret in one request.

        :param secret: as it was read
        :param data: base64; None removes a key
        :raises FindingError: somebody else wrote the Secret meanwhile, or the API server refuses
        """
        version = secret["metadata"]["resourceVersion"]
        body: Object = {"metadata": {"annotations": dict(annotations), "resourceVersion": version}}
        self.patch_secret(self.secret_name, body | ({"data": dict(data)} if data else {}))

    def patch_secret(self, name: str, body: Object) -> None:
        """Change a Secret of the namespace.

        :param body: with the resourceVersion that was seen, so that nobody's change is lost
        :raises FindingError: somebody else wrote the Secret meanwhile, or the API server refuses
        """
        try:
            self.cluster.patch("v1", "secrets", name, body, self.namespace)
        except Refused as error:
            if error.status != 409:
                raise
            words = f"Somebody else changed Secret {self.namespace}/{name} during the rotation"
            raise FindingError("rotation-refused", f"{words}; run it again.") from None

    def rolled(self, rotation_id: str) -> bool:
        """Whether every pod of the agent was made with that id and is available (see `run.Keeper`)."""
        deployment = look.serving(self.cluster, self.name, self.namespace).deployment
        return deployment is not None and is_rolled(deployment, rotation_id)

    def ask(self, request: Object) -> Object:
        """The program's answer in a ready agent pod. The request goes over stdin, so no list of processes shows it.

        :raises FindingError: no pod can be asked, or it answers with an error
        """
        with self.session() as session:
            session.send(bundle(ROTATION, request))
            line = session.receive(ANSWER_SECONDS)
            if line is None:
                words = f"The program in {session.where} ended without an answer: {session.last_words}"
                raise FindingError("image-start", f"{words}. Run it again: it goes on from there.")
            return answers.of_line(line, session)

    def probe(self, dependency: Object, deadline: float = PROBE_SECONDS) -> list[str]:
        """What `_in_pod/probe.py` says in a ready agent pod of one dependency, by lines.

        :param dependency: as its request has one
        :raises FindingError: no pod can be asked
        """
        request = {"deadline": deadline, "timeout": PROBE_TIMEOUT_SECONDS, "rounds": 1, "guest": True}
        lines: list[str] = []
        with self.session() as session:
            session.send(bundle(PROBE, request | {"dependencies": [dependency]}))
            end = time.monotonic() + deadline + 5
            while (line := session.receive(max(0.0, end - time.monotonic()))) is not None:
                lines.append(line)
                if '"record": "end"' in line or '"record": "refused"' in line:
                    break
        return lines

    def session(self) -> ExecSession:
        """A Python in a ready agent pod, which takes a program on its stdin.

        :raises FindingError: no pod can be asked
        """
        live = look.serving(self.cluster, self.name, self.namespace)
        if live.deployment is None:
            words = f"There is no release {self.name} in namespace {self.namespace}"
            raise FindingError("release-missing", f"{words}, so there is nothing to rotate.")
        if not live.serving:
            words = f"No agent pod of release {self.name} is ready, from which a new login could be tried"
            raise FindingError(
                "rotation-no-pod", f"{words}: nothing more was changed. Make one ready, and run it again."
            )
        self.assert_exec()
        container = shared.agent_container(live.deployment["spec"]["template"]["spec"])["name"]
        pod = live.serving[0]["metadata"]["name"]
        return ExecSession(self.cluster, self.namespace, pod, container, command())

    def assert_exec(self) -> None:
        """Stop where the account may not exec into pods.

        :raises FindingError: it may not
        """
        if not may_exec(self.cluster, self.namespace):
            words = f"The account may not exec into pods of {self.namespace}, from which a new login is tried"
            raise FindingError(
                "rotation-no-pod", f"{words}: grant roles/ai_agent/files/exec-rbac.yaml, and run it again."
            )


def records_of(lines: t.Iterable[str], what: str) -> list[Object]:
    """The records among the probe's lines. Pure.

    :param what: could not be tried, for the error
    :raises FindingError: the probe did not begin
    """
    records: list[Object] = []
    for line in lines:
        with contextlib.suppress(ValueError):
            records.append(json.loads(line))
    if refused := next((each for each in records if each.get("record") == "refused"), None):
        raise FindingError("agent-memory-short", f"{what} cannot be tried: the agent's pod {refused.get('text')}.")
    return records


def is_rolled(deployment: Object, rotation_id: str) -> bool:
    """Whether all pods of a Deployment were made from its template and a rotation id, and are available. Pure.

    What an inventory gives beside the Secret's own id stands behind it (`rotationId` of its values).
    """
    return has_id(deployment["spec"]["template"], rotation_id) and shared.is_rolled_out(deployment)


def has_id(pod: Object, rotation_id: str) -> bool:
    """Whether a pod, or a template of pods, was made with a rotation id. Pure."""
    told = str(((pod.get("metadata") or {}).get("annotations") or {}).get(ROTATION_ID, ""))
    return bool(rotation_id) and (told == rotation_id or told.startswith(f"{rotation_id}-"))


__all__ = ("ANSWER_SECONDS", "Release", "has_id", "is_rolled", "records_of")
