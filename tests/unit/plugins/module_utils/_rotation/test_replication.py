"""A rotation of the replication password: the next step, what a pod's answer means, and what is asked of which pods."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import (
    ANNOTATION,
    ReplicationRecord,
    record_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import cluster as rotation_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import replication_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_cluster import (
    ReplicationKeeper,
    server_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_run import ReplicationRotation
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_script import UNFIT
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_steps import (
    Facts,
    Kind,
    Server,
    next_step,
)

from tests.unit.plugins.module_utils._kube.fake_cluster import FakeCluster

Row = dict[str, t.Any]
NONE, BEGUN = ReplicationRecord(), ReplicationRecord(began="now")


def primary(**values: t.Any) -> Server:
    return dataclasses.replace(Server("p", ready=True, mounted=True, current=True), **values)


def replica(**values: t.Any) -> Server:
    return dataclasses.replace(Server("r", ready=True, mounted=True, current=True, via="own"), **values)


BRIDGED = primary(bridged=True, left=True)
OWN, LENT = replica(), replica(bridged=True, left=True, via="bridge")
AWAY, COPIES = replica(ready=False, via=""), replica(ready=False, current=False, via="")


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (Facts(NONE, same=True), "nothing"),
        (Facts(NONE, True, primary(), [OWN]), "nothing"),
        (Facts(NONE, False, primary(), [OWN]), "mark"),
        (Facts(BEGUN, False, primary(ready=False), [OWN]), "follow"),
        (Facts(BEGUN, False, primary(), [OWN]), "bridge"),
        (Facts(BEGUN, False, BRIDGED, [LENT, OWN]), "lend"),
        # One that is away cannot be told yet, and must not find another password when it comes back.
        (Facts(BEGUN, False, BRIDGED, [LENT, AWAY]), "follow"),
        (Facts(BEGUN, False, BRIDGED, [LENT, replica(bridged=True)]), "follow"),
        (Facts(BEGUN, False, BRIDGED, [LENT, LENT]), "switch"),
        (Facts(BEGUN, False, BRIDGED), "switch"),
        # The Secret has the wanted password: behind the switch, or on the way back.
        (Facts(BEGUN, True, primary(bridged=True, mounted=False), [LENT]), "mount"),
        (Facts(BEGUN, True, primary(bridged=True, ready=False), [LENT]), "mount"),
        (Facts(BEGUN, True, primary(bridged=True, current=False), [LENT]), "set"),
        (Facts(BEGUN, True, BRIDGED, [OWN, LENT]), "return"),
        (Facts(BEGUN, True, BRIDGED, [OWN, COPIES]), "return"),
        (Facts(BEGUN, True, BRIDGED, [OWN, replica(bridged=True, mounted=False, via="bridge")]), "rejoin"),
        (Facts(BEGUN, True, BRIDGED, [OWN, AWAY]), "rejoin"),
        (Facts(BEGUN, True, BRIDGED, [OWN, replica(via="")]), "rejoin"),
        (Facts(BEGUN, True, BRIDGED, [OWN]), "close"),
        (Facts(BEGUN, True, primary(), [replica(left=True)]), "close"),
        (Facts(BEGUN, True, primary(), [OWN]), "clear"),
    ],
)
def test_the_next_step(facts: Facts, step: Kind) -> None:
    assert next_step(facts) == step


def test_the_annotation() -> None:
    assert record_of(None) == record_of({"metadata": {}}) == NONE
    assert record_of({"metadata": {"annotations": {ANNOTATION: BEGUN.as_annotation()}}}) == BEGUN
    with pytest.raises(FindingError, match="not what a rotation writes") as caught:
        record_of({"metadata": {"name": "s", "namespace": "n", "annotations": {ANNOTATION: "[1]"}}})
    assert caught.value.id == "rotation-record"


def told(**values: t.Any) -> str:
    plain = {"ready": True, "mounted": True, "bridged": False, "current": True, "via": "own", "left": False}
    return json.dumps(plain | {"unfit": ""} | values)


def test_what_a_pod_answers() -> None:
    assert server_of("r", told()) == OWN
    assert server_of("r", told(bridged=True, via="bridge", left=True)) == LENT
    for line in (None, "", "bash: not found", "[]", '{"ready": true}', told(other=1)):
        assert server_of("r", line) == Server("r")


@pytest.mark.parametrize("unfit", sorted(UNFIT))
def test_a_server_whose_password_cannot_be_changed(unfit: str) -> None:
    with pytest.raises(FindingError, match=UNFIT[unfit].partition("(")[0]) as caught:
        server_of("agent-postgresql-primary-0", told(unfit=unfit))
    assert caught.value.id == "rotation-replication"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pod(name: str, component: str, *, running: bool = True, **metadata: t.Any) -> Row:
    labels = {"app.kubernetes.io/instance": "agent", "app.kubernetes.io/component": component}
    state = {"running": {}} if running else {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"phase": "Running", "containerStatuses": [{"name": "postgresql", "state": state}]}
    return {"kind": "Pod", "metadata": {"name": name, "labels": labels, **metadata}, "spec": {}, "status": status}


class Session:
    """Stands for an exec into a pod, and keeps what was sent."""

    sent: t.ClassVar[list[tuple[str, str]]] = []

    def __init__(self, _cluster: t.Any, _namespace: str, name: str, container: str, command: list[str]) -> None:
        assert (container, command[:2]) == ("postgresql", ["bash", "-c"])
        self.name = name

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, line: str) -> None:
        Session.sent.append((self.name, line))

    def receive(self, _seconds: float) -> str:
        return told()


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> ReplicationKeeper:
    monkeypatch.setattr(replication_cluster, "ExecSession", Session)
    monkeypatch.setattr(rotation_cluster, "may_exec", lambda _cluster, _namespace: True)
    Session.sent = []
    ended = pod("agent-postgresql-read-7", "read")
    ended["status"]["phase"] = "Failed"
    objects = [
        pod("agent-postgresql-read-0", "read"),
        pod("agent-postgresql-primary-0", "primary"),
        pod("agent-redis-master-0", "master"),
        pod("agent-postgresql-read-1", "read", running=False),
        pod("agent-postgresql-read-2", "read", deletionTimestamp="now"),
        ended,
        {
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": "n", "resourceVersion": "7"},
            "data": {"replication-password": encoded("c4nary\n")},
        },
    ]
    return ReplicationKeeper(Release(t.cast("t.Any", FakeCluster(Path(), objects)), "agent", "n", secret_name="s"))


def test_primary_and_replicas_are_asked_and_the_password_is_not_sent(keeper: ReplicationKeeper) -> None:
    assert ReplicationRotation(keeper, encoded("c4nary-new")).plan() == "mark"
    # One does not run (any more), so it is waited for.
    assert Session.sent == [("agent-postgresql-primary-0", "look - -"), ("agent-postgresql-read-0", "look - -")]
    secret = t.cast("t.Any", keeper.release.cluster).kept["secrets", "s"]
    secret["metadata"]["annotations"] = {ANNOTATION: BEGUN.as_annotation()}
    secret["data"]["replication-password-bridge"] = encoded("random")
    Session.sent = []
    assert ReplicationRotation(keeper, encoded("c4nary-new")).plan() == "bridge"
    assert {line for _name, line in Session.sent} == {"look - random"}
    Session.sent = []
    assert ReplicationRotation(keeper, encoded("c4nary\n")).plan() == "rejoin"
    # A line break at the end of a file is no part of the password.
    assert {line for _name, line in Session.sent} == {f"look {hashlib.sha256(b'c4nary').hexdigest()} -"}


def test_nothing_is_asked_where_nothing_is_to_be_done(keeper: ReplicationKeeper) -> None:
    assert ReplicationRotation(keeper, encoded("c4nary\n")).run() == "nothing"
    assert Session.sent == []


def test_bitnamis_pods_are_told_by_the_label_of_their_chart(keeper: ReplicationKeeper) -> None:
    kept = t.cast("t.Any", keeper.release.cluster).kept
    for chart, outside in (("postgresql-15.0.0_embedded", False), ("postgresql-15.5.38", True)):
        kept["pods", "agent-postgresql-primary-0"]["metadata"]["labels"]["helm.sh/chart"] = chart
        assert keeper.outside() is outside
    with pytest.raises(FindingError, match="is of Bitnami's chart") as caught:
        ReplicationRotation(keeper, encoded("new")).plan()
    assert (caught.value.id, Session.sent) == ("rotation-replication", [])


def test_a_release_without_a_postgresql_of_its_own(keeper: ReplicationKeeper) -> None:
    del t.cast("t.Any", keeper.release.cluster).kept["pods", "agent-postgresql-primary-0"]
    with pytest.raises(FindingError, match="No PostgreSQL of this release is there"):
        ReplicationRotation(keeper, encoded("new")).plan()
    with pytest.raises(FindingError, match="No replication password is given"):
        ReplicationRotation(keeper, "").run()


def test_no_password_is_shown_with_a_rotation(keeper: ReplicationKeeper) -> None:
    assert encoded("c4nary") not in repr(ReplicationRotation(keeper, encoded("c4nary")))
