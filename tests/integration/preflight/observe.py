"""What a server does when it runs a statement: the locks it takes, the files it writes anew, the tables it scans."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

import psycopg
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode

RELATIONS = """
SELECT c.oid::int8, CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END, c.relkind::text,
       c.relfilenode::int8, pg_relation_size(c.oid), {scans}(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'attic') AND c.relkind IN ('r', 'p', 'm', 'v', 'i', 'I', 'S')
"""
LOCKS = """
SELECT relation::int8, mode FROM pg_locks
WHERE locktype = 'relation' AND pid = %s AND relation IS NOT NULL AND database <> 0
"""
# What stops a statement that commits in between, wherever it takes a lock that matters.
BLOCKERS = ("SHARE UPDATE EXCLUSIVE", "ROW EXCLUSIVE")


class Seen(t.NamedTuple):
    """What happened to one relation."""

    kind: str
    mode: str | None
    rewritten: bool
    scanned: bool


class _State(t.NamedTuple):
    name: str
    kind: str
    file: int
    size: int
    scans: int


def _states(connection: psycopg.Connection, scans: str) -> dict[int, _State]:
    rows = connection.execute(RELATIONS.replace("{scans}", scans)).fetchall()
    return {row[0]: _State(*row[1:]) for row in rows}


def _result(before: dict[int, _State], after: dict[int, _State], modes: dict[int, Mode]) -> dict[str, Seen]:
    found = {}
    for oid, old in before.items():
        new = after.get(oid)
        # TRUNCATE and a sequence get new files too, but nothing is copied into them.
        rewritten = new is not None and new.file != old.file and new.size > 0 and new.kind != "S"
        emptied = new is not None and new.file != old.file and new.size == 0
        scanned = new is not None and new.scans > old.scans and not emptied
        if oid in modes or rewritten or scanned:
            mode = str(modes[oid]) if oid in modes else None
            found[old.name] = Seen(old.kind, mode, rewritten, scanned)
    return found


def inside(connection: psycopg.Connection, statement: str) -> dict[str, Seen]:
    """Run the statement in a transaction that is rolled back.

    :raises psycopg.Error: the server refuses it
    """
    connection.rollback()
    # In the transaction of the statement: between two, the counters may be sent away and begin at zero again.
    before = _states(connection, "pg_stat_get_xact_numscans")
    connection.execute(statement)
    modes: dict[int, Mode] = {}
    for oid, mode in connection.execute(LOCKS, [connection.info.backend_pid]).fetchall():
        modes[oid] = max(Mode.of_server(mode), modes.get(oid, Mode.NONE))
    after = _states(connection, "pg_stat_get_xact_numscans")
    connection.rollback()
    return _result(before, after, modes)


def alone(dsn: str, password: str, statement: str, tables: t.Sequence[str]) -> dict[str, Seen]:
    """Run a statement that refuses a transaction; stop it at locks on `tables`, and look at what it holds and wants.

    :raises psycopg.Error: the server refuses it
    """
    modes: dict[int, Mode] = {}
    failed: list[psycopg.Error] = []
    with contextlib.ExitStack() as stack:
        observer = stack.enter_context(psycopg.connect(dsn, password=password, autocommit=True))
        worker = stack.enter_context(psycopg.connect(dsn, password=password, autocommit=True))
        before = _states(observer, "pg_stat_get_numscans")
        plans = [(mode, tables) for mode in BLOCKERS] + [("ACCESS SHARE", [table]) for table in tables]
        blockers: dict[int, psycopg.Connection] = {}
        for mode, held in plans:
            blocker = stack.enter_context(psycopg.connect(dsn, password=password))
            blockers[blocker.info.backend_pid] = blocker
            for table in held:
                blocker.execute(f"LOCK TABLE ONLY {table} IN {mode} MODE")

        def work() -> None:
            try:
                worker.execute(statement)
            except psycopg.Error as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        _watch(observer, worker.info.backend_pid, thread, blockers, modes)
        thread.join(30)
        worker.close()  # which sends its statistics
        if failed:
            raise failed[0]
        after = _settled(observer, before, tables)
    return _result(before, after, modes)


def _watch(
    observer: psycopg.Connection,
    pid: int,
    thread: threading.Thread,
    blockers: dict[int, psycopg.Connection],
    modes: dict[int, Mode],
) -> None:
    """Collect the locks of a process until it ends; who stands in its way lets go once the lock was seen."""
    deadline = time.monotonic() + 30
    while thread.is_alive() and time.monotonic() < deadline:
        # Asked before the locks: what it waits for when this answers, it still waits for when they are read. Only
        # its blockers tell that; a wait event may be that of a lock which was granted a moment ago.
        answer = observer.execute("SELECT pg_blocking_pids(%s)", [pid]).fetchone()
        for oid, mode in observer.execute(LOCKS, [pid]).fetchall():
            modes[oid] = max(Mode.of_server(mode), modes.get(oid, Mode.NONE))
        for blocking in set(answer[0] if answer else ()) & blockers.keys():
            blockers.pop(blocking).rollback()
        time.sleep(0.002)


def _settled(observer: psycopg.Connection, before: dict[int, _State], tables: t.Iterable[str]) -> dict[int, _State]:
    """The state after the statement's statistics arrived; they come late, and not at all where nothing was scanned."""
    deadline = time.monotonic() + 1.5
    while True:
        after = _states(observer, "pg_stat_get_numscans")
        scanned = {new.name for oid, new in after.items() if oid in before and new.scans > before[oid].scans}
        if scanned & set(tables) or time.monotonic() > deadline:
            return after
        time.sleep(0.1)
