"""What a trace costs beside a preflight without one: seconds of its phases, for 20 revisions over 200 tables.

    .venv/bin/python -m benchmarks.trace

Every revision asks the inspector before it alters five tables, so that without a trace none of them can be rendered.
Each figure is the best of three runs of a new process, imports included, beside the server that it copies.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path
from time import perf_counter

import psycopg

from benchmarks.preflight import CHILD, ROOT
from dev.postgresql import running
from lab.progress import say
from tests.integration.preflight.asking import BOTH_MODES

TABLES, REVISIONS, RUNS = 200, 20, 3
# The goal, in seconds.
MOST = 12
REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "r{number}", "r{before}"


def upgrade():
    for number in range({first}, {first} + 5):
        known = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(f"t{{number}}")]
        if "extra" not in known:
            op.add_column(f"t{{number}}", sa.Column("extra", sa.Integer()))
            op.create_index(f"t{{number}}_extra", f"t{{number}}", ["extra"])


def downgrade():
    pass
"""
FIRST = 'revision, down_revision = "r0", None\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n'


def project(folder: Path) -> None:
    """Write an Alembic directory with REVISIONS pending revisions."""
    versions = folder / "versions"
    versions.mkdir()
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
    (folder / "env.py").write_text(BOTH_MODES)
    (versions / "r0.py").write_text(FIRST)
    for number in range(1, REVISIONS + 1):
        text = REVISION.format(number=number, before=number - 1, first=5 * (number - 1))
        (versions / f"r{number}.py").write_text(text)


def run(folder: Path, **given: t.Any) -> tuple[float, dict[str, t.Any]]:
    """Seconds of the fastest run, and what its report says."""
    best, told = float("inf"), folder / "report.json"
    arguments = {"alembic_dir": str(folder), "thresholds": None, "fail_on": "never", "report_path": str(told)} | given
    for _run in range(RUNS):
        began = perf_counter()
        words = [sys.executable, "-c", CHILD, json.dumps(arguments)]
        subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        best = min(best, perf_counter() - began)
    report: dict[str, t.Any] = json.loads(told.read_text())
    return best, report


def main() -> None:
    """Print both, and what became known."""
    with running(15) as server, tempfile.TemporaryDirectory() as name:
        columns = ", ".join(f"c{number} text" for number in range(8))
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE alembic_version AS SELECT varchar(32) 'r0' AS version_num")
            for number in range(TABLES):
                connection.execute(f"CREATE TABLE t{number} (id bigint PRIMARY KEY, {columns})")
                connection.execute(f"CREATE INDEX ON t{number} (c0)")
        folder = Path(name)
        project(folder)
        programs = str(server.folder / "programs" / "bin")
        for title, more in (("without", {}), ("with", {"trace": True, "trace_postgresql": programs})):
            seconds, report = run(folder, database_url=server.url(), **more)
            unknown = sum(not item["static"] for item in report["pending"])
            say(f"{title} a trace: {seconds:.2f} s, {unknown} of {len(report['pending'])} revisions not known")
            for phase, took in (report["trace"].get("phases") or {}).items():
                say(f"    {phase}: {took:.2f} s")
        say(f"goal: {MOST} s; reached: {'yes' if seconds <= MOST else 'no'}")


if __name__ == "__main__":
    main()
