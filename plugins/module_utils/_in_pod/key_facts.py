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
from .row_facts import quoted_in_query
from .row_tables import Tables

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

SECONDS = 3.0
MILLISECONDS = 500
LISTS = ("absent_keys", "present_keys", "absent_parents", "present_parents", "next_number_taken", "later_number_taken")

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
# The sequence that fills a column by itself.
SEQUENCE = """
SELECT n.nspname::text AS schema, c.relname::text AS name, s.seqstart::bigint AS start, s.seqincrement::bigint AS step
FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_class c ON c.oid = d.objid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %(oid)s
  AND a.attname = %(column)s AND (d.deptype = 'i' OR (d.deptype = 'a'
    AND pg_get_expr(f.adbin, f.adrelid) LIKE 'nextval(%%'))
  -- Conditions have no order, and of a table this is an error.
  AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT') END
"""


def collect(connection: psycopg.Connection, ask: Ask, asked: t.Sequence[Row]) -> list[Row]:
    """What is known of each INSERT.

    :param asked: `number` of the statement, `table` (schema or None, name), `columns` (None: all in order) and `rows`,
        of whose values None is no constant and the empty list NULL; `rows` is None where a query gives them
    :return: `number`, `table`, and the names of unique indexes none of whose keys a row has (`absent_keys`) or one has
        (`present_keys`), of foreign keys whose parents are all there (`present_parents`) or one is not
        (`absent_parents`); `next_number_taken` and `later_number_taken` of a key that a sequence fills: the next
        number is there, or one that comes later; a key of which nothing is known is in none
    """
    from psycopg import Error

    end = time.monotonic() + SECONDS
    tables = Tables(connection, ask)
    tables.expect((item["table"][0], item["table"][1]) for item in asked)
    found = []
    for item in asked:
        answer: Row = {"number": item["number"], "table": item["table"]} | {name: [] for name in LISTS}
        try:
            with connection.transaction(force_rollback=True):
                table = tables.get((item["table"][0], item["table"][1]))
                # A trigger may change what is written.
                if table and table["kind"] in {"r", "p"} and not table["triggers"]:
                    _look(connection, ask, item, table["oid"], answer | {"end": end})
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
                if key["unique"] and len(key["columns"]) == 1 and key["columns"][0] not in columns:
                    _numbered(ask, key, len(item["rows"] or ()), answer)
                if item["rows"] is None:
                    continue
                known = _known(ask, key, columns, item["rows"], answer["end"])
        except Error as error:
            if error.sqlstate is None:
                raise
            continue
        # The row that is wanted may be one of those that come with it.
        if known is False and not key["unique"] and key["oid"] == oid:
            continue
        if known is not None:
            subject = "keys" if key["unique"] else "parents"
            answer[f"{'present' if known else 'absent'}_{subject}"].append(key["name"])


def _numbered(ask: Ask, key: Row, rows: int, answer: Row) -> None:
    """A key that a sequence fills, whose numbers may have been written by hand or restored without it."""
    column = key["columns"][0]
    found = ask(SEQUENCE, oid=key["oid"], column=column)
    secured = ask("SELECT row_security_active(%(oid)s::oid) AS secured", oid=key["oid"])[0]["secured"]
    if len(found) != 1 or found[0]["step"] <= 0 or secured or time.monotonic() > answer["end"]:
        return
    sequence = found[0]
    ask(queries.QUESTION_SETTINGS, milliseconds=f"{MILLISECONDS}ms")
    place = f"{quoted_in_query(sequence['schema'])}.{quoted_in_query(sequence['name'])}"
    state = ask(f"SELECT last_value::bigint AS last, is_called FROM {place}")[0]  # noqa: S608 - quoted names
    following = state["last"] + (sequence["step"] if state["is_called"] else 0)
    numbers = [following + number * sequence["step"] for number in range(rows)]
    name = f"{quoted_in_query(key['schema'])}.{quoted_in_query(key['table'])}"
    query = f"SELECT EXISTS (SELECT FROM {name} WHERE {quoted_in_query(column)} = ANY(%(numbers)s::bigint[])) AS now"  # noqa: S608
    query += f", EXISTS (SELECT FROM {name} WHERE {quoted_in_query(column)} >= %(following)s::bigint) AS later"
    there = ask(query, numbers=numbers, following=following)[0]
    if there["now"] or there["later"]:
        answer["next_number_taken" if there["now"] else "later_number_taken"].append(key["name"])


def _known(ask: Ask, key: Row, columns: list[str], rows: list[list[t.Any]], end: float) -> bool | None:
    """Whether a unique index has one of the rows, or a foreign key's parents are all there; None: not known."""
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
    ask(queries.QUESTION_SETTINGS, milliseconds=f"{MILLISECONDS}ms")
    name = f"{quoted_in_query(key['schema'])}.{quoted_in_query(key['table'])}"
    condition = " AND ".join(f"{quoted_in_query(column)} = %(v{place})s" for place, column in enumerate(key["columns"]))
    query = f"SELECT EXISTS (SELECT FROM {name} WHERE {condition}) AS there"  # noqa: S608 - quoted names of a catalogue
    for values in wanted:
        there = ask(query, **{f"v{place}": value for place, value in enumerate(values)})[0]["there"]
        if there == key["unique"]:
            return bool(key["unique"])
    return not key["unique"]


__all__ = ("collect",)
