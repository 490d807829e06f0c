"""Upgrades of several statements, in which a later one meets what an earlier one made: claims against the server."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.integration.preflight.asking import ask, prepare
from tests.integration.preflight.conftest import CHOSEN, Servers, copy_of
from tests.integration.preflight.walk import walk
from tests.unit.plugins.module_utils._in_pod.project import Project

SCHEMA = """
CREATE TYPE address AS (street text, town text);
CREATE TABLE org (id int PRIMARY KEY, name varchar(20), note text);
CREATE TABLE team (id int PRIMARY KEY, org_id int REFERENCES org ON DELETE CASCADE, name text);
CREATE TABLE player (id int PRIMARY KEY, team_id int REFERENCES team ON DELETE CASCADE, name varchar(20));
CREATE TABLE score (id int PRIMARY KEY, player_id int REFERENCES player);
CREATE TABLE place OF address;
CREATE INDEX player_folded ON player (lower(name));
CREATE TABLE day (id int, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE day_1 PARTITION OF day FOR VALUES FROM (0) TO (10);
CREATE TABLE day_rest PARTITION OF day DEFAULT;
CREATE VIEW teams AS SELECT id, name FROM team;
CREATE VIEW few AS SELECT id, name FROM teams WHERE id < 10;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
INSERT INTO org SELECT n, 'o', 'x' FROM generate_series(1, 20) n;
INSERT INTO team SELECT n, n, 't' FROM generate_series(1, 20) n;
INSERT INTO player SELECT n, n, 'p' FROM generate_series(1, 20) n;
INSERT INTO place VALUES ('a', 'b');
INSERT INTO day VALUES (1, 1), (2, 50);
ANALYZE;
"""
NEW = "CREATE TABLE fresh (id int PRIMARY KEY, org_id int REFERENCES org, team_id int)"
UPGRADES = {
    "a new table that leads to an old one is dropped": [NEW, "DROP TABLE fresh"],
    "its constraint is dropped": [NEW, "ALTER TABLE fresh DROP CONSTRAINT fresh_org_id_fkey"],
    "its column is dropped": [NEW, "ALTER TABLE fresh DROP COLUMN org_id"],
    "its column changes type": [NEW, "ALTER TABLE fresh ALTER org_id TYPE bigint"],
    "it is renamed, then dropped": [NEW, "ALTER TABLE fresh RENAME TO newer", "DROP TABLE newer"],
    "a key of a name is added and dropped": [
        NEW,
        "ALTER TABLE fresh ADD CONSTRAINT k FOREIGN KEY (team_id) REFERENCES team",
        "ALTER TABLE fresh DROP CONSTRAINT k",
    ],
    "a column with a key is added and dropped": [
        NEW,
        "ALTER TABLE fresh ADD COLUMN again int REFERENCES player",
        "ALTER TABLE fresh DROP COLUMN again",
    ],
    "an old table is renamed in between": [NEW, "ALTER TABLE org RENAME TO orgs", "DROP TABLE fresh"],
    "a new index is dropped": ["CREATE INDEX fresh ON org (name)", "DROP INDEX fresh"],
    "a new index without a name is dropped": ["CREATE INDEX ON org (name)", "DROP INDEX org_name_idx"],
    "a new index is built again": ["CREATE INDEX fresh ON org (name)", "REINDEX INDEX fresh"],
    "a new partition is dropped": [
        "CREATE TABLE day_2 PARTITION OF day FOR VALUES FROM (10) TO (20)",
        "DROP TABLE day_2",
    ],
    "varchar under an index with an expression": ["ALTER TABLE player ALTER name TYPE varchar(40)"],
    "varchar to text under it": ["ALTER TABLE player ALTER name TYPE text"],
    "varchar under a new index with an expression": [
        "CREATE INDEX fresh ON org (upper(name))",
        "ALTER TABLE org ALTER name TYPE varchar(40)",
    ],
    "varchar under a new index with a predicate": [
        "CREATE INDEX fresh ON org (id) WHERE name = 'o'",
        "ALTER TABLE org ALTER name TYPE varchar(40)",
    ],
    "varchar under a new plain index": [
        "CREATE INDEX fresh ON org (name)",
        "ALTER TABLE org ALTER name TYPE varchar(40)",
    ],
    "varchar under a new check": [
        "ALTER TABLE org ADD CONSTRAINT c CHECK (name <> '')",
        "ALTER TABLE org ALTER name TYPE varchar(40)",
    ],
    "a new key and the type at its other end": [
        "ALTER TABLE score ADD COLUMN org_id int",
        "ALTER TABLE score ADD CONSTRAINT k FOREIGN KEY (org_id) REFERENCES org",
        "ALTER TABLE org ALTER id TYPE bigint",
    ],
    "truncate reaches all levels": ["TRUNCATE org CASCADE"],
    "a key to a partitioned table": [
        "CREATE TABLE fresh (id int, at int, FOREIGN KEY (id, at) REFERENCES day)",
        "DROP TABLE fresh",
    ],
    "an old table gets a key to a partitioned one, and loses it": [
        "ALTER TABLE org ADD COLUMN at int",
        "ALTER TABLE org ADD CONSTRAINT k FOREIGN KEY (id, at) REFERENCES day",
        "ALTER TABLE org DROP CONSTRAINT k",
    ],
    "a trigger on a partitioned table": [
        "CREATE TRIGGER n BEFORE INSERT ON day FOR EACH ROW EXECUTE FUNCTION noted()",
        "DROP TRIGGER n ON day",
    ],
    "a view is locked": ["LOCK TABLE few"],
    "a new view is locked": ["CREATE VIEW fresh AS SELECT * FROM org", "LOCK TABLE fresh"],
    "a typed table's type": ["ALTER TYPE address ALTER ATTRIBUTE town TYPE varchar(9) CASCADE"],
    "a new type is renamed": ["CREATE TYPE kind AS ENUM ('a')", "ALTER TYPE kind RENAME TO kinds", "DROP TYPE kinds"],
    "words about a domain's constraint": [
        "CREATE DOMAIN positive AS int CONSTRAINT above CHECK (VALUE > 0)",
        "COMMENT ON CONSTRAINT above ON DOMAIN positive IS 'x'",
        "COMMENT ON DOMAIN positive IS 'y'",
    ],
    "a new domain and a new schema": [
        "CREATE SCHEMA fresh",
        "CREATE DOMAIN small AS int",
        "ALTER DOMAIN small RENAME TO tiny",
        "DROP DOMAIN tiny",
        "ALTER SCHEMA fresh RENAME TO newer",
        "DROP SCHEMA newer",
    ],
}


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize("name", UPGRADES)
def test_nothing_is_unclaimed(name: str, version: int, servers: Servers, tmp_path: Path) -> None:
    project = Project(tmp_path / "app").add("0001", None).add("0002", "0001", *UPGRADES[name])
    with copy_of(servers(version), "template1") as url:
        prepare(url, SCHEMA)
        walked = walk(project.folder, url, ["0001"])
    assert (walked.refused, walked.unclaimed, walked.false) == ([], [], [])
    assert walked.run == len(UPGRADES[name])


LARGE = SCHEMA.replace("generate_series(1, 20)", "generate_series(1, 300000)")
WRITES = {
    "through a view": ("UPDATE few SET name = 'x'", {"public.team"}),
    "through a new view": ("CREATE VIEW fresh AS SELECT * FROM team; UPDATE fresh SET name = 'x'", {"public.team"}),
    "over foreign keys": ("DELETE FROM org WHERE id = 1", {"public.org", "public.team", "public.player"}),
    "through a view, over foreign keys": ("DELETE FROM few WHERE id = 1", {"public.team", "public.player"}),
}


@pytest.mark.parametrize("name", WRITES)
def test_rows_that_are_written_elsewhere(name: str, database: str, tmp_path: Path) -> None:
    sql, tables = WRITES[name]
    project = Project(tmp_path / "app").add("0001", None).add("0002", "0001", *sql.split("; "))
    prepare(database, LARGE, revision="0001")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    answer = ask(project.folder, database)
    written = {
        item["table"] for item in answer.findings if item["id"] == "full-table-write" and item["severity"] == "warn"
    }
    assert tables <= written, answer.findings


@pytest.mark.parametrize(
    "before",
    [
        "    op.get_bind().exec_driver_sql('x')",
        "    op.execute('DO $$ BEGIN IF now() > now() THEN CREATE TABLE made (id int); END IF; END $$')",
    ],
    ids=["a revision that was not rendered", "a block"],
)
def test_what_may_have_been_made_before_is_not_missing(before: str, database: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "app").add("0001", None).add("0002", "0001", body=before)
    project.add("0003", "0002", "ALTER TABLE made ADD COLUMN n int")
    prepare(database, revision="0001")
    answer = ask(project.folder, database)
    assert answer.verdict == "unknown"
    assert answer.serious["table-missing"] == "unknown"


def test_what_a_readable_block_made_before_is_known(database: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "app").add("0001", None)
    project.add("0002", "0001", "DO $$ BEGIN CREATE TABLE made (id int); END $$", "ALTER TABLE made ADD COLUMN n int")
    prepare(database, revision="0001")
    assert ask(project.folder, database).verdict in {"safe", "warn"}


def test_names_that_were_new_are_no_fail(database: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "app").add("0001", None, *UPGRADES["a new type is renamed"])
    project.add("0002", "0001", *UPGRADES["a new domain and a new schema"])
    assert ask(project.folder, database).verdict in {"safe", "warn"}
