"""Another database or cache, and volumes that cannot be changed: objects of manifests against those of the API."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import (
    other_disks,
    other_servers,
    servers,
)

Object = dict[str, t.Any]


def server(
    name: str, component: str, *, chart: str = "postgresql-1_embedded", disk: Object | None = None, **env: str
) -> Object:
    labels = {"app.kubernetes.io/component": component, "helm.sh/chart": chart}
    spec = {"resources": {"requests": {"storage": "8Gi"}}} | (disk or {})
    variables = [{"name": key, "value": value} for key, value in env.items()]
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "template": {"spec": {"containers": [{"name": "x", "env": variables}]}},
            "volumeClaimTemplates": [] if disk == {} else [{"metadata": {"name": "data"}, "spec": spec}],
        },
    }


DATABASE = server("a-postgresql", "primary", POSTGRES_USER="agent", POSTGRES_DATABASE="agent")
CACHE = server("a-redis-master", "master", chart="redis-1_embedded")
LIVE = [DATABASE, CACHE, server("a-postgresql-read", "read")]

CHANGES: dict[str, tuple[list[Object], str]] = {
    "architecture": ([server("a-postgresql-primary", "primary"), CACHE], "these values name it a-postgresql-primary"),
    "no database of its own": ([CACHE], "postgresql.enabled is false"),
    "no cache of its own": ([DATABASE], "redis.enabled is false"),
    "another cache": ([DATABASE, server("kv", "master")], "cache of this release is the StatefulSet a-redis-master"),
    "user": (
        [server("a-postgresql", "primary", POSTGRES_USER="other", POSTGRES_DATABASE="agent"), CACHE],
        "postgresql.auth.username is other, but a-postgresql was made with agent",
    ),
    "database": (
        [server("a-postgresql", "primary", POSTGRES_USER="agent", POSTGRES_DB="other"), CACHE],
        "postgresql.auth.database is other",
    ),
    "no user of its own": (
        [server("a-postgresql", "primary", POSTGRES_DATABASE="agent"), CACHE],
        "postgresql.auth.username is postgres",
    ),
    "subchart": (
        [
            server(
                "a-postgresql", "primary", chart="postgresql-12.12.10", POSTGRES_USER="agent", POSTGRES_DATABASE="agent"
            ),
            CACHE,
        ],
        "comes from the embedded subchart",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_of_the_database_or_cache(case: str) -> None:
    planned, words = CHANGES[case]
    found = other_servers(servers(planned), servers(LIVE))
    assert len(found) == 1, found
    assert words in found[0]


def test_what_stays() -> None:
    assert other_servers(servers(LIVE), servers(LIVE), runs=True) == []


def test_a_first_install_and_a_server_that_was_set_aside() -> None:
    assert other_servers(servers(LIVE), ()) == []
    # Its volume is there: the StatefulSet is made anew.
    claims = {"data-a-postgresql-0", "data-a-redis-master-0"}
    assert other_servers(servers(LIVE), (), claims=claims, runs=True) == []


def test_an_external_database_that_would_become_the_releases_own() -> None:
    (found,) = other_servers(servers([DATABASE]), (), claims=set(), runs=True)
    assert "runs without a database of its own: a-postgresql would begin empty" in found
    # Nothing is claimed where nothing could be read, nor where nothing serves yet, nor without a volume.
    assert other_servers(servers([DATABASE]), (), claims=None, runs=True) == []
    assert other_servers(servers([DATABASE]), (), claims=set(), runs=False) == []
    assert other_servers(servers([server("a-postgresql", "primary", disk={})]), (), claims=set(), runs=True) == []


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [
        (None, {"resources": {"requests": {"storage": "50Gi"}}}, "has 8Gi, and these values want 50Gi"),
        (
            None,
            {"storageClassName": "fast"},
            "is of the cluster's default StorageClass, and these values want StorageClass fast",
        ),
        (
            {"storageClassName": "slow"},
            {"storageClassName": ""},
            "is of StorageClass slow, and these values want no StorageClass",
        ),
        (None, {}, "is there, and these values want none"),
        ({}, None, "is wanted by these values, and is not there"),
    ],
)
@pytest.mark.parametrize("component", ["primary", "read", "master"])
def test_volumes_that_kubernetes_will_not_change(
    now: Object | None, then: Object | None, words: str, component: str
) -> None:
    (found,) = other_disks(servers([server("s", component, disk=then)]), servers([server("s", component, disk=now)]))
    assert found == f"The volume data of the StatefulSet s {words}."


def test_volumes_that_are_only_written_otherwise() -> None:
    other = {"resources": {"requests": {"storage": "8192Mi"}}}
    assert other_disks(servers([server("s", "primary", disk=other)]), servers([server("s", "primary")])) == []
    assert other_disks(servers([server("new", "primary")]), servers(LIVE)) == []


STORAGE: dict[str, Object] = {
    "claim a": {"persistentVolumeClaim": {"claimName": "a"}},
    "claim b": {"persistentVolumeClaim": {"claimName": "b"}},
    "emptyDir": {"emptyDir": {}},
    "hostPath": {"hostPath": {"path": "/data"}},
    "template": {},
}


def stored(component: str, kind: str) -> Object:
    """A server of which the data are in a volume of this kind."""
    name = {"primary": "data", "master": "redis-data"}[component]
    made = server("s", component, disk=None if kind == "template" else {})
    if kind == "template":
        made["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] = name
    else:
        volumes = [{"name": "tmp", "emptyDir": {}}, {"name": name} | STORAGE[kind]]
        made["spec"]["template"]["spec"]["volumes"] = volumes
    return made


@pytest.mark.parametrize("component", ["primary", "master"])
@pytest.mark.parametrize("now", STORAGE)
@pytest.mark.parametrize("then", STORAGE)
def test_the_data_stay_where_they_are(now: str, then: str, component: str) -> None:
    planned, live = servers([stored(component, then)]), servers([stored(component, now)])
    # A template that comes or goes is what Kubernetes refuses.
    said = other_servers(planned, live) + other_disks(planned, live)
    assert len(said) == (now != then), said
    if now != then and "template" not in {now, then}:
        assert "s has its data in" in said[0]


@pytest.mark.parametrize(
    ("now", "then", "stops"),
    [("repl", "other", True), ("repl", "repl", False), ("", "repl", False), ("repl", "", False)],
)
def test_the_role_that_replicates_was_made_at_the_first_start(now: str, then: str, *, stops: bool) -> None:
    sets = [server("p", "primary", POSTGRES_REPLICATION_USER=name) for name in (then, now)]
    found = other_servers(servers(sets[:1]), servers(sets[1:]))
    assert len(found) == stops
    assert not stops or "replicationUsername is other, but p was made with repl" in found[0]
