"""Rows that an upgrade writes into tables of its own: what these refuse, and what the rows of others decide.

Pure functions over facts.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.emptied_tables import EmptiedTables
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import new_rows
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.new_tables import NewTable, NewTables, Reference
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import distinct
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_values import constants, longest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sources import Source
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules


class NewTableJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        self._new, self._emptied = NewTables(catalog), EmptiedTables(catalog)
        self._filled: set[Name] = set()

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the tables
        """
        if not self._rules.known:
            return []
        found = self._emptied.judge(statement, where)
        for write in own_writes(statement.node):
            table, name = self._new.of(write.table), self._catalog.qualified(write.table)
            if table and write.kind == "INSERT" and write.columns != ():
                about: Where = where | {"table": dotted(name)}
                values = new_rows.refused(write, table, self._rules.labels, self._rules.casts) if write.rows else ()
                for words in (*self._refused(write, table), *values):
                    sure = certain and write.certain
                    found.append(refusal("data-refused", f"{words}, in {dotted(name)}", about, sure=sure))
                reasons = list(self._reasons(write, table, name) if write.rows is None else self._absent(write, table))
                if reasons:
                    words = f"Whether INSERT into {dotted(name)} succeeds is not known: {'; '.join(reasons[:3])}."
                    found.append(finding("data-unknown", words, **about))
            elif table and write.kind != "INSERT":
                # Which of its rows stay what they were is not followed.
                table.written.clear()
            self._filled.add(name)
        self._new.after(statement.node)
        return found

    @staticmethod
    def _refused(write: Write, table: NewTable) -> t.Iterator[str]:
        """Columns that get NULL."""
        names = write.columns if write.columns is not None else tuple(table.columns)
        by_place = write.columns is None and write.rows is not None
        written, given = set(names[: longest(write)] if by_place else names), constants(write, names)
        for name, column in table.columns.items():
            values = [row[name] for row in given if name in row]
            null = any(value is not None and value.kind == "null" for value in values)
            default = any(value is not None and value.kind == "default" for value in values)
            if column.not_null and (null or (not column.filled and (default or name not in written))):
                how = "gets NULL" if null else "is left out and has no default"
                yield f"{name}, which is NOT NULL, {how}"

    def _reasons(self, write: Write, table: NewTable, name: Name) -> t.Iterator[str]:
        source = Source(write.node.selectStmt, self._catalog, self._new, self._rules.uniques)
        names = write.columns if write.columns is not None else tuple(table.columns)
        bound = {column for column in names if column in table.columns and table.columns[column].not_null}
        bound |= {column for key in table.keys for column in key if column in names}
        bound |= {column for key in table.references for column in key.columns if column in names}
        if not source.known or source.items is None or write.node.withClause is not None:
            if bound:
                yield f"a query whose form is not followed here gives {', '.join(sorted(bound))}"
            return
        given = dict(zip(names, source.items, strict=False))
        for column, node in given.items():
            if column in table.columns and table.columns[column].not_null and not source.never_null(node):
                yield f"{column} is NOT NULL, and what the query gives may be NULL"
        for key in table.keys:
            if not self._skipped(write, key) and not self._distinct(
                table, key, given, source, filled=name in self._filled
            ):
                yield f"{', '.join(key)} must be unique, and the query may give a value twice"
        for reference in table.references:
            if set(reference.columns) <= given.keys() and not self._refers(reference, given, source):
                yield f"{dotted(reference.table)} may lack a row that {', '.join(reference.columns)} refers to"

    def _absent(self, write: Write, table: NewTable) -> t.Iterator[str]:
        """Constants that refer to a table of the server, of whose rows nobody asked."""
        names = write.columns if write.columns is not None else tuple(table.columns)
        for reference in table.references:
            parent = self._catalog.table(reference.table)
            if parent is None or parent.name in self._filled or not set(reference.columns) <= set(names):
                continue
            places = [names.index(name) for name in reference.columns]
            for row in write.rows or ():
                values = [constant(row[place]) for place in places if place < len(row)]
                if not any(value is not None and value.kind in {"null", "default"} for value in values):
                    yield f"{dotted(parent.name)} may lack a row that {', '.join(reference.columns)} refers to"
                    break

    @staticmethod
    def _skipped(write: Write, key: tuple[str, ...]) -> bool:
        if write.conflict is None:
            return False
        infer = write.conflict.infer
        return infer is None or bool(infer.conname) or {item.name for item in infer.indexElems or ()} == set(key)

    @staticmethod
    def _distinct(
        table: NewTable, key: tuple[str, ...], given: dict[str, t.Any], source: Source, *, filled: bool
    ) -> bool:
        for name in key:
            column = table.columns.get(name)
            own = column and name not in given and (column.default is None or distinct(column.default))
            # A serial has a number for each row; without a default each row has NULL.
            if own or (name in given and distinct(given[name])):
                return True
        nodes = [given[name] for name in key if name in given]
        return not filled and bool(nodes) and source.distinct(nodes)

    def _refers(self, reference: Reference, given: dict[str, t.Any], source: Source) -> bool:
        """Whether each value stands in the other table for certain."""
        if len(reference.columns) != 1:
            return False
        node, parent = given[reference.columns[0]], self._catalog.qualified(reference.table)
        value = constant(node)
        if value is not None and value.kind == "null":
            return True
        found = source.column(node)
        if found is None:
            return False
        table, column = self._catalog.qualified(found[0]), found[1]
        if table == parent:
            target = reference.target or self._primary(parent)
            return not target or target == (column,)
        keys = self._catalog.constraints(table)
        refers = any(
            item.kind == "f" and item.outgoing and item.validated and item.columns == (column,)
            and item.other and self._catalog.qualified(item.other) == parent
            for item in keys
        )  # fmt: skip
        new = self._new.of(table) or NewTable()
        own = any(
            item.columns == (column,) and self._catalog.qualified(item.table) == parent for item in new.references
        )
        return refers or own

    def _primary(self, table: Name) -> tuple[str, ...]:
        return next((item.columns for item in self._catalog.constraints(table) if item.kind == "p"), ())


__all__ = ("NewTableJudge",)
