"""Which rows a statement computes, and of whose rows."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import parse_sql
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.written_rows import computed_rows

ASKED = {
    "UPDATE t SET a = b": ("t", "t"),
    "UPDATE t AS x SET a = x.b WHERE x.c > 1": ("t", "t"),
    "INSERT INTO t (a) SELECT b FROM s": ("t", "s"),
    "INSERT INTO t SELECT DISTINCT b FROM s WHERE c": ("t", "s"),
}
NOT_ASKED = {
    "UPDATE t SET a = b FROM s": "joins",
    "WITH x AS (SELECT 1) UPDATE t SET a = b": "joins",
    "INSERT INTO t (a) SELECT s.b FROM s JOIN r ON r.id = s.id": "joins",
    "INSERT INTO t (a) SELECT b FROM s GROUP BY b": "groups",
    "INSERT INTO t (a) SELECT b FROM s LIMIT 1": "groups",
    "INSERT INTO t SELECT * FROM s": "all columns",
    "INSERT INTO t (a) VALUES ((SELECT b FROM s))": "query",
}
CONSTANT = (
    "UPDATE t SET a = 1, b = NULL",
    "INSERT INTO t VALUES (1, now())",
    "DELETE FROM t",
    "ALTER TABLE t ADD a int",
)


def _node(text: str) -> object:
    parsed = parse_sql(text)
    return parsed[0].stmt


@pytest.mark.parametrize("text", ASKED)
def test_what_can_be_asked(text: str) -> None:
    (found,) = computed_rows(_node(text))
    assert (found.target[1], found.source[1], found.problem) == (*ASKED[text], "")


@pytest.mark.parametrize("text", NOT_ASKED)
def test_what_cannot_says_why(text: str) -> None:
    (found,) = computed_rows(_node(text))
    assert NOT_ASKED[text] in found.problem


@pytest.mark.parametrize("text", CONSTANT)
def test_constants_are_not_taken_up(text: str) -> None:
    assert not list(computed_rows(_node(text)))
