"""A database that nobody writes any more: read-only by its own setting, for every session that begins from then on.

The setting is a default, which a session may lift for itself, as a dump does; an application does not. It stays in the
server, so whoever looks sees it, and a run that was killed is known by it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import time
import typing as t

from . import backup_facts, backup_session, session
from .backup_restore import quoted
from .errors import CollectorError
from .move_facts import APPLICATION, CONNECT_SECONDS, SETTING, row

# A busy server needs a while for each session that it ends.
END_SECONDS: t.Final = 30
_ROUND_SECONDS: t.Final = 0.5
_OLDER: t.Final = """
SELECT a.pid, a.usename::text FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid()
  AND coalesce(a.backend_type, 'client backend') = 'client backend'
  AND coalesce(a.backend_start, '-infinity') <= %s
"""
_CURE: t.Final = "name the URL of the database's owner, or of a superuser, in ai_agent_move_source_secret"


def freeze(url: str) -> None:
    """Make the database read-only, and end the sessions that were there before.

    :raises CollectorError: it cannot be done, and then it was taken back
    """
    with _owner(url) as (connection, where, name):
        connection.execute(f"ALTER DATABASE {quoted(name)} SET {SETTING} = on")
        try:
            _end_older(connection, f"at {where} do not end, and may still write")
        except BaseException:
            with contextlib.suppress(Exception):
                connection.execute(f"ALTER DATABASE {quoted(name)} RESET {SETTING}")
            raise


def thaw(url: str) -> None:
    """Let it be written again, also by those who began a session meanwhile.

    :raises CollectorError: it cannot be done
    """
    with _owner(url) as (connection, where, name):
        connection.execute(f"ALTER DATABASE {quoted(name)} RESET {SETTING}")
        _end_older(connection, f"at {where} do not end, and stay read-only")


@contextlib.contextmanager
def _owner(url: str) -> t.Iterator[tuple[t.Any, str, str]]:
    """A session, in autocommit, that acts as whoever logged in; where it is, and the database's name."""
    where = session.place(session.parameters(url))
    with (
        backup_facts.translated(where, _CURE),
        session.connected(url, CONNECT_SECONDS, APPLICATION) as connection,
    ):
        connection.autocommit = True
        backup_session.unhindered(connection)
        connection.execute("SET lock_timeout = '10s'")
        # A login that acts as the owner may end its own sessions only as itself.
        connection.execute("SET ROLE NONE")
        yield connection, where, row(connection, "SELECT current_database()::text AS name")["name"]


def _end_older(connection: t.Any, what_else: str) -> None:
    """End the sessions that began before now.

    :param what_else: what is said of those that do not end
    :raises CollectorError: some of them do not end
    """
    now = connection.execute("SELECT clock_timestamp()").fetchone()[0]
    deadline = time.monotonic() + END_SECONDS
    rounds = 0
    # Once is not enough, whoever was there: a session that is beginning is not to be seen yet.
    while (left := connection.execute(_OLDER, (now,)).fetchall()) or rounds < 1:
        if rounds and time.monotonic() > deadline:
            break
        for pid, _user in left:
            connection.execute("SELECT pg_terminate_backend(%s, 1000)", (pid,))
        time.sleep(_ROUND_SECONDS)
        rounds += 1
    else:
        return
    users = ", ".join(sorted({user for _pid, user in left}))
    words = f"Sessions of {users} {what_else}"
    raise CollectorError("move-source", f"{words}; end them, or close the programs that hold them.")


__all__ = ("freeze", "thaw")
