"""What migration_preflight costs, beside `alembic upgrade --sql` and squawk on the same input.

    .venv/bin/python -m benchmarks.preflight

Each time is the best of some runs of a new process, imports included. Alembic is compiled, as pip leaves it, so the
preflight is as well; what it costs where each run compiles it, as Ansible's own packing of a module does, is printed
beside. The preflight's memory is the highest sum, over a
run of its own, of what its process and the one that renders hold at the same moment, pages they share counted once
(PSS, looked at every 10 ms); that of the others is the peak of the resident set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path
from time import perf_counter, sleep

import psycopg

from benchmarks.machine import paced
from dev.postgresql import running
from lab.progress import say

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(sys.executable).parent
ENV = """
from alembic import context
context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""
STATEMENTS = (
    "ALTER TABLE {table} ADD COLUMN extra int",
    "ALTER TABLE {table} ADD CONSTRAINT {table}_positive CHECK (amount > 0) NOT VALID",
    "CREATE INDEX {table}_note ON {table} (note)",
)
# MiB.
MOST_MEMORY = 100
CHILD = """
import json, sys
sys.path.insert(0, "collections")
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.module import ARGUMENTS, execute
params = {name: option.get("default") for name, option in ARGUMENTS.items()} | json.loads(sys.argv[1])
result, problem = execute(params)
print(json.dumps({
    "pending": result["pending_count"], "verdict": result["verdict"], "bytes": len(json.dumps(result, default=str)),
}))
"""


class Measured(t.NamedTuple):
    """Seconds, of them those of processors (of all its processes), peak resident set in MiB, and what was printed."""

    seconds: float
    processor: float
    memory: int
    output: str


def measured(words: list[object], runs: int, **options: t.Any) -> Measured:
    """The fastest of some runs."""
    best: Measured | None = None
    for _ in range(runs):
        with tempfile.TemporaryFile("w+") as output:
            begin = perf_counter()
            process = subprocess.Popen([str(word) for word in words], stdout=output, **options)
            _pid, _status, usage = os.wait4(process.pid, 0)
            seconds = perf_counter() - begin
            output.seek(0)
            processor = usage.ru_utime + usage.ru_stime
            one = Measured(seconds, processor, usage.ru_maxrss // 1024, output.read())
        best = one if best is None or one.seconds < best.seconds else best
    assert best is not None  # noqa: S101 - at least one run
    return best


def peak(words: list[object], **options: t.Any) -> int:
    """The highest memory of a process and its children together, in MiB."""
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, **options)
    highest = 0
    while process.poll() is None:
        highest = max(highest, _together(process.pid))
        sleep(0.01)
    return highest // 1024


def _together(pid: int) -> int:
    """KiB. A process that ends while it is looked at counts nothing."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return own + sum(_together(int(child)) for child in children)


def project(folder: Path, revisions: int) -> None:
    """A line of revisions; the first is applied, each of the others has three statements about one table."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n")
    (folder / "migrations" / "env.py").write_text(ENV)
    for number in range(revisions + 1):
        down = f"r{number - 1:04}" if number else None
        lines = ["from alembic import op", f'revision = "r{number:04}"', f"down_revision = {down!r}", "def upgrade():"]
        lines += [f'    op.execute("{text.format(table=f"t{number}")}")' for text in STATEMENTS if number] or [
            "    pass"
        ]
        (versions / f"r{number:04}.py").write_text("\n".join(lines) + "\n")


def fill(url: str, tables: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('r0000')")
        for first in range(0, tables, 500):
            body = f"FOR n IN {first}..{first + 499} LOOP EXECUTE format('CREATE TABLE t%s"
            body += " (id bigint PRIMARY KEY, amount int, note text, seen timestamptz DEFAULT now())', n); END LOOP;"
            connection.execute(f"DO $$ BEGIN {body} END $$")


def compare(title: str, revisions: int, tables: int, limit: float, runs: int) -> bool:
    """Print one comparison; whether the preflight stayed within its limits.

    :param limit: how long it may take, as a part of what `alembic upgrade --sql` takes
    """
    with running(18, max_locks_per_transaction="2000") as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, revisions)
        fill(server.url(), tables)
        arguments = {"alembic_dir": name, "database_url": server.url(), "fail_on": "never"}
        words: list[object] = [sys.executable, "-c", CHILD, json.dumps(arguments)]
        compiled = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        compiled["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        measured(words, 1, cwd=ROOT, env=compiled)
        ours = measured(words, runs, cwd=ROOT, env=compiled)
        memory = peak(words, cwd=ROOT, env=compiled)
        absent = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(folder / "absent")}
        source = measured(words, runs, cwd=ROOT, env=absent)
        result = json.loads(ours.output)
        words = [sys.executable, "-m", "alembic", "upgrade", "r0000:heads", "--sql"]
        alembic = measured(words, runs, cwd=folder, stderr=subprocess.DEVNULL)
        (folder / "upgrade.sql").write_text(alembic.output)
        squawk = measured([VENV / "squawk", "--reporter", "json", folder / "upgrade.sql"], runs)
    ratio = ours.seconds / alembic.seconds
    good = ratio <= limit and memory <= MOST_MEMORY
    say(f"{title}: {result['pending']} pending revisions, {tables} tables")
    say(
        f"  preflight              {ours.seconds:6.2f} s, {ratio:.2f} times Alembic's (at most {limit:g})"
        f"  {memory:4} MiB (at most {MOST_MEMORY} MiB)  result {result['bytes'] / 1024:.0f} KiB"
    )
    say(f"    compiled each time   {source.seconds:6.2f} s, {source.seconds / alembic.seconds:.2f} times Alembic's")
    say(f"  alembic upgrade --sql  {alembic.seconds:6.2f} s  {alembic.memory:4} MiB")
    say(f"  of processors          {ours.processor:6.2f} s and {alembic.processor:.2f} s, both sides of each together")
    say(f"  squawk                 {squawk.seconds:6.2f} s  {squawk.memory:4} MiB"
        f"  {len(json.loads(squawk.output))} violations")  # fmt: skip
    say("  within its limits" if good else "  NOT within its limits")
    return good


@paced()
def main() -> int:
    """Exit code 0 when both stayed within their limits."""
    few = compare("few", 20, 100, 0.7, 5)
    many = compare("many", 1000, 10_000, 1.0, 3)
    return 0 if few and many else 1


if __name__ == "__main__":
    sys.exit(main())
