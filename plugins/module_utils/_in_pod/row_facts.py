"""Asks the rows of a table whether a constraint holds for them: yes or no and how often, never a value.

What runs was built by _sql/row_questions.py of PostgreSQL's own functions alone. Names are looked up in pg_catalog, row
security may hide nothing, and each question ends at the statement's time-out and gives back its lock at once.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from . import live_queries, relation_facts, row_bounds, row_casts, row_tables, row_written
from . import row_queries as queries

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

# Beyond this it does not matter how many.
MOST_COUNTED = 1000
# The most bytes of keys in one B-tree entry, without its header.
MOST_KEY_BYTES = 2696
# Where the values of a column have fewer bytes on average, long ones are no reason to doubt.
SHORT = 100
# What is not worth a question any more.
_LEAST_MS = 50


class _Unasked(Exception):
    """Why a question was not asked, in one word for the judge."""


def collect(connection: psycopg.Connection, ask: Ask, request: Row) -> list[Row]:
    """An answer for each question, in their order.

    `violated`: None where it is not known, for which `why` is the reason; `count` of what violates, at most
    MOST_COUNTED + 1, None where only one was looked for. `rows`, `modified`: the planner's estimate and what changed
    since; `statistics`: of the columns, by name.

    :param request: `questions` (requests of _sql/row_questions.py, None where nothing is asked), `most_bytes` (tables
        above are not read; None: no limit, 0: none is read), `milliseconds` for each question and `seconds` for all
        together
    """
    asker = _Asker(connection, ask, request)
    named = [question["table"] for question in request["questions"] if question and question["kind"] != "domain"]
    asker.tables.expect((schema, name) for schema, name in named)
    return [asker.answer(question) if question else {} for question in request["questions"]]


class _Asker:
    def __init__(self, connection: psycopg.Connection, ask: Ask, request: Row) -> None:
        self._connection, self._ask = connection, ask
        self._most, self._each = request["most_bytes"], request["milliseconds"]
        self._end = time.monotonic() + request["seconds"]
        self._version = connection.info.server_version
        self.tables = row_tables.Tables(connection, ask)

    def answer(self, question: Row) -> Row:
        from psycopg import errors

        if question["kind"] == "domain":
            return self._domain(question)
        found: Row = {"violated": None}
        try:
            with self._connection.transaction(force_rollback=True):
                table = self._table(question["table"])
                if question["kind"] == "bound" and not question["inside"]:
                    rest = self._ask(row_bounds.DEFAULT, oid=table["oid"])
                    if not rest:
                        return found | {"violated": False, "count": 0}
                    table = self._table([rest[0]["schema"], rest[0]["name"]])
                found |= {name: table[name] for name in ("rows", "modified", "bytes")}
                if question["stored"]:
                    found["statistics"] = self.tables.statistics(table, question["stored"])
                found |= self._asked(question, table)
        except _Unasked as why:
            found["why"] = str(why)
        except (errors.QueryCanceled, errors.LockNotAvailable):
            found["why"] = "time"
        except errors.InsufficientPrivilege:
            found["why"] = "rights"
        except errors.Error:
            # The words of the error may quote a value.
            found["why"] = "error"
        return found

    def _domain(self, question: Row) -> Row:
        """`uses`: an answer for each column in which the domain is stored."""
        schema, name = question["domain"]
        found = [
            row
            for row in self._ask(live_queries.DOMAIN_USES, names=[name])
            if not row["inside"] and (row["visible"] if schema is None else row["domain_schema"] == schema)
        ]
        expression = question["violation"]
        if question["constraint"]:
            expression = self._of_domain(schema, name, question["constraint"])
            if expression is None:
                return {"violated": None, "why": "absent"}
        uses = []
        for row in found:
            place = {key: row[key] for key in ("schema", "table", "column")}
            if expression is None and row["not_null"]:
                # ALTER DOMAIN reads nothing where it refuses NULL already.
                uses.append({"violated": False, "count": 0, **place})
                continue
            value = f"r.{quoted(row['column'])}"
            asked: Row = {"kind": "null", "violation": f"{value} IS NULL", "stored": [row["column"]]}
            if expression is not None:
                check = f"EXISTS (SELECT FROM (SELECT {value}) AS d (value) WHERE NOT ({expression}))"
                asked = {"kind": "check", "violation": check, "stored": []}
            asked |= {"table": [row["schema"], row["table"]], "only": True, "row_conditions": [], "derived": False}
            uses.append(self.answer(asked) | place)
        return {"uses": uses}

    def _of_domain(self, schema: str | None, name: str, constraint: str) -> str | None:
        """The expression of a domain's check, whose names are written out where they are not in pg_catalog."""
        found = self._ask(queries.DOMAIN_CONSTRAINT, schema=schema, name=name, constraint=constraint)
        with self._connection.transaction(force_rollback=True):
            self._ask(queries.QUESTION_SETTINGS, milliseconds=f"{self._each}ms")
            rows = self._ask(queries.EXPRESSION, oid=found[0]["oid"]) if found else []
        return str(rows[0]["expression"]) if rows else None

    def _table(self, name: list[t.Any]) -> Row:
        table = self.tables.get((name[0], name[1]))
        if table is None:
            raise _Unasked("absent")
        return table

    def _asked(self, question: Row, table: Row) -> Row:
        kind, stored = question["kind"], question["stored"]
        if kind == "merged":
            question = question | {"indexes": self._built_again(question, table)}
        no_row = "false" in question["row_conditions"] or (table["bytes"] == 0 and not table["foreign"])
        if no_row or not question.get("indexes", True):
            return {"violated": False, "count": 0}
        if kind == "null" and stored and self._ask(queries.NOT_NULL, oid=table["oid"], columns=stored)[0]["all"]:
            return {"violated": False, "count": 0}
        if table["foreign"] or table["kind"] not in {"r", "p", "m"}:
            raise _Unasked("kind")
        if table["secured"]:
            raise _Unasked("security")
        if question["derived"] and (table["triggers"] or table["generated"]):
            raise _Unasked("derived")
        body = self._body(question, table)
        if body is None:
            return {"violated": False, "count": 0}
        if self._most is not None and table["bytes"] > self._most:
            raise _Unasked("never" if self._most == 0 else "size")
        some = f"SELECT 1 {body} LIMIT"
        if not self._rows(f"{some} 1"):
            return {"violated": False, "count": 0}
        from psycopg import errors

        try:
            counted = self._rows(f"{some} {MOST_COUNTED + 1}")
        except (_Unasked, errors.Error):
            return {"violated": True, "count": None}
        return {"violated": True, "count": len(counted)}

    def _rows(self, query: str) -> list[Row]:
        """In a savepoint, which gives back locks and settings. Raises psycopg.Error."""
        left = min(self._each, int((self._end - time.monotonic()) * 1000))
        if left < _LEAST_MS:
            raise _Unasked("time")
        with self._connection.transaction(force_rollback=True):
            self._ask(queries.QUESTION_SETTINGS, milliseconds=f"{left}ms")
            return self._ask(query)

    def _body(self, question: Row, table: Row) -> str | None:
        """FROM and what follows; None where nothing can violate it. Raises _Unasked."""
        source = f"FROM {_name(table, only=question['only'])} AS r"
        row_conditions = [f"({condition})" for condition in question["row_conditions"]]
        make: dict[str, t.Callable[[Row, Row], t.Any]] = {
            "null": self._plain, "check": self._plain, "cast": self._cast, "validate": self._validate,
            "orphan": self._orphan, "pair": self._pair, "long": self._long, "bound": self._bound,
            "written": self._written,
        }  # fmt: skip
        if question["kind"] == "duplicate":
            named = [self._collation(*item) if item else None for item in question["collations"]]
            keys = [
                f"({key}) COLLATE {name}" if name else key for key, name in zip(question["keys"], named, strict=True)
            ]
            return _duplicate(question | {"keys": keys}, source, row_conditions)
        if question["kind"] == "merged":
            return self._merged(question, source, row_conditions)
        condition = make[question["kind"]](question, table)
        return None if condition is None else f"{source} WHERE {' AND '.join([*row_conditions, f'({condition})'])}"

    def _built_again(self, question: Row, table: Row) -> list[Row]:
        """Unique indexes for which the column's new type may make values alike."""
        found = self._ask(queries.UNIQUE_INDEXES, oid=table["oid"], column=question["column"])
        plain = not question["using"] and question["collation"] is None
        return [row for row in found if not (plain and row_casts.keeps_apart(row["type"], question["type"]))]

    def _merged(self, question: Row, source: str, row_conditions: list[str]) -> str:
        """Rows that are alike for one of these indexes."""
        value, kind = question["value"], question["type"]
        if any(row["computed"] for row in question["indexes"]):
            raise _Unasked("type")
        if kind == "citext":
            value = f"lower(({value})::text)"
        elif question["own"] and not self._ask(queries.LABELS, schema=None, name=kind):
            raise _Unasked("type")
        if question["collation"]:
            value = f"({value}) COLLATE {self._collation(*question['collation'])}"
        parts = []
        for row in question["indexes"]:
            keys = [value if name == question["column"] else f"r.{quoted(name)}" for name in row["columns"]]
            about = {"keys": keys, "where": None, "nulls": row["nulls"]}
            parts.append(f"SELECT 1 {_duplicate(about, source, row_conditions)}")
        return f"FROM ({' UNION ALL '.join(parts)}) AS found"

    def _collation(self, schema: str | None, name: str) -> str:
        """A collation's qualified name in SQL. One that is not deterministic takes more texts as equal."""
        found = self._ask(queries.COLLATION, schema=schema, name=name)
        if not found:
            raise _Unasked("absent")
        return f"{quoted(found[0]['schema'])}.{quoted(found[0]['name'])}"

    def _plain(self, question: Row, _table: Row) -> str:
        return str(question["violation"])

    def _cast(self, question: Row, table: Row) -> str | None:
        value, new = question["value"], question["type"]
        if question["stored"] and self._widened(question, table):
            return None
        if isinstance(new, list):
            labels = question["labels"]
            if labels is None:
                found = self._ask(queries.LABELS, schema=new[0], name=new[1])
                if not found:
                    raise _Unasked("type")
                labels = [row["label"] for row in found] + question["more_labels"]
            return row_casts.no_label(value, labels)
        only = _name(table, only=question["only"])
        old = self._rows(queries.TYPE_OF.format(value=value, source=f"{only} AS r"))[0]["name"]
        try:
            written, version = question["written"], self._version
            return row_casts.misfit(value, old, new, question["numbers"], written=written, version=version)
        except row_casts.NotKnown:
            raise _Unasked("type") from None

    def _long(self, question: Row, table: Row) -> str | None:
        """Rows whose key does not fit into an index; None where none can be.

        What is not kept out of line is short (TOAST_TUPLE_THRESHOLD). Source: BTMaxItemSize in access/nbtree.h.
        """
        found = self.tables.wide(table, question["columns"])
        if not found or not found[0]["out_of_line"]:
            return None
        readable = self._most is None or table["bytes"] <= self._most
        if not readable and all(row["width"] is not None and row["width"] < SHORT for row in found):
            return None
        sizes = " + ".join(f"coalesce(pg_column_size({key}), 0)" for key in question["sizes"])
        return f"{sizes} > {MOST_KEY_BYTES}"

    def _widened(self, question: Row, table: Row) -> bool:
        """A varchar that gets longer, or no limit."""
        column = self._ask(queries.WIDTH, oid=table["oid"], name=question["stored"][0])
        numbers, width = question["numbers"], column[0]["width"] if column else None
        return question["type"] == "varchar" and width is not None and bool(not numbers or width <= numbers[0])

    def _orphan(self, question: Row, _table: Row) -> str | None:
        here = " AND ".join(f"({key}) IS NOT NULL" for key in question["keys"])
        if question["other"] is None:
            return here
        other = self._table(question["other"])
        if other["secured"] or other["foreign"]:
            raise _Unasked("security")
        if self._most is not None and other["bytes"] > self._most:
            raise _Unasked("size")
        target = question["target"] or [row["name"] for row in self._ask(queries.PRIMARY, oid=other["oid"])]
        if len(target) != len(question["keys"]):
            raise _Unasked("absent")
        # Equality of other types is not looked up in pg_catalog.
        if not self._ask(queries.COMPARABLE, oid=other["oid"], columns=target)[0]["all"]:
            raise _Unasked("type")
        pairs = " AND ".join(f"o.{quoted(name)} = ({key})" for name, key in zip(target, question["keys"], strict=True))
        return f"{here} AND NOT EXISTS (SELECT FROM {_name(other, only=True)} AS o WHERE {pairs})"

    def _pair(self, question: Row, table: Row) -> str:
        columns = [pair[0] for pair in question["pairs"]]
        if not self._ask(queries.COMPARABLE, oid=table["oid"], columns=columns)[0]["all"]:
            raise _Unasked("type")
        pairs = " AND ".join(
            f"r.{quoted(name)} OPERATOR(pg_catalog.{symbol}) s.{quoted(name)}" for name, symbol in question["pairs"]
        )
        source = f"{_name(table, only=True)} AS s"
        return f"EXISTS (SELECT FROM {source} WHERE (s.tableoid, s.ctid) > (r.tableoid, r.ctid) AND {pairs})"

    def _bound(self, question: Row, _table: Row) -> str:
        """Rows out of the bounds of their partition, or within those of another."""
        parent = self._table(question["parent"])
        keys = self._ask(relation_facts.KEYS, oids=[parent["oid"]])
        siblings = self._ask(row_bounds.SIBLINGS, oid=parent["oid"]) if question["bound"]["strategy"] == "d" else []
        if not keys:
            raise _Unasked("kind")
        try:
            named = [row["definition"] for row in siblings]
            fits = row_bounds.fits(question["bound"], keys[0], parent["oid"], named)
        except row_bounds.NotKnown:
            raise _Unasked("type") from None
        return f"NOT {fits}" if question["inside"] else fits

    def _written(self, question: Row, table: Row) -> str | None:
        """Rows of which another, or the same, table does not take what is made of them."""
        target, only = self._table(question["target"]), _name(table, only=question["only"])
        bit = row_written.UPDATES if question["updates"] else row_written.INSERTS
        if self._ask(row_written.BEFORE, oid=target["oid"], bit=bit)[0]["any"]:
            raise _Unasked("derived")
        with self._connection.transaction(force_rollback=True):
            self._ask(queries.QUESTION_SETTINGS, milliseconds=f"{self._each}ms")
            columns = self._ask(row_written.COLUMNS, oid=target["oid"])
            rules = row_written.Rules(
                self._ask(row_written.CHECKS, oid=target["oid"]),
                self._ask(row_written.PARTS, oid=target["oid"]),
                self._ask(row_written.DOMAINS, oid=target["oid"]),
            )

        def type_of(value: str) -> str:
            return str(self._rows(queries.TYPE_OF.format(value=value, source=f"{only} AS r"))[0]["name"])

        try:
            return row_written.refused(question, columns, rules, type_of, self._version)
        except row_written.NotKnown as why:
            raise _Unasked(str(why)) from None

    def _validate(self, question: Row, table: Row) -> str | None:
        """The condition by which a row violates a constraint that is there and NOT VALID; None where it is VALID."""
        # Names in its expression are written out where they are not in pg_catalog.
        with self._connection.transaction(force_rollback=True):
            self._ask(queries.QUESTION_SETTINGS, milliseconds=f"{self._each}ms")
            found = self._ask(queries.CONSTRAINT, oid=table["oid"], name=question["constraint"])
        if not found:
            raise _Unasked("absent")
        made = found[0]
        if made["validated"]:
            return None
        if made["kind"] == "c":
            return f"NOT ({made['expression']})"
        keys = [f"r.{quoted(name)}" for name in made["columns"]]
        if made["kind"] == "n":
            return f"{keys[0]} IS NULL"
        if made["kind"] != "f" or made["full"]:
            raise _Unasked("kind")
        other = [made["other_schema"], made["other"]]
        return self._orphan({"keys": keys, "other": other, "target": made["other_columns"]}, table)


def _duplicate(question: Row, source: str, row_conditions: list[str]) -> str:
    keys = question["keys"]
    conditions = list(row_conditions)
    conditions += [f"({question['where']})"] if question["where"] else []
    conditions += [] if question["nulls"] else [f"({key}) IS NOT NULL" for key in keys]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    # A number would mean a column of the result.
    groups = ", ".join(f"(({key}))" for key in keys)
    return f"{source} {where} GROUP BY {groups} HAVING count(*) > 1"


def _name(table: Row, *, only: bool) -> str:
    """The table's name in SQL.

    :param only: without what inherits from it; partitions belong to their table in any case
    """
    return ("ONLY " if only and table["kind"] == "r" else "") + f"{quoted(table['schema'])}.{quoted(table['name'])}"


def quoted(name: str) -> str:
    """A name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def in_query(text: str) -> str:
    """A text of the catalogue in a query with parameters, whose mark is the percent sign."""
    return text.replace("%", "%%")


def quoted_in_query(name: str) -> str:
    """A name as an identifier of a query with parameters."""
    return in_query(quoted(name))


__all__ = ("MOST_COUNTED", "collect", "in_query", "quoted", "quoted_in_query")
