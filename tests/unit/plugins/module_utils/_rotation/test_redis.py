"""A rotation of Redis' password: the next step, what a pod's answer means, and what is asked of which pods."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.redis_rotation import (
    ANNOTATION,
    Record,
    record_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import cluster as rotation_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import redis_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_cluster import (
    RedisKeeper,
    failed_step,
    server_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_run import RedisRotation
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_script import UNFIT
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_steps import (
    Facts,
    Kind,
    Server,
    next_step,
)

from tests.unit.plugins.module_utils._kube.fake_cluster import FakeCluster

Row = dict[str, t.Any]
NONE, BEGUN, SWITCHED = Record(), Record(began="now"), Record(since="now", began="now", before="old")
OLD, BOTH, STALE = Server("m", mounted=True), Server("m", mounted=True, second=True), Server("m", mounted=False)
LEFT = Server("m", mounted=True, others=True)
BEHIND = Server("r", mounted=True, follows=False)


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (Facts(NONE, same=True), "nothing"),
        (Facts(NONE, same=False, servers=[OLD]), "mark"),
        (Facts(NONE, same=False, servers=[OLD, STALE]), "mount"),
        (Facts(BEGUN, same=False, second="wanted", servers=[BOTH, STALE]), "mount"),
        (Facts(BEGUN, same=False, second="wanted", servers=[BOTH, OLD]), "open"),
        (Facts(BEGUN, same=False, second="wanted", servers=[BOTH, BOTH]), "switch"),
        # Another password than the one that was begun is wanted by now, or one after the way back was begun.
        (Facts(BEGUN, same=False, second="another", servers=[BOTH]), "mark"),
        (Facts(BEGUN, same=False, servers=[LEFT]), "mark"),
        # The old one is wanted again.
        (Facts(BEGUN, same=True, second="another", servers=[BOTH]), "strip"),
        (Facts(BEGUN, same=True, servers=[STALE]), "settle"),
        (Facts(BEGUN, same=True, servers=[LEFT]), "close"),
        (Facts(BEGUN, same=True, servers=[OLD]), "clear"),
        # Behind the switch the pods come first, whatever is wanted.
        (Facts(SWITCHED, same=True, second="another", servers=[BOTH]), "roll"),
        (Facts(SWITCHED, same=False, second="wanted", servers=[BOTH]), "roll"),
        (Facts(SWITCHED, same=True, second="another", rolled=True, ended=False, servers=[BOTH]), "wait"),
        (Facts(SWITCHED, same=False, second="another", rolled=True, servers=[BOTH]), "strip"),
        (Facts(SWITCHED, same=True, rolled=True, servers=[LEFT, STALE]), "settle"),
        (Facts(SWITCHED, same=True, rolled=True, servers=[LEFT]), "close"),
        (Facts(SWITCHED, same=True, rolled=True, servers=[OLD, BEHIND]), "close"),
        (Facts(SWITCHED, same=False, rolled=True, servers=[OLD]), "clear"),
        # Bitnami's: somebody else gives the servers the password.
        (Facts(NONE, same=False, servers=[OLD], outside=True), "switch"),
        (Facts(SWITCHED, same=True, servers=[OLD], outside=True), "roll"),
        (Facts(SWITCHED, same=True, rolled=True, servers=[OLD], outside=True), "clear"),
    ],
)
def test_the_next_step(facts: Facts, step: Kind) -> None:
    assert next_step(facts) == step


def test_the_annotation() -> None:
    assert record_of(None) == record_of({"metadata": {}}) == NONE
    assert record_of({"metadata": {"annotations": {ANNOTATION: SWITCHED.as_annotation()}}}) == SWITCHED
    with pytest.raises(FindingError, match="not what a rotation writes") as caught:
        record_of({"metadata": {"name": "s", "namespace": "n", "annotations": {ANNOTATION: "[1]"}}})
    assert caught.value.id == "rotation-record"


def told(**values: t.Any) -> str:
    return json.dumps({"mounted": True, "second": True, "others": False, "follows": True, "unfit": ""} | values)


def test_what_a_pod_answers() -> None:
    assert server_of("m", told()) == BOTH
    assert server_of("r", told(second=False, follows=False)) == BEHIND
    for line in (None, "", "bash: not found", "[]", '{"mounted": true}', told(unfit="busy")):
        assert not server_of("m", line).mounted


@pytest.mark.parametrize("unfit", sorted(UNFIT.keys() - {"busy"}))
def test_a_server_whose_password_cannot_be_changed(unfit: str) -> None:
    with pytest.raises(FindingError, match=UNFIT[unfit].partition("(")[0]) as caught:
        server_of("redis-master-0", told(unfit=unfit))
    assert caught.value.id == "rotation-redis"


def phase(name: str, *, ok: bool = True) -> str:
    return json.dumps({"record": "phase", "dependency": "redis", "phase": name, "ok": ok, "facts": {}})


def test_a_login_from_an_agent_pod() -> None:
    assert failed_step([phase("auth"), phase("write"), '{"record": "end"}']) == ""
    assert failed_step([phase("tcp"), phase("auth", ok=False)]) == "auth"
    assert failed_step([phase("auth"), phase("write", ok=False)]) == "write"
    assert failed_step([]) == "start"
    with pytest.raises(FindingError, match="has no memory"):
        failed_step([json.dumps({"record": "refused", "text": "has no memory"})])


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pod(name: str, component: str, *, running: bool = True, **metadata: t.Any) -> Row:
    labels = {"app.kubernetes.io/instance": "agent", "app.kubernetes.io/component": component}
    state = {"running": {}} if running else {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"phase": "Running", "containerStatuses": [{"name": "redis", "state": state}]}
    keys = [{"key": "redis-password", "path": "p"}], [{"key": "redis-password-second", "path": "q"}]
    sources = [{"secret": {"name": "s", "items": items}} for items in keys]
    spec = {"volumes": [{"name": "data"}, {"name": "secrets", "projected": {"sources": sources}}]}
    return {"kind": "Pod", "metadata": {"name": name, "labels": labels, **metadata}, "spec": spec, "status": status}


class Session:
    """Stands for an exec into a pod, and keeps what was sent."""

    sent: t.ClassVar[list[tuple[str, str]]] = []

    def __init__(self, _cluster: t.Any, _namespace: str, name: str, container: str, command: list[str]) -> None:
        assert (container, command[:2]) == ("redis", ["bash", "-c"])
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
def keeper(monkeypatch: pytest.MonkeyPatch) -> RedisKeeper:
    monkeypatch.setattr(redis_cluster, "ExecSession", Session)
    monkeypatch.setattr(rotation_cluster, "may_exec", lambda _cluster, _namespace: True)
    Session.sent = []
    ended = pod("agent-redis-replicas-7", "replica")
    ended["status"]["phase"] = "Failed"
    objects = [
        pod("agent-redis-replicas-0", "replica"),
        pod("agent-redis-master-0", "master"),
        pod("agent-postgresql-0", "primary"),
        pod("agent-redis-replicas-1", "replica", running=False),
        pod("agent-redis-replicas-2", "replica", deletionTimestamp="now"),
        ended,
        {
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": "n", "resourceVersion": "7"},
            "data": {"redis-password": encoded("c4nary"), "rotation-id": encoded("id")},
        },
    ]
    return RedisKeeper(Release(t.cast("t.Any", FakeCluster(Path(), objects)), "agent", "n", secret_name="s"))


def test_master_and_replicas_are_asked_and_the_password_is_not_sent(keeper: RedisKeeper) -> None:
    wanted = {"redis-password": encoded("c4nary-new"), "redis-url": encoded("redis://:c4nary-new@m:6379/0")}
    # Two do not run (any more), so they are waited for.
    assert RedisRotation(keeper, wanted).plan() == "mount"
    assert [name for name, _line in Session.sent] == ["agent-redis-master-0", "agent-redis-replicas-0"]
    assert all(line.startswith("look ") and line.endswith(" -") for _name, line in Session.sent)
    assert "c4nary" not in str(Session.sent)


def test_an_agent_pod_that_is_about_to_end_still_has_the_old_password(keeper: RedisKeeper) -> None:
    kept = t.cast("t.Any", keeper.release.cluster).kept
    kept["deployments", "agent"] = pod("agent", "agent") | {"kind": "Deployment"}
    made = {"ai-agent/rotation-id": "new-2026"}
    kept["pods", "agent-1"] = pod("agent-1", "agent", annotations=made)
    assert keeper.ended("new")
    assert not keeper.ended("newer")
    kept["pods", "agent-0"] = pod(
        "agent-0", "agent", deletionTimestamp="now", annotations={"ai-agent/rotation-id": "old"}
    )
    assert not keeper.ended("new")
    kept["pods", "agent-0"]["status"]["phase"] = "Succeeded"
    assert keeper.ended("new")


def test_bitnamis_pods_are_told_by_the_label_of_their_chart(keeper: RedisKeeper) -> None:
    kept = t.cast("t.Any", keeper.release.cluster).kept
    for chart, outside in (("redis-7.0.0_embedded", False), ("redis-17.17.1", True)):
        kept["pods", "agent-redis-master-0"]["metadata"]["labels"]["helm.sh/chart"] = chart
        assert keeper.outside() is outside


def test_a_chart_of_before_has_no_second_password(keeper: RedisKeeper) -> None:
    kept = t.cast("t.Any", keeper.release.cluster).kept
    kept["pods", "agent-redis-master-0"]["spec"] = {"volumes": [{"name": "p", "secret": {"secretName": "s"}}]}
    wanted = {"redis-password": encoded("new"), "redis-url": encoded("redis://:new@m:6379/0")}
    with pytest.raises(FindingError, match="takes no second password at its start") as caught:
        RedisRotation(keeper, wanted).plan()
    assert caught.value.id == "rotation-redis"
    assert Session.sent == []


@pytest.mark.parametrize("wanted", [{}, {"redis-password": encoded("x")}, {"redis-url": encoded("redis://m:6379/0")}])
def test_a_release_without_a_redis_of_its_own(keeper: RedisKeeper, wanted: dict[str, str]) -> None:
    with pytest.raises(FindingError, match="no Redis of its own") as caught:
        RedisRotation(keeper, wanted).run()
    assert caught.value.id == "rotation-redis"


def test_a_release_without_a_pod_of_redis(keeper: RedisKeeper) -> None:
    for name in [name for kind, name in t.cast("t.Any", keeper.release.cluster).kept if kind == "pods"]:
        del t.cast("t.Any", keeper.release.cluster).kept["pods", name]
    wanted = {"redis-password": encoded("new"), "redis-url": encoded("redis://:new@m:6379/0")}
    with pytest.raises(FindingError, match="No pod of Redis is there"):
        RedisRotation(keeper, wanted).run()


def test_no_password_is_shown_with_a_rotation(keeper: RedisKeeper) -> None:
    assert encoded("c4nary") not in repr(RedisRotation(keeper, {"redis-password": encoded("c4nary")}))
