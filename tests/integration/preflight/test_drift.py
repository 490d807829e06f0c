"""Objects that are missing, in the way or depended upon: what is said, and whether the server then fails."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import judged, said_and_done, sql
from tests.unit.plugins.module_utils._sql.cases import CASES, Case

TABLES = """
CREATE TABLE ledger (id int PRIMARY KEY, label varchar(40), amount int, state varchar(8), body text);
INSERT INTO ledger SELECT n, 'label', n, 'open', '{}' FROM generate_series(1, 2) n;
"""
# Findings that say that the server will refuse the statement.
WILL_FAIL = {"object-missing", "object-exists", "object-depended-upon", "table-missing"}
VIEW = "CREATE VIEW labels AS SELECT label FROM ledger"
ENUM = "CREATE TYPE runstate AS ENUM ('queued', 'done')"
CHILD = "CREATE TABLE entry (id int, ledger_id int CONSTRAINT entry_ledger REFERENCES ledger)"
KEY = "ALTER TABLE ledger ADD CONSTRAINT uq_label UNIQUE (id, label)"
BLOCKS = {
    "nothing": ("DO $$ BEGIN PERFORM 1; END $$", "fail"),
    "computed": ("DO $$ BEGIN EXECUTE 'SELECT ' || (SELECT '1'); END $$", "unknown"),
    "a function": ("DO $$ BEGIN PERFORM make_it(); END $$", "unknown"),
}


# setup, statements, id, a word of the server's error
DRIFT: dict[str, tuple[str, list[str], str | None, str]] = {
    "constraint of another name": (KEY, sql("ALTER TABLE ledger DROP CONSTRAINT ledger_label_key"), "object-missing", "does not exist"),
    "constraint that is there": (KEY, sql("ALTER TABLE ledger DROP CONSTRAINT uq_label"), None, ""),
    "constraint, IF EXISTS": ("", sql("ALTER TABLE ledger DROP CONSTRAINT IF EXISTS nothing"), None, ""),
    "constraint made in the way": (KEY, sql("ALTER TABLE ledger ADD CONSTRAINT uq_label CHECK (id > 0)"), "object-exists", "already exists"),
    "constraint whose index's name is taken": ("CREATE INDEX uq_label ON ledger (label)", sql(KEY), "object-exists", "already exists"),
    "constraint made and dropped": ("", sql(KEY, "ALTER TABLE ledger DROP CONSTRAINT uq_label"), None, ""),
    "constraint named by the server": ("", sql("ALTER TABLE ledger ADD CHECK (amount > 0)", "ALTER TABLE ledger DROP CONSTRAINT ledger_amount_check"), None, ""),
    "constraint dropped twice": (KEY, sql("ALTER TABLE ledger DROP CONSTRAINT uq_label", "ALTER TABLE ledger DROP CONSTRAINT uq_label"), "object-missing", "does not exist"),
    "constraint renamed": (KEY, sql("ALTER TABLE ledger RENAME CONSTRAINT uq_label TO renamed", "ALTER TABLE ledger DROP CONSTRAINT renamed"), None, ""),
    "constraint after its table was renamed": (KEY, sql("ALTER TABLE ledger RENAME TO book", "ALTER TABLE book DROP CONSTRAINT uq_label"), "rename", ""),
    "constraint validated that is not there": ("", sql("ALTER TABLE ledger VALIDATE CONSTRAINT nothing"), "object-missing", "does not exist"),
    "primary key that a foreign key needs": (CHILD, sql("ALTER TABLE ledger DROP CONSTRAINT ledger_pkey"), "object-depended-upon", "depend on it"),
    "primary key after its foreign key": (CHILD, sql("ALTER TABLE entry DROP CONSTRAINT entry_ledger", "ALTER TABLE ledger DROP CONSTRAINT ledger_pkey"), None, ""),
    "table that a foreign key needs": (CHILD, sql("DROP TABLE ledger"), "object-depended-upon", "depend on it"),
    "table after the one that refers to it": (CHILD, sql("DROP TABLE entry", "DROP TABLE ledger"), "destructive", ""),
    "tables together": (CHILD, sql("DROP TABLE ledger, entry"), "destructive", ""),
    "table that a view reads": (VIEW, sql("DROP TABLE ledger"), "object-depended-upon", "depend on it"),
    "column that a view reads": (VIEW, sql("ALTER TABLE ledger DROP COLUMN label"), "object-depended-upon", "depend on it"),
    "column that a view does not read": (VIEW, sql("ALTER TABLE ledger ALTER amount TYPE bigint"), "type-change", ""),
    "column that a generated one uses": ("ALTER TABLE ledger ADD twice int GENERATED ALWAYS AS (amount * 2) STORED", sql("ALTER TABLE ledger ALTER amount TYPE bigint"), "object-depended-upon", "generated column"),
    "column that a policy uses": ("CREATE POLICY own ON ledger USING (label = 'x')", sql("ALTER TABLE ledger ALTER label TYPE varchar(80)"), "object-depended-upon", "policy"),
    "column that a trigger watches": ("CREATE FUNCTION n() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER w BEFORE UPDATE OF label ON ledger EXECUTE FUNCTION n()", sql("ALTER TABLE ledger ALTER label TYPE varchar(80)"), "object-depended-upon", "trigger"),
    "column widened under a view": (VIEW, sql("ALTER TABLE ledger ALTER label TYPE varchar(80)"), "object-depended-upon", "used by a view"),
    "column widened, view made again": (VIEW, sql("DROP VIEW labels", "ALTER TABLE ledger ALTER label TYPE varchar(80)", VIEW), "type-change", ""),
    "column widened under a renamed view": (VIEW, sql("ALTER VIEW labels RENAME TO l2", "ALTER TABLE ledger ALTER label TYPE varchar(80)"), "object-depended-upon", "used by a view"),
    "column missing": ("", sql("ALTER TABLE ledger ALTER COLUMN nothing SET NOT NULL"), "object-missing", "does not exist"),
    "column missing in an index": ("", sql("CREATE INDEX i ON ledger (nothing)"), "object-missing", "does not exist"),
    "column missing in a foreign key": (CHILD, sql("ALTER TABLE entry ADD CONSTRAINT f FOREIGN KEY (nothing) REFERENCES ledger (id)"), "object-missing", "does not exist"),
    "column missing in an UPDATE": ("", sql("UPDATE ledger SET nothing = 1"), "object-missing", "does not exist"),
    "column renamed to one that is there": ("", sql("ALTER TABLE ledger RENAME label TO state"), "object-exists", "already exists"),
    "column of an array type, then indexed": ("", sql("ALTER TABLE ledger ADD tags text[]", "CREATE INDEX i ON ledger USING gin (tags)"), None, ""),
    "column renamed, then indexed": ("", sql("ALTER TABLE ledger RENAME label TO l2", "CREATE INDEX i ON ledger (l2)"), "rename", ""),
    "type in the way": (ENUM, sql(ENUM), "object-exists", "already exists"),
    "type of another schema": ("CREATE SCHEMA loft; CREATE TYPE loft.runstate AS ENUM ('x')", sql(ENUM), None, ""),
    "type missing": ("", sql("ALTER TABLE ledger ADD run runstate"), "object-missing", "does not exist"),
    "type made before": ("", sql(ENUM, "ALTER TABLE ledger ADD run runstate"), None, ""),
    "type that a column uses": (ENUM + "; ALTER TABLE ledger ADD run runstate", sql("DROP TYPE runstate"), "object-depended-upon", "depend on it"),
    "type that an array uses": (ENUM + "; ALTER TABLE ledger ADD runs runstate[]", sql("DROP TYPE runstate"), "object-depended-upon", "depend on it"),
    "type after its column": (ENUM + "; ALTER TABLE ledger ADD run runstate", sql("ALTER TABLE ledger DROP run", "DROP TYPE runstate"), "destructive", ""),
    "type dropped that is not there": ("", sql("DROP TYPE runstate"), "object-missing", "does not exist"),
    "type renamed, then dropped": (ENUM, sql("ALTER TYPE runstate RENAME TO r2", "DROP TYPE r2"), "rename", ""),
    "enum value that is there": (ENUM, sql("ALTER TYPE runstate ADD VALUE 'done'"), "object-exists", "already exists"),
    "enum value renamed that is not there": (ENUM, sql("ALTER TYPE runstate RENAME VALUE 'nothing' TO 'x'"), "object-missing", "not an existing enum label"),
    "role missing": ("", sql("GRANT SELECT ON ledger TO reporting_ro"), "object-missing", "does not exist"),
    "role missing as owner": ("", sql("ALTER TABLE ledger OWNER TO reporting_ro"), "object-missing", "does not exist"),
    "role that everybody is": ("", sql("GRANT SELECT ON ledger TO PUBLIC"), None, ""),
    "operator class missing": ("", sql("CREATE INDEX i ON ledger USING gin (label gin_trgm_ops)"), "object-missing", "does not exist"),
    "operator class that is there": ("", sql("CREATE INDEX i ON ledger (label varchar_pattern_ops)"), None, ""),
    "access method missing": ("", sql("CREATE INDEX i ON ledger USING hnsw (label)"), "object-missing", "does not exist"),
    "function missing": ("", sql("ALTER TABLE ledger ADD u uuid DEFAULT uuid_generate_v4()"), "object-missing", "does not exist"),
    "function that a trigger needs": ("CREATE FUNCTION n() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER w BEFORE UPDATE ON ledger EXECUTE FUNCTION n()", sql("DROP FUNCTION n()"), "object-depended-upon", "depend on it"),
    "function for a trigger missing": ("", sql("CREATE TRIGGER w BEFORE UPDATE ON ledger EXECUTE FUNCTION n()"), "object-missing", "does not exist"),
    "trigger missing": ("", sql("DROP TRIGGER w ON ledger"), "object-missing", "does not exist"),
    "trigger in the way": ("CREATE FUNCTION n() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER w BEFORE UPDATE ON ledger EXECUTE FUNCTION n()", sql("CREATE TRIGGER w BEFORE UPDATE ON ledger EXECUTE FUNCTION n()"), "object-exists", "already exists"),
    "policy missing": ("", sql("DROP POLICY own ON ledger"), "object-missing", "does not exist"),
    "index missing": ("", sql("DROP INDEX nothing"), "object-missing", "does not exist"),
    "index missing, IF EXISTS": ("", sql("DROP INDEX IF EXISTS nothing"), None, ""),
    "index of a constraint": (KEY, sql("DROP INDEX uq_label"), "object-depended-upon", "requires it"),
    "index of a new table": ("", sql("CREATE TABLE fresh (id int PRIMARY KEY)", "ALTER TABLE fresh DROP CONSTRAINT fresh_pkey"), None, ""),
    "sequence in the way": ("CREATE SEQUENCE tock", sql("CREATE SEQUENCE tock"), "object-exists", "already exists"),
    "sequence that a default uses": ("CREATE TABLE s (id serial)", sql("DROP SEQUENCE s_id_seq"), "object-depended-upon", "depend on it"),
    "sequence after the default that used it": ("CREATE TABLE s (id serial)", sql("ALTER TABLE s ALTER id DROP DEFAULT", "DROP SEQUENCE s_id_seq"), "destructive", ""),
    "sequence after another column's default": ("CREATE TABLE s (id serial, other int DEFAULT 1)", sql("ALTER TABLE s ALTER other DROP DEFAULT", "DROP SEQUENCE s_id_seq"), "object-depended-upon", "depend on it"),
    "primary key of the same name, made anew": ("", sql("ALTER TABLE ledger DROP CONSTRAINT ledger_pkey", "ALTER TABLE ledger ADD CONSTRAINT ledger_pkey PRIMARY KEY (id, amount)"), None, ""),
    "primary key of the same name, made twice": ("", sql("ALTER TABLE ledger DROP CONSTRAINT ledger_pkey", "ALTER TABLE ledger ADD CONSTRAINT ledger_pkey PRIMARY KEY (id, amount)", "ALTER TABLE ledger ADD CONSTRAINT ledger_pkey UNIQUE (amount)"), "object-exists", "already exists"),
    "sequence missing": ("", sql("DROP SEQUENCE tock"), "object-missing", "does not exist"),
    "view in the way": (VIEW, sql(VIEW), "object-exists", "already exists"),
    "view replaced": (VIEW, sql(VIEW.replace("CREATE", "CREATE OR REPLACE")), None, ""),
    "table missing": ("", sql("DROP TABLE nothing"), "object-missing", "does not exist"),
    "table dropped twice": ("", sql("DROP TABLE ledger", "DROP TABLE ledger"), "object-missing", "does not exist"),
    "table dropped and made again": ("", sql("DROP TABLE ledger", "CREATE TABLE ledger (id int)", "DROP TABLE ledger"), "destructive", ""),
    "view missing": ("", sql("DROP VIEW labels"), "object-missing", "does not exist"),
    "view that a view reads": (VIEW + "; CREATE VIEW l2 AS TABLE labels", sql("DROP VIEW labels"), "object-depended-upon", "depend on it"),
    "schema in the way": ("CREATE SCHEMA loft", sql("CREATE SCHEMA loft"), "object-exists", "already exists"),
    "schema missing": ("", sql("CREATE TABLE loft.t (id int)"), "object-missing", "does not exist"),
    "schema that is not empty": ("CREATE SCHEMA loft; CREATE TABLE loft.t (id int)", sql("DROP SCHEMA loft"), "object-depended-upon", "depend on it"),
    "extension in the way": ("", sql("CREATE EXTENSION plpgsql"), "object-exists", "already exists"),
    "text to jsonb without USING": ("", sql("ALTER TABLE ledger ALTER body TYPE jsonb"), "object-depended-upon", "cannot be cast automatically"),
    "text to jsonb with USING": ("", sql("ALTER TABLE ledger ALTER body TYPE jsonb USING body::jsonb"), "type-change", ""),
    "text to jsonb with a default": ("ALTER TABLE ledger ALTER body SET DEFAULT 'x'", sql("ALTER TABLE ledger ALTER body TYPE jsonb USING body::jsonb"), "object-depended-upon", "default for column"),
    "text to jsonb, default dropped": ("ALTER TABLE ledger ALTER body SET DEFAULT 'x'", sql("ALTER TABLE ledger ALTER body DROP DEFAULT, ALTER body TYPE jsonb USING body::jsonb"), "type-change", ""),
    "varchar to an enum without USING": (ENUM, sql("ALTER TABLE ledger ALTER state TYPE runstate"), "object-depended-upon", "cannot be cast automatically"),
    "varchar to int without USING": ("", sql("ALTER TABLE ledger ALTER state TYPE int"), "object-depended-upon", "cannot be cast automatically"),
    "int to text without USING": ("", sql("ALTER TABLE ledger ALTER amount TYPE text"), "type-change", ""),
    "int to bool without USING": ("", sql("ALTER TABLE ledger ALTER amount TYPE bool"), "object-depended-upon", "cannot be cast automatically"),
    "tablespace missing": ("", sql("CREATE INDEX i ON ledger (label) TABLESPACE fast"), "object-missing", "does not exist"),
    "tablespace of a new table missing": ("", sql("CREATE TABLE fresh (id int PRIMARY KEY USING INDEX TABLESPACE fast)"), "object-missing", "does not exist"),
    "tablespace to move to missing": ("", sql("ALTER TABLE ledger SET TABLESPACE fast"), "object-missing", "does not exist"),
    "tablespace that is there": ("", sql("CREATE INDEX i ON ledger (label) TABLESPACE pg_default"), None, ""),
    "language missing": ("", sql("CREATE FUNCTION one() RETURNS int LANGUAGE plv8 AS 'return 1'"), "object-missing", "does not exist"),
    "language that is there": ("", sql("CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'", "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 1'"), None, ""),
    "sequence of a missing column": ("", sql("CREATE SEQUENCE tock OWNED BY ledger.nick"), "object-missing", "does not exist"),
    "sequence of a missing table": ("", sql("CREATE SEQUENCE tock OWNED BY nothing.id"), "object-missing", "does not exist"),
    "sequence given to a missing column": ("CREATE SEQUENCE tock", sql("ALTER SEQUENCE tock OWNED BY ledger.nick"), "object-missing", "does not exist"),
    "sequence of a column": ("", sql("CREATE SEQUENCE tock OWNED BY ledger.id", "ALTER SEQUENCE tock OWNED BY NONE"), None, ""),
    "sequence of a new column": ("", sql("ALTER TABLE ledger ADD nick int", "CREATE SEQUENCE tock OWNED BY public.ledger.nick"), None, ""),
    "sequence in a text missing": ("", sql("INSERT INTO ledger (id) VALUES (nextval('ledger_seq'))"), "object-missing", "does not exist"),
    "sequence in a default missing": ("", sql("ALTER TABLE ledger ALTER id SET DEFAULT nextval('ledger_seq'::regclass)"), "object-missing", "does not exist"),
    "sequence in a text made before": ("", sql("CREATE SEQUENCE ledger_seq", "ALTER TABLE ledger ALTER id SET DEFAULT nextval('public.ledger_seq')", "SELECT nextval('ledger_seq')"), None, ""),
    "sequence in a text of a new column": ("", sql("ALTER TABLE ledger ADD more bigserial", "SELECT setval('ledger_more_seq', 9)"), None, ""),
    "sequence in a text of a new table": ("", sql("CREATE TABLE fresh (id serial)", "SELECT setval('fresh_id_seq', 9)"), None, ""),
    "sequence in a text by a quoted name": ("CREATE SEQUENCE \"Led ger\"", sql("INSERT INTO ledger (id) SELECT 100 + nextval('public.\"Led ger\"')"), None, ""),
    "type of a new table's name": ("CREATE TYPE stage AS ENUM ('a')", sql("CREATE TABLE stage (id int)"), "object-exists", "already exists"),
    "type of a new view's name": ("CREATE DOMAIN stage AS int", sql("CREATE VIEW stage AS SELECT 1"), "object-exists", "already exists"),
    "type of a renamed table's name": ("CREATE TYPE stage AS (a int)", sql("ALTER TABLE ledger RENAME TO stage"), "object-exists", "already exists"),
    "type of a new table's name dropped before": ("CREATE TYPE stage AS ENUM ('a')", sql("DROP TYPE stage", "CREATE TABLE stage (id int)"), None, ""),
    "type of a new table's name in another schema": ("CREATE SCHEMA loft; CREATE TYPE loft.stage AS ENUM ('a')", sql("CREATE TABLE stage (id int)"), None, ""),
    "table renamed and made anew": ("", sql("ALTER TABLE ledger RENAME TO older", "CREATE TABLE ledger (id int)"), None, ""),
    "table made twice": ("", sql("CREATE TABLE fresh (id int)", "CREATE TABLE fresh (id int)"), "object-exists", "already exists"),
    "table made twice, IF NOT EXISTS": ("", sql("CREATE TABLE fresh (id int)", "CREATE TABLE IF NOT EXISTS fresh (id int)"), None, ""),
    "table made, dropped and made": ("", sql("CREATE TABLE fresh (id int)", "DROP TABLE fresh", "CREATE TABLE fresh (id int)"), None, ""),
    "table made, renamed and made": ("", sql("CREATE TABLE fresh (id int)", "ALTER TABLE fresh RENAME TO newer", "CREATE TABLE fresh (id int)"), None, ""),
    "index made twice": ("", sql("CREATE INDEX i ON ledger (label)", "CREATE INDEX i ON ledger (state)"), "object-exists", "already exists"),
    "index made twice without a name": ("", sql("CREATE INDEX ON ledger (label)", "CREATE INDEX ON ledger (label)"), None, ""),
    "index whose name is cut to that of another": ("", sql(f"CREATE INDEX {'i' * 63}a ON ledger (label)", f"CREATE INDEX {'i' * 63}b ON ledger (state)"), "object-exists", "already exists"),
    "table of an index's name": ("", sql("CREATE INDEX fresh ON ledger (label)", "CREATE TABLE fresh (id int)"), "object-exists", "already exists"),
    "index of a new table that is made anew": ("", sql("CREATE TABLE fresh (id int)", "CREATE INDEX i ON fresh (id)", "DROP TABLE fresh", "CREATE TABLE fresh (id int)", "CREATE INDEX i ON fresh (id)"), None, ""),
    "index of a table that is made anew": ("CREATE INDEX i ON ledger (label)", sql("DROP TABLE ledger", "CREATE TABLE ledger (id int)", "CREATE INDEX i ON ledger (id)"), "destructive", ""),
    "index of a column that is made anew": ("CREATE INDEX i ON ledger (label)", sql("ALTER TABLE ledger DROP label", "ALTER TABLE ledger ADD label int", "CREATE INDEX i ON ledger (label)"), "destructive", ""),
    "new index of a column that is made anew": ("", sql("CREATE INDEX i ON ledger (label)", "ALTER TABLE ledger DROP label", "ALTER TABLE ledger ADD label int", "CREATE INDEX i ON ledger (label)"), "destructive", ""),
    "index of another column": ("CREATE INDEX i ON ledger (label)", sql("ALTER TABLE ledger DROP amount", "CREATE INDEX i ON ledger (label)"), "object-exists", "already exists"),
    "schema dropped with what is new in it": ("", sql("CREATE SCHEMA loft", "CREATE TABLE loft.t (id int)", "DROP SCHEMA loft CASCADE", "CREATE SCHEMA loft", "CREATE TABLE loft.t (id int)"), None, ""),
    "view made twice": ("", sql("CREATE VIEW fresh AS SELECT 1", "CREATE VIEW fresh AS SELECT 1"), "object-exists", "already exists"),
    "view made twice, OR REPLACE": ("", sql("CREATE VIEW fresh AS SELECT 1 AS a", "CREATE OR REPLACE VIEW fresh AS SELECT 2 AS a"), None, ""),
    "sequence made twice": ("", sql("CREATE SEQUENCE fresh", "CREATE SEQUENCE fresh"), "object-exists", "already exists"),
    "table of a query made twice": ("", sql("CREATE TABLE fresh AS SELECT 1 AS a", "CREATE TABLE fresh AS SELECT 1 AS a"), "object-exists", "already exists"),
    "constraint of a new index's name": ("", sql("CREATE INDEX fresh ON ledger (label)", "ALTER TABLE ledger ADD CONSTRAINT fresh UNIQUE (amount)"), "object-exists", "already exists"),
    "view of a dropped one's name": ("", sql("CREATE VIEW fresh AS SELECT 1 AS a", "DROP VIEW fresh", "CREATE VIEW fresh AS SELECT 'x' AS b"), None, ""),
    "renamed to a new one's name": ("", sql("CREATE TABLE fresh (id int)", "ALTER TABLE ledger RENAME TO fresh"), "object-exists", "already exists"),
    "temporary table made twice": ("", sql("CREATE TEMP TABLE t (id int)", "DROP TABLE t", "CREATE TEMP TABLE t (id int)"), None, ""),
    "column added twice": ("", sql("ALTER TABLE ledger ADD n int, ADD n text"), "object-exists", "already exists"),
    "columns added": ("", sql("ALTER TABLE ledger ADD n int, ADD m text"), None, ""),
    "emptied under a foreign key": (CHILD, sql("TRUNCATE ledger"), "object-depended-upon", "referenced in a foreign key"),
    "emptied with the other": (CHILD, sql("TRUNCATE ledger, entry"), "destructive", ""),
    "emptied with CASCADE": (CHILD, sql("TRUNCATE ledger CASCADE"), "destructive", ""),
    "emptied after the key": (CHILD, sql("ALTER TABLE entry DROP CONSTRAINT entry_ledger", "TRUNCATE ledger"), "destructive", ""),
    "emptied that leads elsewhere": (CHILD, sql("TRUNCATE entry"), "destructive", ""),
    "int to numeric with a default": ("ALTER TABLE ledger ALTER amount SET DEFAULT 0", sql("ALTER TABLE ledger ALTER amount TYPE numeric"), "type-change", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", DRIFT)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = DRIFT[name]
    found, error = said_and_done(session, TABLES, setup, texts)
    failing = {item.id for item in found if item.severity == "fail"} & WILL_FAIL
    assert bool(failing) == bool(error), (error, [item.message for item in found])
    assert words in error
    if wanted:
        assert wanted in {item.id for item in found}


@pytest.mark.parametrize("name", BLOCKS)
def test_what_a_block_may_have_made_is_not_known(name: str, session: psycopg.Connection) -> None:
    block, severity = BLOCKS[name]
    session.execute(TABLES)
    session.execute("CREATE FUNCTION make_it() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE TABLE made (); END'")
    found = judged(session, [block, "ALTER TABLE ledger DROP CONSTRAINT nothing"])
    assert [item.severity for item in found if item.id == "object-missing"] == [severity]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_statement_that_runs_is_not_said_to_fail(case: Case, session: psycopg.Connection) -> None:
    if case.alone or case.before or case.cost(session.info.server_version // 10000) is None:
        return
    found = [item.message for item in judged(session, [case.sql]) if item.id in WILL_FAIL]
    assert found == []
