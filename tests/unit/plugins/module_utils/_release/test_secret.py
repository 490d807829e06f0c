"""What the role writes into a release's Secret; tests/chart/test_role_secret.py compares it with the chart's."""

from __future__ import annotations

import base64
import json
import typing as t
from urllib.parse import unquote, urlsplit

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret import secret_data

Object = dict[str, t.Any]


def server(component: str, host: str, port: str, number: int, **environment: str) -> list[Object]:
    """A StatefulSet, its Service, its headless Service and that of its metrics."""
    labels = {"app.kubernetes.io/component": component}
    env = [{"name": name, "value": value} for name, value in environment.items()]
    pod = {"spec": {"containers": [{"name": "x", "env": env}]}}
    services: list[tuple[str, Object, str]] = [(host, {}, port), (f"{host}-hl", {"clusterIP": "None"}, port)]
    services.append((f"{host}-metrics", {}, "http-metrics"))
    return [
        {"kind": "StatefulSet", "metadata": {"name": host, "labels": labels}, "spec": {"template": pod}},
        *(
            {
                "kind": "Service",
                "metadata": {"name": name},
                "spec": {"selector": labels, "ports": [{"name": named, "port": number}]} | more,
            }
            for name, more, named in services
        ),
    ]


def text(*objects: Object) -> str:
    return "\n---\n".join(json.dumps(item) for item in objects)


OWN = {"POSTGRES_USER": "agent_user", "POSTGRES_DATABASE": "agent_db"}
POSTGRESQL = server("primary", "a-postgresql", "tcp-postgresql", 5432, **OWN)
REDIS = server("master", "a-redis-master", "tcp-redis", 6379, REDIS_PASSWORD="")


def plain(passwords: dict[str, str], *objects: Object) -> dict[str, str]:
    data = secret_data(passwords, text(*(objects or [*POSTGRESQL, *REDIS])))
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
    names = {"POSTGRES_USER": "a@b", "POSTGRES_DATABASE": "a/b"}
    found = plain({"password": "a"}, *server("primary", "db", "tcp-postgresql", 5433, **names))
    assert found["database-url"] == "postgresql://a%40b:a@db:5433/a%2Fb"


def test_a_database_without_a_user_of_its_own() -> None:
    found = plain({"password": "a", "postgres-password": "b"}, *server("primary", "db", "tcp-postgresql", 5432))
    assert found["database-url"] == "postgresql://postgres:b@db:5432/postgres"


def test_a_cache_without_a_password() -> None:
    cache = server("master", "cache", "tcp-redis", 6379, ALLOW_EMPTY_PASSWORD="yes")
    assert plain({"redis-password": "c"}, *cache)["redis-url"] == "redis://cache:6379/0"


def test_a_server_that_is_elsewhere_has_no_url() -> None:
    assert plain({"password": "a"}, *REDIS).keys() == {"password", "redis-url"}
    assert secret_data({}, "") == {}


@pytest.mark.parametrize("objects", [POSTGRESQL[:1], POSTGRESQL[1:2], [*POSTGRESQL, *POSTGRESQL]])
def test_half_a_server_is_an_error(objects: list[Object]) -> None:
    with pytest.raises(FindingError, match="tcp-postgresql"):
        secret_data({}, text(*objects))
