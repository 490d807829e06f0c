"""Collations of ICU that an upgrade makes, and keys under collations that take different texts for equal.

Pure functions over facts. Source: CREATE COLLATION ("PROVIDER", "DETERMINISTIC"); DefineCollation in
src/backend/commands/collationcmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement

_KEYS: t.Final = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}
_OFF: t.Final = {"false", "off", "no", "0"}


class CollationJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog = catalog
        places = facts.get("places")
        self._icu = bool(places and places.get("icu"))
        rows = places.get("collations", []) if places else []
        # By name alone: whose schema is not said, is found on a path.
        self._loose = {row["name"] for row in rows if not row["deterministic"]}
        # Columns of live tables whose texts are compared otherwise since this upgrade.
        self._changed: set[tuple[Name, str]] = set()

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it."""
        del certain
        node: t.Any = statement.node
        if isinstance(node, ast.DefineStmt) and node.kind == ObjectType.OBJECT_COLLATION:
            return list(self._made(node, where))
        if isinstance(node, ast.IndexStmt) and node.unique:
            return list(self._index(node, where))
        if isinstance(node, ast.AlterTableStmt) and node.objtype == ObjectType.OBJECT_TABLE:
            return list(self._altered(node, where))
        return []

    def _made(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        given = {option.defname: _word(option.arg) for option in node.definition or ()}
        if given.get("deterministic") in _OFF:
            self._loose.add(qualified_name(node.defnames)[1])
        if given.get("provider") == "icu" and not self._icu:
            words = "Whether this server was built with ICU is not known from here: one that was not refuses this."
            yield finding("definition-refused", words, severity="unknown", **where)

    def _index(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        table = relation_name(node.relation)
        for element in node.indexParams or ():
            other = element.collation and qualified_name(element.collation)[1] in self._loose
            if other or (self._catalog.qualified(table), element.name) in self._changed:
                yield from self._key(table, where)
                return

    def _altered(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        table = relation_name(node.relation)
        full = self._catalog.qualified(table)
        for command in node.cmds or ():
            kind, part = Command(command.subtype), command.def_
            if kind == Command.AT_AlterColumnType:
                self._changed.discard((full, command.name))
                if part.collClause is not None and qualified_name(part.collClause.collname)[1] in self._loose:
                    self._changed.add((full, command.name))
                    column = self._catalog.column(table, command.name)
                    if column is not None and column.indexed and self._is_key(table, command.name):
                        yield from self._key(table, where)
            elif (
                kind == Command.AT_AddConstraint
                and part.contype in _KEYS
                and any((full, key.sval) in self._changed for key in part.keys or ())
            ):
                yield from self._key(table, where)

    def _is_key(self, table: Name, column: str) -> bool:
        known = self._catalog.table(table)
        own = known.name if known else None
        indexes = [item for item in self._catalog.tables.values() if item.table == own and item.unique]
        keys = [item for item in self._catalog.constraints(table) if item.kind in {"p", "u"}]
        return any(column in item.columns for item in indexes) or any(column in item.columns for item in keys)

    def _key(self, table: Name, where: Where) -> t.Iterator[Finding]:
        known = self._catalog.table(table)
        if known is None or (known.rows == 0 and known.bytes == 0):
            return
        words = (
            f"Whether two rows of {dotted(known.name)} have a key that the new collation takes for the same, as it may"
            " a and A, is not known."
        )
        yield finding("data-unknown", words, severity="unknown", **(where | {"table": dotted(known.name)}))


def _word(value: t.Any) -> str:
    """A word or text of an option, in small letters."""
    names = getattr(value, "names", None)
    text = names[-1].sval if names else getattr(value, "sval", getattr(value, "boolval", value))
    return str(text).lower()


__all__ = ("CollationJudge",)
