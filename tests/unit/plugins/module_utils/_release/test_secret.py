"""What the role writes into a release's Secret."""

from __future__ import annotations

import base64
from urllib.parse import unquote, urlsplit

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret import secret_data

DATABASE = {"user": "agent_user", "host": "a-postgresql", "port": 5432, "name": "agent_db"}
CACHE = {"host": "a-redis-master", "port": 6379}


def plain(passwords: dict[str, str]) -> dict[str, str]:
    data = secret_data(passwords, DATABASE, CACHE)
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


def test_passwords_and_urls() -> None:
    found = plain({"password": "a", "postgres-password": "b", "replication-password": "", "redis-password": "c"})
    assert found == {
        "password": "a",
        "postgres-password": "b",
        "redis-password": "c",
        "database-url": "postgresql://agent_user:a@a-postgresql:5432/agent_db",
        "migration-database-url": "postgresql://agent_user:a@a-postgresql:5432/agent_db",
        "redis-url": "redis://:c@a-redis-master:6379/0",
    }


@pytest.mark.parametrize("password", ["@:/%+ü", "a b", "?#[]", "%2F", "ü" * 3, "'\"\\"])
def test_every_password_comes_out_of_its_url(password: str) -> None:
    found = plain({"password": password, "redis-password": password})
    for name in ("database-url", "redis-url"):
        url = urlsplit(found[name])
        assert (unquote(url.password or ""), url.port) == (password, 5432 if name == "database-url" else 6379)


def test_a_database_with_a_name_of_its_own() -> None:
    data = secret_data({"password": "a"}, DATABASE | {"name": "a/b", "user": "a@b"}, CACHE)
    assert base64.b64decode(data["database-url"]).decode() == "postgresql://a%40b:a@a-postgresql:5432/a%2Fb"
