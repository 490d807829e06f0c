"""What a release waits for: the pod, the container and the reason, as the API tells them in each situation."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import diagnosis, waiting

from tests.unit.plugins.module_utils._release.test_diagnosis import container
from tests.unit.plugins.module_utils._release.test_diagnosis import waiting as waits_for

Object = dict[str, t.Any]
START = "2026-11-29T18:00:00Z"
NOW = 1795975234.0  # 34 s later
RUNNING = {"running": {"startedAt": START}}


def pod(*containers: Object, init: t.Sequence[Object] = (), ready: bool = False, **more: t.Any) -> Object:
    conditions = [{"type": "Ready", "status": str(ready)}, *more.pop("conditions", [])]
    metadata = {"name": "agent-1", "creationTimestamp": START, "labels": {"app": "agent"}} | more.pop("metadata", {})
    status = {"phase": "Pending", "conditions": conditions, "containerStatuses": list(containers),
              "initContainerStatuses": list(init)}  # fmt: skip
    return {"metadata": metadata, "spec": {"nodeName": "n1"} | more.pop("spec", {}), "status": status}


def event(reason: str, message: str, *, field: str = "", kind: str = "Pod", name: str = "agent-1") -> Object:
    about = {"kind": kind, "name": name, "fieldPath": field}
    return {"reason": reason, "message": message, "involvedObject": about, "lastTimestamp": START, "metadata": {}}


UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": START,
                 "message": "0/3 nodes are available: 3 Insufficient memory."}  # fmt: skip
GATED = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
INIT = {"initContainers": [{"name": "wait-for-schema"}]}
TIMED_OUT = "timed out waiting for the condition"
PROBE = "Readiness probe failed: HTTP probe failed with statuscode: 503"


@pytest.mark.parametrize(
    ("given", "events", "said"),
    [
        (pod(conditions=[UNSCHEDULABLE], spec={"nodeName": None}), [],
         "pod agent-1 is on no node (34 s): 0/3 nodes are available: 3 Insufficient memory"),
        (pod(conditions=[GATED], spec={"nodeName": None}), [], "is held back by a scheduling gate"),
        (pod(spec={"nodeName": None}), [], "is on no node yet (34 s)"),
        (pod(container("agent", waits_for("ContainerCreating"))), [], "container agent: is being created"),
        (pod(container("agent", waits_for("ContainerCreating"))),
         [event("Pulling", 'Pulling image "i"', field="spec.containers{agent}")],
         "container agent: its node pulls the image registry.test/agent:1 (34 s)"),
        # Another container's pull says nothing of this one.
        (pod(container("agent", waits_for("ContainerCreating"))),
         [event("Pulling", 'Pulling image "i"', field="spec.containers{proxy}")], "container agent: is being created"),
        (pod(container("agent", waits_for("ImagePullBackOff", "Back-off pulling"))), [],
         "its image registry.test/agent:1 cannot be pulled (ImagePullBackOff): Back-off pulling"),
        (pod(container("agent", waits_for("CreateContainerConfigError", 'secret "x" not found'))), [],
         'cannot be created (CreateContainerConfigError): secret "x" not found'),
        (pod(container("agent", waits_for("CrashLoopBackOff"), restartCount=4,
                       lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})), [],
         "stops again and again (exit code 137, OOMKilled, 4 restarts)"),
        (pod(container("agent", RUNNING)), [], "its readiness probe has not succeeded yet (runs 34 s)"),
        (pod(container("agent", RUNNING, started=False)), [], "its startup probe has not succeeded yet (runs 34 s)"),
        (pod(container("agent", RUNNING)), [event("Unhealthy", PROBE, field="spec.containers{agent}")],
         f"{PROBE} (runs 34 s)"),
        (pod(container("agent", waits_for("PodInitializing")), init=[container("wait-for-schema", RUNNING)], spec=INIT),
         [],
         "container wait-for-schema: runs before the others and has not ended (34 s)"),
        (pod(container("agent", waits_for("ContainerCreating"))),
         [event("FailedMount", 'MountVolume.SetUp failed for volume "ca": configmap "ca" not found')],
         'FailedMount: MountVolume.SetUp failed for volume "ca": configmap "ca" not found'),
        (pod(), [event("FailedCreatePodSandBox", "no IP addresses available")], "FailedCreatePodSandBox: no IP"),
        (pod(container("agent", RUNNING, ready=True), spec={"readinessGates": [{"conditionType": "lb/ready"}]}), [],
         "waits for its readiness gate lb/ready"),
        (pod(container("agent", RUNNING), metadata={"deletionTimestamp": START}), [], "pod agent-1 ends (34 s)"),
        (pod(container("agent", waits_for("ErrImagePull", "\x1b[31mred"))), [], "\ufffd[31mred"),
    ],
)  # fmt: skip
def test_why_a_pod_is_not_ready(given: Object, events: list[Object], said: str) -> None:
    found = waiting.of_pod(given, events, NOW)
    assert found is not None
    assert said in found.sentence


def test_a_pod_that_is_ready_is_not_waited_for() -> None:
    assert waiting.of_pod(pod(container("agent", RUNNING, ready=True), ready=True), [], NOW) is None


def deployment(wanted: int = 2, **status: int) -> Object:
    numbers = {"observedGeneration": 1, "replicas": wanted, "updatedReplicas": wanted, "availableReplicas": wanted}
    return {
        "kind": "Deployment",
        "metadata": {"name": "agent", "generation": 1},
        "spec": {"replicas": wanted, "selector": {"matchLabels": {"app": "agent"}}},
        "status": numbers | status,
    }


def job(**status: t.Any) -> Object:
    return {
        "kind": "Job",
        "metadata": {"name": "migrate-3", "uid": "u", "creationTimestamp": START},
        "spec": {},
        "status": status,
    }


def said(workloads: list[Object], pods: t.Sequence[Object] = (), events: t.Sequence[Object] = ()) -> list[str]:
    return [each.sentence for each in waiting.waits(waiting.Scene(workloads, pods, events, NOW))]


def test_everything_is_there() -> None:
    assert said([deployment(), job(conditions=[{"type": "Complete", "status": "True"}])]) == []


def test_a_rollout() -> None:
    assert said([deployment(observedGeneration=0)]) == ["Deployment agent: its controller has not seen the change yet"]
    assert said([deployment(availableReplicas=1)], [pod(container("agent", RUNNING))]) == [
        "pod agent-1, container agent: its readiness probe has not succeeded yet (runs 34 s)"
    ]
    assert said([deployment(updatedReplicas=1, replicas=3)]) == [
        "Deployment agent: 1 of 2 new pods ready, 2 old pods end"
    ]
    paused = deployment(updatedReplicas=0)
    paused["spec"]["paused"] = True
    assert "is paused" in said([paused])[0]
    assert said([deployment(0, replicas=0)]) == []
    by_hand = deployment(updatedReplicas=0) | {"kind": "StatefulSet"}
    assert said([by_hand]) == ["StatefulSet agent: 0 of 2 new pods ready, 2 old pods end"]
    by_hand["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert said([by_hand]) == []


def test_pods_that_cannot_be_made() -> None:
    quota = event("FailedCreate", "exceeded quota: small", kind="ReplicaSet", name="agent-7c9f")
    assert said([deployment(updatedReplicas=0, availableReplicas=2)], events=[quota]) == [
        "Deployment agent: no pod can be made: exceeded quota: small"
    ]
    found = diagnosis.diagnose(
        "agent", [], [quota], "timed out waiting for the condition", [deployment(updatedReplicas=0)]
    )
    assert (found.cause, found.sentence) == (
        "no_pod",
        "Not in time: Deployment agent: no pod can be made: exceeded quota: small.",
    )


def test_a_migration() -> None:
    owner = {"labels": {"job-name": "migrate-3", "job": "migration"}, "name": "migrate-3-x"}
    runs = pod(container("migrate", RUNNING), metadata=owner)
    [found] = waiting.waits(waiting.Scene([job(active=1)], [runs], [], NOW))
    assert found.sentence == "migration, pod migrate-3-x: runs (34 s)"
    assert (found.pod, found.container) == ("migrate-3-x", "migrate")
    pulled = pod(container("migrate", waits_for("ErrImagePull")), metadata=owner)
    assert "migration, pod migrate-3-x, container migrate: its image" in said([job(active=1)], [pulled])[0]
    assert said([job()]) == ["Job migrate-3 has no pod yet (34 s)"]
    refused = event("FailedCreate", "is forbidden: no", kind="Job", name="migrate-3")
    assert said([job()], events=[refused]) == ["Job migrate-3 no pod can be made: is forbidden: no"]


def test_the_line() -> None:
    many = [waiting.Wait(f"pod {number}", "is late") for number in range(5)]
    assert waiting.line(many, 35.2, 600, 'Running "a"\x1b') == (
        "[35 s of 600 s] waits for pod 0 is late; pod 1 is late; pod 2 is late; and 2 more."
        ' It says: "Running "a"\ufffd"'
    )
    assert waiting.line([], 1, 60) == "[1 s of 60 s] waits for helm: nothing of the release is left to wait for."


def test_the_cause_after_a_timeout_is_the_probe() -> None:
    probe = event("Unhealthy", PROBE, field="spec.containers{agent}")
    found = diagnosis.diagnose(
        "agent", [pod(container("agent", RUNNING))], [probe], "timed out waiting for the condition"
    )
    assert (found.cause, found.log_container) == ("not_ready", "agent")
    assert PROBE in found.sentence


def test_a_pod_whose_node_is_lost_never_ends_and_says_what_to_do() -> None:
    there = pod(container("agent", RUNNING), metadata={"deletionTimestamp": START})
    lost = waiting.of_pod(there, [event("NodeNotReady", "Node is not ready")], NOW)
    assert lost is not None
    assert "pod agent-1 cannot end, because its node n1 does not answer (34 s)" in lost.sentence
    assert "`kubectl delete node n1` (docs/runbook.md#node-lost)" in lost.sentence
    other = waiting.of_pod(there, [event("NodeNotReady", "Node is not ready", name="agent-2")], NOW)
    assert other is not None
    assert "cannot end" not in other.sentence
