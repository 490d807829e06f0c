"""Transactions that an upgrade makes read-only: what the real module says, and what Alembic does then."""

# ruff: noqa: E501 - a table

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

TABLE = "CREATE TABLE t (id int PRIMARY KEY, a text)"
WRITE = "UPDATE t SET a = 'x'"
# The statements of each revision, and whether it fails.
CASES = {
    "by default, and written in the next": ([["SET default_transaction_read_only = on"], [WRITE]], True),
    "by default, and defined in the next": ([["SET default_transaction_read_only TO true"], ["CREATE TABLE n (a int)"]], True),
    "by default, in the same transaction": ([["SET default_transaction_read_only = on", WRITE]], False),
    "by default, taken back": ([["SET default_transaction_read_only = on"], ["SET default_transaction_read_only = off"]], True),
    "by default, taken back at once": ([["SET default_transaction_read_only = on", "RESET default_transaction_read_only"], [WRITE]], False),
    "of the session": ([["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"], [WRITE]], True),
    "this one": ([["SET TRANSACTION READ ONLY"]], True),
    "this one, by its setting": ([["SET transaction_read_only = on"]], True),
    "this one, isolated": ([["SET TRANSACTION ISOLATION LEVEL READ COMMITTED"]], False),
    "off": ([["SET default_transaction_read_only = off"], [WRITE]], False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, database: str, tmp_path: Path) -> None:
    revisions, fails = CASES[name]
    prepare(database, TABLE, revision="0001")
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    for number, texts in enumerate(revisions, 2):
        project.add(f"000{number}", f"000{number - 1}", *texts)
    answer = ask(project.folder, database)
    error = migrate(project.folder, database)
    assert bool(error) == fails, error
    # What SET SESSION CHARACTERISTICS decides beside this is not followed, so that nothing after it is certain.
    said = answer.verdict == "unsafe" or (name == "of the session" and answer.verdict == "unknown")
    # That nothing but Alembic's own version is written in a transaction which only reads, no statement says.
    assert said == fails or name == "by default, taken back", (answer.verdict, answer.findings)
