"""Whether defaults, foreign keys and indexes fit the types of their columns. Pure functions over facts.

Source: cookDefault in src/backend/catalog/heap.c, transformFkeyCheckAttrs and ATAddForeignKeyConstraint in
src/backend/commands/tablecmds.c, ResolveOpClass in src/backend/commands/indexcmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Column
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant, misfit
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# Types that equality joins with each other; those of two lists it joins not.
_FAMILIES: t.Final = (
    {"int2", "int4", "int8"}, {"text", "varchar", "bpchar"}, {"uuid"}, {"bool"}, {"jsonb"},
    {"date", "timestamp", "timestamptz"},
)  # fmt: skip
# Types whose operator classes are known: PostgreSQL's own, from opclass.dat.
_INDEXED: t.Final = {"int2", "int4", "int8", "text", "bpchar", "uuid", "bool", "json", "jsonb", "xml", "date",
                     "timestamp", "timestamptz", "numeric", "float4", "float8", "point", "box", "bytea"}  # fmt: skip
# Extensions that give an access method what btree has, and types for which they have nothing.
_BRINGS: t.Final = {"btree_gist": "gist", "btree_gin": "gin"}
_NOT_BROUGHT: t.Final = {"json", "jsonb", "xml"}
_METHODS: t.Final = {"btree", "gin", "gist", "hash"}
_KEYS: t.Final = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}


class ColumnJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        # The indexes of a column: name, method, and the type that the operator class takes, None where it has that
        # of the column's type by itself.
        self._indexed: dict[tuple[Name, str], list[tuple[Name, str, str | None]]] = {}
        for row in rules.facts["index_classes"]:
            if row["oid"] in rules.name_of_oid:
                name, wanted = (row["schema"], row["name"]), None if row["by_itself"] else row["type"]
                self._indexed.setdefault((rules.name_of_oid[row["oid"]], row["column"]), []).append(
                    (name, row["method"], wanted)
                )
        self._classes = {(row["method"], row["type"]) for row in rules.facts["default_classes"]}
        # Extensions that this upgrade brings, with operator classes that nobody can list before.
        self._extensions: set[str] = set()

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the tables
        """
        if not self._rules.known:
            return []
        node, refusals = statement.node, t.cast("t.Iterable[str]", ())
        if isinstance(node, ast.CreateExtensionStmt):
            self._extensions.add(str(node.extname))
        if isinstance(node, ast.CreateStmt):
            refusals = self._table(node)
        elif isinstance(node, ast.AlterTableStmt) and node.objtype == ObjectType.OBJECT_TABLE:
            refusals = self._altered(node)
        elif isinstance(node, ast.IndexStmt):
            keys = [item.name for item in node.indexParams or () if item.name and not item.opclass]
            refusals = self._index(relation_name(node.relation), keys, node.accessMethod or "btree")
        return [refusal("definition-refused", words, where, sure=certain) for words in refusals]

    def _table(self, node: t.Any) -> t.Iterator[str]:
        elements = node.tableElts or ()
        columns: dict[str, Column | None] = {
            str(item.colname): _column(item) for item in elements if isinstance(item, ast.ColumnDef)
        }
        for item in elements:
            if isinstance(item, ast.ColumnDef):
                yield from self._added(relation_name(node.relation), item, columns, new=True)
            elif isinstance(item, ast.Constraint) and item.contype == ConstrType.CONSTR_FOREIGN:
                yield from self._foreign(item, [columns.get(key.sval) for key in item.fk_attrs or ()])
            elif isinstance(item, ast.Constraint) and item.without_overlaps:
                named = {key.sval: columns[key.sval] for key in item.keys or () if columns.get(key.sval)}
                for name, column in named.items():
                    yield from self._without_class(f"{dotted(relation_name(node.relation))}.{name}", column, "gist")

    def _altered(self, node: t.Any) -> t.Iterator[str]:
        name = relation_name(node.relation)
        table = self._catalog.table(name)
        for command in node.cmds or ():
            kind, part = Command(command.subtype), command.def_
            if kind == Command.AT_AddColumn:
                there = table is not None and part.colname in table.columns
                if not there:
                    yield from self._added(name, part, {part.colname: _column(part)}, new=table is None)
            elif kind == Command.AT_ColumnDefault and part is not None and table:
                # A new type comes before the default, wherever the two stand: the passes of ATPrepCmd.
                retyped = (_column(item.def_) for item in node.cmds if _retypes(item, command.name))
                if column := next(retyped, table.columns.get(command.name)):
                    yield from self._default(f"{dotted(table.name)}.{command.name}", part, column, kept=True)
            elif kind == Command.AT_AlterColumnType and table and command.name in table.columns:
                yield from self._retyped(table, command.name, part.typeName)
            elif kind == Command.AT_AddConstraint and table:
                if part.contype == ConstrType.CONSTR_FOREIGN:
                    yield from self._foreign(part, [table.columns.get(key.sval) for key in part.fk_attrs or ()])
                elif part.contype in _KEYS and not part.indexname:
                    method = "gist" if part.without_overlaps else "btree"
                    yield from self._index(name, [key.sval for key in part.keys or ()], method)
                elif part.contype in _KEYS:
                    yield from self._constraint_using_index(table, part.indexname)
                elif part.contype == ConstrType.CONSTR_EXCLUSION:
                    elements = [item[0] for item in part.exclusions or ()]
                    keys = [item.name for item in elements if item.name and not item.opclass]
                    yield from self._index(name, keys, part.access_method or "gist")

    def _retyped(self, table: Table, name: str, typed: t.Any) -> t.Iterator[str]:
        """Indexes are built anew with the operator class that they were given, or with that of the new type.

        Source: ATPostAlterTypeCleanup in src/backend/commands/tablecmds.c, get_opclass_name in utils/adt/ruleutils.c.
        """
        new, _modifier, array = type_changes.type_name(typed)
        new = "text" if new == "varchar" else new
        if array or new not in _INDEXED:
            return
        for index, method, wanted in self._indexed.get((table.name, name), ()):
            if index in self._catalog.dropped or method not in _METHODS:
                continue
            if wanted is None and (method, new) not in self._classes:
                words = f"for which {method} has no operator class by itself"
                yield f"{dotted(index)} is an index of {dotted(table.name)}.{name}, and that becomes {new}, {words}"
            elif wanted is not None and not wanted.startswith("any") and not _takes(wanted, new):
                words = f"and that becomes {new}, but its operator class takes {wanted}"
                yield f"{dotted(index)} is an index of {dotted(table.name)}.{name}, {words}"

    def _added(self, table: Name, node: t.Any, columns: dict[str, Column | None], *, new: bool) -> t.Iterator[str]:
        column = columns[node.colname]
        for item in node.constraints or ():
            kind = ConstrType(item.contype)
            if kind == ConstrType.CONSTR_DEFAULT and column:
                yield from self._default(f"{dotted(table)}.{node.colname}", item.raw_expr, column, kept=new)
            elif kind == ConstrType.CONSTR_FOREIGN:
                yield from self._foreign(item, [column])

    def _default(self, label: str, expression: t.Any, column: Column, *, kept: bool) -> t.Iterator[str]:
        given = constant(expression)
        if given is not None and column.type not in self._catalog.domains:
            labels = self._rules.labels(column.type)
            if wrong := misfit(given, column, labels, self._rules.casts, kept=kept):
                yield f"The default does not fit: {label} {wrong}"

    def _foreign(self, node: t.Any, own: list[Column | None]) -> t.Iterator[str]:
        other = self._catalog.table(relation_name(node.pktable))
        if other is None or other.kind not in {"r", "p"}:
            return
        names = [key.sval for key in node.pk_attrs or ()]
        if not names:
            primary = next((item for item in self._catalog.constraints(other.name) if item.kind == "p"), None)
            if primary is None and not self._primary(other):
                yield f"The foreign key leads to {dotted(other.name)}, which has no primary key"
                return
            if primary is None or len(primary.columns) > 1:
                return
            names = list(primary.columns)
        elif not self._unique(other, set(names)):
            yield (
                f"The foreign key leads to {dotted(other.name)} ({', '.join(names)}), on which there is no unique"
                " constraint or plain unique index"
            )
            return
        for column, name in zip(own, names, strict=False):
            target = other.columns.get(name)
            families = {_family(column.type), _family(target.type)} if column and target else set()
            if column and target and len(families) > 1 and None not in families:
                label = f"{dotted(other.name)}.{name}"
                yield f"The foreign key compares {column.type} with {label}, which is of type {target.type}"

    def _primary(self, table: Table) -> bool:
        """Whether this upgrade made a key of the table without a name in the catalogue: it may be the primary one."""
        return any(key.constraint is not None for key in self._rules.uniques.of(table) if key.constraint == "")

    def _unique(self, table: Table, names: set[str]) -> bool:
        return any(
            set(key.columns) == names and not key.partial and key.valid and key.immediate
            for key in self._rules.uniques.of(table)
        )

    def _constraint_using_index(self, table: Table, index: str) -> t.Iterator[str]:
        """ADD CONSTRAINT … USING INDEX: transformIndexConstraint in src/backend/parser/parse_utilcmd.c."""
        for key in self._rules.uniques.of(table):
            if key.name == index and (key.partial or None in key.columns):
                what = "is partial" if key.partial else "has an expression"
                yield f"The index {index} of {dotted(table.name)} {what}, and no constraint is made of such a one"

    def _brought(self, method: str, kind: str) -> bool:
        """Whether an extension of this upgrade has the operator class: of some it is known, any other may have it."""
        others = self._extensions - _BRINGS.keys()
        return bool(others) or any(_BRINGS[name] == method and kind not in _NOT_BROUGHT for name in self._extensions)

    def _index(self, table: Name, keys: t.Iterable[str], method: str) -> t.Iterator[str]:
        known = self._catalog.table(table)
        for name in keys if known else ():
            yield from self._without_class(f"{dotted(known.name)}.{name}", known.columns.get(name), method)  # type: ignore[union-attr]

    def _without_class(self, label: str, column: Column | None, method: str) -> t.Iterator[str]:
        kind = "text" if column and column.type == "varchar" else column.type if column else ""
        judged = kind in _INDEXED and method in _METHODS
        if judged and (method, kind) not in self._classes and not self._brought(method, kind):
            yield f"{label} is of type {kind}, for which {method} has no operator class by itself"


def _retypes(command: t.Any, column: str) -> bool:
    return bool(command.subtype == Command.AT_AlterColumnType and command.name == column)


def _column(node: t.Any) -> Column | None:
    """The column that ADD COLUMN or CREATE TABLE makes; None for an array and where no type is given."""
    if node.typeName is None or node.typeName.pct_type:
        return None
    kind, modifier, array = type_changes.type_name(node.typeName)
    return None if array or modifier is None else Column(type_changes.SERIAL.get(kind, kind), modifier)


def _takes(wanted: str, new: str) -> bool:
    """Whether an operator class of one type takes the other: texts are alike."""
    return wanted == new or {wanted, new} <= _FAMILIES[1]


def _family(kind: str) -> int | None:
    return next((place for place, kinds in enumerate(_FAMILIES) if kind in kinds), None)


__all__ = ("ColumnJudge",)
