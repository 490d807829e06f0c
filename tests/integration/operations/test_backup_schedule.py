"""The chart's CronJob backs up into a volume, proves it, and the preflight reads its age, without a controller."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_record
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect

from lab.cluster import kubectl
from lab.paths import KUBECONFIG

from .loaded import RELEASE, LoadedRelease, ScheduledBackups

CLAIM, NAMESPACE = "backups", "backed-up"
Row = dict[str, t.Any]


class BackedUpRelease(ScheduledBackups, LoadedRelease):
    """One with a volume for its backups, whose claim the role makes."""

    def last_verified(self) -> str | None:
        """What the preflight reads."""
        return backup_record.in_cluster(connect({"kubeconfig": str(KUBECONFIG)}), self.namespace, RELEASE)


@pytest.fixture(scope="module")
def release(lab: Row) -> Iterator[BackedUpRelease]:
    # A day that never comes: its Jobs are begun by the tests.
    given = {"ai_agent_backup_schedule": "0 0 31 2 *", "ai_agent_backup_claim": CLAIM, "ai_agent_backup_size": "1Gi"}
    with BackedUpRelease(lab, NAMESPACE, **given) as made:
        yield made


def test_a_backup_is_made_proven_and_known(release: BackedUpRelease) -> None:
    assert release.last_verified() is None
    release.begin("first")
    release.wait("first")
    said, *_notes = release.said("first")
    assert said.endswith(", verified"), said
    first = release.last_verified()
    assert first is not None
    release.begin("second")
    release.wait("second")
    second = release.last_verified()
    assert second is not None
    assert second > first
    # The playbook finds what the CronJob made, on the same volume.
    made = release.play("playbooks/backup.yml")
    assert made.code == 0, made.output[-3000:]
    found = json.loads(kubectl("-n", NAMESPACE, "get", "configmap", f"{RELEASE}-backup-record", "-o", "json"))
    assert len(json.loads(found["data"]["backups.json"])) == 3
    assert release.counts(5)["failed"] == 0


def test_a_second_run_of_the_role_is_quiet(release: BackedUpRelease) -> None:
    again = release.play("site.yml")
    assert again.code == 0, again.output[-3000:]
    assert again.recap("changed") == 0, again.output[-3000:]


def test_one_that_fails_says_why_and_counts_for_nothing(release: BackedUpRelease) -> None:
    before = release.last_verified()
    kubectl("-n", NAMESPACE, "scale", "statefulset", f"{RELEASE}-postgresql", "--replicas=0")
    try:
        kubectl(
            "-n", NAMESPACE, "wait", "pod", f"{RELEASE}-postgresql-0", "--for=delete", "--timeout=120s", timeout=130
        )
        release.begin("third")
        release.wait("third", "failed")
        said, *_notes = release.said("third")
        assert "postgresql" in said
    finally:
        kubectl("-n", NAMESPACE, "scale", "statefulset", f"{RELEASE}-postgresql", "--replicas=1")
    assert release.last_verified() == before
