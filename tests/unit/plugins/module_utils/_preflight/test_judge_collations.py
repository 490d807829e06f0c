"""Keys under collations that take different texts for equal; the lab's servers are built without ICU."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_collations import CollationJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column, Table

from tests.unit.plugins.module_utils._sql.claims import parsed

LOOSE = {"schema": "public", "name": "ci", "provider": "i", "deterministic": False, "locale": "und"}
MAKES = "CREATE COLLATION made (provider = icu, locale = 'und-u-ks-level2', deterministic = {})"


def judged(*texts: str, icu: bool = True, rows: int = 2) -> list[tuple[str, str]]:
    """The ids and severities of what is said of these statements about a table of so many rows."""
    column = Column("text", indexed=True)
    table = Table(("public", "people"), "r", bytes=8192 * rows, rows=rows, columns={"mail": column, "name": column})
    index = Table(("public", "people_mail"), "i", columns={"mail": column}, table=("public", "people"), unique=True)
    catalog = Catalog(tables={table.name: table, index.name: index}, complete=True)
    places = {"collations": [LOOSE], "icu": [{"name": "x"}] if icu else []}
    judge = CollationJudge(catalog, t.cast("t.Any", {"places": places}))
    found = []
    for number, text in enumerate(texts, 1):
        found += judge.judge(parsed(text, number=number), {}, certain=True)
    return [(item.id, item.severity) for item in found]


@pytest.mark.parametrize(
    "texts",
    [
        ["CREATE UNIQUE INDEX ON people (name COLLATE ci)"],
        ["ALTER TABLE people ALTER name TYPE text COLLATE ci", "CREATE UNIQUE INDEX ON people (name)"],
        ["ALTER TABLE people ALTER name TYPE text COLLATE ci", "ALTER TABLE people ADD UNIQUE (name)"],
        ["ALTER TABLE people ALTER mail TYPE text COLLATE ci"],
        [MAKES.format("false"), "CREATE UNIQUE INDEX ON people (name COLLATE made)"],
    ],
)
def test_a_key_is_not_known(texts: list[str]) -> None:
    assert judged(*texts) == [("data-unknown", "unknown")]


@pytest.mark.parametrize(
    "texts",
    [
        ["CREATE INDEX ON people (name COLLATE ci)"],
        ['CREATE UNIQUE INDEX ON people (name COLLATE "C")'],
        ["ALTER TABLE people ALTER name TYPE text COLLATE ci"],
        [MAKES.format("true"), "CREATE UNIQUE INDEX ON people (name COLLATE made)"],
    ],
)
def test_nothing_is_said(texts: list[str]) -> None:
    assert judged(*texts) == []


def test_a_table_without_rows_has_no_twins() -> None:
    assert judged("CREATE UNIQUE INDEX ON people (name COLLATE ci)", rows=0) == []


def test_whether_a_server_has_icu() -> None:
    assert judged(MAKES.format("true"), icu=False) == [("definition-refused", "unknown")]
