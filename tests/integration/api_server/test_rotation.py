"""The Secret of a rotation on a real API server, whose answer alone says whether somebody else was there in between."""

from __future__ import annotations

import base64
import uuid

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import Login, login_of
from ansible_collections.ai_platform.agent.plugins.module_utils._release.redis_rotation import Record, record_of
from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import ReplicationRecord
from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import (
    record_of as replication_record_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_cluster import RedisKeeper
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_cluster import ReplicationKeeper

from dev.api_server import Server
from tests.integration.api_server.conftest import NAMESPACE


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def release(api: Server) -> Release:
    name = f"s-{uuid.uuid4().hex[:8]}"
    cluster = connect({"kubeconfig": str(api.kubeconfig)})
    body = {"metadata": {"name": name}, "data": {"password": encoded("one"), "redis-password": encoded("r")}}
    cluster.create("v1", "secrets", body, NAMESPACE)
    return Release(cluster, "agent", NAMESPACE, name)


def test_annotation_and_data_are_written_in_one_request_and_nothing_else(release: Release) -> None:
    login = Login("agent", "agent_a", since="2026-01-01T00:00:00+00:00", replaces="agent")
    release.write(release.secret(), login, {"password": encoded("two")})
    now = release.secret()
    assert login_of(now) == login
    assert now["data"] == {"password": encoded("two"), "redis-password": encoded("r")}


def test_a_secret_that_somebody_else_wrote_meanwhile_is_not_overwritten(release: Release) -> None:
    seen = release.secret()
    release.write(seen, Login("agent", "agent", preparing="agent_a"), {})
    with pytest.raises(FindingError, match="Somebody else changed Secret") as caught:
        release.write(seen, Login("agent", "agent_b"), {"password": encoded("three")})
    assert caught.value.id == "rotation-refused"
    assert release.secret()["data"]["password"] == encoded("one")


def test_a_second_password_of_redis_comes_and_goes_with_its_record(release: Release) -> None:
    keeper = RedisKeeper(release)
    keeper.write(keeper.secret(), Record(began="now"), {"redis-password-second": encoded("new")})
    now = keeper.secret()
    assert record_of(now) == Record(began="now")
    kept = {"password": encoded("one"), "redis-password": encoded("r")}
    assert now["data"] == kept | {"redis-password-second": encoded("new")}
    keeper.write(now, Record(), {"redis-password-second": None})
    assert keeper.secret()["data"] == kept
    assert record_of(keeper.secret()) == Record()
    with pytest.raises(FindingError, match="Somebody else changed Secret"):
        keeper.write(now, Record(), {})


def test_the_password_of_a_bridge_comes_and_goes_with_its_record(release: Release) -> None:
    keeper = ReplicationKeeper(release)
    before = keeper.secret()["data"]
    keeper.write(keeper.secret(), ReplicationRecord(began="now"), {"replication-password-bridge": encoded("random")})
    now = keeper.secret()
    assert replication_record_of(now) == ReplicationRecord(began="now")
    assert now["data"] == before | {"replication-password-bridge": encoded("random")}
    keeper.write(now, ReplicationRecord(since="now"), {"replication-password-bridge": None})
    assert keeper.secret()["data"] == before
    assert replication_record_of(keeper.secret()) == ReplicationRecord(since="now")
    with pytest.raises(FindingError, match="Somebody else changed Secret"):
        keeper.write(now, ReplicationRecord(), {})


def test_a_release_that_is_not_there(release: Release) -> None:
    with pytest.raises(FindingError, match="There is no release agent"):
        release.ask({})
    assert not release.rolled("id")
