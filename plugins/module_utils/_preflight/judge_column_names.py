"""Columns that a table of this upgrade, or one that it changed, does not have: no server can be asked about these yet.

Statements over one table are followed, whose names can mean nothing else. Pure functions over facts.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.new_tables import NewTables
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, made_name, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

_SYSTEM: t.Final = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
_OF_COLUMNS: t.Final = {Command.AT_SetNotNull, Command.AT_DropNotNull, Command.AT_ColumnDefault,
                        Command.AT_AlterColumnType, Command.AT_DropColumn}  # fmt: skip
# One use of a name: what stands before it, and the name.
_Use = tuple["str | None", str]


class ColumnNameJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        self._new = NewTables(catalog)
        # Tables that a query of this upgrade made.
        self._made: dict[Name, set[str]] = {}
        # Columns that this upgrade gave to tables of the server; the catalogue follows those of types it knows alone.
        self._changed: dict[Name, set[str]] = {}

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: nothing before it may have changed the tables unseen
        """
        found = []
        node: t.Any = statement.node
        for relation, uses in _uses(node) if self._rules.known else ():
            name = relation_name(relation)
            full = self._catalog.qualified(name)
            columns = self._columns(name, full)
            alias = getattr(getattr(relation, "alias", None), "aliasname", None) or name[1]
            for before, column in dict.fromkeys(uses):
                if columns is None or column in columns | _SYSTEM or before not in {None, alias} or column == alias:
                    continue
                words = f"{dotted(full)} has no column {column}"
                found.append(refusal("object-missing", words, where | {"table": dotted(full)}, sure=certain))
        self._after(node)
        return found

    def _columns(self, name: Name, full: Name) -> set[str] | None:
        """None where they are not known, or the server was asked."""
        new = self._new.of(name)
        if new is not None:
            return set(new.columns)
        if self._catalog.is_new(name):
            return self._made.get(full)
        table = self._catalog.table(name)
        given = self._changed.get(full)
        return {*table.columns, *given} if table and table.kind in {"r", "p"} and given is not None else None

    def _after(self, node: t.Any) -> None:
        self._new.after(node)
        into = _into(node)
        if into is not None:
            query, relation, names = into
            full = self._catalog.qualified(made_name(relation))
            self._made.pop(full, None)
            if (given := names or _given(query)) is not None:
                self._made[full] = set(given)
        elif isinstance(node, (ast.AlterTableStmt, ast.RenameStmt, ast.AlterObjectSchemaStmt)):
            if node.relation is None:
                return
            full = self._catalog.qualified(relation_name(t.cast("t.Any", node.relation)))
            self._made.pop(full, None)
            if (added := _added(node)) is not None:
                self._changed.setdefault(full, set()).update(added)


def _added(node: t.Any) -> set[str] | None:
    """Names of columns that a statement adds, or that columns get; None where it does something else."""
    if isinstance(node, ast.RenameStmt):
        return {str(node.newname)} if node.renameType == ObjectType.OBJECT_COLUMN else None
    commands = list(node.cmds or ()) if isinstance(node, ast.AlterTableStmt) else []
    if not commands or any(item.subtype != Command.AT_AddColumn for item in commands):
        return None
    return {str(item.def_.colname) for item in commands}


def _into(node: t.Any) -> tuple[t.Any, t.Any, list[str]] | None:
    """The query, the table that gets its rows, and the names that are written out."""
    if isinstance(node, ast.CreateTableAsStmt) and node.into is not None and node.objtype == ObjectType.OBJECT_TABLE:
        clause, query = t.cast("t.Any", node.into), node.query
    elif isinstance(node, ast.SelectStmt) and node.intoClause is not None:
        clause, query = t.cast("t.Any", node.intoClause), node
    else:
        return None
    return query, clause.rel, [str(item.sval) for item in clause.colNames or ()]


def _given(query: t.Any) -> list[str] | None:
    """The names of a query's columns; None where they are not followed."""
    items = list(query.targetList or ()) if isinstance(query, ast.SelectStmt) and not query.op else []
    names = [str(item.name) if item.name else _column(item.val) for item in items]
    return None if not names or None in names else [name for name in names if name is not None]


def _column(node: t.Any) -> str | None:
    last = node.fields[-1] if isinstance(node, ast.ColumnRef) and node.fields else None
    return str(last.sval) if isinstance(last, ast.String) else None


def _uses(node: t.Any) -> t.Iterator[tuple[t.Any, list[_Use]]]:
    """Relations of a statement, each with the names that can only be columns of it."""
    kind: t.Any = type(node)
    if kind is ast.UpdateStmt and not node.fromClause and not node.withClause:
        named = [(None, str(item.name)) for item in node.targetList]
        yield node.relation, [*named, *_names([item.val for item in node.targetList]), *_names(node.whereClause)]
    elif kind is ast.DeleteStmt and not node.usingClause and not node.withClause:
        yield node.relation, list(_names(node.whereClause))
    elif kind is ast.InsertStmt and not node.withClause:
        yield node.relation, [(None, str(item.name)) for item in node.cols or ()]
        yield from _read(node.selectStmt)
    elif kind is ast.CreateTableAsStmt:
        yield from _read(node.query)
    elif kind is ast.IndexStmt:
        elements = [*(node.indexParams or ()), *(node.indexIncludingParams or ())]
        named = [(None, str(item.name)) for item in elements if item.name]
        yield node.relation, [*named, *_names([item.expr for item in elements]), *_names(node.whereClause)]
    elif kind is ast.AlterTableStmt and node.objtype == ObjectType.OBJECT_TABLE and not node.missing_ok:
        commands = [item for item in node.cmds or () if item.subtype in _OF_COLUMNS and not item.missing_ok]
        # One that adds a column as well has it by then.
        if len(commands) == len(node.cmds or ()):
            yield node.relation, [(None, str(item.name)) for item in commands]


def _read(query: t.Any) -> t.Iterator[tuple[t.Any, list[_Use]]]:
    sources = list(getattr(query, "fromClause", None) or ())
    if len(sources) == 1 and isinstance(sources[0], ast.RangeVar) and not query.withClause and not query.op:
        yield sources[0], [*_names([item.val for item in query.targetList or ()]), *_names(query.whereClause)]


def _names(node: t.Any) -> t.Iterator[_Use]:
    """Columns in an expression, but for those in a query of its own."""
    if isinstance(node, (tuple, list)):
        for part in node:
            yield from _names(part)
    elif isinstance(node, ast.ColumnRef):
        fields = [getattr(part, "sval", None) for part in node.fields or ()]
        if None not in fields and len(fields) in {1, 2}:
            yield (str(fields[0]) if len(fields) == 2 else None), str(fields[-1])
    elif isinstance(node, ast.Node) and not isinstance(node, (ast.SubLink, ast.SelectStmt)):
        for name in type(node).__dict__["__slots__"]:
            yield from _names(getattr(node, name))


__all__ = ("ColumnNameJudge",)
