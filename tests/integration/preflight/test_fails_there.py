"""Upgrades that fail on what is there: the module says so beforehand.

The real `alembic upgrade` then fails, or passes, as it was said.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t
from pathlib import Path

import psycopg
import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

Build = t.Callable[[Project], object]
LONG = "20260907_000000_add_account_usage_caps"
WIDE = "ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(255)"


@dataclasses.dataclass(frozen=True)
class Kind:
    """`setup` comes upon revision 0001.

    :param found: the id that must be there, None: that nothing serious may be
    :param upgrade: a word of the error of the real upgrade; empty where it succeeds; None where it is not run
    """

    build: Build
    found: str | None
    upgrade: str | None
    setup: str = ""
    severity: str = "fail"


def revisions(*texts: t.Sequence[str], first: str = "0002") -> Build:
    """One revision each, in a transaction each."""

    def build(project: Project) -> None:
        before = "0001"
        for number, sql in enumerate(texts):
            name = first if number == 0 else f"{number + 2:04}"
            project.add(name, before, *sql)
            before = name

    return build


def alone(*texts: str) -> Build:
    """A revision whose statements run in an autocommit_block."""
    lines = ["    with op.get_context().autocommit_block():", *(f"        op.execute({text!r})" for text in texts)]
    return lambda project: project.add("0002", "0001", body="\n".join(lines))


ADD = "ALTER TABLE ledger ADD COLUMN note text"
BUILD = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ledger_label ON ledger (label)"
# Fails on the duplicates and leaves the index invalid.
BROKEN = "CREATE UNIQUE INDEX CONCURRENTLY ledger_label ON ledger (label)"
OTHERS = "CREATE TABLE o (label text); CREATE INDEX ledger_label ON o (label)"
WILL_FAIL = {"revision-id-long", "object-missing", "object-exists", "object-depended-upon", "table-missing"}
NO_LIMIT = "SET lock_timeout = 0"
KINDS = {
    "an id of 38 characters": Kind(revisions([ADD], first=LONG), "revision-id-long", "StringDataRightTruncation"),
    "an id of 38 characters, column widened by hand": Kind(revisions([ADD], first=LONG), None, "", WIDE),
    "an id of 38 characters, column widened by the revision": Kind(revisions([WIDE, ADD], first=LONG), None, ""),
    "an id of 32 characters": Kind(revisions([ADD], first="a" * 32), None, ""),
    "an id of 33 characters, column made text": Kind(
        revisions([ADD], first="a" * 33), None, "", "ALTER TABLE alembic_version ALTER COLUMN version_num TYPE text"
    ),
    "an id too long for a narrow column": Kind(
        revisions([ADD], first="a" * 20), "revision-id-long", "StringDataRightTruncation",
        "ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(12)",
    ),
    "IF NOT EXISTS over an invalid index": Kind(alone(NO_LIMIT, BUILD), "index-not-built", "", BROKEN),
    "IF NOT EXISTS over an index that is not unique": Kind(
        alone(NO_LIMIT, BUILD), "index-not-built", "", "CREATE INDEX ledger_label ON ledger (label)"
    ),
    "IF NOT EXISTS over an index of another table": Kind(
        alone(NO_LIMIT, BUILD), "index-not-built", "", OTHERS
    ),
    "the invalid index dropped first": Kind(
        alone(NO_LIMIT, "DROP INDEX CONCURRENTLY ledger_label", BUILD.replace("label)", "id)")), None, "", BROKEN
    ),
    "the invalid index built again first": Kind(
        revisions(["UPDATE ledger SET label = id::text WHERE id < 3", "REINDEX INDEX ledger_label", BUILD.replace(
            " CONCURRENTLY", "")]), None, "", BROKEN,
    ),
    "a constraint of an invalid index": Kind(
        revisions(["ALTER TABLE ledger ADD CONSTRAINT l UNIQUE USING INDEX ledger_label"]), "index-not-built",
        "is not valid",
        BROKEN,
    ),
    "a constraint of an index that is not unique": Kind(
        revisions(["ALTER TABLE ledger ADD CONSTRAINT l UNIQUE USING INDEX ledger_label"]), "index-not-built",
        "is not a unique index", "CREATE INDEX ledger_label ON ledger (label)",
    ),
    "CONCURRENTLY under lock_timeout": Kind(
        alone("CREATE INDEX CONCURRENTLY later ON ledger (amount)"), "concurrently-lock-timeout", "", severity="warn"
    ),
    "CONCURRENTLY without lock_timeout": Kind(
        alone(NO_LIMIT, "CREATE INDEX CONCURRENTLY later ON ledger (amount)"), None, ""
    ),
}  # fmt: skip
TABLES = """
CREATE TABLE ledger (id int PRIMARY KEY, label varchar(40), amount int, state varchar(8), body text);
INSERT INTO ledger SELECT n, 'label', n, 'open', '{}' FROM generate_series(1, 2) n;
ANALYZE ledger;
"""


@pytest.mark.parametrize("name", KINDS)
def test_the_answer(name: str, database: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    kind.build(project)
    prepare(database, TABLES, revision="0001")
    if kind.setup == BROKEN:
        with pytest.raises(psycopg.errors.UniqueViolation):
            prepare(database, kind.setup)
    else:
        prepare(database, kind.setup)
    answer = ask(project.folder, database)
    failing = {name for name, severity in answer.serious.items() if severity == "fail"}
    if kind.found:
        assert answer.serious.get(kind.found) == kind.severity, answer.findings or answer.message
    if kind.upgrade == "" and kind.found not in {"index-not-built"}:
        # Nothing that says "will fail" where it does not fail.
        assert not failing & WILL_FAIL, answer.findings
    if kind.found is None:
        assert not failing, answer.findings
    if kind.upgrade is not None:
        ended = migrate(project.folder, database)
        assert (kind.upgrade in ended) if kind.upgrade else not ended, ended


@pytest.mark.parametrize(
    ("doing", "isolation", "severity"),
    [
        ("SELECT count(*) FROM elsewhere", "REPEATABLE_READ", "fail"),
        ("UPDATE ledger SET amount = 1 WHERE id = 1", "READ_COMMITTED", "fail"),
        # Between two statements it has no snapshot, and it has not written to this table.
        ("INSERT INTO elsewhere VALUES (1)", "READ_COMMITTED", "warn"),
    ],
)
def test_concurrently_while_somebody_is_at_work(
    doing: str, isolation: str, severity: str, database: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    KINDS["CONCURRENTLY under lock_timeout"].build(project)
    prepare(database, TABLES, "CREATE TABLE elsewhere (id int)", revision="0001")
    with psycopg.connect(database) as busy:
        busy.isolation_level = psycopg.IsolationLevel[isolation]
        busy.execute(doing)
        time.sleep(2.1)
        assert ask(project.folder, database).serious["concurrently-lock-timeout"] == severity
        ended = migrate(project.folder, database, PGOPTIONS="-c lock_timeout=500ms")
    assert ("LockNotAvailable" in ended) == (severity == "fail")


def test_an_id_too_long_for_the_table_that_alembic_will_make(database: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "app", BOTH_MODES).add(LONG, None, "CREATE TABLE ledger (id int)")
    assert ask(project.folder, database).serious["revision-id-long"] == "fail"
    assert "StringDataRightTruncation" in migrate(project.folder, database)


LARGE = """
INSERT INTO ledger SELECT n, repeat('x', 40), n, 'open', repeat('y', 200) FROM generate_series(3, 100000) n;
ANALYZE ledger
"""


INDEX = (NO_LIMIT, "CREATE INDEX CONCURRENTLY i ON ledger (label)")
# The role's statement_timeout, what the revision runs, whether the migrator lifts it, what is said.
TIMEOUTS = [
    ("30ms", INDEX, False, "fail"),
    ("10min", INDEX, False, None),
    ("30ms", ("SET statement_timeout = 0", *INDEX), False, None),
    ("30ms", INDEX, True, None),
]


@pytest.mark.parametrize("case", TIMEOUTS)
def test_time_outs_of_the_role(
    case: tuple[str, tuple[str, ...], bool, str | None], database: str, tmp_path: Path
) -> None:
    limit, statements, lifts, severity = case
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    alone(*statements)(project)
    prepare(database, TABLES, LARGE, revision="0001")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS limited")
        connection.execute("CREATE ROLE limited LOGIN SUPERUSER PASSWORD 'x'")
        connection.execute(f"ALTER ROLE limited SET statement_timeout = '{limit}'")
        url = f"postgresql://limited:x@127.0.0.1:{connection.info.port}/{connection.info.dbname}"
    answer = ask(project.folder, url, migrator_lifts_timeouts=lifts)
    assert answer.serious.get("timeout-of-role") == severity
    ended = migrate(project.folder, url, PGOPTIONS="-c statement_timeout=0" if lifts else "")
    assert ("QueryCanceled" in ended) == (severity == "fail")
