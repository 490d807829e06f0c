"""DO blocks with a condition that looks into catalogues: what is said of them, and what the server then does."""

# ruff: noqa: E501, S608 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, sql, worst

TABLES = """
CREATE SCHEMA home; SET LOCAL search_path = home; CREATE SCHEMA o;
CREATE TABLE lamp (id int PRIMARY KEY, note text, CONSTRAINT short CHECK (length(note) < 9) NOT VALID);
CREATE INDEX lamp_note ON lamp (note);
CREATE VIEW lamps AS SELECT id FROM lamp;
INSERT INTO lamp VALUES (1, NULL);
CREATE TABLE o.lamp (id int, shade text, CONSTRAINT bright CHECK (id > 0));
CREATE TABLE o.bulb (id int);
"""
COLUMNS, OF_TABLES = "information_schema.columns", "information_schema.tables"
IN_HOME = "table_schema = 'home'"


def block(condition: str, then: str, otherwise: str = "") -> str:
    return f"DO $$ BEGIN IF {condition} THEN {then}; {f'ELSE {otherwise};' if otherwise else ''} END IF; END $$"


def there(catalogue: str, conditions: str) -> str:
    return f"EXISTS (SELECT 1 FROM {catalogue} WHERE {conditions})"


def column(name: str, more: str = IN_HOME) -> str:
    return there(COLUMNS, f"table_name = 'lamp' AND column_name = '{name}'" + (f" AND {more}" if more else ""))


ADD, USE = "ALTER TABLE lamp ADD COLUMN shade text", "UPDATE lamp SET shade = 'x'"
RENAME = "ALTER TABLE lamp RENAME COLUMN note TO remark"
UNIQUE = "ALTER TABLE lamp ADD CONSTRAINT once UNIQUE (note)"
NAMED = there("pg_constraint", "conname = 'once'")
OWN = there("pg_constraint", "conname = 'once' AND conrelid = 'lamp'::regclass")
INDEX = "CREATE INDEX lamp_id ON lamp (id)"
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "a column that is not there": ("", sql(block(f"NOT {column('shade')}", ADD), USE), None, ""),
    "a column that is there": ("", sql(block(f"NOT {column('note')}", "ALTER TABLE lamp ADD COLUMN note text"), "UPDATE lamp SET note = 'x'"), None, ""),
    "a column that is not there is dropped": ("", sql(block(column("shade"), "ALTER TABLE lamp DROP COLUMN shade")), None, ""),
    "a column that another schema's table has": ("", sql(block(f"NOT {column('shade', '')}", ADD), USE), "fail", "does not exist"),
    "a column that another schema's table has, where it is looked for here": ("", sql(block(f"NOT {column('shade', 'table_schema = current_schema()')}", ADD), USE), None, ""),
    "a column of this upgrade": ("", sql(ADD, block(f"NOT {column('shade')}", ADD), USE), None, ""),
    "a column that this upgrade dropped": ("", sql("ALTER TABLE lamp DROP COLUMN note", block(f"NOT {column('note')}", "ALTER TABLE lamp ADD COLUMN note text"), "UPDATE lamp SET note = 'x'"), None, ""),
    "a column of a table of this upgrade": ("", sql("CREATE TABLE t (a int)", block(f"NOT {there(COLUMNS, f'''table_name = 't' AND column_name = 'b' AND {IN_HOME}''')}", "ALTER TABLE t ADD COLUMN b int"), "INSERT INTO t (b) VALUES (1)"), None, ""),
    "renamed where it is there": ("", sql(block(column("note"), RENAME), "UPDATE lamp SET remark = 'x'"), None, ""),
    "renamed where it is there, twice": ("", sql(block(column("note"), RENAME), block(column("note"), RENAME), "UPDATE lamp SET remark = 'x'"), None, ""),
    "renamed, and used by its old name": ("", sql(block(column("note"), RENAME), "UPDATE lamp SET note = 'x'"), "fail", "does not exist"),
    "two conditions": ("", sql(block(f"{column('note')} AND NOT {column('remark')}", RENAME), "UPDATE lamp SET remark = 'x'"), None, ""),
    "two conditions, one of which does not hold": ("", sql(block(f"{column('note')} AND NOT {column('id')}", RENAME), "UPDATE lamp SET note = 'x'"), None, ""),
    "several statements": ("", sql(block(f"NOT {column('shade')}", f"{ADD}; ALTER TABLE lamp ALTER shade SET DEFAULT 'y'"), USE), None, ""),
    "otherwise": ("", sql(block(column("shade"), "ALTER TABLE lamp DROP COLUMN shade", ADD), USE), None, ""),
    "otherwise, which does not run": ("", sql(block(column("note"), "ALTER TABLE lamp DROP COLUMN note", "ALTER TABLE lamp ADD COLUMN note text"), "UPDATE lamp SET note = 'x'"), "fail", "does not exist"),
    "rows refuse what it runs": ("", sql(block(column("note"), "ALTER TABLE lamp ALTER note SET NOT NULL")), "fail", "contains null values"),
    "rows would refuse what it does not run": ("", sql(block(column("shade"), "ALTER TABLE lamp ALTER note SET NOT NULL")), None, ""),
    "rows that it may have filled": ("", sql(block(column("note"), "UPDATE lamp SET note = 'x' WHERE note IS NULL"), "ALTER TABLE lamp ALTER note SET NOT NULL"), "unknown", ""),
    "rows that it has not filled": ("", sql(block(column("shade"), "UPDATE lamp SET note = 'x' WHERE note IS NULL"), "ALTER TABLE lamp ALTER note SET NOT NULL"), "fail", "contains null values"),
    "a constraint that is not there": ("", sql(block(f"NOT {NAMED}", UNIQUE)), None, ""),
    "a constraint that is not there, by its table": ("", sql(block(f"NOT {OWN}", UNIQUE)), None, ""),
    "a constraint of another table": ("", sql(block(f"NOT {there('pg_constraint', '''conname = 'bright' ''')}", "ALTER TABLE lamp ADD CONSTRAINT bright CHECK (id > 0)"), "ALTER TABLE lamp DROP CONSTRAINT bright"), "fail", "does not exist"),
    "a constraint that is there": ("", sql(block(there("information_schema.table_constraints", "constraint_name = 'short' AND table_name = 'lamp'"), "ALTER TABLE lamp DROP CONSTRAINT short"), "ALTER TABLE lamp ADD CONSTRAINT short CHECK (id > 0)"), None, ""),
    "a constraint of this upgrade": ("", sql(UNIQUE, block(f"NOT {NAMED}", UNIQUE)), None, ""),
    "a table that is not there": ("", sql(block(f"NOT {there(OF_TABLES, f'''table_name = 'fresh' AND {IN_HOME}''')}", "CREATE TABLE fresh (id int)"), "INSERT INTO fresh VALUES (1)"), None, ""),
    "a table of another schema": ("", sql(block(f"NOT {there(OF_TABLES, '''table_name = 'bulb' ''')}", "CREATE TABLE bulb (id int)"), "INSERT INTO bulb VALUES (1)"), "fail", "does not exist"),
    "a table of another schema, by its path": ("", sql(block("to_regclass('bulb') IS NULL", "CREATE TABLE bulb (id int)"), "INSERT INTO bulb VALUES (1)"), None, ""),
    "a table by its schema": ("", sql(block("to_regclass('o.bulb') IS NOT NULL", "DROP TABLE o.bulb"), "CREATE TABLE o.bulb (id int)"), None, ""),
    "a view is no base table": ("", sql(block(there(OF_TABLES, f"table_name = 'lamps' AND table_type = 'BASE TABLE' AND {IN_HOME}"), "DROP TABLE lamps")), None, ""),
    "an index that is not there": ("", sql(block(f"NOT {there('pg_indexes', '''indexname = 'lamp_id' AND schemaname = 'home' ''')}", INDEX), "DROP INDEX lamp_id"), None, ""),
    "an index that is there": ("", sql(block(f"NOT {there('pg_class', '''relname = 'lamp_note' AND relkind = 'i' ''')}", "CREATE INDEX lamp_note ON lamp (note)")), None, ""),
    "an index with the schemas beside": ("", sql(block("NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'lamp_id' AND n.nspname = 'home')", INDEX), "DROP INDEX lamp_id"), None, ""),
    "what an unread statement may have changed": ("", sql("DO $$ BEGIN EXECUTE 'SELECT 1'; END $$", block(f"NOT {column('shade')}", ADD), USE), "unknown", ""),
    "a condition over rows": ("", sql(block("EXISTS (SELECT 1 FROM lamp)", ADD)), "unknown", ""),
    "a condition over a type": ("", sql(block(f"{column('note', '''data_type = 'text' ''')}", RENAME)), "unknown", ""),
    "a condition that counts": ("", sql(block(f"EXISTS (SELECT count(*) FROM {COLUMNS} WHERE table_name = 'nothing' AND column_name = 'a')", ADD)), "unknown", ""),
}  # fmt: skip
SAYS = {"object-missing", "object-exists", "data-refused", "data-unknown", "statement-refused", "statement-opaque",
        "rows-violate", "rows-unknown", "definition-differs", "table-missing"}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    found, error = said_and_done(session, TABLES, setup, texts, rows=True)
    said = worst(found, SAYS)
    told = [item.message for item in found]
    assert said == wanted, (told, error)
    assert words in error, error
    assert bool(error) == (wanted == "fail"), error
