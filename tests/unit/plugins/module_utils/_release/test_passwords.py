"""Passwords that are missing, placeholders, or among the values."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.passwords import IN_VALUES, problems

from lab.paths import ROOT

REAL = {"password": "8Rz!a", "postgres-password": "9Qx!b", "replication-password": "7Kc!d", "redis-password": "5Mv!e"}
NOTHING: dict[str, list[str]] = {"missing": [], "placeholders": [], "in_values": []}


@pytest.mark.parametrize(
    ("values", "needed"),
    [
        ({}, {"password", "postgres-password", "redis-password"}),
        ({"postgresql": None, "redis": "text"}, {"password", "postgres-password", "redis-password"}),
        ({"redis": {"auth": {"enabled": False}}}, {"password", "postgres-password"}),
        ({"redis": {"enabled": False}}, {"password", "postgres-password"}),
        ({"postgresql": {"architecture": "replication"}}, set(REAL)),
        ({"postgresql": {"architecture": "standalone"}}, {"password", "postgres-password", "redis-password"}),
    ],
)
def test_which_passwords_a_release_needs(values: dict[str, t.Any], needed: set[str]) -> None:
    assert problems(dict.fromkeys(REAL, ""), values) == NOTHING | {"missing": sorted(needed)}
    assert problems({}, values)["missing"] == sorted(needed)
    assert problems(REAL, values) == NOTHING


@pytest.mark.parametrize(
    "password",
    [
        "demo-only",
        "Demo",
        "dev-password",
        "changeme",
        "please-change-me",
        "CHANGE_IT",
        "<from the vault>",
        "todo",
        "Secret1",
        "prod-secret-from-vault",
        "demo-only/agent@dev:p%20ss",
        "dev-password-ok",
        "ChangeMe123!",
        "admin",
        "postgres",
        "redis",
        "letmein",
        "123456",
        "x",
        "unused",
    ],
)
def test_placeholders(password: str) -> None:
    assert problems(REAL | {"redis-password": password}, {}) == NOTHING | {"placeholders": ["redis-password"]}


@pytest.mark.parametrize(
    "password",
    [
        "my-demo",
        "exchange-rate",
        "a<b>",
        "no-secret",
        "unchanged",
        "Secretariat-9fk2Qx7w",
        "Password-from-generator-77x",
        "demonstrable-Horse-7",
        "Todoist8xZ1",
        "changeling#81Kf",
        "Example-free-x81",
        "<xK9!d8>",
        "48151623421",
    ],
)
def test_passwords_that_only_look_like_one(password: str) -> None:
    assert problems(REAL | {"redis-password": password}, {}) == NOTHING


@pytest.mark.parametrize("path", IN_VALUES)
def test_a_password_among_the_values(path: str) -> None:
    *parents, last = path.split(".")
    for value, found in (("x", [path]), ("", []), (None, [])):
        values: dict[str, t.Any] = {last: value}
        for name in reversed(parents):
            values = {name: values}
        assert problems(REAL, values) == NOTHING | {"in_values": found}


@pytest.mark.parametrize("path", sorted((ROOT / "chart").glob("values*.yaml")), ids=lambda path: path.name)
def test_the_charts_own_values_hold_none(path: t.Any) -> None:
    assert problems(REAL, yaml.safe_load(path.read_text()))["in_values"] == []


CANARY = "HUNTER2canary"


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"agent": {"env": {"OPENAI_API_KEY": CANARY}}}, "agent.env.OPENAI_API_KEY"),
        (
            {"agent": {"extraEnv": [{"name": "A", "value": "b"}, {"name": "AWS_SECRET_ACCESS_KEY", "value": CANARY}]}},
            "agent.extraEnv[1].value",
        ),
        ({"migration": {"extraEnv": [{"name": "DB_PASSWORD", "value": CANARY}]}}, "migration.extraEnv[0].value"),
        (
            {"postgresql": {"primary": {"extraEnvVars": [{"name": "BACKUP_TOKEN", "value": CANARY}]}}},
            "postgresql.primary.extraEnvVars[0].value",
        ),
        ({"agent": {"llm": {"baseUrl": f"https://user:{CANARY}@llm.example.com/v1"}}}, "agent.llm.baseUrl"),
        ({"redis": {"commonConfiguration": f"appendonly no\nrequirepass {CANARY}"}}, "redis.commonConfiguration"),
        (
            {"postgresql": {"primary": {"initdb": {"scripts": {"a.sql": f"CREATE ROLE r PASSWORD '{CANARY}'"}}}}},
            "postgresql.primary.initdb.scripts.a.sql",
        ),
        ({"postgresql": {"ldap": {"bindpw": CANARY}}}, "postgresql.ldap.bindpw"),
        ({"externalCache": {"password": CANARY}}, "externalCache.password"),
        ({"redis": {"metrics": {"redisPassword": CANARY}}}, "redis.metrics.redisPassword"),
        ({"extraObjects": [{"kind": "Secret", "stringData": {"a": CANARY}}]}, "extraObjects[0]"),
        *(
            ({"agent": {"env": {name: CANARY}}}, f"agent.env.{name}")
            for name in ("PGPASSWORD", "REDISCLI_AUTH", "MYSQL_PWD", "AIRFLOW__CORE__FERNET_KEY", "SECRET_KEY_BASE")
        ),
        ({"agent": {"env": {"BACKUP_TOKEN": 12345678}}}, "agent.env.BACKUP_TOKEN"),
        (
            {"agent": {"files": {"a": f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----"}}},
            "agent.files.a",
        ),
    ],
)
def test_a_secret_among_the_values_by_its_name_or_its_form(values: dict[str, t.Any], path: str) -> None:
    assert problems(REAL, values) == NOTHING | {"in_values": [path]}


@pytest.mark.parametrize(
    "values",
    [
        {"agent": {"env": {"MAX_TOKENS": "100", "TOKENIZER": "x", "CACHE_KEY": "k", "API_KEY_FILE": "/run/key"}}},
        {"agent": {"env": {"REQUIRE_PASSWORD": "true", "OPENAI_API_KEY": ""}}},
        {"agent": {"extraEnv": [{"name": "OPENAI_API_KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}},
        {"agent": {"extraEnv": [{"name": "PGPASSWORD", "value": "$(DB_PASSWORD)"}]}},
        {"agent": {"llm": {"baseUrl": "https://llm.example.com:8443/v1", "existingSecret": "llm"}}},
        {"existingSecretKeys": {"database-url": {"name": "db", "key": "password"}}},
        {"redis": {"auth": {"existingSecretPasswordKey": "redis-password"}}},
        {"existingSecretKeys": {"password": "pw", "redis-password": "pw"}},
        {"postgresql": {"auth": {"usePasswordFiles": True, "secretKeys": {"userPasswordKey": "password"}}}},
        {"externalSecret": {"data": [{"secretKey": "password", "remoteRef": {"key": "db", "property": "password"}}]}},
        {"extraObjects": [{"kind": "Secret", "type": "kubernetes.io/service-account-token"}]},
        {
            "agent": {
                "env": {"USE_TOKEN": 1, "REQUIRE_PASSWORD": True, "PRIMARY_KEY": "id", "SSL_CERT": "BEGIN PUBLIC KEY"}
            }
        },
        {"agent": {"files": {"a": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"}}},
    ],
)
def test_what_only_names_or_leads_to_a_secret_is_none(values: dict[str, t.Any]) -> None:
    assert problems(REAL, values) == NOTHING


LONG = "Hu9!canary/Kx"


@pytest.mark.parametrize("key", sorted(REAL))
@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"agent": {"env": {"HARMLESS": LONG}}}, "agent.env.HARMLESS"),
        ({"agent": {"args": ["--db", f"host=x password={LONG}"]}}, "agent.args[1]"),
        ({"agent": {"podAnnotations": {"note": "Hu9%21canary%2FKx"}}}, "agent.podAnnotations.note"),
        ({"extraObjects": [{"kind": "ConfigMap", "data": {"a": f"x {LONG} y"}}]}, "extraObjects[0].data.a"),
        ({"agent": {"env": {"BLOB": "SHU5IWNhbmFyeS9LeA=="}}}, "agent.env.BLOB"),
    ],
)
def test_a_password_of_the_vault_anywhere_among_the_values(values: dict[str, t.Any], path: str, key: str) -> None:
    assert problems(REAL | {key: LONG}, values)["in_values"] == [path]


def test_a_short_word_may_stand_there_for_another_reason() -> None:
    for word in ("agent", "postgres", "8Rz!a", ""):
        assert problems(REAL | {"password": word}, {"agent": {"env": {"A": f"{word} x"}}})["in_values"] == []


@pytest.mark.parametrize(
    ("values", "needed"),
    [
        ({"postgresql": {"architecture": "replication"}}, {"redis-password", "replication-password"}),
        ({"redis": {"enabled": False}}, set()),
        ({}, {"redis-password"}),
    ],
)
def test_without_passwords_those_are_missing_that_a_release_has_a_use_for(
    values: dict[str, t.Any], needed: set[str]
) -> None:
    assert set(problems({}, values)["missing"]) == {"password", "postgres-password"} | needed
