"""Where the retention's program runs in a release: in a ready agent pod by exec, or in a short Job of its image."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import answers, shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import RETENTION, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession, may_exec, signs_of_life
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task
from ansible_collections.ai_platform.agent.plugins.module_utils._release import look, references
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

URL: t.Final = "DATABASE_URL"
# The program tells its progress every other second while it deletes, and looks at a part of a table in 30 s at most.
ANSWER_SECONDS = 90.0
SIGN_SECONDS = 3.0
# Beyond the time that it may delete, for its start and its end.
MORE_SECONDS = 120
RESOURCES: t.Final[dict[str, dict[str, str]]] = {
    "requests": {"cpu": "20m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
    "limits": {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "128Mi"},
}


@dataclasses.dataclass(frozen=True)
class Place:
    """A release, and how long its pods may take to start, in seconds."""

    release: str
    namespace: str
    job_timeout: float
    pull_timeout: float


def run(cluster: Cluster, place: Place, request: Object) -> tuple[Object, list[Finding]]:
    """What the program told at its end, and findings about where it ran.

    :param request: as _in_pod/retention.py takes it, without `guest`
    :raises FindingError: there is no release to ask, or the program ended with an error
    """
    live = look.serving(cluster, place.release, place.namespace)
    if live.deployment is None:
        words = f"There is no release {place.release} in namespace {place.namespace}, so nobody can ask its database"
        raise FindingError("release-missing", f"{words}.")
    ready = live.serving
    found: list[Finding] = []
    if ready and may_exec(cluster, place.namespace):
        try:
            return _in_pod(cluster, place, live, ready[0], request), found
        except FindingError as error:
            if error.id != "agent-memory-short":
                raise
            found.append(finding(error.id, f"{error.message.rstrip('.')}; a Job of the deployed image asked instead."))
    elif ready:
        words = f"The account may not exec into pods of {place.namespace}; a Job of the deployed image worked instead."
        found.append(finding("exec-forbidden", words))
    return _in_job(cluster, place, live, request), found


def _in_pod(cluster: Cluster, place: Place, live: Live, pod: Object, request: Object) -> Object:
    container = shared.agent_container(_spec(live))["name"]
    with ExecSession(cluster, place.namespace, pod["metadata"]["name"], container, command()) as session:
        session.send(bundle(RETENTION, request | {"guest": True}))
        with signs_of_life(session, SIGN_SECONDS):
            while (line := session.receive(ANSWER_SECONDS)) is not None:
                answer = answers.of_line(line, session)
                if "progress" not in answer:
                    return answer
        words = f"The program in {session.where} ended before it was done: {session.last_words}"
        raise FindingError("image-start", f"{words}. What it deleted are whole sessions; run it again.")


def _in_job(cluster: Cluster, place: Place, live: Live, request: Object) -> Object:
    spec, deployment = _spec(live), live.deployment or {}
    container = shared.agent_container(spec)
    client = {"app.kubernetes.io/instance": place.release, f"{place.release}-db-client": "true"}
    task = Task(
        namespace=place.namespace,
        release=place.release,
        purpose="retention",
        image=container["image"],
        command=command(bundle(RETENTION, request | {"guest": False})),
        env=shared.environment(container, (URL, f"{references.OWN_NAME}{URL}")),
        labels=shared.given_labels(deployment, place.release) | client,
        annotations=shared.given_annotations(deployment["metadata"]),
        pod=spec,
        container=container,
        pull_policy=container.get("imagePullPolicy"),
        resources=RESOURCES,
        start_seconds=place.job_timeout,
        pull_seconds=place.pull_timeout,
        run_seconds=request["max_seconds"] + MORE_SECONDS,
    )
    with JobRun(cluster, task) as run_:
        return answers.last_of_job(run_)


def _spec(live: Live) -> Object:
    spec: Object = (live.deployment or {})["spec"]["template"]["spec"]
    return spec


__all__ = ("Place", "run")
