"""Runs in a ready agent pod by exec: looks at PostgreSQL's roles, makes one of them ready, or locks one.

Its request holds an administrator's URL. It comes on stdin, and nothing of it is written anywhere. The server gets what
it stores of a password, never the password itself, so no log of its statements has it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import typing as t

from . import guest_memory
from .errors import CollectorError

Request = dict[str, t.Any]

APPLICATION = "ai_platform.agent rotation"
# By it the next rotation knows that a role is its own, and not somebody's who happened to choose the name.
COMMENT = "Takes turns at logging in for {owner} (ai_platform.agent)"
MEMORY_BYTES = 96 << 20
LEAST_BYTES = 32 << 20
STATEMENT_MS = 10_000
LOCK_MS = 5_000
_MOST_CLIENTS = 5
# Settings that are lists of names, each quoted by itself.
# Source: GUC_LIST_QUOTE in PostgreSQL's src/backend/utils/misc/guc_tables.c
_LISTS = frozenset({"local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces"})
_ELEMENT = re.compile(r'"((?:[^"]|"")*)"|([^\s,]+)')


def run(request: Request) -> dict[str, t.Any]:
    """What an action found or did.

    :param request: `action` (look, prepare or lock), `admin`, the administrator's URL, `connect_timeout` in seconds,
        and what the function of the action takes. With `say`, what would be done is `statements` in the answer, for an
        administrator at psql, without a password; `admin` may then be anybody who logs in
    :raises CollectorError: it could not be done; then nothing of it was
    """
    import psycopg

    from .session import connected, parameters, place

    where = place(parameters(request["admin"]))
    say, statements = bool(request.get("say")), Statements()
    try:
        with connected(request["admin"], request["connect_timeout"], APPLICATION) as connection:
            connection.autocommit = True
            with connection.transaction():
                _limit(connection)
                do = statements.of(connection) if say else connection.execute
                if request["action"] == "prepare":
                    _prepare(connection, request, where, do)
                elif request["action"] == "lock":
                    _lock(request, do)
            if request["action"] == "lock" and request["end"] and not say:
                _end_sessions(connection, request["role"])
            found = _look(connection, request)
    except psycopg.errors.InsufficientPrivilege:
        words = f"The administrator of the server at {where} may not change roles (CREATEROLE, or superuser)"
        raise CollectorError("rotation-refused", f"{words}; put another one's password into the Secret.") from None
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
        words = f"Changing a role at {where} waited too long for somebody else's lock"
        raise CollectorError("database-timeout", f"{words}; run it again.") from None
    except psycopg.Error as error:
        words = f"The server at {where} refused to change a role ({error.sqlstate or 'connection lost'})"
        raise CollectorError("rotation-refused", f"{words}; its log says why. Run it again afterwards.") from None
    return found | {"where": where, "works": _works(request), "statements": statements.said}


class Statements:
    """What an administrator has to do, as lines for psql."""

    def __init__(self) -> None:
        """None so far."""
        self.said: list[str] = []

    def of(self, connection: t.Any) -> t.Callable[[t.Any], None]:
        """A function that takes a statement in place of the connection's `execute`."""

        def say(statement: t.Any) -> None:
            text = statement.as_string(connection)
            # psql's own commands take no semicolon: it would be a part of the name.
            self.said.append(text if text.startswith("\\") else f"{text};")

        return say


def _limit(connection: t.Any) -> None:
    query = "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)"
    connection.execute(query, (f"{LOCK_MS}ms", f"{STATEMENT_MS}ms"))


def _look(connection: t.Any, request: Request) -> dict[str, t.Any]:
    """The roles that are there, with their sessions."""
    comment = COMMENT.format(owner=request["owner"])
    rows = connection.execute(
        "SELECT rolname::text, rolcanlogin, rolsuper, coalesce(shobj_description(oid, 'pg_authid'), '') = %s"
        " FROM pg_roles WHERE rolname = ANY(%s)",
        (comment, request["roles"]),
    ).fetchall()
    sessions = connection.execute(
        "SELECT usename::text, count(*),"
        " array_agg(DISTINCT coalesce(nullif(application_name, ''), 'a program without a name') || ' from '"
        "  || coalesce(host(client_addr), 'the server itself'))"
        " FROM pg_stat_activity WHERE usename = ANY(%s) AND pid <> pg_backend_pid() GROUP BY 1",
        (request["roles"],),
    ).fetchall()
    counted = {name: (number, sorted(clients)[:_MOST_CLIENTS]) for name, number, clients in sessions}
    return {
        "roles": {
            name: {
                "login": login,
                "super": superuser,
                "ours": ours,
                "sessions": counted.get(name, (0, []))[0],
                "clients": counted.get(name, (0, []))[1],
            }
            for name, login, superuser, ours in rows
        }
    }


def _prepare(connection: t.Any, request: Request, where: str, do: t.Callable[[t.Any], object]) -> None:
    """Make the idle role, or reset it: a member of the owner that acts as the owner from its login on.

    :raises CollectorError: the owner is not there, or the name is somebody else's
    """
    from psycopg import sql

    owner, role = sql.Identifier(request["owner"]), sql.Identifier(request["role"])
    there = _look(connection, {"owner": request["owner"], "roles": [request["owner"], request["role"]]})["roles"]
    if request["owner"] not in there:
        raise CollectorError("rotation-refused", f"The server at {where} has no role {request['owner']} (any more).")
    if request["role"] in there and not there[request["role"]]["ours"]:
        raise CollectorError("rotation-role-taken", f"The server at {where} has a role {request['role']} of others.")
    if request["role"] not in there:
        do(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
        do(sql.SQL("COMMENT ON ROLE {} IS {}").format(role, sql.Literal(COMMENT.format(owner=request["owner"]))))
    do(sql.SQL("GRANT {} TO {}").format(owner, role))
    _copy_settings(connection, request["like"], request["role"], do)
    # Whatever a session makes is then the owner's, and what the owner may, it may.
    do(sql.SQL("ALTER ROLE {} SET role TO {}").format(role, sql.Literal(request["owner"])))
    row = connection.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", (request["like"],)).fetchone()
    limit = sql.Literal(row[0] if row else -1)
    login = sql.SQL("ALTER ROLE {} WITH LOGIN INHERIT CONNECTION LIMIT {} VALID UNTIL 'infinity'").format(role, limit)
    if request.get("say"):
        # psql asks for it, and sends the server what it stores, so nothing on its screen or in its history has it.
        do(sql.SQL("\\password {}").format(role))
        do(login)
        return
    # With no algorithm named, libpq asks the server for its password_encryption.
    kept = connection.pgconn.encrypt_password(request["password"].encode(), request["role"].encode(), None).decode()
    do(login + sql.SQL(" PASSWORD {}").format(sql.Literal(kept)))


def _copy_settings(connection: t.Any, source: str, role: str, do: t.Callable[[t.Any], object]) -> None:
    """Give a role what ALTER ROLE … SET gave another, for all databases and for single ones."""
    from psycopg import sql

    query = (
        "SELECT d.datname::text, unnest(s.setconfig) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
        " LEFT JOIN pg_database d ON d.oid = s.setdatabase WHERE r.rolname = %s"
    )
    wanted = connection.execute(query, (source,)).fetchall()
    for database in {None, *(name for name, _item in connection.execute(query, (role,)).fetchall())}:
        do(sql.SQL("ALTER ROLE {}{} RESET ALL").format(sql.Identifier(role), _inside(database)))
    for database, item in wanted:
        name, _equals, value = item.partition("=")
        if name == "role":
            continue
        do(
            sql.SQL("ALTER ROLE {}{} SET {} TO {}").format(
                sql.Identifier(role), _inside(database), sql.Identifier(*name.split(".")), _value(name, value)
            )
        )


def _inside(database: str | None) -> t.Any:
    from psycopg import sql

    return sql.SQL(" IN DATABASE {}").format(sql.Identifier(database)) if database else sql.SQL("")


def _value(name: str, value: str) -> t.Any:
    from psycopg import sql

    if name not in _LISTS:
        return sql.Literal(value)
    found = [
        match[2] if match[1] is None else match[1].replace('""', '"') for match in _ELEMENT.finditer(value)
    ]  # fmt: skip
    return sql.SQL(", ").join(sql.Literal(each) for each in found or [""])


def _lock(request: Request, do: t.Callable[[t.Any], object]) -> None:
    """Let a role log in no more. Its sessions live on."""
    from psycopg import sql

    role, owner = sql.Identifier(request["role"]), sql.Identifier(request["owner"])
    if request["role"] != request["owner"]:
        # What a session made that had reset its role, as DISCARD ALL of a pooler does.
        do(sql.SQL("REASSIGN OWNED BY {} TO {}").format(role, owner))
    do(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(role))
    if request.get("say") and request["end"]:
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = {}"
        do(sql.SQL(ended).format(sql.Literal(request["role"])))


def _end_sessions(connection: t.Any, role: str) -> None:
    # pg_terminate_backend waits for the end in its second form, so that what is counted afterwards is true.
    connection.execute(
        "SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity"
        " WHERE usename = %s AND pid <> pg_backend_pid()",
        (role,),
    )


def _works(request: Request) -> str | None:
    """Why the login that is asked about does not work, empty where it does; None where none is asked about."""
    import psycopg

    from .session import connected

    if not request.get("login"):
        return None
    try:
        with connected(request["login"], request["connect_timeout"], APPLICATION) as connection:
            row = connection.execute("SELECT current_user::text").fetchone()
    except CollectorError as error:
        return error.message
    except psycopg.Error as error:
        return f"The session ends ({error.sqlstate or 'connection lost'})."
    now = row[0] if row else ""
    return "" if now == request["owner"] else f"The session acts as {now}, not as {request['owner']}."


def _confine() -> None:
    if why := guest_memory.confine(MEMORY_BYTES, LEAST_BYTES):
        raise CollectorError("agent-memory-short", f"The agent's pod {why}.")


def main(request: Request) -> None:
    """Answer with one line.

    :param request: as `run` takes it
    """
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    try:
        _confine()
        answer = run(request)
    except CollectorError as error:
        answer = {"error": {"id": error.id, "message": error.message}}
    except MemoryError:
        words = "The agent's pod has less of its memory limit left than the work takes."
        answer = {"error": {"id": "agent-memory-short", "message": words}}
    except ModuleNotFoundError as error:
        answer = {"error": {"id": "image-start", "message": f"The image lacks the Python package {error.name}."}}
    except Exception as error:
        # No text of the error: it may quote what it worked on.
        words = f"The program fails in the pod ({type(error).__name__})."
        answer = {"error": {"id": "collector-failed", "message": words}}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


__all__ = ("APPLICATION", "COMMENT", "main", "run")
