"""A version table that Alembic cannot keep: what is said, and how the real upgrade ends."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import psycopg
import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

ROLE = "clerk"


@dataclasses.dataclass(frozen=True)
class Kind:
    """What is done to the version table, what is said of it, and a word of the upgrade's error."""

    setup: str
    severity: str | None
    upgrade: str = ""


KINDS = {
    "as-it-should-be": Kind("ALTER TABLE alembic_version OWNER TO clerk", None),
    "not-to-be-written": Kind("GRANT SELECT ON alembic_version TO clerk", "fail", "permission denied"),
    "one-row-twice": Kind(
        "ALTER TABLE alembic_version OWNER TO clerk; ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_pkey;"
        " INSERT INTO alembic_version VALUES ('0001')",
        "fail",
        "exit code",
    ),
    "rows-that-overlap": Kind(
        "ALTER TABLE alembic_version OWNER TO clerk; INSERT INTO alembic_version VALUES ('0000')", "fail", "exit code"
    ),
    "hidden-rows": Kind(
        "ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY; GRANT ALL ON alembic_version TO clerk;"
        " CREATE POLICY every ON alembic_version USING (true)",
        "unknown",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_said_is_what_happens(name: str, tmp_path: Path, database: str) -> None:
    kind = KINDS[name]
    project = Project(tmp_path, BOTH_MODES)
    project.add("0000", None)
    project.add("0001", "0000")
    project.add("0002", "0001", "CREATE TABLE made (id int)")
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"DROP ROLE IF EXISTS {ROLE}")
        admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'clerk'")
        admin.execute(f"GRANT ALL ON SCHEMA public TO {ROLE}")
    prepare(database, revision="0001")
    prepare(database, kind.setup)
    info = psycopg.conninfo.conninfo_to_dict(database)
    url = f"postgresql://{ROLE}:clerk@{info['host']}:{info['port']}/{info['dbname']}"
    try:
        answer = ask(tmp_path, url, render_timeout=240)
        assert answer.serious.get("version-table-unusable") == kind.severity, answer.findings
        error = migrate(tmp_path, url)
        assert (kind.upgrade in error) if kind.upgrade else not error, error
    finally:
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(f"DROP OWNED BY {ROLE}")
            admin.execute(f"DROP ROLE {ROLE}")
