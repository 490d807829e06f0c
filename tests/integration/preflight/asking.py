"""Asks the real module, in a process of its own, what it makes of an Alembic directory and a database."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import psycopg
from ansible_collections.ai_platform.agent.plugins.plugin_utils import _in_place

from tests.integration.preflight import warm

ROOT = Path(__file__).resolve().parents[3]
MODULE = "ansible_collections.ai_platform.agent.plugins.modules.migration_preflight"
Run = t.Callable[[str, dict[str, t.Any], list[str]], dict[str, t.Any]]
# As the role asks before it changes production.
STRICT = {"environment": "prod", "migrator_sets_lock_timeout": True, "fail_on": "never"}
# Alembic's own template, with the URL as docs/agent-image.md has it: it renders offline and migrates online.
BOTH_MODES = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
"""
# What is said of a server of these tests whatever the migration is: nobody backs it up, and 14 is past its end of life.
OF_THE_SERVER = {"backup-unknown", "server-version-old"}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the module said.

    :param verdict: None where there was none
    :param findings: its JSON forms, worst first
    """

    verdict: str | None
    findings: list[dict[str, t.Any]]
    message: str
    result: dict[str, t.Any]

    @property
    def ids(self) -> set[str]:
        """Of the findings, whatever their severity; without a verdict the one that made it impossible."""
        return {item["id"] for item in self.findings}

    @property
    def serious(self) -> dict[str, str]:
        """Severity by id of what keeps the verdict from `safe`; the worst where an id is there more than once."""
        return {
            item["id"]: item["severity"] for item in reversed(self.findings) if item["severity"] not in {"info", "skip"}
        }

    def said(self, finding_id: str) -> str:
        """The messages of that id, joined."""
        return " ".join(item["message"] for item in self.findings if item["id"] == finding_id)


def ask(folder: Path, url: str | None, **arguments: t.Any) -> Verdict:
    """The module's answer over its direct transport, or without a URL from a file that `facts` names.

    A traceback, or anything but one JSON result, fails the test, and so does a change of the catalogue or of `folder`.
    It runs in a fork of a process that has imported all it needs, which is faster.
    """
    return _asked(folder, url, arguments, warm.run)


def ask_cold(folder: Path, url: str | None, **arguments: t.Any) -> Verdict:
    """As ask(), in processes that begin with nothing, as the product runs."""
    return _asked(folder, url, arguments, lambda module, given, paths: _in_place.run(module, given, {}, paths))


def _asked(folder: Path, url: str | None, arguments: dict[str, t.Any], run: Run) -> Verdict:
    given = STRICT | {"alembic_dir": str(folder)} | ({"database_url": url} if url else {}) | arguments
    given |= {"_ansible_check_mode": False, "_ansible_no_log": False, "_ansible_verbosity": 0}
    before = state_of(url), files_of(folder)
    ended = run(MODULE, given, [str(ROOT / "collections")])
    assert "Traceback" not in ended["stdout"] + ended["stderr"], ended
    result = json.loads(ended["stdout"])
    assert "exception" not in result, result
    # Who answered before, answers on a busy machine as well, only later.
    assert (state_of(url, 2 if before[0] is None else 60), files_of(folder)) == before
    return Verdict(result.get("verdict"), result.get("findings", []), result.get("msg", ""), result)


def migrate(folder: Path, url: str, target: str = "head", **environment: str) -> str:
    """The real `alembic upgrade`: what it said where it fails, empty where it succeeds; in a fork, which is faster."""
    done = warm.alembic(folder, _environment(url) | environment, "upgrade", target)
    return "" if done["rc"] == 0 else done["stderr"].strip() or f"exit code {done['rc']}"


def migrate_cold(folder: Path, url: str, target: str = "head", **environment: str) -> str:
    """As migrate(), in a process that begins with nothing."""
    words = [sys.executable, "-m", "alembic", "upgrade", target]
    done = subprocess.run(
        words, cwd=folder, env=_environment(url) | environment, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"


def _environment(url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}


def prepare(url: str, *texts: str, revision: str | None = None) -> None:
    """Execute statements; with a revision, make the version table and put it in there."""
    made = "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)"
    with psycopg.connect(url, autocommit=True) as connection:
        for text in texts:
            connection.execute(text)
        if revision:
            connection.execute(made)
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])


def state_of(url: str | None, patience: int = 2) -> t.Any:
    """All that a migration could have changed, in short; None where nobody answers within `patience` seconds."""
    if url is None:
        return None
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=patience) as connection:
            catalogue = "SELECT oid, relname, relfilenode, relnatts FROM pg_class WHERE oid >= 16384 ORDER BY oid"
            return connection.execute(catalogue).fetchall()
    except (psycopg.Error, UnicodeDecodeError):
        # psycopg raises the second where a URL's percent-encoded bytes are not UTF-8.
        return None


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
