"""What an upgrade asks of the rows that are there: the questions that decide whether a statement will fail on them."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import (
    NotAsked,
    builtin,
    text_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_state import Rows, State
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, named, strings

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

Kind = t.Literal["null", "duplicate", "orphan", "check", "cast", "pair", "validate"]
_INDEXES = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}
# Operator classes that find the same values equal as the default one.
_SAME_EQUAL = {"text_ops", "text_pattern_ops", "varchar_ops", "varchar_pattern_ops", "bpchar_pattern_ops", "int4_ops"}
_ASKING = {Command.AT_SetNotNull, Command.AT_AlterColumnType, Command.AT_AddConstraint, Command.AT_ValidateConstraint}
# ALTER TABLE does them in this order, whatever the text's: AlterTablePass in commands/tablecmds.c.
_ORDER = {
    Command.AT_DropColumn: 0,
    Command.AT_DropConstraint: 0,
    Command.AT_AlterColumnType: 1,
    Command.AT_AddColumn: 2,
}


@dataclasses.dataclass(frozen=True)
class Question:
    """One question about the rows of `table`, as the statement of this number will meet them.

    :param form: for the collector, None where it cannot be asked, for which `problem` is the reason
    :param seen: the numbers of the statements before it that it reckons with
    :param fewer: some rows that it counts may be gone by then
    :param what: what the rows are held against, in words
    :param other: the table that a foreign key leads to
    """

    statement: int
    kind: Kind
    table: Name
    columns: tuple[str, ...]
    what: str
    form: dict[str, t.Any] | None
    problem: str = ""
    seen: frozenset[int] = frozenset()
    fewer: bool = False
    other: Name | None = None


class _RowReader:
    """Reads statements in order. `found`: the questions. `asked`: the tables about which there will be some."""

    def __init__(self, asked: t.Container[Name]) -> None:
        self.found: list[Question] = []
        self._asked = asked
        self._state = State()
        self._number = 0
        self._indexes: dict[str, tuple[str, ...]] = {}
        # Constraints of this upgrade that are still to be validated.
        self._waiting: dict[tuple[Name, str], t.Any] = {}

    def read(self, statement: Statement) -> None:
        self._number = statement.number
        if handler := _HANDLERS.get(type(statement.node)):
            handler(self, statement.node)

    def _ask(
        self,
        kind: Kind,
        table: Name,
        columns: t.Iterable[str],
        what: str,
        form: t.Callable[[Rows], dict[str, t.Any] | None],
        *,
        stored: bool = True,
        only: bool = False,
        other: Name | None = None,
    ) -> None:
        """Note a question about the rows of `table`.

        :param form: of the rows; an error of its own says that they cannot be asked, and None that the answer is no for
            certain
        """
        rows, columns = self._state.rows(table), tuple(columns)
        plain = self._stored(rows, columns) if stored else []
        asked: dict[str, t.Any] | None = None
        problem = ""
        try:
            made = form(rows)
            if made is None:
                return
            if rows.live:
                asked = {"kind": kind, "table": list(rows.live), "only": only, "keep": list(rows.keep)}
                asked |= {"derived": rows.derived, "stored": plain} | made
            else:
                problem = "the upgrade makes the table"
        except NotAsked as why:
            problem = str(why)
        question = Question(
            self._number, kind, table, columns, what, asked, problem, frozenset(rows.seen), rows.fewer, other
        )
        self.found.append(question)

    @staticmethod
    def _stored(rows: Rows, columns: t.Iterable[str]) -> list[str]:
        """The columns as the server has them, where all are as they are stored there; else nothing."""
        live = [rows.value(name).live for name in columns]
        return [name for name in live if name] if all(live) and not rows.keep else []

    # The kinds of questions

    def _null(self, table: Name, column: str) -> None:
        def form(rows: Rows) -> dict[str, t.Any] | None:
            is_null = rows.value(column).is_null
            if is_null is None:
                raise NotAsked(f"what the upgrade makes of {column} is not known")
            return None if is_null == "false" else {"violation": is_null}

        self._ask("null", table, (column,), f"NOT NULL of {column}", form)

    def _duplicate(self, table: Name, keys: t.Sequence[t.Any], what: str, **more: t.Any) -> None:
        """Note a question about rows that are alike; `predicate` is that of a partial index, `nulls`: NULLs are equal,
        too.

        :param keys: names of columns or IndexElems
        """
        elements = [key if isinstance(key, ast.IndexElem) else ast.IndexElem(name=key) for key in keys]

        def form(rows: Rows) -> dict[str, t.Any] | None:
            if any(key.name and rows.value(key.name).distinct for key in elements):
                return None
            texts = []
            for key in elements:
                if (key.opclass and strings(key.opclass)[1] not in _SAME_EQUAL) or key.collation:
                    raise NotAsked("it names an operator class or a collation")
                texts.append(rows.text(key.name) if key.name else text_of(key.expr, rows.text, {table[1]}))
            predicate = more.get("predicate")
            where = text_of(predicate, rows.text, {table[1]}) if predicate is not None else None
            return {"keys": texts, "where": where, "nulls": bool(more.get("nulls"))}

        columns = [key.name for key in elements if key.name]
        plain = len(columns) == len(elements) and more.get("predicate") is None
        self._ask("duplicate", table, columns, what, form, stored=plain, only=True)

    def _orphan(self, table: Name, columns: t.Sequence[str], node: t.Any) -> None:
        other = named(node.pktable)
        target = [key.sval for key in node.pk_attrs or ()]

        def form(rows: Rows) -> dict[str, t.Any] | None:
            if node.fk_matchtype == "f" and len(columns) > 1:
                raise NotAsked("MATCH FULL is not asked")
            values = [rows.value(name) for name in columns]
            if any(value.is_null == "true" for value in values):
                return None
            there = rows if other == table else self._state.rows(other)
            if there.derived or there.keep or there.values.keys() & set(target):
                raise NotAsked(f"the upgrade changes {other[1]} as well")
            keys = [rows.text(name) for name in columns]
            return {"keys": keys, "other": list(there.live) if there.live else None, "target": target}

        self._ask("orphan", table, columns, f"a foreign key to {other[1]}", form, only=True, other=other)

    def _check(self, table: Name, expression: t.Any, what: str) -> None:
        def form(rows: Rows) -> dict[str, t.Any]:
            return {"violation": f"NOT ({text_of(expression, rows.text, {table[1]})})"}

        self._ask("check", table, (), what, form)

    def _exclusion(self, table: Name, node: t.Any) -> None:
        def form(rows: Rows) -> dict[str, t.Any]:
            if node.where_clause is not None or rows.derived or rows.keep:
                raise NotAsked("a predicate, or rows that the upgrade changes, are not asked")
            pairs = []
            for element, operator in node.exclusions:
                schema, symbol = strings(operator)
                if not element.name or element.opclass or schema not in {None, "pg_catalog"}:
                    raise NotAsked("it excludes by an expression")
                live = rows.value(element.name).live
                if live is None:
                    raise NotAsked("the upgrade changes its columns")
                pairs.append([live, symbol])
            return {"pairs": pairs}

        self._ask("pair", table, (), "an exclusion constraint", form, only=True)

    def _cast(self, table: Name, command: t.Any) -> None:
        column, typed, using = command.name, command.def_.typeName, command.def_.raw_default
        kind, _modifier, array = type_changes.type_name(typed)
        written = False
        if isinstance(using, ast.TypeCast) and type_changes.type_name(using.typeName)[0] == kind:
            using, written = using.arg, True

        def form(rows: Rows) -> dict[str, t.Any]:
            if array:
                raise NotAsked("it becomes an array")
            if kind in self._state.relabelled:
                raise NotAsked("the upgrade renames values of the type")
            value = rows.text(column) if using is None else text_of(using, rows.text, {table[1]})
            constants: list[t.Any] = [item for item in typed.typmods or () if isinstance(item, ast.A_Const)]
            numbers = [item.val.ival or 0 for item in constants]
            own = builtin(typed)
            labels = None if own else self._state.enums.get(kind)
            more = [] if own else self._state.more_labels.get(kind, [])
            name = strings(typed.names)
            live = [name[0], self._state.live_types.get(kind, kind)]
            return {"value": value, "type": kind if own else live, "numbers": numbers, "labels": labels,
                    "more_labels": more, "written": written}  # fmt: skip

        self._ask("cast", table, (column,), f"the new type of {column}", form, stored=using is None)
        self._state.rows(table).retype(column, typed, command.def_.raw_default)

    # What asks them

    def _alter_table(self, node: t.Any) -> None:
        if node.objtype != ObjectType.OBJECT_TABLE:
            return
        table = named(node.relation)
        if table not in self._asked:
            return
        for command in sorted(node.cmds or (), key=lambda item: _ORDER.get(Command(item.subtype), 3)):
            kind, part = Command(command.subtype), command.def_
            if kind == Command.AT_AddColumn:
                self._add_column(table, part, unsure=bool(command.missing_ok))
            elif kind == Command.AT_AlterColumnType:
                self._cast(table, command)
            elif kind == Command.AT_SetNotNull:
                self._null(table, command.name)
            elif kind == Command.AT_AddConstraint:
                self._constraint(table, part)
            elif kind == Command.AT_ValidateConstraint:
                self._validate(table, command.name)

    def _add_column(self, table: Name, column: t.Any, *, unsure: bool) -> None:
        rows = self._state.rows(table)
        if unsure:
            # It may be there already, with whatever values.
            rows.values[column.colname] = dataclasses.replace(rows.value(column.colname), text=None, is_null=None)
            return
        rows.add(column)
        for item in column.constraints or ():
            kind = ConstrType(item.contype)
            if kind == ConstrType.CONSTR_NOTNULL:
                self._null(table, column.colname)
            elif kind in _INDEXES:
                self._duplicate(table, [column.colname], f"a unique index of {column.colname}")
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
            self._check(table, node.raw_expr, f"the check {node.conname}" if node.conname else "the check")
        elif kind == ConstrType.CONSTR_FOREIGN:
            self._orphan(table, columns, node)
        elif kind == ConstrType.CONSTR_NOTNULL:
            for name in columns:
                self._null(table, name)
        elif kind == ConstrType.CONSTR_EXCLUSION:
            self._exclusion(table, node)
        elif kind in _INDEXES:
            if node.indexname:
                columns = self._indexes.get(node.indexname, ())
            elif node.without_overlaps:
                self._ask("pair", table, (), "WITHOUT OVERLAPS", _never_asked)
            else:
                self._duplicate(table, columns, _unique(columns), nulls=node.nulls_not_distinct)
            for name in columns if kind == ConstrType.CONSTR_PRIMARY else ():
                self._null(table, name)

    def _validate(self, table: Name, name: str) -> None:
        if waiting := self._waiting.pop((table, name), None):
            self._constraint(table, waiting, later=True)
            return

        def form(rows: Rows) -> dict[str, t.Any]:
            if rows.derived or rows.values:
                raise NotAsked("the upgrade changes the table before it")
            return {"constraint": name}

        self._ask("validate", table, (), f"the constraint {name}", form)

    def _index(self, node: t.Any) -> None:
        if not node.unique:
            return
        table, elements = named(node.relation), list(node.indexParams or ())
        names = tuple(element.name for element in elements if element.name)
        if node.idxname and len(names) == len(elements):
            self._indexes[node.idxname] = names
        more = {"predicate": node.whereClause, "nulls": node.nulls_not_distinct}
        self._duplicate(table, elements, _unique(names), **more)

    def _rename(self, node: t.Any) -> None:
        kind = ObjectType(node.renameType)
        if kind == ObjectType.OBJECT_COLUMN and node.relation is not None:
            self._state.rows(named(node.relation)).rename(node.subname, node.newname)
        elif kind == ObjectType.OBJECT_TABLE:
            old = named(node.relation)
            self._state.move(old, (old[0], node.newname))
        elif kind == ObjectType.OBJECT_TYPE and node.object is not None:
            names: t.Any = node.object.names if isinstance(node.object, ast.TypeName) else node.object
            self._state.rename_type(strings(names)[1], node.newname)

    def _move(self, node: t.Any) -> None:
        if node.relation is not None:
            old = named(node.relation)
            self._state.move(old, (node.newschema, old[1]))

    def _create(self, node: t.Any) -> None:
        if not node.if_not_exists:
            self._state.create(named(node.relation if isinstance(node, ast.CreateStmt) else node.into.rel))

    def _enum(self, node: t.Any) -> None:
        name = strings(node.typeName)[1]
        if hasattr(node, "vals"):
            self._state.enums[name] = [value.sval for value in node.vals or ()]
            return
        made = self._state.enums.get(name)
        labels = self._state.more_labels.setdefault(name, []) if made is None else made
        labels.append(node.newVal)
        if node.oldVal in labels:
            labels.remove(node.oldVal)
        elif node.oldVal:
            self._state.relabelled.add(name)

    def _write(self, node: t.Any) -> None:
        relations: t.Iterable[t.Any] = getattr(node, "relations", None) or (node.relation,)
        # Most upgrades ask nothing about what they write, and to print expressions takes time.
        if any(named(relation) in self._asked for relation in relations):
            self._state.write(node, self._number)


def _never_asked(_rows: Rows) -> dict[str, t.Any]:
    raise NotAsked("it compares ranges")


def _unique(columns: t.Sequence[str]) -> str:
    return f"a unique index of {', '.join(columns)}" if columns else "a unique index"


_HANDLERS: t.Final[dict[type, t.Callable[[_RowReader, t.Any], None]]] = {
    ast.AlterTableStmt: _RowReader._alter_table,
    ast.IndexStmt: _RowReader._index,
    ast.RenameStmt: _RowReader._rename,
    ast.AlterObjectSchemaStmt: _RowReader._move,
    **dict.fromkeys((ast.CreateStmt, ast.CreateTableAsStmt), _RowReader._create),
    **dict.fromkeys((ast.CreateEnumStmt, ast.AlterEnumStmt), _RowReader._enum),
    **dict.fromkeys((ast.UpdateStmt, ast.DeleteStmt, ast.TruncateStmt), _RowReader._write),
}


def row_questions(found: t.Sequence[Statement]) -> list[Question]:
    """Of all statements, in their order. A question's place in this list is its number for the collector."""
    asked: set[Name] = set()
    for statement in reversed(found):
        if isinstance(statement.node, ast.RenameStmt) and statement.node.relation is not None:
            old = named(statement.node.relation)
            asked |= {old} if (old[0], statement.node.newname) in asked else set()
        elif isinstance(statement.node, ast.AlterObjectSchemaStmt) and statement.node.relation is not None:
            old = named(statement.node.relation)
            asked |= {old} if (statement.node.newschema, old[1]) in asked else set()
        elif _asks(statement.node):
            asked.add(named(statement.node.relation))
    reader = _RowReader(asked)
    for statement in found if asked else ():
        if statement.node is not None:
            reader.read(statement)
    return reader.found


def _asks(node: t.Any) -> bool:
    if isinstance(node, ast.IndexStmt):
        return bool(node.unique)
    if not isinstance(node, ast.AlterTableStmt) or node.objtype != ObjectType.OBJECT_TABLE:
        return False
    commands = t.cast("t.Iterable[t.Any]", node.cmds or ())
    return any(
        command.subtype in _ASKING or (command.subtype == Command.AT_AddColumn and command.def_.constraints)
        for command in commands
    )


__all__ = ("Question", "row_questions")
