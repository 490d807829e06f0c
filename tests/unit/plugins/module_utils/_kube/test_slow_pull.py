"""A pod whose image takes minutes: while its node pulls, the run waits and says so; for nothing else does it wait."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import job
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task

from tests.unit.plugins.module_utils._kube.fake_cluster import FakeCluster, Object

WAITING = {"waiting": {"reason": "ContainerCreating"}}
CREATING = {"phase": "Pending", "containerStatuses": [{"name": "main", "state": WAITING}]}
START, PULL, RUN = 0.3, 8.0, 5.0


def event(reason: str) -> Object:
    return {"reason": reason, "lastTimestamp": "2026-11-28T12:00:01Z", "metadata": {}}


class Node(FakeCluster):
    """Its node pulls, and is done after it was asked so often."""

    def __init__(self, folder: Path, questions: int, *, first: str = "Pulling") -> None:
        super().__init__(folder)
        self.status: Object | None = CREATING
        self.questions, self.first = questions, first

    def list(self, version: str, plural: str, *words: t.Any, **options: t.Any) -> t.Any:
        found = super().list(version, plural, *words, **options)
        if plural != "events" or not options["fields"].endswith("-pod"):
            return found
        self.questions -= 1
        if self.questions < 0:
            self.status = None
        return [event(self.first)]


def run(cluster: Node, **more: t.Any) -> JobRun:
    words = ["python", "-c", "print('here')"]
    times = {"start_seconds": START, "pull_seconds": PULL, "run_seconds": RUN} | more
    return JobRun(t.cast("t.Any", cluster), Task("demo", "demo", "facts", "agent:2", words, **times))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "AFTER_PULL_SECONDS", 0.2)
    monkeypatch.setattr(job, "POLL_SECONDS", 0.05)


def deadlines(cluster: Node) -> list[int]:
    return [item["spec"]["activeDeadlineSeconds"] for item in cluster.kept.values() if item.get("kind") == "Job"]


def test_while_the_node_pulls_the_run_waits_and_says_so(tmp_path: Path) -> None:
    cluster = Node(tmp_path, 4)
    with run(cluster) as started:
        [before] = deadlines(cluster)
        assert list(started.lines()) == ["here"]
        [after] = deadlines(cluster)
        [said] = started.findings()
    # What a killed run leaves ends as soon as ever, unless a pull was really waited for.
    assert (before, after) == (6 + 5, 14 + 5)
    assert (said.id, "agent:2 was pulled for" in said.message) == ("image-pulled", True)


def test_a_pull_has_an_end(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as failed, run(Node(tmp_path, 1000), pull_seconds=1.0) as started:
        list(started.lines())
    assert failed.value.id == "image-pull-slow"
    assert failed.value.message == "The image agent:2 was still being pulled on node-1 after 1 s."


def test_what_does_not_start_for_another_reason_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as failed, run(Node(tmp_path, 1000, first="FailedMount")) as started:
        list(started.lines())
    assert failed.value.id == "pod-timeout"


def test_an_account_that_may_not_prolong_the_job_says_so(tmp_path: Path) -> None:
    cluster = Node(tmp_path, 1000)
    cluster.denied.add(("patch", "jobs.batch"))
    with pytest.raises(FindingError) as failed, run(cluster) as started:
        list(started.lines())
    assert failed.value.id == "image-pull-slow"
    assert failed.value.message.endswith("after 0.3 s, and the account may not patch jobs to wait.")


def test_a_pod_that_starts_at_once_says_nothing(tmp_path: Path) -> None:
    cluster = Node(tmp_path, 0)
    cluster.status = None
    with run(cluster) as started:
        assert list(started.lines()) == ["here"]
        assert started.findings() == []
