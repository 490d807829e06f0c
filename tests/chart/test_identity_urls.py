"""Plain helm: a living agent reads no URL that leads elsewhere because another Secret, or another key, is named."""

from __future__ import annotations

import base64

import pytest

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, Object, Render, RenderError
from tests.chart.test_existing_secret_keys import EXTERNAL

CANARY = "c4n4ry"
PLACE = f"postgresql://agent:{CANARY}@db.example/agent"


def secret(name: str, **data: str) -> Object:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded}


def deployment(name: str, key: str) -> Object:
    reference = {"name": name, "key": key}
    container = {"name": "agent", "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": reference}}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": RELEASE},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"availableReplicas": 1},
    }


CASES: dict[str, tuple[str, str]] = {
    "the same": (PLACE, ""),
    "written otherwise": (f"postgresql+psycopg://agent:{CANARY}@DB.example:5432/agent?sslmode=require", ""),
    "rotated": (PLACE.replace(CANARY, "other"), ""),
    "another host": (PLACE.replace("db.example", "staging.example"), "has another host"),
    "another port": (PLACE.replace("db.example", "db.example:6432"), "has another host"),
    "another database": (f"{PLACE}2", "has another database"),
    "another user": (PLACE.replace("agent:", "other:"), "has another user"),
    "no URL": (f"postgresql://agent:{CANARY}@x@db.example/agent", "has another user"),
}


@pytest.mark.parametrize("case", CASES)
def test_from_one_secret_to_another(case: str, cluster: Cluster, render: Render) -> None:
    url, words = CASES[case]
    cluster.add(secret("aa", uri=PLACE))
    cluster.add(secret("bb", **{"database-url": url}))
    cluster.add(deployment("aa", "uri"))
    values = EXTERNAL | {"existingSecret": "bb"}
    if not words:
        render(values, cluster=cluster)
        return
    with pytest.raises(RenderError, match="database-url of bb, which") as caught:
        render(values, cluster=cluster)
    assert words in str(caught.value)
    assert "DATABASE_URL from uri of the Secret aa" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert "another-database" in str(caught.value)


def test_another_key_of_the_same_secret(cluster: Cluster, render: Render) -> None:
    cluster.add(secret("aa", **{"database-url": PLACE, "other": f"{PLACE}2"}))
    cluster.add(deployment("aa", "database-url"))
    values = EXTERNAL | {"existingSecret": "aa", "existingSecretKeys": {"database-url": "other"}}
    with pytest.raises(RenderError, match="these values read it from other of aa, which has another database"):
        render(values, cluster=cluster)


def test_keys_without_a_secret_are_refused_as_such(cluster: Cluster, render: Render) -> None:
    """The URL that is compared is the one under the named key, not the one that the chart's own Secret would have."""
    cluster.add(secret("aa", **{"database-url": PLACE}))
    cluster.add(secret("bb", uri=PLACE))
    cluster.add(deployment("aa", "database-url"))
    database = {"host": "moved.example", "username": "agent", "database": "agent", "password": CANARY}
    servers = {"externalDatabase": database, "externalCache": {"host": "cache.example"}}
    values = EXTERNAL | servers | {"existingSecretKeys": {"database-url": {"name": "bb", "key": "uri"}}}
    with pytest.raises(RenderError, match="existingSecretKeys is set, but existingSecret is empty"):
        render(values, cluster=cluster)


BUNDLED = f"postgresql://agent:{CANARY}@{RELEASE}-postgresql:5432/agent"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (BUNDLED.replace("-postgresql:5432", "-postgresql.test.svc.cluster.local"), ""),
        (BUNDLED.replace(CANARY, "other"), "has another password"),
    ],
)
def test_a_bundled_server_keeps_its_password(url: str, words: str, cluster: Cluster, render: Render) -> None:
    cluster.add(secret("aa", **{"database-url": BUNDLED}))
    cluster.add(secret("bb", **{"database-url": url}))
    cluster.add(deployment("aa", "database-url"))
    auth = {"auth": {"existingSecret": "bb"}}
    values = {"existingSecret": "bb", "postgresql": auth, "redis": auth}
    if not words:
        render(values, cluster=cluster)
        return
    with pytest.raises(RenderError, match=words) as caught:
        render(values, cluster=cluster)
    assert CANARY not in str(caught.value)


def test_a_move_that_is_recorded_may_lead_elsewhere(cluster: Cluster, render: Render) -> None:
    """As playbooks/move_database.yml writes it down, for this Secret and key, and no other."""
    cluster.add(secret("aa", uri=PLACE))
    cluster.add(secret("bb", **{"database-url": PLACE.replace("db.example", "new.example")}))
    cluster.add(deployment("aa", "uri"))
    values = EXTERNAL | {"existingSecret": "bb"}
    record = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{RELEASE}-move-record"}}
    cluster.add(record | {"data": {"now": "bb/database-url"}})
    render(values, cluster=cluster)
    cluster.add(record | {"data": {"now": "cc/database-url"}})
    with pytest.raises(RenderError, match="has another host"):
        render(values, cluster=cluster)
