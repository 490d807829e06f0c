"""Why a pod does not run: statuses and events as Kubernetes 1.34 wrote them, by the id that they get."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_failures import (
    exit_error,
    failure,
    not_started_error,
    pulling,
    refusal,
    states,
)

IMAGE = "registry.example.com/agent:2"


def pod(state: dict[str, t.Any] | None = None, **status: t.Any) -> dict[str, t.Any]:
    containers = [{"name": "main", "state": state}] if state is not None else []
    return {"spec": {"nodeName": "node-1"}, "status": {"phase": "Pending", "containerStatuses": containers} | status}


def waiting(reason: str, message: str = "Back-off pulling image.\n more") -> dict[str, t.Any]:
    return pod({"waiting": {"reason": reason, "message": message}})


def ended(code: int, reason: str = "Error", message: str | None = None) -> dict[str, t.Any]:
    return pod({"terminated": {"exitCode": code, "reason": reason, "message": message}}, phase="Failed")


@pytest.mark.parametrize(
    ("given", "error_id"),
    [
        (waiting("ErrImagePull"), "image-pull"),
        (waiting("ImagePullBackOff"), "image-pull"),
        (waiting("InvalidImageName"), "image-pull"),
        (waiting("ErrImageNeverPull"), "image-pull"),
        (waiting("CreateContainerConfigError", 'secret "demo-secret" not found'), "image-start"),
        (waiting("RunContainerError"), "image-start"),
        (ended(128, "StartError", 'exec: "python": executable file not found in $PATH: unknown'), "image-start"),
        (ended(127), "image-start"),
        (ended(137, "OOMKilled"), "pod-memory"),
        (pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."), "pod-refused"),
        (pod(phase="Failed", reason="DeadlineExceeded", message="Pod was active too long"), "pod-timeout"),
    ],
)
def test_it_will_not_get_better(given: dict[str, t.Any], error_id: str) -> None:
    error = failure(given, IMAGE)
    assert error is not None
    assert error.id == error_id
    assert "\n" not in error.message
    assert error.message.endswith(".")
    assert not error.message.endswith("..")
    assert exit_error(given, IMAGE) is not None


@pytest.mark.parametrize(
    "given",
    [
        pod(),
        waiting("ContainerCreating"),
        waiting("PodInitializing"),
        pod({"running": {"startedAt": "2026-11-21T15:00:00Z"}}, phase="Running"),
        pod({"terminated": {"exitCode": 0, "reason": "Completed"}}, phase="Succeeded"),
    ],
)
def test_it_may_still_run_or_ended_well(given: dict[str, t.Any]) -> None:
    assert failure(given, IMAGE) is None
    assert exit_error(given, IMAGE) is None


def test_an_exit_code_is_an_end_and_no_failure_to_start() -> None:
    assert failure(ended(3), IMAGE) is None
    error = exit_error(ended(3), IMAGE)
    assert error is not None
    assert "exit code 3" in error.message


HEAD = 'Error creating: pods "demo-render-1-x" is forbidden: '
QUOTA = HEAD + "exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3"
SECURITY = HEAD + 'violates PodSecurity "restricted:latest": runAsNonRoot != true'
RANGE = HEAD + "maximum memory usage per Container is 64Mi, but limit is 256Mi"
ACCOUNT = HEAD + 'error looking up service account a/default: serviceaccount "default" not found'


@pytest.mark.parametrize(
    ("messages", "error_id"),
    [
        ([QUOTA], "quota-exceeded"),
        (["Error creating: failed quota: small: must specify limits.cpu for: main"], "quota-exceeded"),
        ([RANGE], "quota-exceeded"),
        ([SECURITY], "pod-refused"),
        (['Error creating: admission webhook "v.example.com" denied the request: no'], "pod-refused"),
        ([ACCOUNT], None),
        ([ACCOUNT, QUOTA], "quota-exceeded"),
        ([], None),
    ],
)
def test_a_job_without_a_pod(messages: list[str], error_id: str | None) -> None:
    events = [{"reason": "FailedCreate", "message": text} for text in messages]
    error = refusal([*events, {"reason": "SuccessfulCreate", "message": "Created pod: x"}], "a")
    assert (error.id if error else None) == error_id
    if error:
        assert "Error creating" not in error.message or "forbidden" not in error.message


def test_time_is_up() -> None:
    assert not_started_error([], "a", 30).id == "pod-refused"
    text = "0/3 nodes are available: 3 Insufficient cpu."
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text}]
    error = not_started_error([pod(conditions=conditions)], "a", 30)
    assert error.id == "pod-unschedulable"
    assert "Insufficient cpu." in error.message
    error = not_started_error([waiting("ContainerCreating")], "a", 30)
    assert error.id == "pod-timeout"
    assert "ContainerCreating" in error.message


def beside(own: dict[str, t.Any], other: dict[str, t.Any], *, init: bool = False) -> dict[str, t.Any]:
    """A pod into which admission put a container of its own, which never ends."""
    extra = {"name": "istio-proxy", "state": other}
    status = {"phase": "Running", "containerStatuses": [{"name": "main", "state": own}]}
    status["initContainerStatuses" if init else "containerStatuses"] = [
        extra,
        *([] if init else status["containerStatuses"]),
    ]
    return {"spec": {"nodeName": "node-1"}, "status": status}


RUNNING = {"running": {"startedAt": "2026-11-21T15:00:00Z"}}


def test_a_sidecar_that_never_ends_holds_nothing_and_says_nothing() -> None:
    done = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    bad = {"terminated": {"exitCode": 3, "reason": "Error"}}
    assert states(beside(done, RUNNING)) == [done]
    assert exit_error(beside(done, RUNNING), IMAGE) is None
    assert failure(beside(RUNNING, bad), IMAGE) is None
    assert exit_error(beside(done, bad), IMAGE) is None
    error = exit_error(beside(bad, RUNNING), IMAGE)
    assert error is not None
    assert "exit code 3" in error.message


@pytest.mark.parametrize("init", [True, False])
def test_a_sidecar_that_cannot_start_is_told_while_ours_waits_for_it(*, init: bool) -> None:
    missing = {"waiting": {"reason": "ImagePullBackOff", "message": "istio/proxyv2:9 not found"}}
    error = failure(beside({"waiting": {"reason": "PodInitializing"}}, missing, init=init), IMAGE)
    assert error is not None
    assert (error.id, "istio/proxyv2:9" in error.message) == ("pod-refused", True)
    assert failure(beside(RUNNING, missing, init=init), IMAGE) is None


NETWORK = [{"type": "PodReadyToStartContainers", "status": "True"}]


def event(reason: str, second: int) -> dict[str, t.Any]:
    return {"reason": reason, "lastTimestamp": f"2026-11-28T12:00:{second:02d}Z", "metadata": {}}


@pytest.mark.parametrize(
    ("events", "pulls"),
    [
        ([event("Scheduled", 1), event("Pulling", 2)], True),
        ([event("Pulling", 2), event("Pulled", 9)], False),
        # Times have no parts of a second.
        ([event("Pulled", 2), event("Pulling", 2)], False),
        # The image of a container that a mesh added came first.
        ([event("Pulling", 2), event("Pulled", 3), event("Created", 3), event("Pulling", 4)], True),
        ([event("Pulling", 2), event("Failed", 3)], False),
        ([event("Scheduled", 1), event("FailedMount", 5)], False),
        ([], False),
    ],
)
def test_whether_the_node_pulls_is_told_by_its_events(events: list[dict[str, t.Any]], *, pulls: bool) -> None:
    assert pulling(waiting("ContainerCreating"), events) is pulls
    assert pulling(waiting("ContainerCreating"), events[::-1]) is pulls


@pytest.mark.parametrize(
    ("given", "pulls"),
    [
        (pod({"waiting": {"reason": "ContainerCreating"}}, conditions=NETWORK), True),
        (pod({"waiting": {"reason": "ContainerCreating"}}, conditions=[]), False),
        (pod({"waiting": {"reason": "PodInitializing"}}, conditions=NETWORK), False),
        (pod(), False),
    ],
)
def test_who_may_not_read_events_sees_a_pod_with_a_network_and_nothing_in_it(
    given: dict[str, t.Any], *, pulls: bool
) -> None:
    assert pulling(given, None) is pulls
