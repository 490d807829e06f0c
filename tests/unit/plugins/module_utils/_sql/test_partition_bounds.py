"""Bounds of partitions: which overlap, and which take a row; servers are asked in integration/preflight/test_bonds.py."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_bounds import (
    Bound,
    bound_of_text,
    empty,
    overlap,
    point,
    takes,
)
from pglast import parse_sql

ZONE = "Europe/Berlin"


def bound(text: str, *types: str) -> Bound:
    found = bound_of_text(f"FOR VALUES {text}", types, ZONE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "one", "other", "wanted"),
    [
        ("int4", "FROM (1) TO (10)", "FROM (10) TO (20)", False),
        ("int4", "FROM (1) TO (10)", "FROM ('9') TO (MAXVALUE)", True),
        ("numeric", "FROM (MINVALUE) TO ('0.5')", "FROM ('0.50') TO (1)", False),
        ("date", "FROM ('2026-01-01') TO ('2026-02-01')", "FROM ('2026-02-01') TO ('2026-03-01')", False),
        ("date", "FROM ('2026-01-01') TO ('2026-02-01')", "FROM ('infinity') TO (MAXVALUE)", None),
        ("timestamptz", "FROM ('2026-01-01 00:00:00+01') TO ('2026-02-01')", "FROM ('2025-01-01') TO ('2026-01-01')", False),
        ("timestamptz", "FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01')", "FROM ('2025-01-01') TO ('2026-01-01 02:00')", True),
        ("text", "FROM ('a') TO ('m')", "FROM ('b') TO ('c')", None),
        ("text", "FROM ('a') TO ('m')", "FROM ('m') TO (MAXVALUE)", False),
        ("text", "IN ('a', NULL)", "IN ('b')", False),
        ("text", "IN ('a', NULL)", "IN (NULL)", True),
        ("bool", "IN (true)", "IN ('t')", True),
        ("uuid", "FROM ('00000000-0000-0000-0000-000000000000') TO ('80000000-0000-0000-0000-000000000000')",
         "FROM ('80000000-0000-0000-0000-000000000000') TO (MAXVALUE)", False),
        ("inet", "IN ('10.0.0.1')", "IN ('10.0.0.1/32')", None),
        ("int4", "WITH (MODULUS 4, REMAINDER 1)", "WITH (MODULUS 8, REMAINDER 5)", True),
        ("int4", "WITH (MODULUS 4, REMAINDER 1)", "WITH (MODULUS 8, REMAINDER 6)", False),
    ],
)  # fmt: skip
def test_two_partitions(kind: str, one: str, other: str, wanted: bool | None) -> None:
    assert overlap(bound(one, kind), bound(other, kind)) is wanted
    assert overlap(bound(other, kind), bound(one, kind)) is wanted


def test_two_columns() -> None:
    texts = ("FROM (1, 'a') TO (1, 'm')", "FROM (1, 'm') TO (1, MAXVALUE)", "FROM (0, 'z') TO (2, MINVALUE)")
    first, second, third = (bound(text, "int4", "text") for text in texts)
    assert overlap(first, second) is False
    assert overlap(first, third) is True


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("FROM (1) TO (10)", "1", True),
        ("FROM (1) TO (10)", "10", False),
        ("FROM (1) TO (10)", "NULL", False),
        ("FROM (1) TO (10)", "random()", None),
        ("IN (1, 2)", "2", True),
        ("IN (1, 2)", "NULL", False),
        ("IN (1, NULL)", "NULL", True),
        ("WITH (MODULUS 4, REMAINDER 1)", "1", None),
    ],
)
def test_a_row(text: str, value: str, wanted: bool | None) -> None:
    statement: t.Any = parse_sql(f"SELECT {value}")[0].stmt
    assert takes(bound(text, "int4"), [point(statement.targetList[0].val, "int4", ZONE)]) is wanted


def test_a_range_of_nothing() -> None:
    assert empty(bound("FROM (2) TO (2)", "int4"))


def test_what_is_no_bound() -> None:
    assert bound_of_text("nonsense", ["int4"], ZONE) is None
