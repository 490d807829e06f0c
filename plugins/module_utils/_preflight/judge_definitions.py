"""Whether a definition fits the object that it changes or replaces. Pure functions over facts.

Source: ProcedureCreate in src/backend/catalog/pg_proc.c, checkViewColumns in src/backend/commands/view.c,
ATExecAddIdentity and its neighbours in src/backend/commands/tablecmds.c, ExecRefreshMatView in commands/matview.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import Refusal, refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.signatures import signature
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.view_columns import view_columns

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules


class DefinitionJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        writes, names = rules.facts, rules.name_of_oid
        self._empty = {names[row["oid"]] for row in writes["unpopulated"] if row["oid"] in names}

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the objects
        """
        if not self._rules.known:
            return []
        node = statement.node
        handler = self._HANDLERS.get(type(node))
        return [
            refusal("definition-refused", words, where, sure=sure and certain)
            for words, sure in (handler(self, node) if handler else ())
        ]

    def _alter_table(self, node: t.Any) -> t.Iterator[Refusal]:
        table = self._catalog.table(relation_name(node.relation)) if node.objtype == ObjectType.OBJECT_TABLE else None
        if table:
            yield from _second_key(table, node)
            yield from _only_here(table, node)
        for command in node.cmds or () if table else ():
            column = table.columns.get(command.name) if table else None
            if table and column:
                # SET NOT NULL and DROP DEFAULT run before other commands, wherever they stand: the passes of ATPrepCmd.
                for other in (item for item in node.cmds if item.name == command.name):
                    if other.subtype == Command.AT_SetNotNull:
                        column = dataclasses.replace(column, not_null=True)
                    elif other.subtype == Command.AT_ColumnDefault and other.def_ is None:
                        column = dataclasses.replace(column, has_default=False)
                wrong = _column(command, column)
                if wrong:
                    yield f"{dotted(table.name)}.{command.name} {wrong}", True

    def _function(self, node: t.Any) -> t.Iterator[Refusal]:
        new = signature(node)
        schema = new.schema or self._catalog.schema if new else None
        old = next(
            (
                item
                for item in self._rules.routines.certain(new.name if new else "")
                if new and item.schema == schema and item.inputs == new.inputs
            ),
            None,
        )
        before = self._rules.routines.made(new.name) if new and not node.replace else ()
        if new and any((item.schema or self._catalog.schema, item.inputs) == (schema, new.inputs) for item in before):
            label = f"{dotted((schema, new.name))}({', '.join(new.inputs)})"
            yield f"The function {label} was made by this upgrade before, and this does not say OR REPLACE", True
        elif new and old and not self._rules.routines.types_renamed:
            label = f"The function {dotted((schema, new.name))}({', '.join(new.inputs)})"
            if not node.replace:
                yield f"{label} exists already, and this does not say OR REPLACE", True
            elif wrong := old.refuses(new):
                yield f"{label} {wrong}", True

    def _partition(self, node: t.Any) -> t.Iterator[Refusal]:
        for relation in node.inhRelations or () if node.partbound is not None else ():
            parent = self._catalog.table(relation_name(relation))
            if parent is not None and parent.kind != "p":
                yield f"{dotted(parent.name)} is not partitioned, and has no partitions", True

    def _cluster(self, node: t.Any) -> t.Iterator[Refusal]:
        if node.relation is not None and not node.indexname:
            words = "was clustered by an index before, which CLUSTER without one needs, was not asked"
            yield f"Whether {dotted(relation_name(node.relation))} {words}", False

    def _put_off(self, node: t.Any) -> t.Iterator[Refusal]:
        """SET CONSTRAINTS names constraints of any table: AfterTriggerSetState in src/backend/commands/trigger.c."""
        for relation in node.constraints or ():
            name = relation.relname
            found = [
                item
                for table in self._catalog.tables.values()
                for item in table.constraints
                if item.name == name and item.outgoing
            ]
            if not found:
                yield f"Whether there is a constraint {name} that can be put off was not asked", False
            elif not any(item.deferrable for item in found):
                yield f"The constraint {name} is not deferrable", True

    def _trigger(self, node: t.Any) -> t.Iterator[Refusal]:
        table = self._catalog.table(relation_name(node.relation))
        if table is not None and (wrong := _unfit(node, table.kind)):
            yield f"{dotted(table.name)} {wrong}", True
        found = self._rules.routines.certain(node.funcname[-1].sval)
        if found and all(item.returns != "trigger" for item in found):
            yield f"The function {found[0].name} returns {found[0].returns}, and a trigger's returns trigger", True

    def _refresh(self, node: t.Any) -> t.Iterator[Refusal]:
        table = self._catalog.table(relation_name(node.relation))
        if table is None or table.kind != "m":
            return
        if node.concurrent:
            keys = self._rules.uniques.of(table)
            fit = [key for key in keys if key.valid and key.immediate and not key.partial and None not in key.columns]
            if not fit:
                yield (
                    (
                        f"{dotted(table.name)} has no unique index of plain columns and without WHERE, which REFRESH …"
                        " CONCURRENTLY needs"
                    ),
                    True,
                )
            elif table.name in self._empty:
                yield f"{dotted(table.name)} was never filled, which REFRESH … CONCURRENTLY needs", True
        elif not node.skipData:
            self._empty.discard(table.name)

    def _view(self, node: t.Any) -> t.Iterator[Refusal]:
        view = self._catalog.table(relation_name(node.view))
        if view is None or not node.replace:
            return
        label = dotted(view.name)
        if view.kind != "v":
            yield f"{label} exists and is no view", True
            return
        new = view_columns(node, self._catalog)
        if new is None:
            yield f"Which columns the new query of the view {label} has is not known; it may only add some", False
            return
        if len(new) < len(view.columns):
            yield f"The view {label} has {len(view.columns)} columns and would keep {len(new)}", True
            return
        not_known = []
        for (name, column), (new_name, kind) in zip(view.columns.items(), new, strict=False):
            if new_name is not None and new_name != name:
                yield f"The column {name} of the view {label} would be called {new_name}", True
                return
            if kind is not None and kind != (column.type, column.modifier):
                yield f"The column {name} of the view {label} would be of another type", True
                return
            if kind is None or new_name is None:
                not_known.append(name)
        if not_known:
            names = ", ".join(not_known[:3])
            yield f"Whether {names} of the view {label} keeps its type is not known; another is refused", False

    _HANDLERS: t.ClassVar[dict[type, t.Callable[[DefinitionJudge, t.Any], t.Iterator[Refusal]]]] = {
        ast.AlterTableStmt: _alter_table,
        ast.ClusterStmt: _cluster,
        ast.ConstraintsSetStmt: _put_off,
        ast.CreateStmt: _partition,
        ast.CreateFunctionStmt: _function,
        ast.CreateTrigStmt: _trigger,
        ast.RefreshMatViewStmt: _refresh,
        ast.ViewStmt: _view,
    }


# Types whose values are never compressed nor stored elsewhere: typstorage in src/include/catalog/pg_type.dat.
_OF_FIXED_LENGTH: t.Final = {"int2", "int4", "int8", "float4", "float8", "bool", "uuid", "date", "time", "timetz",
                             "timestamp", "timestamptz", "interval", "money", "oid"}  # fmt: skip
# TRIGGER_TYPE_INSTEAD in src/include/catalog/pg_trigger.h.
_INSTEAD = 64


def _unfit(node: t.Any, kind: str) -> str | None:
    """Why a relation of that kind has no such trigger. Source: CreateTriggerFiringOn in commands/trigger.c."""
    if kind == "v":
        return "is a view, whose rows have triggers INSTEAD OF only" if node.row and node.timing != _INSTEAD else None
    if node.timing == _INSTEAD:
        return "is a table, and has no triggers INSTEAD OF"
    if kind == "p" and node.row and node.transitionRels:
        return "is partitioned, and no trigger for each of its rows has transition tables"
    return "is a materialized view, and has no triggers" if kind == "m" else None


def _second_key(table: Table, node: t.Any) -> t.Iterator[Refusal]:
    """A table has one primary key at most: index_check_primary_key in src/backend/catalog/index.c."""
    dropped = {item.name for item in node.cmds or () if item.subtype == Command.AT_DropConstraint}
    known = next((item for item in table.constraints if item.kind == "p" and item.name not in dropped), None)
    for command in node.cmds or ():
        made = command.def_.constraints or () if command.subtype == Command.AT_AddColumn else (command.def_,)
        keys = [item for item in made if isinstance(item, ast.Constraint) and item.contype == ConstrType.CONSTR_PRIMARY]
        if known and keys and command.subtype in {Command.AT_AddColumn, Command.AT_AddConstraint}:
            yield f"{dotted(table.name)} has the primary key {known.name} already", True


def _only_here(table: Table, node: t.Any) -> t.Iterator[Refusal]:
    """ONLY adds no column where others inherit it: ATExecAddColumn in src/backend/commands/tablecmds.c."""
    if not table.children or node.relation.inh:
        return
    for command in node.cmds or ():
        if command.subtype == Command.AT_AddColumn and command.def_.colname not in table.columns:
            words = f"inherits from {dotted(table.name)}, which ONLY gives a column that it does not get"
            yield f"{dotted(table.children[0])} {words}", True


def _column(command: t.Any, column: Column) -> str | None:
    """Why the server refuses a command for a column as it is, as the rest of a sentence."""
    kind = Command(command.subtype)
    if kind == Command.AT_AddIdentity:
        if column.identity:
            return "is an identity column already"
        if not column.not_null:
            return "is not NOT NULL, which an identity column must be"
        return "has a default, beside which there is no identity" if column.has_default else None
    if kind in {Command.AT_SetStorage, Command.AT_SetCompression} and column.type in _OF_FIXED_LENGTH:
        plain = {"plain", "default"} if kind == Command.AT_SetStorage else {"default"}
        word = "storage" if kind == Command.AT_SetStorage else "compression"
        return None if command.def_.sval.lower() in plain else f"is {column.type}, and has no {word} of its own"
    identity = "is no identity column" if not column.identity and not command.missing_ok else None
    computed = "is no generated column" if not column.generated and not command.missing_ok else None
    valued = "is an identity column" if column.identity else "is a generated column" if column.generated else None
    wrong: dict[Command, str | None] = {
        Command.AT_SetIdentity: identity,
        Command.AT_DropIdentity: identity,
        Command.AT_DropExpression: computed,
        Command.AT_SetExpression: computed,
        Command.AT_ColumnDefault: f"{valued}, and has no default of its own" if valued else None,
        Command.AT_DropNotNull: "is an identity column, which is NOT NULL" if column.identity else None,
    }
    return wrong.get(kind)


__all__ = ("DefinitionJudge",)
