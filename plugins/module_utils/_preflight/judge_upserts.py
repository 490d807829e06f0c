"""Rows that one INSERT would change twice: ON CONFLICT DO UPDATE refuses a second row of the same key.

Pure functions over facts. Source: ExecOnConflictUpdate in src/backend/executor/nodeModifyTable.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.new_tables import NewTables
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import distinct
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sources import Source
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules


class UpsertJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        self._new = NewTables(catalog)

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: nothing before it may have changed the tables unseen
        """
        found = []
        for write in own_writes(statement.node) if self._rules.known else ():
            conflict = write.conflict
            if conflict is None or conflict.action.name != "ONCONFLICT_UPDATE":
                continue
            twice = self._twice(write)
            if twice is False:
                continue
            full = self._catalog.qualified(write.table)
            words = f"ON CONFLICT DO UPDATE of {dotted(full)} {'meets' if twice else 'may meet'} two rows of one key"
            sure = bool(twice) and write.certain and certain
            found.append(refusal("data-refused", words, where | {"table": dotted(full)}, sure=sure))
        self._new.after(statement.node)
        return found

    def _twice(self, write: Write) -> bool | None:
        """Whether two of the rows have the same key; None where that is not known."""
        if write.rows is not None and len(write.rows) < 2:
            return False
        keys, names = self._keys(write), self._names(write)
        if not keys or names is None:
            return None
        if not set(keys) <= set(names):
            # What is left out has a number of its own, or NULL, unless its default is a constant.
            return False if write.rows is not None else None
        places = [names.index(name) for name in keys]
        if write.rows is None:
            source = Source(write.node.selectStmt, self._catalog, self._new, self._rules.uniques)
            if not source.known or source.items is None or len(source.items) <= max(places):
                return None
            return False if source.distinct([source.items[place] for place in places]) else None
        return _repeated([[row[place] if place < len(row) else None for place in places] for row in write.rows])

    def _keys(self, write: Write) -> list[str]:
        """Columns of the key; empty where they are not known, or expressions."""
        infer = write.conflict.infer
        if infer is None:
            return []
        if infer.conname:
            table = self._catalog.table(write.table)
            found = [key for key in self._rules.uniques.of(table) if key.constraint == infer.conname] if table else []
            return [name for name in found[0].columns if name] if found and None not in found[0].columns else []
        names = [item.name for item in infer.indexElems or ()]
        return [] if None in names else names

    def _names(self, write: Write) -> list[str] | None:
        if write.columns is not None:
            return list(write.columns)
        table, new = self._catalog.table(write.table), self._new.of(write.table)
        if new is not None:
            return list(new.columns)
        return list(self._rules.order.get(table.name, ())) or None if table else None


def _repeated(rows: list[list[t.Any]]) -> bool | None:
    seen: set[tuple[t.Any, ...]] = set()
    # A number and a text may be one value.
    kinds = {tuple(item.kind for item in map(constant, row) if item) for row in rows if None not in row}
    unsure = len(kinds) > 1
    for row in rows:
        given = [constant(value) if value is not None else None for value in row]
        if any(value is not None and distinct(value) for value in row):
            continue
        if any(value is not None and value.kind in {"null", "default"} for value in given):
            continue
        if None in given:
            unsure = True
            continue
        key = tuple((item.kind, str(item.value)) for item in given if item)
        if key in seen:
            return True
        seen.add(key)
    return None if unsure and len(rows) > 1 else False


__all__ = ("UpsertJudge",)
