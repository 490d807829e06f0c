"""What only the online branch of env.py sets for its session, and what the real upgrade does under it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

ENGINE = "create_engine(url, poolclass=pool.NullPool)"
ONLINE = "        context.configure(connection=connection, transaction_per_migration=True)"
ROWS = "CREATE TABLE ledger AS SELECT n AS id FROM generate_series(1, 1000) n"
HIDDEN = "CREATE SCHEMA attic; CREATE TYPE attic.mood AS ENUM ('a'); " + ROWS


def _engine(more: str) -> str:
    return BOTH_MODES.replace(ENGINE, f"create_engine(url, poolclass=pool.NullPool, {more})")


def _first(statement: str) -> str:
    return BOTH_MODES.replace(
        ONLINE, f'        connection.exec_driver_sql("{statement}")\n        connection.commit()\n{ONLINE}'
    )


WITHOUT = BOTH_MODES.replace("transaction_per_migration=True", "transactional_ddl=False")


@dataclasses.dataclass(frozen=True)
class Kind:
    """An env.py, a revision, what is found and a word of the error with which the real upgrade ends."""

    env: str
    statement: str
    found: dict[str, str]
    upgrade: str = ""
    absent: frozenset[str] = frozenset()


ADDED = "ALTER TABLE ledger ADD COLUMN note text"
KINDS = {
    "autocommit-of-the-engine": Kind(
        _engine('isolation_level="AUTOCOMMIT"'), ADDED, {"env-branches-differ": "unknown"}
    ),
    "no-transaction-without-autocommit": Kind(
        WITHOUT,
        "CREATE INDEX CONCURRENTLY later ON ledger (id)",
        {"env-branches-differ": "unknown"},
        upgrade="ActiveSqlTransaction",
    ),
    "no-transaction-with-autocommit": Kind(
        WITHOUT.replace(ENGINE, ENGINE.replace(")", ', isolation_level="AUTOCOMMIT")')),
        "CREATE INDEX CONCURRENTLY later ON ledger (id)",
        {"env-branches-differ": "unknown"},
    ),
    "search-path-of-the-engine": Kind(
        _engine('connect_args={"options": "-csearch_path=pg_catalog"}'),
        ADDED,
        {"env-online-statements": "unknown"},
        upgrade="pg_catalog",
    ),
    "statement-timeout-of-env": Kind(
        _first("SET statement_timeout = '10min'"),
        "ALTER TABLE ledger ADD COLUMN note text DEFAULT clock_timestamp()::text",
        {},
        absent=frozenset({"env-online-statements"}),
    ),
    "lock-timeout-of-env": Kind(
        _first("SET lock_timeout = '2s'"),
        ADDED,
        {},
        absent=frozenset({"lock-timeout-missing", "env-online-statements"}),
    ),
    "lock-timeout-lifted-by-env": Kind(_first("SET lock_timeout = 0"), ADDED, {"lock-timeout-missing": "warn"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_env_sets_online_is_seen(name: str, tmp_path: Path, database: str) -> None:
    kind = KINDS[name]
    project = Project(tmp_path, kind.env)
    project.add("0001", None)
    project.add("0002", "0001", kind.statement)
    prepare(database, ROWS, revision="0001")
    given = {"migrator_sets_lock_timeout": name != "lock-timeout-of-env"}
    answer = ask(tmp_path, database, render_timeout=240, **given)
    assert kind.found.items() <= answer.serious.items(), answer.findings
    assert not kind.absent & answer.serious.keys(), answer.findings
    error = migrate(tmp_path, database)
    assert (kind.upgrade in error) if kind.upgrade else not error, error
