"""What the server itself says of statements that are to run later: it parses and analyses them, and executes none.

PREPARE looks up names, columns, types and operators, reads literals and applies rules, as for a statement that runs,
but plans nothing and so calls no function. EXPLAIN plans, for which PostgreSQL computes what its own functions make of
constants. Source: PostgreSQL documentation, PREPARE; PrepareQuery in
src/backend/commands/prepare.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

NAME = "ai_platform_preflight"
# Each waits for a lock as long as lock_timeout allows; a queue of them must not add up.
SECONDS = 5.0
# The version whose grammar pglast has, by which statements were parsed before.
GRAMMAR = 180000
# Classes of SQLSTATE that say nothing about the statement: connection, transaction, resources, somebody in the way.
_ELSEWHERE = ("08", "25", "40", "53", "54", "57", "58", "XX")
_LOCKED = "55P03"
# A table or schema that is not there.
_MISSING = {"42P01", "3F000"}


def refusals(connection: psycopg.Connection, asked: t.Sequence[tuple[int, str]]) -> list[dict[str, t.Any]]:
    """The statements that the server refuses.

    :param asked: number and text, one statement each
    :return: `number`, `state` (SQLSTATE) and `message`, the server's, for each that it refuses
    """
    from psycopg import Error

    found = []
    end = time.monotonic() + SECONDS
    for number, text in asked:
        if time.monotonic() > end:
            break
        try:
            with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                # The binary form makes psycopg use the extended protocol, which takes one statement and no second.
                cursor.execute(f"PREPARE {NAME} AS {text}", binary=True)
                # A prepared statement outlives the transaction, and behind a pooler the session.
                cursor.execute(f"DEALLOCATE {NAME}")
        except Error as error:
            state = error.sqlstate
            if state is None:
                raise
            if state != _LOCKED and state[:2] not in _ELSEWHERE:
                message = (error.diag.message_primary or "").strip()
                found.append({"number": number, "state": state, "message": message[:300]})
    return found


# By name: whether a function is not PostgreSQL's own, for planning may call what gives the same for the same, and
# whether one may give something else each time, or change something.
FUNCTIONS = """
SELECT p.proname::text, bool_or(p.pronamespace <> 'pg_catalog'::regnamespace), bool_or(p.provolatile = 'v')
FROM pg_proc p JOIN unnest(%(names)s::text[]) n ON n = p.proname GROUP BY p.proname
"""
# Class of SQLSTATE: data exceptions.
_DATA = "22"
# An unknown setting, as current_setting() says it.
_UNDEFINED = "42704"


def planned(connection: psycopg.Connection, asked: t.Sequence[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The statements that the server refuses to plan, because of what they compute; EXPLAIN runs none of them.

    What `runs` are queries without a table, by functions of PostgreSQL alone that change nothing.


    :param asked: as _sql/plan_questions.py makes it
    :return: as of refusals()
    """
    names = sorted({name for item in asked for name in item["functions"]})
    rows = connection.execute(FUNCTIONS, {"names": names}).fetchall() if names else []
    foreign = {name for name, others, _volatile in rows if others}
    volatile = {name for name, _others, changing in rows if changing}
    answers: dict[tuple[str, bool], dict[str, str] | None] = {}
    found = []
    end = time.monotonic() + SECONDS
    for item in asked:
        key = item["text"], item["runs"]
        if time.monotonic() > end:
            break
        if (foreign | (volatile if item["runs"] else set())).isdisjoint(item["functions"]):
            if key not in answers:
                answers[key] = _unplanned(connection, *key)
            refused = answers[key]
            found += [{"number": item["number"], **refused}] if refused else []
    return found


# Names, operators and types are PostgreSQL's own then, and a value that takes long to compute is not worth it.
_CLOSED = "SELECT set_config('search_path', 'pg_catalog', true), set_config('statement_timeout', '500ms', true)"


def _unplanned(connection: psycopg.Connection, text: str, runs: bool) -> dict[str, str] | None:
    """What the server says of a text that it does not plan, or run, because of what it computes."""
    from psycopg import Error

    try:
        with connection.transaction(force_rollback=True), connection.cursor() as cursor:
            # The binary form makes psycopg use the extended protocol, which takes one statement and no second.
            if runs:
                cursor.execute(_CLOSED)
            # Run by EXPLAIN, its rows stay on the server.
            cursor.execute(f"EXPLAIN ({'ANALYZE' if runs else 'VERBOSE'}) {text}", binary=True)
    except Error as error:
        state = error.sqlstate
        if state is None:
            raise
        message = (error.diag.message_primary or "").strip()
        known = state.startswith(_DATA) or (state == _UNDEFINED and "parameter" in message)
        return {"state": state, "message": message[:300]} if known else None
    return None


# Whether the type can be assigned to the declared one; every type is assignable to a string type.
RETURNED = """
SELECT y.oid = %(given)s::oid OR y.typcategory = 'S' OR EXISTS (SELECT FROM pg_cast c
    WHERE c.castsource = %(given)s::oid AND c.casttarget = y.oid AND c.castcontext IN ('i', 'a')) AS taken,
  format_type(%(given)s::oid, NULL) AS given
FROM pg_type y WHERE y.oid = %(wanted)s::text::regtype
"""

# The columns of a row type, none where it is another type or not there.
COLUMNS_OF = """
SELECT format_type(a.atttypid, a.atttypmod) FROM pg_type y JOIN pg_attribute a ON a.attrelid = y.typrelid
WHERE y.oid = to_regtype(%(name)s) AND y.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
IS_ROW = "SELECT y.typtype IN ('c', 'p') FROM pg_type y WHERE y.oid = %(given)s::oid"


def bodies(connection: psycopg.Connection, asked: t.Sequence[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The bodies of functions in SQL that the server refuses, or whose result is of another type.

    :param asked: as _sql/parse_questions.py makes it
    :return: as of refusals()
    """
    from psycopg import Error

    found = []
    end = time.monotonic() + SECONDS
    for item in asked:
        if time.monotonic() > end:
            break
        types = f"({', '.join(item['types'])})" if item["types"] else ""
        try:
            with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                cursor.execute(f"PREPARE {NAME}{types} AS {item['text']}", binary=True)
                try:
                    # What PREPARE took for a column is one for the function too.
                    message = _unlike(connection, item) if item["returns"] else None
                finally:
                    cursor.execute(f"DEALLOCATE {NAME}")
                if message:
                    found.append({"number": item["number"], "state": "42P13", "message": message})
        except Error as error:
            state = error.sqlstate
            if state is None:
                raise
            # What a body calls by the name of a parameter is a column for PREPARE.
            if (state in _MISSING) if item["named"] else (state != _LOCKED and state[:2] not in _ELSEWHERE):
                message = (error.diag.message_primary or "").strip()
                found.append({"number": item["number"], "state": state, "message": message[:300]})
    return found


def _unlike(connection: psycopg.Connection, item: dict[str, t.Any]) -> str | None:
    """Why the result of what was prepared is none of these columns.

    Source: check_sql_stmt_retval in src/backend/executor/functions.c.
    """
    described = connection.pgconn.describe_prepared(NAME.encode())
    given = [described.ftype(place) for place in range(described.nfields)]
    wanted: list[str] = item["returns"]
    if item["row"]:
        wanted = [row[0] for row in connection.execute(COLUMNS_OF, {"name": wanted[0]}).fetchall()]
        if not wanted:
            return None
    several = item["row"] or len(wanted) > 1
    if several and len(given) == 1 and connection.execute(IS_ROW, {"given": given[0]}).fetchone() == (True,):
        return None
    if len(given) != len(wanted):
        returned = f"{len(wanted)} columns" if several else wanted[0]
        return f"the function returns {returned}, and its last statement gives {len(given)} columns"
    for one, other in zip(given, wanted, strict=True):
        row = connection.execute(RETURNED, {"given": one, "wanted": other}).fetchone()
        if row is not None and not row[0]:
            return f"the function returns {other}, and its last statement gives {row[1]}"
    return None


def settings(connection: psycopg.Connection, asked: t.Sequence[tuple[int, str, str]]) -> list[dict[str, t.Any]]:
    """The settings that the server refuses: each is set, and at once taken back.

    :param asked: number of the statement, name and value
    :return: as of refusals()
    """
    from psycopg import Error

    found = []
    for number, name, value in asked:
        try:
            with connection.transaction(force_rollback=True):
                connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        except Error as error:
            if error.sqlstate is None:
                raise
            message = (error.diag.message_primary or "").strip()
            found.append({"number": number, "state": error.sqlstate, "message": message[:300]})
    return found


def grammar(connection: psycopg.Connection, asked: t.Sequence[tuple[int, str]]) -> list[dict[str, t.Any]]:
    """The statements that the grammar of an older server does not know.

    A server reads a text to its end before it runs any of it, and what stands first in this one always fails: so the
    rest is read, and never run.

    :param asked: number and text, one statement each, which the grammar of GRAMMAR takes
    :return: as of refusals()
    """
    if connection.info.server_version >= GRAMMAR or not asked:
        return []
    end = time.monotonic() + SECONDS
    found, todo = [], [list(asked)]
    while todo and time.monotonic() < end:
        some = todo.pop()
        refused = _read(connection, [text for _number, text in some])
        if refused and len(some) == 1:
            found.append({"number": some[0][0], **refused})
        elif refused:
            middle = len(some) // 2
            todo += [some[:middle], some[middle:]]
    return found


def _read(connection: psycopg.Connection, texts: list[str]) -> dict[str, str] | None:
    """What the server says of texts that it reads; None where it knows all of them."""
    from psycopg import Error

    try:
        with connection.transaction(force_rollback=True):
            # Without parameters psycopg uses the simple protocol, in which a text may hold several statements.
            connection.execute("\n;\n".join([f"SELECT '{NAME}: what follows is read and not run'::int", *texts]))
    except Error as error:
        if error.sqlstate is None:
            raise
        message = (error.diag.message_primary or "").strip()
        if NAME in message or error.sqlstate[:2] in _ELSEWHERE:
            return None
        return {"state": error.sqlstate, "message": message[:300]}
    return None


__all__ = ("bodies", "grammar", "planned", "refusals", "settings")
