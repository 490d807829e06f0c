"""Runs in a pod of the deployed image, with its credentials: deletes what is old, and tells numbers, never a row.

By exec it hears signs of life on stdin and ends without them; in a Job its deadline ends it. It writes a line for its
progress every other second, and one when it is done.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import sys
import threading
import time
import typing as t

from . import guest_memory
from .errors import CollectorError
from .probe_startup import NETWORK_SECONDS, retry

if t.TYPE_CHECKING:  # pragma: no cover
    from .retention_batches import Deletion, Limits, Progress
    from .retention_tables import Tables

Request = dict[str, t.Any]

# psycopg and a window of keys.
MEMORY_BYTES = 128 << 20
LEAST_BYTES = 40 << 20
TELL_SECONDS = 2.0
# Without a line from the caller for so long, nobody waits for the end any more.
QUIET_SECONDS = 30.0
_NOT_YET = frozenset({"database-host-unknown", "database-unreachable"})


def run(
    request: Request,
    url: str,
    alive: t.Callable[[], bool] = lambda: True,
    told: t.Callable[[Progress], None] = lambda _progress: None,
    settle: float = 0.0,
) -> dict[str, t.Any]:
    """What was deleted, or would be.

    :param request: tables, days or keys, dry, batch, pause_seconds, statement_seconds, max_seconds, connect_timeout
    :param alive: whether the caller still waits
    :param settle: seconds that the network may take to begin
    :raises CollectorError: nothing could be deleted, or the session ended on the way
    """
    import psycopg

    from . import retention_batches as batches
    from .retention_debt import debt, debt_after
    from .retention_failure import failure
    from .retention_tables import checked
    from .session import connected, parameters, place

    _assert_words(request)
    end = time.monotonic() + request["max_seconds"]
    connection = retry(
        lambda: connected(url, request["connect_timeout"]),
        lambda error: isinstance(error, CollectorError) and error.id in _NOT_YET,
        time.monotonic() + settle,
    )
    where = place(parameters(url))
    limits = batches.Limits(
        request["batch"], request["pause_seconds"], request["statement_seconds"], end=end, alive=alive
    )
    deletion: batches.Deletion | None = None
    try:
        with connection:
            connection.autocommit = True
            # Each statement has to see what was committed before it, whatever the role's default is.
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            with connection.transaction():
                batches.begin(connection, batches.LOOK_SECONDS)
                _assert_writable(connection, where)
                tables = checked(connection, request["tables"])
                cutoff = _cutoff(connection, request)
                before = debt(connection, tables)
            after: dict[str, t.Any] | None
            if request["dry"]:
                progress, after = _counted(connection, tables, cutoff, request["keys"], limits, told), before
            else:
                deletion = batches.Deletion(connection, tables, cutoff, limits, told)
                progress = _deleted(deletion, request["keys"])
                after = debt_after(connection, tables)
    except psycopg.Error as error:
        done = deletion.progress.sessions if deletion else 0
        raise failure(error.sqlstate, type(error).__name__, where, done, lost=connection.broken) from None
    return {
        "where": where,
        "cutoff": cutoff.isoformat() if cutoff else None,
        "done": progress.as_dict(),
        "tables": {
            table.name: {"before": before[table.name], "after": (after or before)[table.name]} for table in tables.all
        },
        "after_known": after is not None,
        "unindexed": list(tables.unindexed),
        "changes": list(tables.changes),
        "triggers": list(tables.triggers),
    }


def _counted(  # noqa: PLR0917 - one caller
    connection: t.Any,
    tables: Tables,
    cutoff: t.Any,
    keys: t.Sequence[str],
    limits: Limits,
    told: t.Callable[[Progress], None],
) -> Progress:
    """What a deletion would remove: the named sessions, or those before the cutoff."""
    from . import retention_batches as batches

    if keys:
        return batches.count_named(connection, tables, keys)
    return batches.count(connection, tables, cutoff, limits, told)


def _deleted(deletion: Deletion, keys: t.Sequence[str]) -> Progress:
    """Remove the named sessions, or those before the cutoff."""
    if keys:
        deletion.named(keys)
    else:
        deletion.old()
    return deletion.progress


def _assert_words(request: Request) -> None:
    """:raises CollectorError: a name or a key has a character that no text of a database can have"""
    named = [str(word) for item in request["tables"] for word in item.values()]
    for words, finding in ((named, "retention-declaration"), (request["keys"], "argument-invalid")):
        for word in words:
            try:
                word.encode()
            except UnicodeEncodeError:
                raise CollectorError(finding, f"{word!a} is not valid text in Unicode; correct it.") from None
            if "\0" in word:
                raise CollectorError(finding, f"{word!a} has a NUL in it, which no name or key has; correct it.")


def _assert_writable(connection: t.Any, where: str) -> None:
    """:raises CollectorError: the server or the role's settings refuse writes, or leave foreign keys unkept"""
    asked = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::bool,"
    row = connection.execute(f"{asked} current_setting('session_replication_role')").fetchone()
    if row[0]:
        raise CollectorError("in-recovery", f"The server at {where} takes no writes: it is a standby.")
    if row[1]:
        words = f"default_transaction_read_only is on at {where} for this role, its database or the server"
        raise CollectorError("retention-privilege", f"{words}; who set it has to lift it, or name another role.")
    if row[2] == "replica":
        words = f"session_replication_role is replica at {where} for this role, and no foreign key is kept then"
        raise CollectorError("retention-privilege", f"{words}; name another role.")


def _cutoff(connection: t.Any, request: Request) -> t.Any:
    """By the server's clock, as its rows have it."""
    if request["keys"]:
        return None
    return connection.execute("SELECT now() - %s * interval '1 day'", (float(request["days"]),)).fetchone()[0]


def main(request: Request) -> None:
    """Work on the request with the pod's own URL.

    :param request: as `run` takes it, and `guest`: it was started by exec
    """
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    from .framing import Framer

    framer, last, guest = Framer(), [time.monotonic()], request["guest"]

    def send(answer: dict[str, t.Any]) -> None:
        lines = [json.dumps(answer)] if guest else framer.lines(answer)
        answers.writelines(line + "\n" for line in lines)
        answers.flush()

    def tell(progress: Progress) -> None:
        if time.monotonic() - last[0] >= TELL_SECONDS:
            last[0] = time.monotonic()
            send({"progress": progress.sessions})

    try:
        url = _url(guest=guest)
        alive = _ear() if guest else lambda: True
        send(run(request, url, alive, tell, 0.0 if guest else NETWORK_SECONDS))
    except CollectorError as error:
        send({"error": {"id": error.id, "message": error.message}})
    except MemoryError:
        words = "The agent's pod has less of its memory limit left than the work takes."
        send({"error": {"id": "agent-memory-short" if guest else "pod-memory", "message": words}})
    except ModuleNotFoundError as error:
        send({"error": {"id": "image-start", "message": f"The image lacks the Python package {error.name}."}})
    except Exception as error:
        # No text of the error: it may quote what it worked on.
        words = f"The program fails in the pod ({type(error).__name__})."
        send({"error": {"id": "collector-failed", "message": words}})


def _url(*, guest: bool) -> str:
    if guest and (why := guest_memory.confine(MEMORY_BYTES, LEAST_BYTES)):
        raise CollectorError("agent-memory-short", f"The agent's pod {why}.")
    from .session import database_url

    url = database_url()
    if not url:
        raise CollectorError("database-url-invalid", "The pod has no DATABASE_URL in its environment.")
    return url


def _ear() -> t.Callable[[], bool]:
    """Whether the caller is still there: each line on stdin is a sign of life, the end of stdin is its end."""
    heard = [time.monotonic()]

    def listen() -> None:
        for _line in sys.stdin:
            heard[0] = time.monotonic()
        heard[0] = float("-inf")

    threading.Thread(target=listen, daemon=True).start()
    return lambda: time.monotonic() - heard[0] < QUIET_SECONDS


__all__ = ("main", "run")
