"""Whether a table takes the rows that an upgrade writes: its columns and unique keys. Pure functions over facts.

Source: rewriteTargetListIU in src/backend/rewrite/rewriteHandler.c (generated and identity columns), ExecConstraints in
src/backend/executor/execMain.c (NOT NULL), infer_arbiter_indexes in src/backend/optimizer/util/plancat.c (ON CONFLICT).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import Constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_values import (
    Row,
    constants,
    longest,
    miscounted,
    wrong_value,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# The bits of src/include/catalog/pg_trigger.h.
ROW, BEFORE, INSERT, DELETE, UPDATE = 1, 2, 4, 8, 16
# What an omitted column gets, and what DEFAULT stands for.
_DEFAULT = Constant("default")


class WriteJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the tables
        """
        if not self._rules.known:
            return []
        found: list[Finding] = []
        node = statement.node
        for write in own_writes(node):
            table = self._catalog.table(write.table)
            if table is None or table.kind not in {"r", "p"}:
                continue
            about: Where = where | {"table": dotted(table.name)}
            followed = certain and table.name not in self._rules.with_rules
            for words, sure in self._refused(write, table):
                found.append(refusal("data-refused", words, about, sure=sure and followed))
        return found

    def _refused(self, write: Write, table: Table) -> t.Iterator[tuple[str, bool]]:
        """What is wrong, and whether it fails whatever the rows are."""
        columns = write.columns
        if columns is None:
            order = self._rules.order.get(table.name, [])
            # Columns of this upgrade stand behind the others, but one whose type it changed is taken out.
            columns = tuple(order) if set(order) == set(table.columns) and write.rows is not None else None
        if columns is not None:
            yield from self._values(write, table, columns)
        if write.conflict is not None:
            yield from self._conflict(write, table)

    def _values(self, write: Write, table: Table, columns: tuple[str, ...]) -> t.Iterator[tuple[str, bool]]:
        label = dotted(table.name)
        if wrong := miscounted(write, columns):
            yield f"{label} is {wrong}", True
            return
        given = constants(write, columns)
        for name in columns:
            if column := table.columns.get(name):
                values = [row[name] for row in given if name in row]
                yield from self._value(write, table, name, column, values)
        if write.kind == "INSERT":
            last = len(columns) if write.columns is not None else longest(write)
            yield from self._left_out(write, table, set(columns[:last]), given)

    def _value(
        self, write: Write, table: Table, name: str, column: Column, values: list[Constant | None]
    ) -> t.Iterator[tuple[str, bool]]:
        label = f"{dotted(table.name)}.{name}"
        if wrong := wrong_value(write, column, values, self._rules.labels, self._rules.casts):
            yield f"{write.kind} writes to {label}, which {wrong}", True
            return
        null = any(value is not None and value.kind == "null" for value in values)
        if null and column.not_null and not (column.identity and write.overriding == "user"):
            yield self._null(write, table, f"{write.kind} writes NULL to {label}, which is NOT NULL")

    def _left_out(
        self, write: Write, table: Table, columns: set[str], given: list[Row]
    ) -> t.Iterator[tuple[str, bool]]:
        for name, column in table.columns.items():
            empty = column.not_null and not (column.has_default or column.identity or column.generated)
            left_out = name not in columns or any(row.get(name) == _DEFAULT for row in given)
            if empty and left_out:
                words = f"INSERT leaves out {dotted(table.name)}.{name}, which is NOT NULL and has no default"
                yield self._null(write, table, words)

    def _null(self, write: Write, table: Table, words: str) -> tuple[str, bool]:
        """A trigger that runs before may put something there; where no row is written, nothing is refused."""
        bit = INSERT if write.kind == "INSERT" else UPDATE
        wanted = bit | ROW | BEFORE
        names = [row["name"] for row in self._rules.triggers(table) if row["type"] & wanted == wanted]
        if names or table.name in self._rules.with_new_code:
            return f"{words}, unless a trigger{f' ({names[0]})' if names else ''} fills it", False
        if not write.certain:
            return f"{words}: it fails as soon as it writes a row", False
        return words, True

    def _conflict(self, write: Write, table: Table) -> t.Iterator[tuple[str, bool]]:
        infer, label = write.conflict.infer, dotted(table.name)
        keys = self._rules.uniques.of(table)
        if infer is None:
            # Without a target each unique index is one, and none may be deferrable: ExecCheckIndexConstraints.
            for key in keys:
                if not key.immediate:
                    words = f"ON CONFLICT means every unique key of {label}, and the constraint {key.constraint} is"
                    yield f"{words} DEFERRABLE", write.certain
            return
        if infer.conname:
            found = [key for key in keys if key.constraint == infer.conname]
            if found and not found[0].immediate:
                yield f"ON CONFLICT names the constraint {infer.conname} of {label}, which is DEFERRABLE", write.certain
            return
        elements = infer.indexElems or ()
        if any(element.collation or element.opclass for element in elements):
            return
        wanted = {element.name for element in elements if element.name}
        computed = len([element for element in elements if not element.name])
        for key in keys:
            plain = {name for name in key.columns if name}
            fits = plain == wanted and bool(computed) == (None in key.columns) and key.valid
            # Whether the condition implies that of the index is the planner's to say.
            if fits and (not key.partial or infer.whereClause is not None):
                if not key.immediate:
                    words = f"ON CONFLICT means the constraint {key.constraint} of {label}, which is DEFERRABLE"
                    yield words, write.certain
                return
        what = ", ".join(element.name or "an expression" for element in elements)
        yield f"ON CONFLICT ({what}) matches no unique index of {label}", True


__all__ = ("WriteJudge",)
