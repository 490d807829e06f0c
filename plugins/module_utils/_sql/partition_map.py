"""Which table is a partition of which, with keys and bounds, as each statement of the upgrade leaves them.

Tables of the server by their names before the upgrade, others by their own. Source: ExecFindPartition in
src/backend/executor/execPartition.c, ExecPartitionCheck in executor/execMain.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_bounds import (
    Bound,
    Point,
    bound_of,
    bound_of_text,
    point,
    takes,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_changes import SERIAL, type_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# Hash partitions of a larger common modulus are not counted.
_MOST_REMAINDERS: t.Final = 4096


class Key(t.NamedTuple):
    """A partition key: names and types of its columns; an expression has neither."""

    strategy: str
    columns: tuple[str | None, ...]
    types: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Column:
    """A column of a partitioned table of this upgrade.

    :param default: what it gets where an INSERT leaves it out, None for NULL
    :param unknown: that is not known
    """

    type: str
    default: t.Any = None
    unknown: bool = False


Row: t.TypeAlias = "dict[str, t.Any]"  # noqa: UP040 - the sanity tests know no newer form


class PartitionMap:
    """Partitions and their bounds; the reader applies each statement of the upgrade in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts, timezone: str) -> None:
        """:param timezone: of the server's bounds; afterwards the session's, which the caller sets"""
        self._catalog, self._rules, self.timezone = catalog, rules, timezone
        relations, names = facts["relations"], rules.name_of_oid
        self.keys = {
            names[row["oid"]]: Key(row["strategy"], tuple(row["parts"]), tuple(row["types"]))
            for row in relations["keys"]
            if row["oid"] in names
        }
        self.bounds: dict[Name, dict[Name, Bound | None]] = {}
        for part in relations["bounds"]:
            if (parent := names.get(part["oid"])) in self.keys:
                bound = bound_of_text(part["bound"], self.keys[parent].types, timezone)
                self.bounds.setdefault(parent, {})[part["schema"], part["name"]] = bound
        self._columns: dict[Name, dict[str, _Column]] = {}
        self._known = set(names.values())

    def name(self, written: Name) -> Name:
        """What a statement's name stands for here."""
        table = self._catalog.table(written)
        return table.name if table else self._catalog.qualified(written)

    def partitions(self, parent: Name) -> dict[Name, Bound | None]:
        """The bounds of the partitions that are still tables; None for a bound that is not read."""
        names = {table.name for table in self._catalog.tables.values()} | self._catalog.created
        bounds = self.bounds.get(parent, {})
        return {child: bound for child, bound in bounds.items() if child in names or child not in self._known}

    def default_of(self, parent: Name) -> Name | None:
        """The default partition of a table."""
        found = (child for child, bound in self.partitions(parent).items() if bound and bound.strategy == "d")
        return next(found, None)

    def parent_of(self, child: Name) -> Name | None:
        """The table of which it is a partition."""
        return next((parent for parent in self.bounds if child in self.partitions(parent)), None)

    def created(self, node: t.Any) -> None:
        """A partitioned table, or one that is a partition and may be partitioned again."""
        name = self._catalog.qualified(relation_name(node.relation))
        if node.partspec is None or (node.if_not_exists and self._catalog.known(name)):
            return
        parent = self.name(relation_name(node.inhRelations[0])) if node.inhRelations else None
        columns = self._columns_of(parent) if parent else self._defined(node)
        if columns is None:
            return
        parts = [item.name for item in node.partspec.partParams or ()]
        types = [columns[item].type if item in columns else "" for item in parts]
        strategy = str(getattr(node.partspec.strategy, "value", node.partspec.strategy))
        self.keys[name] = Key(strategy, tuple(parts), tuple(types))
        self.bounds[name] = {}
        self._columns[name] = columns

    def _columns_of(self, name: Name) -> dict[str, _Column] | None:
        if name in self._columns:
            return self._columns[name]
        table = next((table for table in self._catalog.tables.values() if table.name == name), None)
        if table is None:
            return None
        order = [item for item in self._rules.order.get(name, ()) if item in table.columns]
        return {
            item: _Column(column.type, unknown=column.has_default or bool(column.identity) or column.generated)
            for item in order
            if (column := table.columns[item])
        }

    def _defined(self, node: t.Any) -> dict[str, _Column] | None:
        found: dict[str, _Column] = {}
        for item in node.tableElts or ():
            if isinstance(item, ast.TableLikeClause):
                like: t.Any = item.relation
                columns = self._columns_of(self.name(relation_name(like)))
                if columns is None:
                    return None
                found |= {key: dataclasses.replace(column, unknown=True) for key, column in columns.items()}
            elif isinstance(item, ast.ColumnDef) and item.colname and item.typeName is not None:
                kind, _modifier, array = type_name(item.typeName)
                kinds = {ConstrType(part.contype): part for part in t.cast("t.Any", item.constraints) or ()}
                own = {ConstrType.CONSTR_IDENTITY, ConstrType.CONSTR_GENERATED} & kinds.keys()
                default = kinds.get(ConstrType.CONSTR_DEFAULT)
                plain = default.raw_expr if default else None
                found[item.colname] = _Column(
                    "" if array else SERIAL.get(kind, kind), plain, kind in SERIAL or bool(own)
                )
        return found

    def altered(self, node: t.Any) -> None:
        """Columns of a partitioned table of this upgrade, and partitions that cease to be some."""
        if node.objtype != ObjectType.OBJECT_TABLE:
            return
        name = self.name(relation_name(node.relation))
        for command in node.cmds or ():
            kind, part = Command(command.subtype), command.def_
            if kind == Command.AT_DetachPartition:
                self.bounds.get(name, {}).pop(self.name(relation_name(part.name)), None)
            elif name in self._columns and kind == Command.AT_AddColumn:
                self._columns[name][part.colname] = _Column("", unknown=True)
            elif name in self._columns and kind in {Command.AT_DropColumn, Command.AT_ColumnDefault}:
                self._columns[name].pop(command.name, None)

    def renamed(self, node: t.Any) -> None:
        """A table of this upgrade has another name from now on; one of the server keeps its own here."""
        if node.relation is None or node.renameType != ObjectType.OBJECT_TABLE:
            return
        old = self._catalog.qualified(relation_name(node.relation))
        if old not in self._catalog.created:
            return
        new = (old[0], str(node.newname))
        places: tuple[dict[Name, t.Any], ...] = (self.keys, self.bounds, self._columns, *self.bounds.values())
        for place in places:
            if old in place:
                place[new] = place.pop(old)

    def bound(self, parent: Name, node: t.Any) -> Bound:
        """A PartitionBoundSpec for a partition of this table."""
        return bound_of(node, self.keys[parent].types, self.timezone)

    def takes_every_row(self, name: Name) -> bool:
        """Whether there is a partition for every row, at any depth: a default one, or all remainders."""
        parts = self.partitions(name)
        whole = self.default_of(name) is not None or _all_remainders(parts.values())
        return whole and all(child not in self.keys or self.takes_every_row(child) for child in parts)

    def order(self, name: Name) -> tuple[str, ...]:
        """The columns of a table in their order, as far as they are known."""
        if name in self._columns:
            return tuple(self._columns[name])
        own = tuple(self._rules.order.get(name, ()))
        parent = None if own else self.parent_of(name)
        return self.order(parent) if parent else own

    def key_columns(self, name: Name) -> set[str | None]:
        """The columns of its key, and of the keys of its partitions."""
        if name not in self.keys:
            return set()
        below = (self.key_columns(child) for child in self.partitions(name))
        return set(self.keys[name].columns).union(*below)

    def taken(self, name: Name, row: Row, *, whole: bool = True) -> bool | None:
        """Whether a partition takes this row, at any depth; None where it is not known.

        :param row: expressions by column
        :param whole: what it leaves out has its default; else it stays what it was
        """
        values = self._points(name, row, whole=whole)
        answers: set[bool | None] = set()
        for child, bound in self.partitions(name).items():
            if bound and bound.strategy == "d":
                continue
            answer = takes(bound, values) if bound else None
            if answer and child in self.keys and not self.takes_every_row(child):
                answer = self.taken(child, row, whole=whole)
                # Another does not take it instead.
                if answer is False:
                    return False
            answers.add(answer)
        rest = self.default_of(name)
        if True in answers or rest is None:
            return True if True in answers else None if None in answers else False
        if rest not in self.keys or self.takes_every_row(rest):
            return True
        below = self.taken(rest, row, whole=whole)
        return below if None not in answers or below is True else None

    def fits(self, parent: Name, child: Name, row: Row, *, whole: bool = True) -> bool | None:
        """Whether a row that is written to a partition itself lies within its bounds."""
        values = self._points(parent, row, whole=whole)
        own = self.partitions(parent).get(child)
        if own is None:
            return None
        if own.strategy != "d":
            return takes(own, values)
        others = [takes(bound, values) if bound else None for other, bound in self.partitions(parent).items()
                  if other != child]  # fmt: skip
        return False if True in others else None if None in others else True

    def _points(self, name: Name, row: Row, *, whole: bool) -> list[Point]:
        key, columns = self.keys[name], self._columns_of(name) or {}
        found = []
        for column, kind in zip(key.columns, key.types, strict=True):
            known = columns.get(column) if column else None
            if column is None or known is None:
                found.append(Point())
            elif column in row:
                found.append(point(row[column], kind, self.timezone))
            elif not whole or known.unknown:
                found.append(Point())
            else:
                given = known.default
                found.append(Point(null=True) if given is None else point(given, kind, self.timezone))
        return found


def _all_remainders(bounds: t.Iterable[Bound | None]) -> bool:
    parts = [bound for bound in bounds if bound and bound.strategy == "h" and bound.modulus]
    common = math.lcm(*(part.modulus for part in parts)) if parts else 0
    if not 0 < common <= _MOST_REMAINDERS:
        return False
    return all(any(number % part.modulus == part.remainder for part in parts) for number in range(common))


__all__ = ("Key", "PartitionMap")
