"""What an upgrade itself takes away, or makes to run at its writes: what is said before, and what the server does."""

# ruff: noqa: E501 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import LEDGER, agree_at_worst, said_and_done, sql

PROJ = "CREATE TABLE proj (id int PRIMARY KEY, code text); INSERT INTO proj VALUES (1, 'a'); CREATE VIEW pv AS SELECT id FROM proj;"
RENAMED = "ALTER TABLE proj RENAME TO projects"
FILLS = "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := lower(NEW.note); RETURN NEW; END'"
RAISES = "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'frozen'; END$$"
FIRES = "CREATE TRIGGER x BEFORE {} ON ledger FOR EACH ROW EXECUTE FUNCTION tf()"
UPDATE = "UPDATE ledger SET kind = 'x'"
FILE = "CREATE EXTENSION file_fdw; CREATE SERVER fs FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE ft (a int) SERVER fs OPTIONS (filename '/etc/hostname');"
# The kinds are those of public reports: Unleash/unleash#4303, open-metadata/OpenMetadata#12880, jackc/tern#130 (replica
# identities), langflow-ai/langflow#1274 (batches that rename), oliverw/miningcore#1061 (IMMUTABLE).
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "renamed, insert": (PROJ, sql(RENAMED, "INSERT INTO proj VALUES (2, 'b')"), "fail", "does not exist"),
    "renamed, update": (PROJ, sql(RENAMED, "UPDATE proj SET code = 'b'"), "fail", "does not exist"),
    "renamed, join": (PROJ, sql(RENAMED, "UPDATE ledger SET note = p.code FROM proj p WHERE p.id = ledger.id"), "fail", "does not exist"),
    "renamed, subquery": (PROJ, sql(RENAMED, "DELETE FROM ledger WHERE id IN (SELECT id FROM proj)"), "fail", "does not exist"),
    "renamed, index": (PROJ, sql(RENAMED, "CREATE INDEX x ON proj (id)"), "fail", "does not exist"),
    "renamed, altered": (PROJ, sql(RENAMED, "ALTER TABLE proj ADD z int"), "fail", "does not exist"),
    "renamed, view": (PROJ, sql(RENAMED, "CREATE VIEW v AS SELECT * FROM proj"), "fail", "does not exist"),
    "renamed, foreign key": (PROJ, sql(RENAMED, "CREATE TABLE x (id int REFERENCES proj (id))"), "fail", "does not exist"),
    "renamed, a view in its place": (PROJ, sql(RENAMED, "CREATE VIEW proj AS SELECT * FROM projects", "CREATE TABLE x AS SELECT id FROM proj"), None, ""),
    "renamed, a WITH query of its name": (PROJ, sql(RENAMED, "CREATE TABLE w AS WITH proj AS (SELECT 1 AS id) SELECT id FROM proj"), None, ""),
    "renamed, if it exists": (PROJ, sql(RENAMED, "ALTER TABLE IF EXISTS proj ADD z int", "DROP TABLE IF EXISTS proj"), None, ""),
    "a view dropped": (PROJ, sql("DROP VIEW pv", "CREATE TABLE c AS SELECT * FROM pv"), "fail", "does not exist"),
    "a trigger that fills": ("", sql(FILLS, FIRES.format("UPDATE"), UPDATE), None, ""),
    "a trigger that raises": ("", sql(RAISES, FIRES.format("UPDATE"), UPDATE), "unknown", "frozen"),
    "a trigger of another event": ("", sql(RAISES, FIRES.format("INSERT"), UPDATE), None, ""),
    "a trigger of another column": ("", sql(RAISES, FIRES.format("UPDATE OF note"), UPDATE), None, ""),
    "a trigger that is dropped again": ("", sql(RAISES, FIRES.format("UPDATE"), "DROP TRIGGER x ON ledger", UPDATE), None, ""),
    "a trigger of a column that is not there": ("", sql(FILLS.replace("NEW.note :=", "NEW.changed :="), FIRES.format("UPDATE"), UPDATE), "unknown", "no field"),
    "a trigger that leaves rows out": ("", sql("CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", FIRES.format("UPDATE"), "UPDATE ledger SET note = 'x' WHERE note IS NULL", "ALTER TABLE ledger ALTER note SET NOT NULL"), "unknown", "null values"),
    "a trigger on a new table": ("", sql("CREATE TABLE n (a int)", RAISES, FIRES.format("INSERT").replace("ledger", "n"), "INSERT INTO n VALUES (1)"), "unknown", "frozen"),
    "a function replaced": (f"{FILLS}; {FIRES.format('UPDATE')};", sql(RAISES.replace("CREATE", "CREATE OR REPLACE"), UPDATE), "unknown", "frozen"),
    "TRUNCATE with a trigger": (f"{RAISES}; CREATE TRIGGER x BEFORE TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION tf();", sql("TRUNCATE ledger"), "unknown", "frozen"),
    "a column that a trigger uses goes": (f"{FILLS}; {FIRES.format('UPDATE')};", sql("ALTER TABLE ledger DROP COLUMN note", UPDATE), "fail", "no field"),
    "a column that a trigger uses is renamed": (f"{FILLS}; {FIRES.format('UPDATE')};", sql("ALTER TABLE ledger RENAME note TO remark", UPDATE), "fail", "no field"),
    "an identity column as text": ("CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY);", sql("ALTER TABLE i ALTER id TYPE text"), "fail", "identity column type"),
    "an identity column as bigint": ("CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY);", sql("ALTER TABLE i ALTER id TYPE bigint"), None, ""),
    "an index of a day, in a time zone": ("CREATE TABLE ev (at timestamp); CREATE INDEX i ON ev ((at::date));", sql("ALTER TABLE ev ALTER at TYPE timestamptz"), "unknown", "IMMUTABLE"),
    "an index over a number": ("CREATE INDEX i ON ledger ((amount + 1));", sql("ALTER TABLE ledger ALTER amount TYPE bigint"), None, ""),
    "replica identity by what may be NULL": ("CREATE UNIQUE INDEX u ON ledger (note);", sql("ALTER TABLE ledger REPLICA IDENTITY USING INDEX u"), "fail", "nullable"),
    "replica identity by a part": ("CREATE UNIQUE INDEX u ON ledger (id) WHERE id > 1;", sql("ALTER TABLE ledger REPLICA IDENTITY USING INDEX u"), "fail", "partial"),
    "replica identity by a key": ("CREATE UNIQUE INDEX u ON ledger (id);", sql("ALTER TABLE ledger REPLICA IDENTITY USING INDEX u"), None, ""),
    "a policy on a view": (PROJ, sql("CREATE POLICY p ON pv USING (true)"), "fail", "is not a table"),
    "a foreign table": (FILE, sql("UPDATE ft SET a = 1"), "unknown", "cannot update foreign table"),
}  # fmt: skip
SAYS = {"object-missing", "data-unknown", "definition-refused", "write-rejected"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    agree_at_worst(said_and_done(session, LEDGER, setup, texts, rows=True), SAYS, wanted, words)
