"""What the statements of an upgrade make of the rows that are there, as SQL over these rows.

So a constraint can be asked of the rows as it will meet them: a backfill before SET NOT NULL is part of the question.
The number of a statement that cannot be followed is missing in `Rows.followed_statements`, which tells the judge.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.printing import printed_type
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import (
    UnsupportedExpression,
    builtin,
    distinct,
    never_null,
    quoted,
    text_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name


@dataclasses.dataclass(frozen=True)
class Value:
    """What a column holds, as SQL over the live row `r`; None where that is not known.

    :param is_null: whether it is NULL, which may be known without the value
    :param live: name of the live column whose value it still holds
    :param distinct: no two rows have the same
    """

    text: str | None
    is_null: str | None
    live: str | None = None
    distinct: bool = False

    @classmethod
    def of(cls, text: str) -> t.Self:
        return cls(text, f"({text}) IS NULL")


UNKNOWN = Value(None, None)


@dataclasses.dataclass
class Rows:
    """The rows of a table.

    :param live: its name on the server, None where this upgrade made it
    :param row_conditions: conditions that rows still here fulfil
    :param may_have_lost_rows: rows may be gone that `row_conditions` does not exclude
    :param followed_statements: the numbers of the statements that this knows of
    :param derived: an UPDATE of this upgrade changed values
    """

    live: Name | None
    values: dict[str, Value] = dataclasses.field(default_factory=dict)
    row_conditions: list[str] = dataclasses.field(default_factory=list)
    may_have_lost_rows: bool = False
    followed_statements: set[int] = dataclasses.field(default_factory=set)
    derived: bool = False
    # Columns that this upgrade added.
    added: set[str] = dataclasses.field(default_factory=set)

    def value(self, column: str) -> Value:
        found = self.values.get(column)
        text = f"r.{quoted(column)}"
        return found or Value(text, f"{text} IS NULL", column)

    def text(self, column: str) -> str:
        """The value of a column as SQL, for text_of.

        :raises UnsupportedExpression: it is not known
        """
        found = self.value(column).text
        if found is None:
            raise UnsupportedExpression(f"what the upgrade makes of {column} is not known")
        return f"({found})"

    def add(self, column: t.Any) -> None:
        """Know a new column: what its rows hold follows from its default."""
        name = column.colname
        kinds = {ConstrType(item.contype): item for item in column.constraints or ()}
        default, generated = kinds.get(ConstrType.CONSTR_DEFAULT), kinds.get(ConstrType.CONSTR_GENERATED)
        typed = column.typeName
        if typed.names[-1].sval in type_changes.SERIAL or ConstrType.CONSTR_IDENTITY in kinds:
            self.values[name] = Value(None, "false", distinct=True)
        elif generated is not None:
            self.values[name] = self._expression(generated.raw_expr, typed)
        elif default is not None:
            self.values[name] = self._expression(default.raw_expr, typed)
        else:
            text = f"CAST(NULL AS {printed_type(typed)})" if builtin(typed) else "NULL"
            self.values[name] = Value(text, "true")
        self.added.add(name)

    def _expression(self, node: t.Any, typed: t.Any) -> Value:
        try:
            text = text_of(node, self.text, ())
            text = f"CAST({text} AS {printed_type(typed)})" if builtin(typed) else text
            return Value(text, "false" if never_null(node) else f"({text}) IS NULL")
        except UnsupportedExpression:
            return Value(None, "false" if never_null(node) else None, distinct=distinct(node))

    def rename(self, old: str, new: str) -> None:
        self.values[new] = self.value(old)
        self.values[old] = UNKNOWN

    def retype(self, column: str, typed: t.Any, using: t.Any) -> None:
        """ALTER COLUMN … TYPE: the same value in another type."""
        old = self.value(column)
        try:
            text = self.text(column) if using is None else text_of(using, self.text, ())
            kind, modifier, array = type_changes.type_name(typed)
            # A cast that is written out would cut to a length where this one fails.
            plain = builtin(typed) and not array and (modifier == -1 or kind not in {"varchar", "bpchar"})
            text = f"CAST({text} AS {printed_type(typed)})" if plain else text
            self.values[column] = dataclasses.replace(Value.of(text), live=old.live if using is None else None)
        except UnsupportedExpression:
            self.values[column] = dataclasses.replace(UNKNOWN, is_null=old.is_null if using is None else None)

    def update(self, node: t.Any, number: int) -> None:
        """UPDATE of this table alone; others are not followed."""
        if node.fromClause or node.withClause:
            return
        names = {node.relation.relname, node.relation.alias.aliasname if node.relation.alias else None}
        condition: str | None = ""
        try:
            condition = text_of(node.whereClause, self.text, names) if node.whereClause is not None else ""
        except UnsupportedExpression:
            condition = None
        self.values |= {item.name: self._set(item, condition, node.whereClause, names) for item in node.targetList}
        self.derived = True
        self.followed_statements.add(number)

    def _set(self, item: t.Any, condition: str | None, where: t.Any, names: t.Container[str | None]) -> Value:
        old, filled = self.value(item.name), never_null(item.val)
        if condition is None:
            # Some rows may have got it; where it is never NULL, whoever had a value still has one.
            self.may_have_lost_rows = self.may_have_lost_rows or filled
            return Value(None, old.is_null if filled else None)
        is_null = "false" if filled else None
        text: str | None
        try:
            text = text_of(item.val, self.text, t.cast("t.Container[str]", names))
            is_null = is_null or f"({text}) IS NULL"
        except UnsupportedExpression:
            text = None
        if not condition:
            return Value(text, is_null, distinct=text is None and distinct(item.val))
        null_known = is_null is not None and old.is_null is not None
        null_after = f"CASE WHEN {condition} THEN {is_null} ELSE {old.is_null} END" if null_known else None
        if isinstance(where, ast.NullTest) and filled and null_after and old.is_null and condition == old.is_null:
            null_after = "false"
        both = text is not None and old.text is not None
        return Value(f"CASE WHEN {condition} THEN {text} ELSE {old.text} END" if both else None, null_after)

    def delete(self, node: t.Any, number: int) -> None:
        """Rows that go. Which, is not known where the condition cannot be asked."""
        if node.withClause:
            return
        names = {node.relation.relname, node.relation.alias.aliasname if node.relation.alias else ""}
        self.followed_statements.add(number)
        if node.whereClause is None:
            self.row_conditions.append("false")
            return
        if node.usingClause:
            self.may_have_lost_rows = True
            return
        try:
            self.row_conditions.append(f"({text_of(node.whereClause, self.text, names)}) IS NOT TRUE")
        except UnsupportedExpression:
            self.may_have_lost_rows = True


class UpgradedRows:
    """The tables of an upgrade, updated after each statement."""

    def __init__(self) -> None:
        self._tables: dict[Name, Rows] = {}
        # Enum types: what this upgrade made of them. Labels of a new one, or those that a live one got.
        self.enums: dict[str, list[str]] = {}
        self.more_labels: dict[str, list[str]] = {}
        self.live_types: dict[str, str] = {}
        # Types of the server of which a label is renamed.
        self.renamed_labels: set[str] = set()

    def rows(self, name: Name) -> Rows:
        return self._tables.setdefault(name, Rows(name))

    def create(self, name: Name) -> None:
        self._tables[name] = Rows(None)

    def move(self, old: Name, new: Name) -> None:
        self._tables[new] = self.rows(old)
        self._tables.pop(old)

    def write(self, node: t.Any, number: int) -> None:
        """An UPDATE, DELETE or TRUNCATE."""
        if isinstance(node, ast.UpdateStmt):
            self.rows(relation_name(node.relation)).update(node, number)
        elif isinstance(node, ast.DeleteStmt):
            self.rows(relation_name(node.relation)).delete(node, number)
        else:
            for relation in node.relations:
                rows = self.rows(relation_name(relation))
                rows.row_conditions.append("false")
                rows.followed_statements.add(number)

    def rename_type(self, old: str, new: str) -> None:
        self.live_types[new] = self.live_types.pop(old, old)
        for labels in (self.enums, self.more_labels):
            if old in labels:
                labels[new] = labels.pop(old)


__all__ = ("UNKNOWN", "Rows", "UpgradedRows", "Value")
