"""A move to another server: what is next, what stands in the way, and what of the old server stays."""

from __future__ import annotations

import copy
import dataclasses
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._database import (
    backup_cluster,
    move_cluster,
    move_judge,
    move_steps,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._database.move_cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import MOVE, bundle
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import manifest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.shared import is_rolled_out
from ansible_collections.ai_platform.agent.plugins.module_utils._release import identity, move_record
from ansible_collections.ai_platform.agent.plugins.module_utils._release.losses import is_helms
from ansible_collections.ai_platform.agent.plugins.module_utils._release.move_record import Record

from tests.unit.plugins.module_utils._database.test_backup_cluster import deployment
from tests.unit.plugins.module_utils._kube.fake_cluster import FakeCluster

Row = dict[str, t.Any]
COMPONENT = "app.kubernetes.io/component"
OLD, NEW = "old/database-url", "new/database-url"
COPIED = Record("copied", now=NEW, new=NEW, old=OLD, source="a:5432/x", target="b:5432/x")
MOVED = dataclasses.replace(COPIED, state="moved")
BACK = dataclasses.replace(COPIED, state="returning", now=OLD)


@pytest.mark.parametrize(
    ("record", "reads", "wanted", "rolled", "step"),
    [
        (Record(), OLD, NEW, True, "copy"),
        (Record(), NEW, NEW, True, "nothing"),
        (dataclasses.replace(COPIED, state="copying"), OLD, NEW, True, "copy"),
        (COPIED, OLD, NEW, True, "copy"),
        (COPIED, NEW, NEW, False, "deploy"),
        (COPIED, NEW, NEW, True, "end"),
        (MOVED, NEW, NEW, True, "nothing"),
        (MOVED, NEW, "third/database-url", True, "is not forgotten"),
        (COPIED, OLD, "third/database-url", True, "finish it, or go back"),
        (BACK, NEW, OLD, True, "with ai_agent_move_return"),
    ],
)
def test_what_is_next(record: Record, reads: str, wanted: str, rolled: bool, step: str) -> None:
    facts = move_steps.Facts(record, reads, wanted, rolled)
    if " " not in step:
        assert move_steps.next_step(facts) == step
        return
    with pytest.raises(FindingError, match=step) as caught:
        move_steps.next_step(facts)
    assert caught.value.id == "move-refused"


@pytest.mark.parametrize(
    ("record", "reads", "wanted", "rolled", "step"),
    [
        # Before the pods were replaced, whatever the inventory says by then.
        (dataclasses.replace(COPIED, state="copying"), OLD, NEW, True, "thaw"),
        (COPIED, OLD, OLD, True, "thaw"),
        (COPIED, NEW, OLD, True, "thaw"),
        (MOVED, NEW, OLD, True, "thaw"),
        (BACK, NEW, OLD, True, "thaw"),
        (BACK, OLD, OLD, False, "deploy"),
        (BACK, OLD, OLD, True, "end"),
        (MOVED, NEW, NEW, True, "set the inventory back"),
        (Record(), OLD, OLD, True, "no way back"),
    ],
)
def test_the_way_back(record: Record, reads: str, wanted: str, rolled: bool, step: str) -> None:
    facts = move_steps.Facts(record, reads, wanted, rolled)
    if " " not in step:
        assert move_steps.next_back(facts) == step
        return
    with pytest.raises(FindingError, match=step):
        move_steps.next_back(facts)


def test_only_a_finished_move_is_forgotten() -> None:
    move_steps.assert_forgettable(MOVED, NEW)
    for record, reads in ((COPIED, NEW), (Record(), NEW), (MOVED, OLD)):
        with pytest.raises(FindingError, match="could be forgotten"):
            move_steps.assert_forgettable(record, reads)


def facts(**changes: t.Any) -> Row:
    source: Row = {
        "where": "a:5432/x", "standby": False, "owner": True, "stubborn": [], "overriding": [], "prepared": 0,
        "frozen": False, "major": 15, "database": "x", "database_bytes": 2**30, "encoding": "UTF8",
        "collate": "en_US.UTF-8", "provider": "c", "lost": ["dumped without its roles: y"],
    }  # fmt: skip
    target: Row = {
        "where": "b:5432", "standby": False, "major": 18, "creates": True, "exists": False, "missing": [],
        "member": True, "extensions": [], "locale": True, "database": "x", "owner": "o", "agent": "o",
        "logins": {"owner": [], "agent": []},
    }  # fmt: skip
    made = {"source": source, "target": target}
    for name, value in changes.items():
        side, _dot, key = name.partition("_")
        made[side][key] = value
    return made


def said(*, same_roles: bool = False, begun: bool = False, **changes: t.Any) -> list[tuple[str, str]]:
    found = move_judge.judged(facts(**changes), same_roles=same_roles, begun=begun)
    return [(item.id, item.severity) for item in found if item.id not in {"backup-note", "restore-room-unknown"}]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, []),
        ({"source_standby": True}, ["in-recovery"]),
        ({"source_owner": False}, ["move-source"]),
        ({"source_stubborn": ["postgres"]}, ["move-source"]),
        ({"source_overriding": ["r"]}, ["move-source"]),
        ({"source_prepared": 2}, ["move-source"]),
        ({"source_frozen": True}, ["move-source"]),
        ({"source_frozen": True, "begun": True, "target_exists": True}, []),
        ({"target_standby": True}, ["in-recovery"]),
        ({"target_major": 14}, ["restore-version"]),
        ({"target_creates": False}, ["privilege-missing"]),
        ({"target_extensions": ["vector", "postgis"]}, ["extension-unavailable", "extension-unavailable"]),
        ({"target_exists": True}, ["restore-exists"]),
        ({"target_missing": ["o"], "target_member": None}, ["restore-roles"]),
        ({"target_member": False}, ["restore-roles"]),
        ({"target_member": False, "same_roles": True}, []),
        ({"target_agent": "a"}, ["move-target"]),
        ({"target_agent": "a", "same_roles": True}, []),
        ({"target_logins": {"owner": ["database-auth", "No."], "agent": []}}, ["database-auth"]),
    ],
)
def test_what_stands_in_the_way(changes: Row, wanted: list[str]) -> None:
    assert said(**changes) == [(each, "fail") for each in wanted]


def test_a_locale_that_is_not_seen_is_tried() -> None:
    assert said(target_locale=False) == [("move-locale", "warn")]
    assert said(target_locale=False, source_provider="i") == []


def test_all_of_it_at_once_and_what_a_dump_leaves_behind() -> None:
    found = said(source_owner=False, target_exists=True, target_creates=False)
    assert [name for name, _severity in found] == ["move-source", "privilege-missing", "restore-exists"]
    notes = [item.message for item in move_judge.judged(facts(), same_roles=False, begun=False)]
    assert "The database would be dumped without its roles: y." in notes
    assert any("takes 1.0 GiB now" in item for item in notes)


def record(**more: t.Any) -> Row:
    seconds = {"dump": 4.0, "restore": 6.0}
    return {"name": "b", "verified": True, "database": "x", "database_bytes": 2**30, "seconds": seconds} | more


@pytest.mark.parametrize(
    ("records", "wanted"),
    [
        ([], None),
        ([record(verified=False)], None),
        ([record(database="y")], None),
        ([record(seconds={"dump": 4.0})], None),
        ([record(verified=False), record(), record(seconds={"dump": 1, "restore": 1})], 20.0),
    ],
)
def test_the_time_told_before(records: list[Row], wanted: float | None) -> None:
    found = move_judge.estimate(records, "x", 2**31)
    assert (found[0] if found else None) == wanted
    told = move_judge.told(records, facts()["source"] | {"database_bytes": 2**31})
    assert (told.id, told.severity) == ("move-time", "info" if wanted else "warn")


def test_the_bundle_fits_into_a_manifest() -> None:
    assert len(bundle(MOVE, {"action": "copy"})) < 100_000


def job(*, programs: bool) -> Row:
    found = deployment()
    agent = found["spec"]["template"]["spec"]["containers"][0]
    new = ("new", "database-url")
    options = backup_cluster.Options(
        namespace="n", release="a", purpose="move", program=MOVE, programs=programs,
        secrets={"MOVE_ADMIN_URL": ("new", "admin"), "MOVE_OWNER_URL": new, "MOVE_AGENT_URL": new},
    )  # fmt: skip
    server = ("pg:15", 1001) if programs else None
    task = backup_cluster.described(options, found, agent, server, ("old", "database-url"), {"action": "copy"})
    return manifest(task, "r")


def test_the_job_names_secrets_and_holds_none() -> None:
    pod = job(programs=True)["spec"]["template"]["spec"]
    beside, own = pod["containers"]
    assert "env" not in beside
    named = {item["name"]: item["valueFrom"]["secretKeyRef"]["name"] for item in own["env"] if "valueFrom" in item}
    assert named == {
        "DATABASE_URL": "old", "MOVE_ADMIN_URL": "new", "MOVE_OWNER_URL": "new", "MOVE_AGENT_URL": "new",
    }  # fmt: skip
    assert not any("backups" in json.dumps(item) for item in pod["volumes"])
    alone = job(programs=False)["spec"]["template"]["spec"]
    assert [item["image"] for item in alone["containers"]] == ["agent:1"]
    assert alone["securityContext"]["runAsUser"] == 1000


def test_the_policy_lets_it_reach_the_planned_servers() -> None:
    rules = [{"to": [{"ipBlock": {"cidr": "192.0.2.1/32"}}]}]
    policy = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "x"},
        "spec": {"podSelector": {"matchLabels": {"a-db-client": "true"}}, "egress": rules},
    }
    other = {"kind": "NetworkPolicy", "metadata": {"name": "y"}, "spec": {"podSelector": {}}}
    assert move_cluster.egress([other, policy], "a") == rules
    assert move_cluster.egress([other], "a") is None
    assert move_cluster.egress([], "a") is None


HELMS = {"meta.helm.sh/release-name": "demo", "meta.helm.sh/release-namespace": "demo"}


def item(kind: str, name: str, annotations: Row | None = None) -> Row:
    labels = {"app.kubernetes.io/instance": "demo"}
    given = HELMS if annotations is None else annotations
    return {"kind": kind, "metadata": {"name": name, "labels": labels, "annotations": dict(given)}}


class Patching(FakeCluster):
    """One that keeps annotations as a merge patch leaves them."""

    def patch(self, version: str, plural: str, name: str, body: Row, _namespace: str | None = None) -> Row:
        there = self.kept[plural, name]["metadata"]["annotations"]
        for key, value in body["metadata"]["annotations"].items():
            if value is None:
                there.pop(key, None)
            else:
                there[key] = value
        assert version
        return self.kept[plural, name]


def test_the_old_server_is_set_aside_taken_back_and_forgotten(tmp_path: Path) -> None:
    objects = [
        item("StatefulSet", "demo-postgresql"), item("Service", "demo-postgresql"), item("Service", "demo"),
        item("ConfigMap", "somebody's", {}), item("StatefulSet", "demo-redis-master"),
    ]  # fmt: skip
    cluster = Patching(tmp_path, copy.deepcopy(objects))
    planned = [item("Service", "demo"), item("StatefulSet", "demo-redis-master")]
    release = Release(t.cast("t.Any", cluster), "demo", "demo", planned)
    assert sorted(release.set_aside()) == ["Service demo-postgresql", "StatefulSet demo-postgresql"]
    aside = cluster.kept["statefulsets", "demo-postgresql"]
    assert aside["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert is_helms(aside, "demo", "demo")
    living = [each for (plural, _name), each in cluster.kept.items() if plural == "statefulsets"]
    for each in living:
        each["spec"] = {"template": {"spec": {"containers": [{"name": "c"}]}}}
    assert [each.name for each in identity.servers(living)] == ["demo-redis-master"]
    # A run that was killed here has to find the programs of the old server again.
    aside["metadata"]["labels"]["app.kubernetes.io/component"] = "primary"
    aside["spec"]["template"]["spec"]["containers"][0]["image"] = "pg:15"
    options = backup_cluster.Options(namespace="demo", release="demo", aside=True)
    assert backup_cluster._server(t.cast("t.Any", cluster), options) == ("pg:15", backup_cluster.USER)
    assert sorted(release.take_back()) == ["Service demo-postgresql", "StatefulSet demo-postgresql"]
    assert aside["metadata"]["annotations"] == HELMS
    assert release.forget() == []
    release.set_aside()
    release.forget()
    assert sorted(name for _plural, name in cluster.kept) == ["demo", "demo-redis-master", "somebody's"]


def test_the_job_of_a_killed_run_ends_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {
        "app.kubernetes.io/instance": "demo", COMPONENT: "move", "app.kubernetes.io/managed-by": "ai_platform.agent",
    }  # fmt: skip
    left = {"kind": "Job", "metadata": {"name": "demo-move-1", "labels": labels}}
    other = {"kind": "Job", "metadata": {"name": "demo-backup-1", "labels": labels | {COMPONENT: "backup"}}}
    pod = {"kind": "Pod", "metadata": {"name": "demo-move-1-x", "labels": labels}}
    cluster = FakeCluster(tmp_path, [left, other])
    release = Release(t.cast("t.Any", cluster), "demo", "demo", [])
    release.end_left()
    assert [name for plural, name in cluster.kept if plural == "jobs"] == ["demo-backup-1"]
    cluster.kept["pods", "demo-move-1-x"] = pod
    monkeypatch.setattr(move_cluster, "LEFT_SECONDS", 0)
    with pytest.raises(FindingError, match="does not end") as caught:
        release.end_left()
    assert caught.value.id == "move-pending"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    cluster = FakeCluster(tmp_path)
    asked = t.cast("t.Any", cluster)
    assert move_record.read(asked, "demo", "demo") == Record()
    bodies = [
        {"data": {name: str(value) for name, value in dataclasses.asdict(COPIED).items()}},
        {"data": {"state": "copied", "frozen_at": "no number"}},
    ]
    for body, wanted in zip(bodies, (COPIED, Record("copied")), strict=True):
        cluster.kept["configmaps", "demo-move-record"] = body
        assert move_record.read(asked, "demo", "demo") == wanted


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True),
        ({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2}, False),
    ],
)
def test_pods_that_were_all_replaced(status: Row, wanted: bool) -> None:
    assert is_rolled_out({"metadata": {"generation": 2}, "status": status}) is wanted
