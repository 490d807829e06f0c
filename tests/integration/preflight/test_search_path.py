"""Objects that are there, and that a name without a schema does not reach; operator classes that do not fit."""

# ruff: noqa: E501 - a table

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.integration.preflight.said_and_done import agree, said_and_done, sql
from tests.unit.plugins.module_utils._in_pod.project import Project

TABLES = """
CREATE TABLE article (id serial PRIMARY KEY, name varchar(50), n int NOT NULL DEFAULT 0, note text);
CREATE SCHEMA garret;
CREATE TYPE garret.temper AS ENUM ('a');
CREATE DOMAIN garret.above_zero AS int CHECK (VALUE > 0);
CREATE FUNCTION garret.uno(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION garret.fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE OPERATOR CLASS garret.own_ops FOR TYPE int4 USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
  OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int4, int4);
CREATE COLLATION garret.bare (locale = 'C');
"""
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "type of a column": ("", sql("ALTER TABLE article ADD m temper"), "fail", "does not exist"),
    "type of a new table": ("", sql("CREATE TABLE fresh (m temper)"), "fail", "does not exist"),
    "type with its schema": ("", sql("ALTER TABLE article ADD m garret.temper"), None, ""),
    "type with a value more": ("", sql("ALTER TYPE temper ADD VALUE 'b'"), "fail", "does not exist"),
    "type made before": ("", sql("CREATE TYPE temper AS ENUM ('x')", "ALTER TABLE article ADD m temper"), None, ""),
    "type dropped": ("", sql("DROP TYPE temper"), "fail", "does not exist"),
    "type dropped, IF EXISTS": ("", sql("DROP TYPE IF EXISTS temper"), None, ""),
    "domain": ("", sql("ALTER TABLE article ADD m above_zero"), "fail", "does not exist"),
    "path that leads there": ("SET LOCAL search_path TO public, garret", sql("ALTER TABLE article ADD m temper, ADD p above_zero"), None, ""),
    "function in an index": ("", sql("CREATE INDEX ON article (uno(n))"), "fail", "does not exist"),
    "function with its schema": ("", sql("CREATE INDEX ON article (garret.uno(n))"), None, ""),
    "function of a trigger": ("", sql("CREATE TRIGGER t BEFORE INSERT ON article FOR EACH ROW EXECUTE FUNCTION fired()"), "fail", "does not exist"),
    "function dropped": ("", sql("DROP FUNCTION uno(int)"), "fail", "does not exist"),
    "function described": ("", sql("COMMENT ON FUNCTION uno(int) IS 'x'"), "fail", "does not exist"),
    "function granted": ("", sql("GRANT EXECUTE ON FUNCTION uno(int) TO PUBLIC"), "fail", "does not exist"),
    "schema granted": ("", sql("GRANT USAGE ON SCHEMA garret TO PUBLIC"), None, ""),
    "schema granted that is not there": ("", sql("GRANT USAGE ON SCHEMA cellar TO PUBLIC"), "fail", "does not exist"),
    "collation of an index": ("", sql("CREATE INDEX ON article (name COLLATE bare)"), "fail", "does not exist"),
    "collation with its schema": ("", sql("ALTER TABLE article ADD c text COLLATE garret.bare"), None, ""),
    "operator class": ("", sql("CREATE INDEX ON article (n own_ops)"), "fail", "does not exist"),
    "operator class with its schema": ("", sql("CREATE INDEX ON article (n garret.own_ops)"), None, ""),
    "operator class of another method": ("", sql("CREATE INDEX ON article USING gin (n garret.own_ops)"), "fail", "does not exist"),
    "operator class of another type": ("", sql("CREATE INDEX ON article (n text_pattern_ops)"), "fail", "does not accept"),
    "operator class of text": ("", sql("CREATE INDEX ON article (name varchar_pattern_ops)", "CREATE INDEX ON article (note text_pattern_ops)", "CREATE INDEX ON article (name text_pattern_ops)"), None, ""),
    "operator class of jsonb": ("ALTER TABLE article ADD doc jsonb", sql("CREATE INDEX ON article USING gin (doc jsonb_path_ops)"), None, ""),
}  # fmt: skip
SAYS = {"object-missing", "definition-refused"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    agree(said_and_done(session, TABLES, setup, texts), SAYS, wanted, words)


@pytest.mark.parametrize("own", ["SET search_path TO tenant, public", "SET ROLE tenant_role"])
def test_a_path_that_env_sets_is_no_failure(own: str, database: str, tmp_path: Path) -> None:
    """Where a name leads, or whose it is, env.py decides online alone: what is missing from here may be there."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS tenant_role")
        connection.execute("CREATE ROLE tenant_role SUPERUSER")
        connection.execute("ALTER ROLE tenant_role SET search_path = public")
    prepare(database, "CREATE SCHEMA tenant; CREATE TABLE tenant.item (id int)", revision="0001")
    if "ROLE" in own:
        prepare(database, "CREATE TABLE item (id int)")
    env = BOTH_MODES.replace(
        "        context.configure(connection=connection",
        f"        connection.exec_driver_sql({own!r})\n        connection.commit()\n"
        "        context.configure(connection=connection",
    )
    project = Project(tmp_path / "app", env).add("0001", None)
    project.add("0002", "0001", "ALTER TABLE item ADD COLUMN more int")
    answer = ask(project.folder, database)
    assert migrate(project.folder, database) == ""
    assert answer.verdict == "unknown", answer.findings
