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
    ],
)
def test_placeholders(password: str) -> None:
    assert problems(REAL | {"redis-password": password}, {}) == NOTHING | {"placeholders": ["redis-password"]}


@pytest.mark.parametrize("password", ["my-demo", "exchange-rate", "a<b>", "no-secret", "unchanged"])
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
