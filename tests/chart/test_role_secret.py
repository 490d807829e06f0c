"""The Secret that the role writes leads to the same servers as the Secret that the chart writes itself."""

from __future__ import annotations

import base64
import itertools
import typing as t

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret import secret_data

from tests.chart.conftest import RELEASE, Object, Render

PASSWORDS = {
    "password": "a@:/%+ü",
    "postgres-password": "b b",
    "replication-password": "r",
    "redis-password": "c?#",
}
IN_VALUES: Object = {
    "postgresql": {"auth": {"password": "a@:/%+ü", "postgresPassword": "b b", "replicationPassword": "r"}},
    "redis": {"auth": {"password": "c?#"}},
    "externalDatabase": {"password": "a"},
    "externalCache": {"password": "c"},
}
URLS = ("database-url", "migration-database-url", "redis-url")
_REPLICATION: Object = {"architecture": "replication"}

POSTGRESQL: dict[str, Object] = {
    "as it is": {},
    "replication": _REPLICATION | {"readReplicas": {"replicaCount": 2}},
    "another name of the primary": _REPLICATION | {"primary": {"name": "main"}},
    "nameOverride": {"nameOverride": "db"},
    "nameOverride in the release's name": {"nameOverride": "agent"},
    "fullnameOverride": {"fullnameOverride": "the-database"},
    "fullnameOverride and replication": _REPLICATION | {"fullnameOverride": "the-database"},
    "another port": {"primary": {"service": {"ports": {"postgresql": 5433}}}},
    "no user of its own": {"auth": {"username": ""}},
    "the user of the administrator": {"auth": {"username": "postgres"}},
    "neither user nor database of its own": {"auth": {"username": "", "database": ""}},
    "other names": {"auth": {"username": "a@b", "database": "a/b"}},
}
REDIS: dict[str, Object] = {
    "as it is": {},
    "replication": _REPLICATION | {"replica": {"replicaCount": 2}},
    "nameOverride": {"nameOverride": "kv"},
    "fullnameOverride": {"fullnameOverride": "the-cache"},
    "another port": {"master": {"service": {"ports": {"redis": 6380}}}},
    "no password": {"auth": {"enabled": False}},
}
GLOBAL: dict[str, Object] = {
    "user and database": {"postgresql": {"auth": {"username": "someone", "database": "something"}}},
    "port": {"postgresql": {"service": {"ports": {"postgresql": 5434}}}},
}
CASES: dict[str, Object] = {
    **{f"postgresql, {name}": {"postgresql": values} for name, values in POSTGRESQL.items()},
    **{f"redis, {name}": {"redis": values} for name, values in REDIS.items()},
    **{f"global, {name}": {"global": values} for name, values in GLOBAL.items()},
    "other forms": {
        "agent": {
            "urls": {
                "database": [
                    {"name": "PG_URI", "scheme": "postgresql+pg8000"},
                    {"name": "PG_ASYNC", "scheme": "postgresql+asyncpg", "parameters": "ssl=require"},
                ],
                "cache": [{"name": "VALKEY_URL", "scheme": "valkey"}],
            }
        }
    },
    "external database": {
        "postgresql": {"enabled": False},
        "externalDatabase": {"host": "db.example"},
        "networkPolicy": {"enabled": False},
    },
    "external cache": {
        "redis": {"enabled": False},
        "externalCache": {"host": "cache.example"},
        "networkPolicy": {"enabled": False},
    },
}
RELEASES = (RELEASE, "my-postgresql", "redis-x", "a" * 39)


def decoded(data: t.Mapping[str, str]) -> dict[str, str]:
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


OF_RELEASES = [("postgresql, as it is", release) for release in RELEASES[1:]]


@pytest.mark.parametrize(("case", "release"), [*((case, RELEASE) for case in CASES), *OF_RELEASES])
def test_the_role_and_the_chart_write_the_same(render: Render, case: str, release: str) -> None:
    values = CASES[case]
    existing = {"existingSecret": f"{release}-secret", "rotationId": "r"}
    auth = {name: {"auth": {"existingSecret": f"{release}-secret"}} for name in ("postgresql", "redis")}
    by_role = render("dev", existing, auth, values, release=release)
    ours = decoded(secret_data(PASSWORDS, yaml.safe_dump_all(by_role)))
    theirs = render("dev", IN_VALUES, values, release=release).secret(f"{release}-secret")
    assert {name for name in theirs if name.isupper() or "-PG" in name} == {
        name for name in ours if name.isupper() or "-PG" in name
    }
    installed = [
        name
        for name in (*URLS, *(name for name in ours if name not in PASSWORDS))
        if not case.startswith("external") or name in ours
    ]
    assert {name: ours[name] for name in installed} == {name: theirs[name] for name in installed}
    # A server that is elsewhere has an address that only its owner knows: the role asks for a Secret with it.
    assert set(URLS) - ours.keys() == {
        "external database": {"database-url", "migration-database-url"},
        "external cache": {"redis-url"},
    }.get(case, set())


def test_no_two_cases_are_one() -> None:
    assert all(one != other for one, other in itertools.combinations(CASES.values(), 2) if one or other)
