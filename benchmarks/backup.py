"""What a verified backup and a restore cost beside bare pg_dump and pg_restore: seconds, MiB/s, and the ratio.

    .venv/bin/python -m benchmarks.backup [MEGABYTES] [JOBS]

Bare: `pg_dump -Fd -j JOBS`, and `pg_restore -j JOBS` into an empty database of the same server. Ours: the same files
with the counts of the snapshot, checksums and manifest; the restore with checksums, counts and ANALYZE. What the
proof takes is told apart. Each figure is the best of some runs, bare and ours in turn.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path
from time import perf_counter

import psycopg

from benchmarks.machine import paced
from dev.postgresql import Server, running
from lab.progress import say

sys.path.insert(0, "collections")

from ansible_collections.ai_platform.agent.plugins.module_utils._database.module import ARGUMENTS, execute

MAJOR, RUNS = 15, 2
# Of the speed of PostgreSQL's own programs.
GOAL = 0.8
TABLES = 8
# About 300 bytes of a row with its keys, half of which a dump can compress.
FILL = """
CREATE TABLE t{number} (id bigint PRIMARY KEY, thread int, role text, content text, made timestamptz DEFAULT now());
INSERT INTO t{number} (id, thread, role, content)
SELECT n, n % 1000, 'user', repeat(md5(n::text), 3) || md5((n * 7)::text) || md5((n * 11)::text)
FROM generate_series(1, {rows}) n;
CREATE INDEX ON t{number} (thread);
"""


def fill(server: Server, megabytes: int) -> int:
    """Make the database; its size in bytes."""
    rows = megabytes * 1_000_000 // TABLES // 300
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE large")
    with psycopg.connect(server.url("large"), autocommit=True) as connection:
        for number in range(TABLES):
            connection.execute(t.cast("t.Any", FILL.format(number=number, rows=rows)))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        [size] = connection.execute("SELECT pg_database_size('large')").fetchone() or (0,)
        return int(size)


def bare(server: Server, program: str, *words: object) -> float:
    """Seconds of a program of PostgreSQL."""
    programs = server.folder / "programs"
    began = perf_counter()
    subprocess.run(
        [programs / "bin" / program, *map(str, words)], check=True, env={"LD_LIBRARY_PATH": str(programs / "lib")}
    )
    return perf_counter() - began


def ask(server: Server, folder: Path, jobs: int, **given: t.Any) -> t.Any:
    """The module's result."""
    params = {name: item.get("default") for name, item in ARGUMENTS.items()}
    own = {"path": str(folder / "backups"), "work_path": str(folder), "jobs": jobs, "retention": {"last": 1}}
    own |= {"postgresql": str(server.folder / "programs" / "bin"), "check_mode": False}
    result, _problem = execute(params | own | given)
    return result


def emptied(server: Server, name: str) -> None:
    """An empty database of this name, or none before a restore of ours."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(t.cast("t.Any", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


def measured(server: Server, folder: Path, jobs: int) -> dict[str, float]:
    """Seconds of one round."""
    dump, target = folder / "bare", "bare_restored"
    shutil.rmtree(dump, ignore_errors=True)
    found = {"pg_dump": bare(server, "pg_dump", "-Fd", "-j", jobs, "-f", dump, server.url("large"))}
    emptied(server, target)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(t.cast("t.Any", f"CREATE DATABASE {target} TEMPLATE template0"))
    found["pg_restore"] = bare(server, "pg_restore", "-j", jobs, "-d", server.url(target), dump)
    emptied(server, target)
    made = ask(server, folder, jobs, database_url=server.url("large"))["backup"]["seconds"]
    found |= {"backup": made["backup"], "proof": made["verify"]}
    emptied(server, "ours")
    again = ask(server, folder, jobs, state="restore", database_url=server.url(), restore_database="ours")["seconds"]
    found |= {"restore": again["all"], "restore alone": again["restore"], "compare": again["compare"]}
    emptied(server, "ours")
    return found


def main() -> int:
    """Measure, print, and say whether the goal is kept."""
    megabytes, jobs = (*map(int, sys.argv[1:]), *(1000, 2)[len(sys.argv) - 1 :])
    folder = Path(tempfile.mkdtemp(prefix="backup-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with running(MAJOR, max_wal_size="8GB", shared_buffers="256MB") as server, paced():
            size = fill(server, megabytes)
            rounds = [measured(server, folder, jobs) for _ in range(RUNS)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    best = {name: min(item[name] for item in rounds) for name in rounds[0]}
    say(f"database of {size / 2**20:.0f} MiB, {TABLES} tables, {jobs} jobs, PostgreSQL {MAJOR}")
    for name, seconds in best.items():
        say(f"{name:14} {seconds:8.2f} s {size / 2**20 / seconds:8.1f} MiB/s")
    ratios = {"dump": best["pg_dump"] / best["backup"], "restore": best["pg_restore"] / best["restore"]}
    for name, ratio in ratios.items():
        say(f"{name}: {ratio:.2f} of the speed of PostgreSQL's own (goal {GOAL})")
    return int(min(ratios.values()) < GOAL)


if __name__ == "__main__":
    sys.exit(main())
