"""Why a release did not become ready: pods as the API returns them, and the sentence a person gets."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.diagnosis import (
    RUNBOOK,
    diagnose,
    helm_line,
    runbook,
    with_log,
)

from lab.paths import ROOT

Object = dict[str, t.Any]


def pod(
    name: str, *containers: Object, ready: bool = False, created: str = "2026-11-21T05:00:00Z", **more: t.Any
) -> Object:
    """Return a pod with the statuses of ``containers``; ``more``: labels, phase, conditions."""
    conditions = [{"type": "Ready", "status": str(ready)}, *more.get("conditions", [])]
    return {
        "metadata": {"name": name, "creationTimestamp": created, "labels": more.get("labels", {})},
        "status": {
            "phase": more.get("phase", "Running"),
            "conditions": conditions,
            "containerStatuses": list(containers),
        },
    }


def container(name: str, state: Object, **more: t.Any) -> Object:
    """Return the status of a container."""
    return {"name": name, "image": "registry.test/agent:1", "ready": False, "restartCount": 0, "state": state, **more}


def waiting(reason: str, message: str = "") -> Object:
    """Return the state of a container that waits for ``reason``."""
    return {"waiting": {"reason": reason, "message": message}}


MIGRATION = {"job": "migration"}
FAILED = container("migrate", {"terminated": {"exitCode": 3, "reason": "Error"}})
READY_POD = pod("agent-1", container("agent", {"running": {}}, ready=True), ready=True)


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
def test_missing_image_is_named(reason: str) -> None:
    found = diagnose("agent", [READY_POD, pod("agent-2", container("agent", waiting(reason)), phase="Pending")], [], "")
    assert found.cause == "image"
    assert "registry.test/agent:1" in found.sentence
    assert "agent-2" in found.sentence
    assert not found.log_pod


def test_missing_image_of_the_migration_is_no_failed_migration() -> None:
    found = diagnose("agent", [pod("m", container("migrate", waiting("ErrImagePull")), labels=MIGRATION)], [], "")
    assert found.cause == "image"


def test_failed_migration_names_its_log() -> None:
    found = diagnose("agent", [pod("m-1", FAILED, phase="Failed", labels=MIGRATION)], [], "")
    assert (found.cause, found.log_pod, found.log_container) == ("migration", "m-1", "migrate")
    assert "exit code 3" in found.sentence
    assert "old version" not in found.sentence


def test_failed_hook_says_that_the_old_version_serves() -> None:
    error = (
        "stderr: Error: UPGRADE FAILED: pre-upgrade hooks failed: 1 error occurred: job m failed: BackoffLimitExceeded"
    )
    found = diagnose("agent", [READY_POD, pod("m-1", FAILED, phase="Failed", labels=MIGRATION)], [], error)
    assert "the old version serves on" in found.sentence
    assert (
        "helm: UPGRADE FAILED: pre-upgrade hooks failed: 1 error occurred: job m failed: BackoffLimitExceeded"
        in found.details
    )


@pytest.mark.parametrize("native", [True, False], ids=["native sidecar", "ordinary container"])
@pytest.mark.parametrize("proxy", [{"running": {}}, {"terminated": {"exitCode": 137, "reason": "Error"}}])
def test_failed_migration_beside_the_proxy_of_a_mesh(proxy: Object, *, native: bool) -> None:
    """The pod goes on where its proxy is an ordinary container; a native sidecar is ended after the migration."""
    beside = container("istio-proxy", proxy)
    phase = "Running" if "running" in proxy else "Failed"
    made = pod("m-1", *([] if native else [beside]), FAILED, phase=phase, labels=MIGRATION)
    if native:
        made["status"]["initContainerStatuses"] = [beside]
    found = diagnose("agent", [made], [], "")
    assert (found.cause, found.log_pod, found.log_container) == ("migration", "m-1", "migrate")
    assert "exit code 3" in found.sentence


def test_migration_that_failed_in_an_earlier_run_is_not_blamed() -> None:
    old = pod("m-1", FAILED, phase="Failed", labels=MIGRATION, created="2026-11-21T04:00:00Z")
    new = pod("m-2", container("migrate", {"terminated": {"exitCode": 0}}), phase="Succeeded", labels=MIGRATION)
    found = diagnose("agent", [old, new, pod("agent-2", container("agent", {"running": {}}))], [], "")
    assert (found.cause, found.log_pod) == ("not_ready", "agent-2")


def test_container_that_cannot_be_created() -> None:
    state = waiting("CreateContainerConfigError", 'secret "agent-secret" not found')
    found = diagnose("agent", [pod("agent-1", container("agent", state), phase="Pending")], [], "")
    assert found.cause == "configuration"
    assert 'secret "agent-secret" not found' in found.sentence


def test_pod_that_no_node_takes() -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes: Insufficient cpu.",
    }
    found = diagnose("agent", [pod("agent-1", phase="Pending", conditions=[condition])], [], "")
    assert found.sentence == "No node takes pod agent-1: 0/1 nodes: Insufficient cpu."


def test_container_that_crashes() -> None:
    status = container(
        "agent", waiting("CrashLoopBackOff"), lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    )
    found = diagnose("agent", [pod("agent-1", status)], [], "")
    assert (found.cause, found.log_pod) == ("crash", "agent-1")
    assert "exit code 137, OOMKilled" in found.sentence


def test_without_a_sick_pod_helm_speaks() -> None:
    found = diagnose(
        "agent", [READY_POD], [], "Exited 1.\nstderr: Error: UPGRADE FAILED: values don't meet the schema\n"
    )
    assert found.sentence == "Helm did not finish: UPGRADE FAILED: values don't meet the schema."
    assert found.details == []


def test_where_nobody_asked_helm_nothing_is_wrong() -> None:
    found = diagnose("agent", [READY_POD], [], "")
    assert (found.cause, found.sentence) == ("none", "Nothing keeps agent from being ready.")
    assert not runbook(found)
    assert diagnose("agent", [], [], "").sentence == "Nothing of agent is there."


def test_events_of_this_release_only() -> None:
    def event(kind: str, name: str, message: str) -> Object:
        return {"involvedObject": {"kind": kind, "name": name}, "reason": "FailedCreate", "message": message}

    events = [
        event("ReplicaSet", "agent-5d", 'violates PodSecurity "restricted:latest"'),
        event("ReplicaSet", "other-1", "not ours"),
        event("Pod", "agent-gone", "of a pod that is no more"),
    ]
    found = diagnose("agent", [READY_POD], events, "")
    assert found.details == ['event ReplicaSet/agent-5d: FailedCreate: violates PodSecurity "restricted:latest"']


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nError: one\nError: two\n", "two"),
        ("no prefix\n\n", "no prefix"),
        ("", "no message"),
        ("Error: " + "x" * 400, "x" * 300 + "…"),
    ],
)
def test_helm_line(text: str, line: str) -> None:
    assert helm_line(text) == line


def test_the_sentence_leads_to_what_the_last_lines_name() -> None:
    found = diagnose("agent", [pod("a-1", container("wait", {"running": {}}))], [], "")
    line = "Waiting for the database: failed to resolve host 'db': [Errno -3] Temporary failure in name resolution"
    assert with_log(found, [line]).sentence.endswith(" They name the cause: docs/runbook.md#dns-unavailable.")
    assert with_log(found, ["starting"]) == found


def test_every_cause_has_its_section_of_the_runbook() -> None:
    headings = {line.lstrip("# ") for line in (ROOT / "docs/runbook.md").read_text().splitlines() if line[:1] == "#"}
    assert set(RUNBOOK.values()) <= headings
    found = diagnose("agent", [pod("m-1", FAILED, phase="Failed", labels=MIGRATION)], [], "")
    assert runbook(found) == "docs/runbook.md#migration-failed"


def test_a_failed_migration_whose_pod_went_with_its_node() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "Job was active too long"}
    job = {
        "kind": "Job",
        "metadata": {"name": "agent-pre-upgrade-migration", "labels": MIGRATION},
        "spec": {},
        "status": {"conditions": [failed], "failed": 1},
    }
    hook = "Error: UPGRADE FAILED: pre-upgrade hooks failed: resource Job/n/agent-pre-upgrade-migration not ready"
    found = diagnose("agent", [READY_POD], [], hook, [job])
    assert found.cause == "migration"
    assert found.sentence == (
        "The database migration failed (Job agent-pre-upgrade-migration: DeadlineExceeded: Job was active too long),"
        " and its pod is gone. Nothing else was changed, the old version serves on."
        " Run again; what was committed stays."
    )
    succeeded = job | {"status": {"succeeded": 1, "conditions": [failed | {"type": "Complete"}]}}
    assert diagnose("agent", [READY_POD], [], "Error: other", [succeeded]).cause == "helm"
