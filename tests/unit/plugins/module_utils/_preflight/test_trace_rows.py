"""What a traced revision read of tables that the upgrade itself made is known; of all others it is not."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_log import Traced
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_rows import Rows

MADE = "CREATE TABLE made (id int)"
READ = "SELECT id FROM made"

KNOWN = {
    "it is empty": [MADE, READ],
    "it holds what the upgrade wrote": [MADE, "INSERT INTO made VALUES (1)", READ],
    "it is filled from another that was made": [
        MADE, "CREATE TABLE other AS SELECT 1 AS id", "INSERT INTO made SELECT id FROM other", READ,
    ],
    "it was renamed": ["CREATE TABLE other (id int)", "ALTER TABLE other RENAME TO made", READ],
    "an id and a time are computed": [MADE, "INSERT INTO made SELECT length(now()::text)", READ],
    "what it changes comes back": [MADE, "UPDATE made SET id = 2 RETURNING id"],
    "a savepoint before it is rolled back": [MADE, "BEGIN", "SAVEPOINT one", "ROLLBACK TO SAVEPOINT one", READ],
    "SQLAlchemy 2.1 asks for tables": [
        MADE, "SELECT relname, amname <> current_setting('default_table_access_method') FROM pg_class, pg_am", READ,
    ],
    "Alembic's own table": ["SELECT version_num FROM alembic_version"],
}  # fmt: skip
UNKNOWN = {
    "it is of the live database": [READ],
    "it may be": ["CREATE TABLE IF NOT EXISTS made (id int)", READ],
    "it is in another schema": [MADE, "SELECT id FROM elsewhere.made"],
    "it is filled from the live database": [MADE, "INSERT INTO made SELECT id FROM live", READ],
    "it is made of the live database": ["CREATE TABLE made AS SELECT id FROM live", READ],
    "a live one takes its name": [MADE, "DROP TABLE made", "ALTER TABLE live RENAME TO made", READ],
    "a live one becomes a part of it": [MADE, "ALTER TABLE made ATTACH PARTITION live DEFAULT", READ],
    "its making was taken back": ["BEGIN", MADE, "ROLLBACK", READ],
    "a trigger may fill it": [
        MADE, "CREATE TRIGGER t AFTER UPDATE ON live EXECUTE FUNCTION f()", "UPDATE live SET id = 1", READ,
    ],
    "a key may empty it": [MADE, "DELETE FROM live", READ],
    "a function may fill it": [MADE, "SELECT fill()", READ],
    "a block may fill it": [MADE, "DO $$ BEGIN INSERT INTO made SELECT id FROM live; END $$", READ],
    "its name may be another's": [MADE, "SET search_path = elsewhere", READ],
    "a setting of the machine": [MADE, "SELECT pg_catalog.current_setting('work_mem')", READ],
    "a setting that is not said": [
        MADE, "SELECT current_setting('default_table_access_method'), current_setting(name) FROM made", READ,
    ],
    "a setting": [MADE, "SHOW work_mem", READ],
}  # fmt: skip


def read_by(statements: list[str], revision: str = "r1") -> dict[str, list[str]]:
    return Rows([(None, "alembic_version")]).read_by([Traced(revision, sql) for sql in statements])


@pytest.mark.parametrize("statements", KNOWN.values(), ids=KNOWN)
def test_known(statements: list[str]) -> None:
    assert not read_by(statements)


@pytest.mark.parametrize("statements", UNKNOWN.values(), ids=UNKNOWN)
def test_not_known(statements: list[str]) -> None:
    assert read_by(statements)["r1"]


def test_whoever_reads_live_rows_may_have_written_anywhere() -> None:
    """On the copy it found none, and inserted nothing of them; what it makes after that, it may not make there."""
    seen = [
        Traced("r1", MADE),
        Traced("r2", "SELECT id FROM live"),
        Traced("r2", "CREATE TABLE later (id int)"),
        Traced("r3", READ),
        Traced("r4", "SELECT id FROM later"),
        Traced("r5", "CREATE TABLE fresh (id int)"),
        Traced("r6", "SELECT id FROM fresh"),
    ]
    assert Rows([]).read_by(seen) == {"r2": ["live"], "r3": ["made"], "r4": ["later"]}


def test_what_the_server_refused_made_nothing() -> None:
    refused = Traced("r1", MADE, refusal=("42P07", "it exists"))
    assert Rows([]).read_by([refused, Traced("r1", READ)]) == {"r1": ["made"]}


def test_a_live_table_without_rows_is_known_until_something_is_written_to_it() -> None:
    seen = [Traced("r1", READ), Traced("r2", "INSERT INTO made VALUES (1)"), Traced("r3", READ)]
    assert Rows([], [(None, "made")]).read_by(seen) == {"r3": ["made"]}


def test_where_there_is_no_other_table_the_copy_is_the_database() -> None:
    seen = [
        Traced("r1", MADE),
        Traced("r1", "DO $$ BEGIN EXECUTE 'INSERT INTO made VALUES (1)'; END $$"),
        Traced("r2", READ),
        Traced("r3", "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'"),
        Traced("r4", READ),
    ]
    assert Rows([]).read_by(seen) == {"r2": ["made"], "r3": ["pg_settings"], "r4": ["made"]}
    assert Rows([], bare=True).read_by(seen) == {"r3": ["pg_settings"]}
