"""The kinds of questions about rows, each with what the collector has to know to ask it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import (
    UnsupportedExpression,
    builtin,
    text_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_failures import failures, long_keys, request_of
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_state import Rows, UpgradedRows
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.written_rows import Computed

Kind = t.Literal[
    "null",
    "duplicate",
    "orphan",
    "check",
    "cast",
    "pair",
    "validate",
    "long",
    "expression",
    "domain",
    "merged",
    "bound",
    "written",
]
# Operator classes that find the same values equal as the default one.
_SAME_EQUAL = {"text_ops", "text_pattern_ops", "varchar_ops", "varchar_pattern_ops", "bpchar_pattern_ops", "int4_ops"}


@dataclasses.dataclass(frozen=True)
class Question:
    """One question about the rows of `table`, as the statement of this number will meet them.

    :param request: for the collector, None where it cannot be asked, for which `problem` is the reason
    :param followed_statements: the numbers of the statements before it that it reckons with
    :param overcounts: some rows that it counts may be gone by then, or the server accepts them
    :param table: of the kind domain the name of the domain: which columns are asked, the collector finds out
    :param what: what the rows are held against, in words
    :param other: the table that a foreign key leads to
    """

    statement: int
    kind: Kind
    table: Name
    columns: tuple[str, ...]
    what: str
    request: dict[str, t.Any] | None
    problem: str = ""
    followed_statements: frozenset[int] = frozenset()
    overcounts: bool = False
    other: Name | None = None


class Questions:
    """Asked one after the other of the rows as `state` has them at that moment."""

    def __init__(self, state: UpgradedRows) -> None:
        """:param state: the caller updates it after each statement"""
        self.found: list[Question] = []
        self._state = state
        # The number of the statement that is read.
        self.number = 0

    def _ask(
        self,
        kind: Kind,
        table: Name,
        columns: t.Iterable[str],
        what: str,
        request_for: t.Callable[[Rows], dict[str, t.Any] | None],
        *,
        stored: bool = True,
        only: bool = False,
        other: Name | None = None,
        overcounts: bool = False,
    ) -> None:
        """Note a question about the rows of `table`.

        :param overcounts: the server may accept some of the rows that the question counts
        :param request_for: of the rows; an error of its own says that they cannot be asked, and None that the answer is
            no for certain
        """
        rows, columns = self._state.rows(table), tuple(columns)
        plain = self._stored(rows, columns) if stored else []
        request: dict[str, t.Any] | None = None
        problem = ""
        try:
            made = request_for(rows)
            if made is None:
                return
            if rows.live:
                conditions = list(rows.row_conditions)
                request = {"kind": kind, "table": list(rows.live), "only": only, "row_conditions": conditions}
                request |= {"derived": rows.derived, "stored": plain} | made
            else:
                problem = "the upgrade makes the table"
        except UnsupportedExpression as why:
            problem = str(why)
        followed = frozenset(rows.followed_statements)
        overcounts = overcounts or rows.may_have_lost_rows
        question = Question(self.number, kind, table, columns, what, request, problem, followed, overcounts, other)
        self.found.append(question)

    @staticmethod
    def _stored(rows: Rows, columns: t.Iterable[str]) -> list[str]:
        """The columns as the server has them, where all are as they are stored there; else nothing."""
        live = [rows.value(name).live for name in columns]
        return [name for name in live if name] if all(live) and not rows.row_conditions else []

    def null(self, table: Name, column: str) -> None:
        def request(rows: Rows) -> dict[str, t.Any] | None:
            is_null = rows.value(column).is_null
            if is_null is None:
                raise UnsupportedExpression(f"what the upgrade makes of {column} is not known")
            return None if is_null == "false" else {"violation": is_null}

        self._ask("null", table, (column,), f"NOT NULL of {column}", request)

    def duplicate(self, table: Name, keys: t.Sequence[t.Any], what: str, **more: t.Any) -> None:
        """Note a question about rows that are alike; `predicate` is that of a partial index, `nulls`: NULLs are equal,
        too.

        :param keys: names of columns or IndexElems
        """
        elements = [key if isinstance(key, ast.IndexElem) else ast.IndexElem(name=key) for key in keys]

        def request(rows: Rows) -> dict[str, t.Any] | None:
            if any(key.name and rows.value(key.name).distinct for key in elements):
                return None
            texts = []
            for key in elements:
                if key.opclass and qualified_name(key.opclass)[1] not in _SAME_EQUAL:
                    raise UnsupportedExpression("it names an operator class")
                texts.append(rows.text(key.name) if key.name else text_of(key.expr, rows.text, {table[1]}))
            predicate = more.get("predicate")
            where = text_of(predicate, rows.text, {table[1]}) if predicate is not None else None
            named = [list(qualified_name(key.collation)) if key.collation else None for key in elements]
            return {"keys": texts, "collations": named, "where": where, "nulls": bool(more.get("nulls"))}

        columns = [key.name for key in elements if key.name]
        plain = len(columns) == len(elements) and more.get("predicate") is None
        plain = plain and not any(key.collation for key in elements)
        self._ask("duplicate", table, columns, what, request, stored=plain, only=True)

    def orphan(self, table: Name, columns: t.Sequence[str], node: t.Any) -> None:
        other = relation_name(node.pktable)
        target = [key.sval for key in node.pk_attrs or ()]

        def request(rows: Rows) -> dict[str, t.Any] | None:
            if node.fk_matchtype == "f" and len(columns) > 1:
                raise UnsupportedExpression("MATCH FULL is not asked")
            values = [rows.value(name) for name in columns]
            if any(value.is_null == "true" for value in values):
                return None
            there = rows if other == table else self._state.rows(other)
            if there.derived or there.row_conditions or there.values.keys() & set(target):
                raise UnsupportedExpression(f"the upgrade changes {other[1]} as well")
            keys = [rows.text(name) for name in columns]
            return {"keys": keys, "other": list(there.live) if there.live else None, "target": target}

        self._ask("orphan", table, columns, f"a foreign key to {other[1]}", request, only=True, other=other)

    def check(self, table: Name, expression: t.Any, what: str) -> None:
        def request(rows: Rows) -> dict[str, t.Any]:
            return {"violation": f"NOT ({text_of(expression, rows.text, {table[1]})})"}

        self._ask("check", table, (), what, request)

    def exclusion(self, table: Name, node: t.Any) -> None:
        def request(rows: Rows) -> dict[str, t.Any]:
            if node.where_clause is not None or rows.derived or rows.row_conditions:
                raise UnsupportedExpression("a predicate, or rows that the upgrade changes, are not asked")
            pairs = []
            for element, operator in node.exclusions:
                schema, symbol = qualified_name(operator)
                if not element.name or element.opclass or schema not in {None, "pg_catalog"}:
                    raise UnsupportedExpression("it excludes by an expression")
                live = rows.value(element.name).live
                if live is None:
                    raise UnsupportedExpression("the upgrade changes its columns")
                pairs.append([live, symbol])
            return {"pairs": pairs}

        self._ask("pair", table, (), "an exclusion constraint", request, only=True)

    def cast(self, table: Name, command: t.Any) -> None:
        column, typed, using = command.name, command.def_.typeName, command.def_.raw_default
        kind, _modifier, array = type_changes.type_name(typed)
        written = False
        if isinstance(using, ast.TypeCast) and type_changes.type_name(using.typeName)[0] == kind:
            using, written = using.arg, True

        def request(rows: Rows) -> dict[str, t.Any]:
            if array:
                raise UnsupportedExpression("it becomes an array")
            if kind in self._state.renamed_labels:
                raise UnsupportedExpression("the upgrade renames values of the type")
            value = rows.text(column) if using is None else text_of(using, rows.text, {table[1]})
            constants: list[t.Any] = [item for item in typed.typmods or () if isinstance(item, ast.A_Const)]
            numbers = [item.val.ival or 0 for item in constants]
            own = builtin(typed)
            labels = None if own else self._state.enums.get(kind)
            more = [] if own else self._state.more_labels.get(kind, [])
            name = qualified_name(typed.names)
            live = [name[0], self._state.live_types.get(kind, kind)]
            return {"value": value, "type": kind if own else live, "numbers": numbers, "labels": labels,
                    "more_labels": more, "written": written}  # fmt: skip

        self._ask("cast", table, (column,), f"the new type of {column}", request, stored=using is None)
        self._state.rows(table).retype(column, typed, command.def_.raw_default)
        self._merged(table, command, kind)

    def _merged(self, table: Name, command: t.Any, kind: str) -> None:
        """Unique indexes of a column are built again for its new type or collation, which may take values as equal.

        Source: CheckIndexCompatible in src/backend/commands/indexcmds.c.
        """
        typed, clause = command.def_.typeName, command.def_.collClause

        def request(rows: Rows) -> dict[str, t.Any] | None:
            if rows.value(command.name).distinct or typed.arrayBounds:
                return None
            named = list(qualified_name(clause.collname)) if clause is not None else None
            about = {"column": rows.value(command.name).live or command.name, "value": rows.text(command.name)}
            using = command.def_.raw_default is not None
            return about | {"type": kind, "own": not builtin(typed), "collation": named, "using": using}

        self._ask(
            "merged", table, (command.name,), f"the unique index of {command.name}", request, only=True, stored=False
        )

    def index_row_size(self, table: Name, keys: t.Sequence[t.Any], predicate: t.Any = None) -> None:
        """Note a question about values that no row of a B-tree holds, as they are on the server.

        An index of the same transaction has the rows that an UPDATE left behind as well: heapam_index_build_range_scan
        in src/backend/access/heap/heapam_handler.c.

        :param keys: names of columns, or expressions, of which it is not known how far they can be compressed
        """
        rows = self._state.rows(table)
        parts = [part for key in keys if not isinstance(key, str) for part in walk(key)]
        columns = [part for part in parts if isinstance(part, ast.ColumnRef)]
        names = {key for key in keys if isinstance(key, str)}
        names |= {str(getattr((part.fields or (None,))[-1], "sval", "")) for part in columns}
        if rows.live is None or not names or names & rows.added:
            return
        what, changed = "the size of an index row (2704 bytes)", not all(rows.value(name).live for name in names)
        request = functools.partial(long_keys, keys, sorted(names), {table[1]}, predicate)
        self._ask("long", table, sorted(names), what, request, stored=False, overcounts=bool(parts) or changed)

    def computed_expression(self, table: Name, expression: t.Any, what: str, predicate: t.Any = None) -> None:
        """Note questions about rows for which an expression fails that each row is given to."""
        if self._state.rows(table).live is None:
            return
        for failure in failures(expression):
            request = functools.partial(request_of, failure, {table[1]}, predicate)
            self._ask("expression", table, (), what, request, stored=False, overcounts=failure.guarded)

    def bound(self, table: Name, parent: Name, bound: t.Any, what: str, *, inside: bool) -> None:
        """Note a question about rows that a partition does not take.

        :param table: the one that becomes a partition, or the parent, of whose rows the new partition takes none
        :param inside: they must be within the bounds, not out of them
        """

        def request(rows: Rows) -> dict[str, t.Any]:
            live = self._state.rows(parent).live
            if live is None:
                raise UnsupportedExpression("the upgrade makes the partitioned table")
            if rows.derived or rows.values:
                raise UnsupportedExpression("the upgrade changes the table before it")
            return {"parent": list(live), "bound": described(bound), "inside": inside}

        self._ask("bound", table, (), what, request, stored=False)

    def written(self, made: Computed, *, altered: bool) -> None:
        """Note a question about rows that another table, or the same, does not take as the upgrade makes them.

        :param altered: the upgrade changed the table that takes them before
        """

        def request(rows: Rows) -> dict[str, t.Any]:
            live = self._state.rows(made.target).live
            if made.problem or made.values is None:
                raise UnsupportedExpression(made.problem)
            if altered or live is None:
                raise UnsupportedExpression(f"the upgrade changes {dotted(made.target)} before it")
            asked: dict[str, t.Any] = {"target": list(live), "columns": made.columns and list(made.columns)}
            asked |= {"values": [text_of(value, rows.text, made.names) for value in made.values]}
            asked["row_conditions"] = list(rows.row_conditions)
            if made.where is not None:
                asked["row_conditions"].append(text_of(made.where, rows.text, made.names))
            return asked | {"updates": made.updates}

        what = f"what {dotted(made.target)} takes of them"
        self._ask("written", made.source, (), what, request, stored=False, overcounts=False)

    def validation(self, table: Name, name: str) -> None:
        """VALIDATE CONSTRAINT of one that is on the server."""

        def request(rows: Rows) -> dict[str, t.Any]:
            if rows.derived or rows.values:
                raise UnsupportedExpression("the upgrade changes the table before it")
            return {"constraint": name}

        self._ask("validate", table, (), f"the constraint {name}", request)

    def domain(self, name: Name, what: str, **asked: t.Any) -> None:
        """Note a question about all columns in which a domain is stored, as they are on the server.

        :param asked: `check`, the expression of a check, `constraint`, the name of one that is there, or neither: NULL
        """
        request: dict[str, t.Any] | None = {"kind": "domain", "domain": list(name)}
        problem = ""
        try:
            check = asked.get("check")
            violation = text_of(check, _value, ()) if check is not None else None
            request = {**(request or {}), "violation": violation, "constraint": asked.get("constraint")}
        except UnsupportedExpression as why:
            request, problem = None, str(why)
        self.found.append(Question(self.number, "domain", name, (), what, request, problem))

    def overlap(self, table: Name) -> None:
        """WITHOUT OVERLAPS."""

        def request(_rows: Rows) -> dict[str, t.Any]:
            raise UnsupportedExpression("it compares ranges")

        self._ask("pair", table, (), "WITHOUT OVERLAPS", request)


def described(bound: t.Any) -> dict[str, t.Any]:
    """A PartitionBoundSpec as _in_pod/row_bounds.py takes it.

    :raises UnsupportedExpression: a bound is no constant
    """
    if bound.is_default:
        return {"strategy": "d"}
    if bound.strategy == "h":
        return {"strategy": "h", "modulus": bound.modulus, "remainder": bound.remainder}
    if bound.strategy == "l":
        values = [item for item in bound.listdatums or () if not getattr(item, "isnull", False)]
        null = len(values) < len(bound.listdatums or ())
        return {"strategy": "l", "values": [_limit(item) for item in values], "null": null}
    limits = {"lower": bound.lowerdatums, "upper": bound.upperdatums}
    return {"strategy": "r", **{name: [_limit(item) for item in items or ()] for name, items in limits.items()}}


def _limit(node: t.Any) -> str | list[str]:
    """A constant as SQL; MINVALUE and MAXVALUE in a list of their own."""
    if isinstance(node, ast.ColumnRef):
        fields: t.Any = node.fields
        word = {"minvalue": "min", "maxvalue": "max"}.get(str(getattr(fields[-1], "sval", "")))
        if word is None:
            raise UnsupportedExpression("a bound is no constant")
        return [word]
    return text_of(node, _value, ())


def _value(name: str) -> str:
    """The name `value`, the only one that the check of a domain may hold."""
    if name != "value":
        raise UnsupportedExpression(f"it holds a column {name}")
    return "value"


__all__ = ("Question", "Questions")
