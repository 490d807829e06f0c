"""Whether keys that an upgrade is about to insert are there already, and whether the parents that they want are.

One lookup of one row for each key, by a unique index; never a value comes back. The values are constants of the
migration's own text and go to the server as parameters.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from . import row_queries as queries
from .row_facts import quoted

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

SECONDS = 3.0
MILLISECONDS = 500

ORDER = """
SELECT a.attname AS name FROM pg_attribute a WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
# Keys of plain columns; NULLs are told apart, as everywhere but in indexes with NULLS NOT DISTINCT (from 15 on).
KEYS = """
SELECT c.relname AS name, i.indrelid::bigint AS oid, n.nspname AS schema, r.relname AS table, true AS unique,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS key (number, place), pg_attribute a
         WHERE a.attrelid = i.indrelid AND a.attnum = key.number AND key.place <= i.indnkeyatts
         ORDER BY key.place) AS columns, ARRAY[]::text[] AS here
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class r ON r.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE i.indrelid = %(oid)s AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
  AND i.indexprs IS NULL AND coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false'
UNION ALL
SELECT k.conname, k.confrelid::bigint, n.nspname, r.relname, false,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS key (number, place), pg_attribute a
         WHERE a.attrelid = k.confrelid AND a.attnum = key.number ORDER BY key.place),
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place), pg_attribute a
         WHERE a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place)
FROM pg_constraint k JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE k.conrelid = %(oid)s AND k.contype = 'f' AND NOT k.condeferrable
"""


def collect(connection: psycopg.Connection, ask: Ask, asked: t.Sequence[Row]) -> list[Row]:
    """What is known of each INSERT.

    :param asked: `number` of the statement, `table` (schema or None, name), `columns` (None: all in order) and `rows`,
        of whose values None is no constant and the empty list NULL
    :return: `number`, `table`, and by the key's name: `free` (no row has it) and `taken` of unique indexes, `there` and
        `missing` of foreign keys; a key of which nothing is known is in none
    """
    from psycopg import Error

    end = time.monotonic() + SECONDS
    found = []
    for item in asked:
        answer: Row = {"number": item["number"], "table": item["table"], "free": [], "taken": [], "there": [],
                       "missing": []}  # fmt: skip
        try:
            with connection.transaction(force_rollback=True):
                tables = ask(queries.TABLE, schema=item["table"][0], name=item["table"][1])
                # A trigger may change what is written.
                if tables and tables[0]["kind"] in {"r", "p"} and not tables[0]["triggers"]:
                    _look(connection, ask, item, tables[0]["oid"], answer | {"end": end})
        except Error as error:
            if error.sqlstate is None:
                raise
        found.append(answer)
    return found


def _look(connection: psycopg.Connection, ask: Ask, item: Row, oid: int, answer: Row) -> None:
    from psycopg import Error

    columns = item["columns"] or [row["name"] for row in ask(ORDER, oid=oid)]
    for key in ask(KEYS, oid=oid):
        try:
            with connection.transaction(force_rollback=True):
                known = _known(ask, key, columns, item["rows"], answer["end"])
        except Error as error:
            if error.sqlstate is None:
                raise
            continue
        # The row that is wanted may be one of those that come with it.
        if known is False and not key["unique"] and key["oid"] == oid:
            continue
        if known is not None:
            answer[{True: ("free", "taken"), False: ("missing", "there")}[key["unique"]][known]].append(key["name"])


def _known(ask: Ask, key: Row, columns: list[str], rows: list[list[t.Any]], end: float) -> bool | None:
    """Of a unique index whether one of the rows is there, of a foreign key whether all parents are; None: not known."""
    here = key["columns"] if key["unique"] else key["here"]
    if not set(here) <= set(columns) or not ask(queries.COMPARABLE, oid=key["oid"], columns=key["columns"])[0]["all"]:
        return None
    secured = ask("SELECT row_security_active(%(oid)s::oid) AS secured", oid=key["oid"])[0]["secured"]
    if secured or time.monotonic() > end:
        return None
    places = [columns.index(name) for name in here]
    wanted = [[row[place] if place < len(row) else None for place in places] for row in rows]
    if any(value is None for values in wanted for value in values):
        return None
    # A key with a NULL in it is never the same as another, and refers to nobody.
    wanted = [values for values in wanted if [] not in values]
    if key["unique"] and len({tuple(values) for values in wanted}) < len(wanted):
        return True
    ask(queries.CAREFULLY, milliseconds=f"{MILLISECONDS}ms")
    name = f"{_quoted(key['schema'])}.{_quoted(key['table'])}"
    condition = " AND ".join(f"{_quoted(column)} = %(v{place})s" for place, column in enumerate(key["columns"]))
    query = f"SELECT EXISTS (SELECT FROM {name} WHERE {condition}) AS there"  # noqa: S608 - quoted names of a catalogue
    for values in wanted:
        there = ask(query, **{f"v{place}": value for place, value in enumerate(values)})[0]["there"]
        if there == key["unique"]:
            return bool(key["unique"])
    return not key["unique"]


def _quoted(name: str) -> str:
    """In a query with parameters, whose mark is the percent sign."""
    return quoted(name).replace("%", "%%")


__all__ = ("collect",)
