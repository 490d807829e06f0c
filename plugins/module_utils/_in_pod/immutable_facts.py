"""Whether expressions that an upgrade keeps in indexes and columns are IMMUTABLE: the planner knows, and runs nothing.

Of conditions that contradict each other it concludes that no row is wanted, but never of those that may change between
two calls. So `e IS NULL AND e IS NOT NULL` has an empty plan exactly where `e` is immutable. Source:
relation_excluded_by_constraints in src/backend/optimizer/util/plancat.c, whose contain_mutable_functions is also what
CREATE INDEX asks (CheckPredicate in src/backend/commands/indexcmds.c).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import time
import typing as t

from .row_facts import quoted
from .row_tables import look_up

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

SECONDS = 5.0
# Another's function could be called by the planner where no column is in its arguments.
FOREIGN = """
SELECT EXISTS (SELECT FROM pg_proc p WHERE p.proname = ANY(%(names)s)
    AND p.pronamespace <> 'pg_catalog'::regnamespace)
  OR EXISTS (SELECT FROM pg_operator o WHERE o.oprname = ANY(%(names)s)
    AND o.oprnamespace <> 'pg_catalog'::regnamespace) AS found
"""
COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
SETTINGS = "SELECT set_config('constraint_exclusion', 'on', true)"


def collect(connection: psycopg.Connection, ask: Ask, asked: t.Sequence[Row]) -> list[Row]:
    """What is known of each expression.

    :param asked: `number` and `place`, `expression`, `name` of the table, `live` (its schema or None and name, None
        where the upgrade makes it), `columns` (name and type, beside those that are there), and
        `calls_without_columns`: functions and operators in it that read no column
    :return: `number`, `place` and `immutable`, None where the server could not be asked
    """
    from psycopg import Error

    end = time.monotonic() + SECONDS
    live = functools.cache(functools.partial(_columns, ask))
    found = []
    for form in asked:
        answer: bool | None = None
        if time.monotonic() < end:
            try:
                with connection.transaction(force_rollback=True):
                    answer = _answer(ask, live, form)
            except Error as error:
                if error.sqlstate is None:
                    raise
        found.append({"number": form["number"], "place": form["place"], "immutable": answer})
    return found


def _columns(ask: Ask, schema: str | None, name: str) -> list[list[str]] | None:
    """Names and types of a table's columns; None where it is not there, or is none that has an index."""
    table = look_up(ask, [(schema, name)])[schema, name]
    if table is None or table["kind"] not in {"r", "p", "m"}:
        return None
    return [[row["name"], row["type"]] for row in ask(COLUMNS, oid=table["oid"])]


def _answer(ask: Ask, live: t.Callable[..., list[list[str]] | None], form: Row) -> bool | None:
    if form["calls_without_columns"] and ask(FOREIGN, names=form["calls_without_columns"])[0]["found"]:
        return None
    columns = [] if form["live"] is None else live(*form["live"])
    if columns is None:
        return None
    there = {name for name, _type in columns}
    columns = [*columns, *(column for column in form["columns"] if column[0] not in there)]
    if not columns:
        return None
    ask(SETTINGS)
    typed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
    # A table of no rows, so that nothing is locked and partitions do not matter.
    source = f"jsonb_to_recordset('[]') AS {quoted(form['name'])} ({typed})"
    condition = f"({form['expression']}) IS NULL AND ({form['expression']}) IS NOT NULL"
    plan = ask(f"EXPLAIN (COSTS off, FORMAT json) SELECT 1 FROM {source} WHERE {condition}")  # noqa: S608 - as above
    return bool(plan[0]["QUERY PLAN"][0]["Plan"].get("One-Time Filter") == "false")


__all__ = ("collect",)
