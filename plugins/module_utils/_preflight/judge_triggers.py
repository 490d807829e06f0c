"""Triggers that an upgrade makes or changes, and those of TRUNCATE: what they do at the writes that follow.

What decides it is their function, as _sql/trigger_body.py reads it. Pure functions over facts.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_writes import (
    BEFORE,
    DELETE,
    INSERT,
    ROW,
    UPDATE,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    qualified_name,
    relation_name,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.trigger_body import harmless

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import TriggerRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# TRIGGER_TYPE_TRUNCATE in src/include/catalog/pg_trigger.h.
_TRUNCATE: t.Final = 32
_BITS: t.Final = {"INSERT": INSERT, "UPDATE": UPDATE, "DELETE": DELETE}
_FIELD: t.Final = re.compile(r"\b(?:NEW|OLD)\.(?:\"([^\"]+)\"|(\w+))", re.IGNORECASE)
_NO_ROW: t.Final = re.compile(r"\bRETURN\s+(?:NULL|OLD)\b", re.IGNORECASE)


class TriggerJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        # Functions that this upgrade makes or replaces: their language and body.
        self._bodies: dict[str, tuple[str, str | None]] = {}
        # Triggers of this upgrade, by their table as it is called now.
        self._made: dict[Name, list[TriggerRow]] = {}

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the triggers
        """
        node: t.Any = statement.node
        if not self._rules.known:
            return []
        found = [*self._fired(node, where), *self._fields_lost(node, where, sure=certain)]
        self._after(node)
        return found

    def _fired(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        writes: list[tuple[Name, str, int, t.Any]]
        writes = [(write.table, write.kind, _BITS[write.kind], write.columns) for write in own_writes(node)]
        if isinstance(node, ast.TruncateStmt):
            writes = [
                (relation_name(item), "TRUNCATE", _TRUNCATE, ()) for item in t.cast("t.Any", node.relations) or ()
            ]
        for name, kind, bit, columns in writes:
            full = self._catalog.qualified(name)
            for row in self._rows(name, every=bit == _TRUNCATE):
                watched = bit != UPDATE or not row["columns"] or set(row["columns"]) & set(columns or ())
                why = self._doubt(row, name) if row["type"] & bit and watched else None
                if why is not None:
                    words = (
                        f"Whether {kind} of {dotted(full)} succeeds is not known: it fires the trigger {row['name']}"
                    )
                    yield finding("data-unknown", f"{words}, whose function {row['function']}() {why}.",
                                  **(where | {"table": dotted(full)}))  # fmt: skip

    def _rows(self, name: Name, *, every: bool) -> t.Iterator[TriggerRow]:
        """Triggers of this upgrade, and those of the server whose function it replaces, or all of them."""
        yield from self._made.get(self._catalog.qualified(name), ())
        table = self._catalog.table(name)
        for row in self._rules.triggers(table) if table else ():
            new = self._bodies.get(row["function"])
            if new is not None:
                yield row | {"schema": "", "language": new[0], "source": new[1]}
            elif every:
                yield row

    def _doubt(self, row: TriggerRow, name: Name) -> str | None:
        """Why the write may fail, or do nothing; None where it does neither."""
        if not harmless(row):
            return "is not read here"
        body, table = row["source"] or "", self._catalog.table(name)
        if row["type"] & ROW and row["type"] & BEFORE and _NO_ROW.search(body):
            return "leaves rows out"
        if table is not None and (missing := _fields(body) - table.columns.keys()):
            return f"uses {min(missing)}, which may be no column of it"
        return None

    def _fields_lost(self, node: t.Any, where: Where, *, sure: bool) -> t.Iterator[Finding]:
        """A column that a trigger's function names goes: each write that fires it fails from then on."""
        if not isinstance(node, (ast.AlterTableStmt, ast.RenameStmt)) or node.relation is None:
            return
        lost: set[str] = set()
        if isinstance(node, ast.AlterTableStmt):
            lost = {
                str(item.name) for item in t.cast("t.Any", node.cmds) or () if item.subtype == Command.AT_DropColumn
            }
        elif node.renameType == ObjectType.OBJECT_COLUMN:
            lost = {str(node.subname)}
        table = self._catalog.table(relation_name(t.cast("t.Any", node.relation)))
        for row in self._rules.triggers(table) if table and lost else ():
            body = self._bodies.get(row["function"], (row["language"], row["source"]))[1]
            used = _fields(body or "") & lost
            if used and row["type"] & ROW and table:
                words = f"The trigger {row['name']} of {dotted(table.name)} uses {min(used)} in {row['function']}()"
                said = f"{words}, which goes: each write that fires it fails, unless the function is replaced."
                about: Where = where | {"table": dotted(table.name)}
                yield finding("write-rejected", said, severity="fail" if sure else "unknown", **about)

    def _after(self, node: t.Any) -> None:
        kind: t.Any = type(node)
        if kind is ast.CreateFunctionStmt:
            options = {option.defname: option.arg for option in node.options or ()}
            body = options.get("as")
            text = body[0].sval if isinstance(body, tuple) and len(body) == 1 else None
            language = options.get("language")
            self._bodies[qualified_name(node.funcname or ())[1]] = (language.sval if language else "sql", text)
        elif kind is ast.CreateTrigStmt:
            schema, function = qualified_name(node.funcname or ())
            language, source = self._bodies.get(function, ("", None))
            bits = int(node.timing or 0) | int(node.events or 0) | (ROW if node.row else 0)
            row = {"oid": 0, "name": node.trigname, "type": bits, "deferrable": False, "deferred": False}
            row |= {"schema": schema or "", "function": function, "language": language, "source": source}
            row |= {"columns": [item.sval for item in node.columns or ()]}
            self._made.setdefault(self._catalog.qualified(relation_name(node.relation)), []).append(
                t.cast("TriggerRow", row)
            )
        elif kind is ast.DropStmt and node.removeType == ObjectType.OBJECT_TRIGGER:
            for item in node.objects or ():
                full = self._catalog.qualified(qualified_name(item[:-1]))
                self._made[full] = [row for row in self._made.get(full, ()) if row["name"] != item[-1].sval]
        elif kind is ast.RenameStmt and node.renameType == ObjectType.OBJECT_TABLE:
            full = self._catalog.qualified(relation_name(node.relation))
            self._made[full[0], node.newname] = self._made.pop(full, [])


def _fields(body: str) -> set[str]:
    return {quoted or plain.lower() for quoted, plain in _FIELD.findall(body)}


__all__ = ("TriggerJudge",)
