"""DO blocks whose text says what they run: what the real module says of them, and what Alembic does."""

# ruff: noqa: E501 - a table

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

TABLE = "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, NULL)"
GUARD = "IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = '{0}') THEN CREATE TYPE {0} AS ENUM ('a', 'b'); END IF;"
CAUGHT = "CREATE TYPE {0} AS ENUM ('a', 'b'); EXCEPTION WHEN duplicate_object THEN NULL;"
# The body of a block, what follows it, the verdicts that are right, and whether it fails.
CASES: dict[str, tuple[str, list[str], set[str], bool]] = {
    "plain": ("ALTER TABLE t ADD COLUMN b text; UPDATE t SET b = 'x';", [], {"safe", "warn"}, False),
    "plain, and wrong": ("ALTER TABLE t DROP COLUMN nobody;", [], {"unsafe"}, True),
    "plain, and the rows refuse it": ("ALTER TABLE t ALTER a SET NOT NULL;", [], {"unsafe"}, True),
    "performed": ("PERFORM setval('s', 7);", [], {"unsafe"}, True),
    "a block in a block": ("BEGIN ALTER TABLE t ADD COLUMN b text; END;", [], {"safe", "warn"}, False),
    "a new type": (CAUGHT.format("fresh"), ["CREATE TABLE m (m fresh)"], {"safe"}, False),
    "a type that is there": (CAUGHT.format("mood"), ["CREATE TABLE m (m mood)"], {"safe", "warn", "unknown"}, False),
    "a new type, looked for": (GUARD.format("fresh"), ["CREATE TABLE m (m fresh)"], {"safe"}, False),
    "another type, looked for": (GUARD.replace("typname = '{0}'", "typname = 'mood'").format("x"), ["CREATE TABLE m (m x)"], {"unsafe"}, True),
    "whatever fails": ("ALTER TABLE t ADD UNIQUE (a); EXCEPTION WHEN others THEN NULL;", [], {"unknown"}, False),
    "what something else decides": ("IF EXISTS (SELECT FROM t) THEN DELETE FROM t; END IF;", [], {"unknown"}, False),
    "text that is run": ("EXECUTE 'DROP TABLE ' || (SELECT 't');", [], {"unknown"}, False),
    "text of constants": ("EXECUTE 'DROP TABLE ' || 't';", [], {"unsafe"}, False),
    "constant that is run": ("EXECUTE 'DROP TABLE t';", [], {"unsafe"}, False),
    "a loop": ("FOR i IN 2..3 LOOP INSERT INTO t VALUES (i); END LOOP;", [], {"unknown"}, False),
    "a query without a target": ("SELECT 1;", [], {"unknown"}, True),
    "a transaction's end": ("COMMIT;", [], {"unknown"}, True),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, database: str, tmp_path: Path) -> None:
    body, then, right, fails = CASES[name]
    prepare(database, TABLE, revision="0001")
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    project.add("0002", "0001", f"DO $$ BEGIN {body} END $$", *then)
    answer = ask(project.folder, database)
    error = migrate(project.folder, database)
    assert bool(error) == fails, error
    assert answer.verdict in right, (answer.verdict, answer.findings)
