"""What is asked of the server about tables as they will be, and of which statements nothing is."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.shape_questions import shape_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import statements


def asked(*texts: str, already: t.Container[int] = ()) -> list[dict[str, t.Any]]:
    sql = "".join(f"{text};\n" for text in texts)
    segment = Segment("0001", 0, len(sql), doc="", path="0001.py", error=None, inspects=None)
    return shape_questions(statements(Rendered(sql, [segment])), already)


def test_a_table_stands_with_what_the_upgrade_changed_before() -> None:
    found = asked("ALTER TABLE home.t ADD a text, DROP COLUMN b", "UPDATE home.t SET c = 1 WHERE a = id")
    assert [item["number"] for item in found] == [2]
    assert found[0]["text"] == "SELECT (1) FROM t WHERE a = id"
    changes = [("add", "a", "text"), ("drop", "b", None)]
    assert found[0]["shapes"] == [{"name": "t", "live": ["home", "t"], "made": None, "changes": changes}]
    assert found[0]["takes"] == [["t", "c"]]


def test_a_renamed_table_keeps_what_it_was() -> None:
    found = asked("ALTER TABLE t ADD a int", "ALTER TABLE t RENAME TO u", "DELETE FROM u WHERE a = 'x'")
    assert found[0]["shapes"][0]["name"] == "u"
    assert found[0]["shapes"][0]["live"] == [None, "t"]


@pytest.mark.parametrize(
    "texts",
    [
        ["CREATE TYPE m AS ENUM ('a')", "ALTER TABLE t ADD v m", "DELETE FROM t WHERE v = 'a'"],
        ["CREATE TABLE t (a int) INHERITS (p)", "DELETE FROM t WHERE a = 1"],
        ["CREATE VIEW t AS SELECT 1 AS a", "DELETE FROM t WHERE a = 1"],
        ["DROP TABLE t", "DELETE FROM t WHERE a = 1"],
        ["ALTER TABLE t ADD a int", "ALTER TABLE home.t ADD b int", "DELETE FROM t WHERE a = 1"],
        ["SET search_path TO x", "DELETE FROM t WHERE a = 1"],
        ["DO $$ BEGIN EXECUTE x; END $$", "DELETE FROM t WHERE a = 1"],
        ["CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DELETE FROM t WHERE f(a) = 1"],
        ["CREATE EXTENSION pg_trgm", "DELETE FROM t WHERE a % 'x'"],
        ["ALTER TABLE t ADD a int", "DELETE FROM t WHERE ctid IS NULL"],
    ],
)
def test_nothing_is_asked_where_the_answer_would_prove_nothing(texts: list[str]) -> None:
    number = len(texts)
    assert [item for item in asked(*texts) if item["number"] == number] == []


def test_after_an_extension_the_functions_are_named() -> None:
    found = asked("CREATE EXTENSION unaccent", "ALTER TABLE t ADD a text", "DELETE FROM t WHERE unaccent(a) = 'x'")
    assert found[0]["functions"] == ["unaccent"]


def test_what_was_asked_as_it_is_is_not_asked_again() -> None:
    assert asked("DELETE FROM t WHERE a = 1", already={1}) == []
    assert len(asked("DELETE FROM t WHERE a = 1")) == 1
