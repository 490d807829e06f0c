"""What the version table and its rows say of the revisions that are to be recorded in it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.version_table import (
    assert_heads,
    version_table_findings,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_version import VersionTable

NODES: dict[str, dict[str, t.Any]] = {
    name: {"down": down, "depends": [], "labels": [], "title": ""}
    for name, down in {"a": [], "b": ["a"], "c": ["b"], "x": []}.items()
}
GRAPH = Graph(NODES, ["c", "x"], ["c"], "alembic_version", None)
PLAIN: dict[str, t.Any] = {"kind": "r", "secured": False, "lacks": [], "needed": [], "triggers": []}


def said(rows: list[str] | None, **table: t.Any) -> list[str]:
    live: VersionTable = {"rows": rows, "has_tables": True, "characters": 32}
    if rows is not None:
        live["table"] = t.cast("t.Any", PLAIN | table)
    return [item.severity for item in version_table_findings(GRAPH, live)]


@pytest.mark.parametrize("rows", [None, [], ["a"], ["b", "x"], ["unheard-of"]])
def test_rows_that_are_heads_are_nothing_to_speak_of(rows: list[str] | None) -> None:
    assert said(rows) == []


def test_a_row_that_is_there_twice() -> None:
    assert said(["a", "a"]) == ["fail"]


@pytest.mark.parametrize("rows", [["a", "b"], ["c", "a", "x"]])
def test_rows_that_overlap(rows: list[str]) -> None:
    with pytest.raises(FindingError, match="Alembic refuses") as raised:
        assert_heads(GRAPH, rows)
    assert raised.value.id == "version-table-unusable"


@pytest.mark.parametrize("rows", [[], ["b", "x"], ["a", "a"], ["unheard-of", "a"]])
def test_rows_that_do_not(rows: list[str]) -> None:
    assert_heads(GRAPH, rows)


def test_rights_count_as_they_are_needed() -> None:
    assert said(["a"], lacks=["UPDATE"]) == ["fail"]
    assert said(["a"], lacks=["INSERT"]) == []
    assert said([], lacks=["INSERT"]) == ["fail"]
    assert said([], needed=["who"]) == ["fail"]
    assert said(["a"], needed=["who"]) == []


@pytest.mark.parametrize("table", [{"kind": "v"}, {"secured": True}, {"triggers": ["t"]}])
def test_what_cannot_be_told(table: dict[str, t.Any]) -> None:
    assert said(["a"], **table) == ["unknown"]
