"""Where the retention's program runs in a release: in a ready agent pod by exec, or in a short Job of its image."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE, Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import Incomplete, Unframer, parsed
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import RETENTION, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession, may_exec
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
    ready = [pod for pod in live.pods if _is_ready(pod)]
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


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _agent(pod_spec: Object) -> Object:
    containers = pod_spec["containers"]
    found: Object = next((item for item in containers if item["name"] == "agent"), containers[0])
    return found


def _in_pod(cluster: Cluster, place: Place, live: Live, pod: Object, request: Object) -> Object:
    container = _agent(_spec(live))["name"]
    with ExecSession(cluster, place.namespace, pod["metadata"]["name"], container, command()) as session:
        session.send(bundle(RETENTION, request | {"guest": True}))
        with _signs_of_life(session):
            while (line := session.receive(ANSWER_SECONDS)) is not None:
                answer = _parsed(line.encode("utf-8", "replace"), session.where)
                if "progress" not in answer:
                    return _without_error(answer)
        last = session.stderr.strip().rpartition("\n")[2][:200].rstrip(".") or "without a word"
        words = f"The program in {session.where} ended before it was done: {last}"
        raise FindingError("image-start", f"{words}. What it deleted are whole sessions; run it again.")


@contextlib.contextmanager
def _signs_of_life(session: ExecSession) -> t.Iterator[None]:
    """Send an empty line now and then: a session that a killed caller leaves may stay open at the API server."""
    over = threading.Event()

    def send() -> None:
        with contextlib.suppress(FindingError):
            while not over.wait(SIGN_SECONDS):
                session.send("")

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(SIGN_SECONDS)


def _in_job(cluster: Cluster, place: Place, live: Live, request: Object) -> Object:
    spec, deployment = _spec(live), live.deployment or {}
    container = _agent(spec)
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
    unframer = Unframer()
    with JobRun(cluster, task) as run_:
        for line in run_.lines():
            try:
                answer = unframer.feed(line)
            except Incomplete:
                words = f"The log of the pod of image {task.image} is incomplete; run it again."
                raise FindingError("log-incomplete", words) from None
            if answer is not None and "progress" not in answer:
                return _without_error(answer)
        problem = run_.ended()
    raise problem or FindingError("image-start", f"The program in the image {task.image} ended without an answer.")


def _spec(live: Live) -> Object:
    spec: Object = (live.deployment or {})["spec"]["template"]["spec"]
    return spec


def _parsed(line: bytes, where: str) -> Object:
    try:
        answer = parsed(line)
    except Incomplete:
        answer = None
    if not isinstance(answer, dict):
        words = f"The program in {where} gave an answer that is no JSON; look for what else writes."
        raise FindingError("collector-failed", words)
    return answer


def _without_error(answer: Object) -> Object:
    """:raises FindingError: the answer is an error; its words come from elsewhere and are kept short"""
    error = answer.get("error")
    if error is None:
        return answer
    told = json.loads(json.dumps(error)) if isinstance(error, dict) else {}
    error_id, words = str(told.get("id")), " ".join(str(told.get("message")).split())[:500]
    raise FindingError(error_id if error_id in CATALOGUE else "collector-failed", words)


__all__ = ("Place", "run")
