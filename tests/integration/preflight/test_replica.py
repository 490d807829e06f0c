"""A published table that loses its replica identity: what is said, and whether its UPDATE then fails."""

from __future__ import annotations

import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_replica import lost_identities
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request

from tests.integration.preflight.conftest import CHOSEN, Servers
from tests.integration.preflight.said_and_done import ended
from tests.unit.plugins.module_utils._sql.claims import parsed

TABLES = """
CREATE SCHEMA pub; SET LOCAL search_path = pub;
CREATE TABLE item (id int PRIMARY KEY, code text NOT NULL, note text);
CREATE UNIQUE INDEX item_code ON item (code);
INSERT INTO item VALUES (1, 'a', 'b');
"""
PUBLISHED = "CREATE PUBLICATION shown FOR TABLE item"
BY_INDEX = "ALTER TABLE item REPLICA IDENTITY USING INDEX item_code"
DROP_KEY = "ALTER TABLE item DROP CONSTRAINT item_pkey"
# Setup, the upgrade.
KINDS = [
    ([PUBLISHED], [DROP_KEY]),
    ([PUBLISHED], [DROP_KEY, "ALTER TABLE item ADD PRIMARY KEY (code)"]),
    ([PUBLISHED], ["ALTER TABLE item DROP CONSTRAINT item_pkey, ADD PRIMARY KEY (code, id)"]),
    ([PUBLISHED], [DROP_KEY, BY_INDEX]),
    ([PUBLISHED], ["ALTER TABLE item REPLICA IDENTITY NOTHING"]),
    ([PUBLISHED], ["ALTER TABLE item REPLICA IDENTITY FULL", DROP_KEY]),
    ([PUBLISHED], ["ALTER TABLE item DROP COLUMN id"]),
    ([PUBLISHED], ["ALTER TABLE item DROP COLUMN note"]),
    ([PUBLISHED], ["DROP INDEX item_code"]),
    ([PUBLISHED, BY_INDEX], ["DROP INDEX item_code"]),
    ([PUBLISHED, BY_INDEX], [DROP_KEY]),
    ([PUBLISHED, BY_INDEX], ["ALTER TABLE item DROP COLUMN code"]),
    ([PUBLISHED + " WITH (publish = 'insert')"], [DROP_KEY]),
    (["CREATE PUBLICATION shown FOR ALL TABLES"], [DROP_KEY]),
    ([], [DROP_KEY]),
]


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize(("setup", "upgrade"), KINDS, ids=lambda texts: "; ".join(texts)[:60])
def test_what_is_said_is_what_an_update_meets(
    setup: list[str], upgrade: list[str], version: int, servers: Servers
) -> None:
    session = servers(version).shared()
    session.rollback()
    session.execute(TABLES)
    for text in setup:
        session.execute(text)
    found = [parsed(text, number=number) for number, text in enumerate(upgrade, 1)]
    said = lost_identities(found, t.cast("DatabaseFacts", live_facts.collect(session, facts_request(found))))
    for text in upgrade:
        session.execute(text)
    try:
        session.execute("UPDATE item SET note = 'c'")
        refused = False
    except psycopg.errors.ObjectNotInPrerequisiteState:
        refused = True
    except psycopg.errors.UndefinedColumn:
        refused = False
    session.rollback()
    assert [item.severity for item in said] == (["fail"] if refused else []), [item.message for item in said]


BARE = "CREATE TABLE bare (id int, note text); INSERT INTO bare VALUES (1, 'a')"
CHANGES = "UPDATE bare SET note = 'b'"
# What is set up, the upgrade, whether its last statement is refused.
WRITTEN = [
    ("CREATE PUBLICATION shown FOR TABLE bare", [CHANGES], True),
    (
        "CREATE PUBLICATION shown FOR ALL TABLES",
        ["WITH gone AS (DELETE FROM bare WHERE id = 7 RETURNING id) TABLE gone"],
        True,
    ),
    ("CREATE PUBLICATION shown FOR TABLE bare", ["INSERT INTO bare VALUES (2, 'c')"], False),
    ("CREATE PUBLICATION shown FOR TABLE bare", ["ALTER TABLE bare ADD PRIMARY KEY (id)", CHANGES], False),
    ("CREATE PUBLICATION shown FOR TABLE bare", ["ALTER TABLE bare REPLICA IDENTITY FULL", CHANGES], False),
    ("CREATE PUBLICATION shown FOR TABLE bare WITH (publish = 'delete')", [CHANGES], False),
    ("CREATE PUBLICATION shown FOR TABLE bare WITH (publish = 'delete')", ["DELETE FROM bare"], True),
    ("CREATE PUBLICATION shown FOR TABLE bare; ALTER TABLE bare REPLICA IDENTITY FULL", [CHANGES], False),
    ("CREATE PUBLICATION shown FOR TABLE item", [CHANGES], False),
]


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize(("setup", "upgrade", "refused"), WRITTEN)
def test_an_upgrade_that_writes_rows_that_nothing_identifies(
    setup: str, upgrade: list[str], refused: bool, version: int, servers: Servers
) -> None:
    session = servers(version).shared()
    session.rollback()
    for text in (TABLES, BARE, setup):
        session.execute(text)
    found = [parsed(text, number=number) for number, text in enumerate(upgrade, 1)]
    said = lost_identities(found, t.cast("DatabaseFacts", live_facts.collect(session, facts_request(found))))
    error = ended(session, upgrade)
    session.rollback()
    assert ("replica identity" in error) == refused, error
    assert [item.severity for item in said] == (["fail"] if refused else []), [item.message for item in said]


# What a publication of 15 and later chooses by; the upgrade, whether it is refused.
CHOSEN_ROWS = [
    ("CREATE PUBLICATION shown FOR TABLE item WHERE (note <> 'x')", "UPDATE item SET code = 'b'", True),
    ("CREATE PUBLICATION shown FOR TABLE item WHERE (note <> 'x')", "DELETE FROM item WHERE id = 7", True),
    ("CREATE PUBLICATION shown FOR TABLE item WHERE (id > 3)", "UPDATE item SET code = 'b'", False),
    (
        "CREATE PUBLICATION shown FOR TABLE item WHERE (note <> 'x') WITH (publish = 'insert')",
        "DELETE FROM item",
        False,
    ),
    ("CREATE PUBLICATION shown FOR TABLE item (code)", "UPDATE item SET code = 'b'", True),
    ("CREATE PUBLICATION shown FOR TABLE item (code, id)", "UPDATE item SET code = 'b'", False),
    (
        "ALTER TABLE item REPLICA IDENTITY FULL; CREATE PUBLICATION shown FOR TABLE item WHERE (note <> 'x')",
        "UPDATE item SET code = 'b'",
        False,
    ),
]


@pytest.mark.parametrize("version", [major for major in CHOSEN if major >= 15])
@pytest.mark.parametrize(("setup", "upgrade", "refused"), CHOSEN_ROWS)
def test_a_publication_that_chooses_rows_or_columns(
    setup: str, upgrade: str, refused: bool, version: int, servers: Servers
) -> None:
    session = servers(version).shared()
    session.rollback()
    for text in (TABLES, setup):
        session.execute(text)
    found = [parsed(upgrade)]
    said = lost_identities(found, t.cast("DatabaseFacts", live_facts.collect(session, facts_request(found))))
    error = ended(session, [upgrade])
    session.rollback()
    assert bool(error) == refused, error
    assert [item.severity for item in said] == (["fail"] if refused else []), [item.message for item in said]


# The upgrade, what then happens to the table, whether that is refused; by the first version that knows such a one.
PUBLISHING = [
    (14, "CREATE PUBLICATION shown FOR TABLE bare", CHANGES, True),
    (14, "CREATE PUBLICATION shown FOR TABLE item", "UPDATE item SET note = 'b'", False),
    (14, "CREATE PUBLICATION shown FOR TABLE bare WITH (publish = 'insert, truncate')", CHANGES, False),
    (14, "CREATE PUBLICATION shown FOR TABLE bare WITH (publish = 'insert, delete')", "DELETE FROM bare", True),
    (14, "CREATE PUBLICATION shown; ALTER PUBLICATION shown ADD TABLE item, bare", CHANGES, True),
    (14, "CREATE PUBLICATION shown; ALTER PUBLICATION shown SET TABLE bare", CHANGES, True),
    (15, "CREATE PUBLICATION shown FOR TABLE item (code)", "UPDATE item SET note = 'b'", True),
    (15, "CREATE PUBLICATION shown FOR TABLE item (id, code)", "UPDATE item SET note = 'b'", False),
    (15, "CREATE PUBLICATION shown FOR TABLE item WHERE (note <> 'x')", "UPDATE item SET note = 'b'", True),
    (15, "CREATE PUBLICATION shown FOR TABLE item WHERE (id > 3)", "UPDATE item SET note = 'b'", False),
]  # fmt: skip


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize("case", PUBLISHING, ids=lambda case: case[1])
def test_an_upgrade_that_publishes(case: tuple[int, str, str, bool], version: int, servers: Servers) -> None:
    first, upgrade, writes, refused = case
    session = servers(version).shared()
    session.rollback()
    session.execute(TABLES)
    session.execute(BARE)
    texts = upgrade.split("; ")
    if version < first:
        assert ended(session, texts)
        session.rollback()
        return
    found = [parsed(text, number=number) for number, text in enumerate(texts, 1)]
    said = lost_identities(found, t.cast("DatabaseFacts", live_facts.collect(session, facts_request(found))))
    error = ended(session, [*texts, writes])
    session.rollback()
    assert bool(error) == refused, error
    assert [item.severity for item in said] == (["fail"] if refused else []), [item.message for item in said]


ALL = "CREATE PUBLICATION shown FOR ALL TABLES"
ROW = "INSERT INTO fresh VALUES (1)"
FRESH = "CREATE TABLE fresh (a int)"
# What is set up, the upgrade, and what is said; where that is `fail`, the server refuses its last statement.
NEW_TABLES = [
    (ALL, [FRESH, ROW, "UPDATE fresh SET a = 2"], "fail"),
    (ALL, [FRESH, ROW, "DELETE FROM fresh"], "fail"),
    (ALL, [FRESH, "WITH gone AS (DELETE FROM fresh RETURNING a) SELECT * FROM gone"], "fail"),
    (ALL, ["CREATE TABLE fresh AS SELECT 1 AS a", "DELETE FROM fresh"], "fail"),
    (ALL, ["CREATE TABLE early (a int)", "ALTER TABLE early RENAME TO fresh", "DELETE FROM fresh"], "fail"),
    (ALL, ["CREATE TABLE fresh (a int UNIQUE)", "UPDATE fresh SET a = 2"], "fail"),
    (ALL, [FRESH, "ALTER TABLE fresh REPLICA IDENTITY NOTHING", "UPDATE fresh SET a = 2"], "fail"),
    (ALL, [FRESH, ROW], "warn"),
    (ALL, [FRESH, "TRUNCATE fresh"], "warn"),
    (ALL, ["CREATE TABLE fresh (a int PRIMARY KEY)", ROW, "UPDATE fresh SET a = 2"], None),
    (ALL, ["CREATE TABLE fresh (a int, PRIMARY KEY (a))", ROW, "DELETE FROM fresh"], None),
    (ALL, [FRESH, "ALTER TABLE fresh ADD PRIMARY KEY (a)", "DELETE FROM fresh"], None),
    (ALL, [FRESH, "ALTER TABLE fresh ADD COLUMN b serial PRIMARY KEY", "DELETE FROM fresh"], None),
    (ALL, [FRESH, "ALTER TABLE fresh REPLICA IDENTITY FULL", ROW, "UPDATE fresh SET a = 2"], None),
    (ALL, ["CREATE UNLOGGED TABLE fresh (a int)", ROW, "UPDATE fresh SET a = 2"], None),
    (ALL, ["CREATE TEMP TABLE fresh (a int)", ROW, "UPDATE fresh SET a = 2"], None),
    (ALL, [FRESH, "DROP TABLE fresh"], None),
    (ALL + " WITH (publish = 'insert')", [FRESH, ROW, "UPDATE fresh SET a = 2"], None),
    (ALL + " WITH (publish = 'insert, delete')", [FRESH, ROW, "UPDATE fresh SET a = 2"], "warn"),
    ("CREATE PUBLICATION shown FOR TABLE item", [FRESH, ROW, "UPDATE fresh SET a = 2"], None),
]
SCHEMA = "CREATE PUBLICATION shown FOR TABLES IN SCHEMA"
# As above, of a publication of 15 and later, and statements that it knows.
NEW_TABLES_15 = [
    (f"{SCHEMA} pub", [FRESH, "UPDATE fresh SET a = 2"], "fail"),
    (f"{SCHEMA} pub", ["CREATE TABLE pub.fresh (a int)", "UPDATE fresh SET a = 2"], "fail"),
    (f"{SCHEMA} public", [FRESH, "UPDATE fresh SET a = 2"], None),
    (ALL, [FRESH, "MERGE INTO fresh USING (SELECT 1 AS x) s ON fresh.a = s.x WHEN MATCHED THEN DELETE"], "fail"),
    (
        "CREATE PUBLICATION shown FOR TABLE bare",
        ["MERGE INTO bare USING (SELECT 1 AS x) s ON bare.id = s.x WHEN MATCHED THEN UPDATE SET note = 'b'"],
        "fail",
    ),
]


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize("case", NEW_TABLES + NEW_TABLES_15, ids=lambda case: "; ".join(case[1])[:70])
def test_a_new_table_that_a_publication_takes_up(
    case: tuple[str, list[str], str | None], version: int, servers: Servers
) -> None:
    setup, upgrade, wanted = case
    if version < 15 and case in NEW_TABLES_15:
        return
    session = servers(version).shared()
    session.rollback()
    for text in (TABLES, BARE, setup):
        session.execute(text)
    found = [parsed(text, number=number) for number, text in enumerate(upgrade, 1)]
    said = lost_identities(found, t.cast("DatabaseFacts", live_facts.collect(session, facts_request(found))))
    error = ended(session, upgrade)
    session.rollback()
    assert ("replica identity" in error) == (wanted == "fail"), error
    assert [item.severity for item in said] == ([wanted] if wanted else []), [item.message for item in said]


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize(
    ("setup", "refused"),
    [
        ("CREATE PUBLICATION shown FOR TABLE item", True),
        ("CREATE PUBLICATION shown FOR TABLE item WITH (publish = 'insert')", True),
        ("CREATE PUBLICATION shown FOR ALL TABLES", False),
        ("CREATE PUBLICATION shown FOR TABLE bare", False),
    ],
)
def test_a_published_table_is_not_made_unlogged(setup: str, refused: bool, version: int, servers: Servers) -> None:
    session = servers(version).shared()
    session.rollback()
    for text in (TABLES, BARE, setup):
        session.execute(text)
    found = [parsed("ALTER TABLE item SET UNLOGGED")]
    said = lost_identities(found, t.cast("DatabaseFacts", live_facts.collect(session, facts_request(found))))
    error = ended(session, ["ALTER TABLE item SET UNLOGGED"])
    session.rollback()
    assert bool(error) == refused, error
    assert [item.severity for item in said] == (["fail"] if refused else []), [item.message for item in said]
