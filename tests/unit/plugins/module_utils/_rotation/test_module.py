"""What is wanted of a Secret of others: from the password, the Secret as it is, and an administrator's."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import ANNOTATION, Login
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import module
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.run import Wanted

from tests.unit.plugins.module_utils._kube.fake_cluster import FakeCluster

Row = dict[str, t.Any]
PARAMS: Row = {
    "secret_expected": None,
    "password": "new@/ü",
    "admin_secret": None,
    "admin_key": "postgres-password",
    "session_seconds": 300,
    "begin": True,
}


def secret(name: str, data: dict[str, str], **metadata: t.Any) -> Row:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"kind": "Secret", "metadata": {"name": name, "namespace": "n", **metadata}, "data": encoded}


def wanted(*secrets: Row, **params: t.Any) -> Wanted:
    cluster = t.cast("t.Any", FakeCluster(Path(), secrets))
    return module._wanted(Release(cluster, "agent", "n", secret_name="urls"), PARAMS | params)


def plain(found: Wanted) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in found.data.items()}


URLS = {
    "database-url": "postgresql://agent:old@pooler:6432/db?sslmode=require",
    "async": "postgresql+asyncpg://agent:old@pooler:6432/db",
    "migration-database-url": "postgresql://owner:o@database/db",
    "redis-url": "redis://agent:old@cache:6379/0",
}


def test_urls_with_the_same_user_get_the_password() -> None:
    found = wanted(secret("urls", URLS))
    assert plain(found) == {
        "database-url": "postgresql://agent:new%40%2F%C3%BC@pooler:6432/db?sslmode=require",
        "async": "postgresql+asyncpg://agent:new%40%2F%C3%BC@pooler:6432/db",
        "password": "new@/ü",
    }
    assert (found.outside, found.admin) == (True, "")


def test_after_a_rotation_the_owner_is_that_of_the_annotation() -> None:
    annotation = {ANNOTATION: Login("agent", "agent_b").as_annotation()}
    urls = {"database-url": "postgresql://agent_b:old@db/db"}
    found = wanted(secret("urls", urls, annotations=annotation))
    assert plain(found)["database-url"] == "postgresql://agent:new%40%2F%C3%BC@db/db"


def test_an_administrators_secret() -> None:
    admin = secret("dba", {"url": "postgresql://dba:x@db/db\n"})
    found = wanted(secret("urls", URLS), admin, admin_secret="dba", admin_key="url")
    assert found.admin == "postgresql://dba:x@db/db"
    with pytest.raises(FindingError, match="n/dba has nothing under postgres-password"):
        wanted(secret("urls", URLS), admin, admin_secret="dba")
    with pytest.raises(FindingError, match="n/other has nothing under"):
        wanted(secret("urls", URLS), admin, admin_secret="other")


def test_a_secret_that_a_controller_keeps() -> None:
    marked = secret("urls", URLS, labels={"reconcile.external-secrets.io/managed": "true"})
    with pytest.raises(FindingError, match="kept by External Secrets") as caught:
        wanted(marked)
    assert caught.value.id == "rotation-refused"


def test_no_password_is_shown_with_what_is_wanted() -> None:
    assert "new@" not in repr(wanted(secret("urls", URLS)))
