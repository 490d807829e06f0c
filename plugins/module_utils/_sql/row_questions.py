"""What an upgrade asks of the rows that are there: the questions that decide whether a statement will fail on them."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_question_kinds import Question, Questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_state import UNKNOWN, UpgradedRows
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    qualified_name,
    relation_name,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.written_rows import computed_rows

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_INDEXES = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}
_ASKING = {Command.AT_SetNotNull, Command.AT_AlterColumnType, Command.AT_AddConstraint, Command.AT_ValidateConstraint}
_TAKING_THE_SAME = {Command.AT_AddColumn, Command.AT_ColumnDefault, Command.AT_SetStatistics, Command.AT_ChangeOwner}
# ALTER TABLE does them in this order, whatever the text's: AlterTablePass in commands/tablecmds.c.
_ORDER = {
    Command.AT_DropColumn: 0,
    Command.AT_DropConstraint: 0,
    Command.AT_AlterColumnType: 1,
    Command.AT_AddColumn: 2,
}

# What a question is about that asks for rows of a default partition which a new one would take.
OF_THE_REST: t.Final = "the bounds of the default partition"


class _RowReader:
    """Reads statements in order. `asked`: the tables about which there will be questions."""

    def __init__(self, asked: t.Container[Name]) -> None:
        self._asked = asked
        self._state = UpgradedRows()
        self._questions = Questions(self._state)
        self._indexes: dict[str, tuple[str, ...]] = {}
        # Constraints of this upgrade that are still to be validated.
        self._waiting: dict[tuple[Name, str], t.Any] = {}
        # Tables that this upgrade made stricter, or other, than they are on the server.
        self._altered: set[Name] = set()
        # Likewise of domains.
        self._unchecked: dict[tuple[Name, str], t.Any] = {}

    @property
    def found(self) -> list[Question]:
        return self._questions.found

    def read(self, statement: Statement) -> None:
        self._questions.number = statement.number
        for parent, part, bound in _partitions(statement.node):
            self._partition(parent, part, bound, made=isinstance(statement.node, ast.CreateStmt))
            self._altered |= {parent, part}
        for made in computed_rows(statement.node):
            self._questions.written(made, altered=made.target in self._altered)
        self._altered |= _altered(statement.node)
        handler = _HANDLERS.get(type(statement.node))
        if handler and statement.condition is None:
            handler(self, statement.node)
        elif handler:
            self._perhaps(statement.node)

    def _partition(self, parent: Name, part: Name, bound: t.Any, *, made: bool) -> None:
        """Rows of a table that becomes a partition, and those of the default one that would belong to it."""
        label = f"the bounds of the partition {part[1]}"
        if not made:
            self._questions.bound(part, parent, bound, label, inside=True)
        if not bound.is_default and bound.strategy != "h":
            what = f"{OF_THE_REST} beside {part[1]}"
            self._questions.bound(parent, parent, bound, what, inside=False)

    def _perhaps(self, node: t.Any) -> None:
        """What runs on a condition: where it does, it asks; what it then left of the values is not known."""
        if isinstance(node, ast.AlterTableStmt):
            self._alter_table(node, unsure=True)
        elif isinstance(node, ast.RenameStmt) and node.relation is not None and node.subname:
            values = self._state.rows(relation_name(node.relation)).values
            values |= dict.fromkeys((str(node.subname), str(node.newname)), UNKNOWN)
        elif isinstance(node, (ast.IndexStmt, ast.AlterDomainStmt, ast.CreateEnumStmt, ast.AlterEnumStmt)):
            _HANDLERS[type(node)](self, node)

    def _alter_table(self, node: t.Any, *, unsure: bool = False) -> None:
        if node.objtype != ObjectType.OBJECT_TABLE:
            return
        table = relation_name(node.relation)
        if table not in self._asked:
            return
        for command in sorted(node.cmds or (), key=lambda item: _ORDER.get(Command(item.subtype), 3)):
            kind, part = Command(command.subtype), command.def_
            if kind == Command.AT_AddColumn:
                self._add_column(table, part, unsure=unsure or bool(command.missing_ok))
            elif kind == Command.AT_AlterColumnType:
                self._questions.cast(table, command)
                if unsure:
                    self._state.rows(table).values[command.name] = UNKNOWN
            elif kind == Command.AT_SetNotNull:
                self._questions.null(table, command.name)
            elif kind == Command.AT_AddConstraint:
                self._constraint(table, part)
            elif kind == Command.AT_ValidateConstraint:
                self._validate(table, command.name)

    def _add_column(self, table: Name, column: t.Any, *, unsure: bool) -> None:
        rows = self._state.rows(table)
        if unsure:
            # The column may exist already, with any values.
            rows.values[column.colname] = dataclasses.replace(rows.value(column.colname), text=None, is_null=None)
            return
        rows.add(column)
        for item in column.constraints or ():
            kind = ConstrType(item.contype)
            if kind == ConstrType.CONSTR_NOTNULL:
                self._questions.null(table, column.colname)
            elif kind == ConstrType.CONSTR_GENERATED:
                self._questions.computed_expression(table, item.raw_expr, f"the expression of {column.colname}")
            elif kind in _INDEXES:
                self._questions.duplicate(table, [column.colname], f"a unique index of {column.colname}")
            elif kind in {ConstrType.CONSTR_CHECK, ConstrType.CONSTR_FOREIGN}:
                self._constraint(table, item, (column.colname,))

    def _constraint(self, table: Name, node: t.Any, column: tuple[str, ...] = (), *, later: bool = False) -> None:
        kind = ConstrType(node.contype)
        enforced = kind not in {ConstrType.CONSTR_CHECK, ConstrType.CONSTR_FOREIGN} or node.is_enforced
        if not later and (node.skip_validation or not enforced):
            if node.conname:
                self._waiting[table, node.conname] = node
            return
        columns = column or tuple(key.sval for key in node.fk_attrs or node.keys or ())
        if kind == ConstrType.CONSTR_CHECK:
            self._questions.check(table, node.raw_expr, f"the check {node.conname}" if node.conname else "the check")
        elif kind == ConstrType.CONSTR_FOREIGN:
            self._questions.orphan(table, columns, node)
        elif kind == ConstrType.CONSTR_NOTNULL:
            for name in columns:
                self._questions.null(table, name)
        elif kind == ConstrType.CONSTR_EXCLUSION:
            self._questions.exclusion(table, node)
        elif kind in _INDEXES:
            if node.indexname:
                columns = self._indexes.get(node.indexname, ())
            elif node.without_overlaps:
                self._questions.overlap(table)
            else:
                self._questions.duplicate(table, columns, _unique(columns), nulls=node.nulls_not_distinct)
                self._questions.index_row_size(table, columns)
            for name in columns if kind == ConstrType.CONSTR_PRIMARY else ():
                self._questions.null(table, name)

    def _validate(self, table: Name, name: str) -> None:
        if waiting := self._waiting.pop((table, name), None):
            self._constraint(table, waiting, later=True)
        else:
            self._questions.validation(table, name)

    def _domain(self, node: t.Any) -> None:
        """ALTER DOMAIN. Source: AlterDomainStmt in nodes/parsenodes.h."""
        name, made = qualified_name(node.typeName), node.def_
        label = f"of the domain {name[1]}"
        if node.subtype == "O" or (node.subtype == "C" and made.contype == ConstrType.CONSTR_NOTNULL):
            self._questions.domain(name, f"NOT NULL {label}")
        elif node.subtype == "C" and made.skip_validation:
            if made.conname:
                self._unchecked[name, made.conname] = made
        elif node.subtype == "C" and made.contype == ConstrType.CONSTR_CHECK:
            which = f"the check {made.conname}" if made.conname else "the check"
            self._questions.domain(name, f"{which} {label}", check=made.raw_expr)
        elif node.subtype == "V":
            waiting, what = self._unchecked.pop((name, node.name), None), f"the check {node.name} {label}"
            if waiting is not None:
                self._questions.domain(name, what, check=waiting.raw_expr)
            else:
                self._questions.domain(name, what, constraint=node.name)

    def _index(self, node: t.Any) -> None:
        table, elements = relation_name(node.relation), list(node.indexParams or ())
        for expression in (*(element.expr for element in elements), node.whereClause):
            predicate = node.whereClause if expression is not node.whereClause else None
            self._questions.computed_expression(table, expression, "an expression of the index", predicate)
        if node.accessMethod in {None, "btree"}:
            keys = [item.name or item.expr for item in (*elements, *(node.indexIncludingParams or ()))]
            self._questions.index_row_size(table, keys, node.whereClause)
        if not node.unique:
            return
        names = tuple(element.name for element in elements if element.name)
        if node.idxname and len(names) == len(elements):
            self._indexes[node.idxname] = names
        more = {"predicate": node.whereClause, "nulls": node.nulls_not_distinct}
        self._questions.duplicate(table, elements, _unique(names), **more)

    def _rename(self, node: t.Any) -> None:
        kind = ObjectType(node.renameType)
        if kind == ObjectType.OBJECT_COLUMN and node.relation is not None:
            self._state.rows(relation_name(node.relation)).rename(node.subname, node.newname)
        elif kind == ObjectType.OBJECT_TABLE:
            old = relation_name(node.relation)
            self._state.move(old, (old[0], node.newname))
            self._altered |= {(old[0], str(node.newname))} if old in self._altered else set()
        elif kind == ObjectType.OBJECT_TYPE and node.object is not None:
            names: t.Any = node.object.names if isinstance(node.object, ast.TypeName) else node.object
            self._state.rename_type(qualified_name(names)[1], node.newname)

    def _move(self, node: t.Any) -> None:
        if node.relation is not None:
            old = relation_name(node.relation)
            self._state.move(old, (node.newschema, old[1]))

    def _create(self, node: t.Any) -> None:
        if not node.if_not_exists:
            self._state.create(relation_name(node.relation if isinstance(node, ast.CreateStmt) else node.into.rel))

    def _enum(self, node: t.Any) -> None:
        name = qualified_name(node.typeName)[1]
        if hasattr(node, "vals"):
            self._state.enums[name] = [value.sval for value in node.vals or ()]
            return
        made = self._state.enums.get(name)
        labels = self._state.more_labels.setdefault(name, []) if made is None else made
        labels.append(node.newVal)
        if node.oldVal in labels:
            labels.remove(node.oldVal)
        elif node.oldVal:
            self._state.renamed_labels.add(name)

    def _write(self, node: t.Any) -> None:
        relations: t.Iterable[t.Any] = getattr(node, "relations", None) or (node.relation,)
        # Most upgrades ask nothing about what they write, and to print expressions takes time.
        if any(relation_name(relation) in self._asked for relation in relations):
            self._state.write(node, self._questions.number)


def _altered(node: t.Any) -> set[Name]:
    """The table of which a statement changes what it takes."""
    if isinstance(node, ast.AlterTableStmt) and node.relation is not None:
        kinds = {Command(item.subtype) for item in t.cast("t.Iterable[t.Any]", node.cmds or ())}
        return {relation_name(node.relation)} if kinds - _TAKING_THE_SAME else set()
    if isinstance(node, ast.RenameStmt) and node.relation is not None and node.subname:
        return {relation_name(node.relation)}
    return {relation_name(node.relation)} if isinstance(node, ast.CreateTrigStmt) else set()


def _unique(columns: t.Sequence[str]) -> str:
    return f"a unique index of {', '.join(columns)}" if columns else "a unique index"


_HANDLERS: t.Final[dict[type, t.Callable[[_RowReader, t.Any], None]]] = {
    ast.AlterTableStmt: _RowReader._alter_table,
    ast.AlterDomainStmt: _RowReader._domain,
    ast.IndexStmt: _RowReader._index,
    ast.RenameStmt: _RowReader._rename,
    ast.AlterObjectSchemaStmt: _RowReader._move,
    **dict.fromkeys((ast.CreateStmt, ast.CreateTableAsStmt), _RowReader._create),
    **dict.fromkeys((ast.CreateEnumStmt, ast.AlterEnumStmt), _RowReader._enum),
    **dict.fromkeys((ast.UpdateStmt, ast.DeleteStmt, ast.TruncateStmt), _RowReader._write),
}


def row_questions(found: t.Sequence[Statement]) -> list[Question]:
    """The questions of all statements, in order. A question's place in this list is its number for the collector."""
    asked: set[Name] = set()
    for statement in reversed(found):
        if isinstance(statement.node, ast.RenameStmt) and statement.node.relation is not None:
            old = relation_name(statement.node.relation)
            asked |= {old} if (old[0], statement.node.newname) in asked else set()
        elif isinstance(statement.node, ast.AlterObjectSchemaStmt) and statement.node.relation is not None:
            old = relation_name(statement.node.relation)
            asked |= {old} if (statement.node.newschema, old[1]) in asked else set()
        for made in computed_rows(statement.node):
            asked.add(made.source)
        if _asks(statement.node):
            asked.add(relation_name(statement.node.relation))
        asked |= {name for names in _partitions(statement.node) for name in names[:2]}
    reader = _RowReader(asked)
    domains = any(isinstance(statement.node, ast.AlterDomainStmt) for statement in found)
    for statement in found if asked or domains else ():
        if statement.node is not None:
            reader.read(statement)
    return reader.found


def _partitions(node: t.Any) -> list[tuple[Name, Name, t.Any]]:
    """Parent, partition and bounds of what a statement makes a partition."""
    if isinstance(node, ast.CreateStmt) and node.partbound is not None and node.inhRelations:
        made: t.Any = node
        return [(relation_name(made.inhRelations[0]), relation_name(made.relation), node.partbound)]
    if not isinstance(node, ast.AlterTableStmt) or node.objtype != ObjectType.OBJECT_TABLE:
        return []
    commands = [item for item in t.cast("t.Any", node.cmds) or () if item.subtype == Command.AT_AttachPartition]
    return [(relation_name(node.relation), relation_name(item.def_.name), item.def_.bound) for item in commands]


def _asks(node: t.Any) -> bool:
    if isinstance(node, ast.IndexStmt):
        return True
    if not isinstance(node, ast.AlterTableStmt) or node.objtype != ObjectType.OBJECT_TABLE:
        return False
    commands = t.cast("t.Iterable[t.Any]", node.cmds or ())
    return any(
        command.subtype in _ASKING or (command.subtype == Command.AT_AddColumn and command.def_.constraints)
        for command in commands
    )


__all__ = ("OF_THE_REST", "Question", "row_questions")
