"""The number that setval() gets from the rows: `max(id)` and what is built around it. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sequences import MOST, Sequence
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import Refusal
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_relations import SequenceFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

# A number or NULL, and whether it is known.
Value = tuple["int | None", bool]
_UNKNOWN: t.Final[Value] = (None, False)


@dataclasses.dataclass(frozen=True)
class Range:
    """The least and the greatest number of a column; both None without a row."""

    lowest: int | None
    highest: int | None

    def end(self, increment: int) -> int | None:
        """The number that a sequence with this increment comes to last."""
        return self.highest if increment > 0 else self.lowest

    def is_reached(self, number: int, increment: int) -> bool:
        """Whether a sequence whose next number is this one comes to numbers that are there."""
        end = self.end(increment)
        return end is not None and (end - number) * increment >= 0


@dataclasses.dataclass
class NumberedColumn:
    """A column that a sequence fills. `sequence` None: none does any more. `range` None: what is there is not known."""

    kind: str
    unique: bool
    range: Range | None
    sequence: Name | None
    # Whether the column is the first of its table, which an INSERT without a list of columns gives its first value.
    first: bool = False


def free_sequence(name: Name, sequences: t.Container[Name], catalog: Catalog) -> Name:
    """The name that the server gives to a sequence of a column: the first that is free (ChooseRelationName)."""
    found, number = name, 0
    while found not in catalog.dropped and (found in sequences or catalog.known(found)):
        number += 1
        found = (name[0], f"{name[1]}{number}")
    return found


class FormerSequences:
    """Sequences whose numbers columns took before this upgrade, and which they may own still.

    pg_get_serial_sequence() finds what was owned first, also where the column has become an identity with a sequence of
    its own since. Whether a column owns it was not asked.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._of: dict[tuple[Name, str], Name] = {}
        # Columns of which a setval() may have meant the former one.
        self._mistaken: dict[tuple[Name, str], Name] = {}

    def left(self, place: tuple[Name, str], sequence: Name | None) -> None:
        """The default that took its numbers is gone."""
        if sequence is not None:
            self._of[place] = sequence

    def released(self, sequence: Name, options: t.Iterable[t.Any]) -> None:
        """ALTER SEQUENCE … OWNED BY makes it another's, or nobody's."""
        if any(option.defname == "owned_by" for option in options):
            self._of = {place: own for place, own in self._of.items() if own != sequence}

    def hides(self, place: tuple[Name, str], now: Name | None) -> bool:
        """Whether pg_get_serial_sequence() may give the former sequence instead of the one of `now`."""
        former = self._of.get(place)
        if former is None or former == now or former in self._catalog.dropped:
            return False
        self._mistaken[place] = former
        return True

    def doubt(self, place: tuple[Name, str]) -> str:
        """What follows a sentence about a number that a setval() may have meant to set; empty without one."""
        former = self._mistaken.get(place)
        return (
            f" pg_get_serial_sequence() means {dotted(former)}, where the column owns it still: drop it before."
            if former
            else ""
        )


KEYS: t.Final = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}


def single_keys(node: t.Any) -> set[str]:
    """Columns of a CREATE TABLE that are a key alone, where a constraint of the table says so."""
    constraints = (item for item in node.tableElts or () if isinstance(item, ast.Constraint) and item.contype in KEYS)
    keys: t.Iterable[tuple[t.Any, ...]] = (item.keys or () for item in constraints)
    return {key[0].sval for key in keys if len(key) == 1}


def sequences_of(known: SequenceFacts | None) -> tuple[dict[Name, Sequence], set[Name]]:
    """Sequences as the collector found them, and which of them belong to an identity column."""
    found: dict[Name, Sequence] = {}
    identities: set[Name] = set()
    for row in known["sequences"] if known else ():
        name = (row["schema"], row["name"])
        fields = (row["kind"], row["least"], row["most"], row["start"], row["increment"], row["cycles"])
        found[name] = Sequence(*fields, row["last"], row["called"])
        identities |= {name} if row["identity"] else set()
    return found, identities


def columns_of(known: SequenceFacts | None) -> dict[tuple[Name, str], NumberedColumn]:
    """Columns as the collector found them, by table and name."""
    found = {}
    for row in known["columns"] if known else ():
        seen = Range(row["lowest"], row["highest"]) if row["seen"] else None
        own: Name | None = (row["sequence_schema"], row["sequence"]) if row["sequence"] else None
        place: tuple[Name, str] = ((row["schema"], row["table"]), row["name"])
        found[place] = NumberedColumn(row["type"], row["unique"], seen, own)
    return found


# A planner's estimate is not taken for more than it is: so many times the limit is beyond doubt.
_SURELY: t.Final = 1.5
# Bytes of a row at the least, and of the page that holds one at the most.
_LEAST_ROW, _PAGE = 24, 8192


def too_few(made: Sequence, table: Table, label: str) -> t.Iterator[Refusal]:
    """Where a new column of *table* takes a number for each row, and the sequence has fewer.

    :param table: with the sizes of its partitions
    """
    left = made.numbers_left()
    if made.cycles or left is None:
        return
    never = table.rows < 0
    if table.rows > left * _SURELY or (never and table.bytes > left * _PAGE):
        yield (
            f"{dotted(table.name)} has about {table.rows} rows, and the sequence of {label} gives {left} numbers",
            True,
        )
    elif table.rows > left / _SURELY or (never and table.bytes > left * _LEAST_ROW):
        yield f"Whether the sequence of {label} has a number for each row is not known: it gives {left}", False


@dataclasses.dataclass
class Written:
    """Numbers that an upgrade writes into a column itself.

    :param by_query: a query gives some of them
    """

    numbers: set[int] = dataclasses.field(default_factory=set)
    by_query: bool = False


def takes_number(write: Write, column: str) -> bool:
    """Whether an INSERT leaves a row of a column to its sequence."""
    if write.columns is not None and column not in write.columns:
        return True
    at = write.columns.index(column) if write.columns else 0
    given = [constant(row[at]) if at < len(row) else None for row in write.rows or ()]
    return any(item is not None and item.kind == "default" for item in given)


def given_numbers(write: Write, column: str, before: Written) -> Written:
    """The numbers that an INSERT writes into a column itself, with those of INSERTs before it.

    :param write: one that names the column
    """
    at = write.columns.index(column) if write.columns else 0
    if write.rows is not None:
        values = [constant(row[at]) for row in write.rows if at < len(row)]
    else:
        values = [constant(item) for item in _selected(write.node.selectStmt, at)]
        if not values or any(item is None for item in values):
            return Written(before.numbers, by_query=True)
    numbers = {item.value for item in values if item is not None and item.kind == "integer"}
    return Written(before.numbers | numbers, before.by_query)


def _selected(query: t.Any, at: int) -> list[t.Any]:
    """The expressions that a query gives to one column."""
    if query.op:
        return [*_selected(query.larg, at), *_selected(query.rarg, at)]
    if query.valuesLists:
        return [row[at] for row in query.valuesLists if at < len(row)]
    items = [item.val for item in query.targetList or ()]
    # A star may stand for any number of columns.
    stars = any(isinstance(part, ast.A_Star) for item in items for part in getattr(item, "fields", None) or ())
    return [items[at]] if at < len(items) and not stars else [None]


def overtaken(label: str, written: Written, made: Sequence) -> str | None:
    """What is said of numbers that an upgrade writes itself and the sequence comes to; None where it does not."""
    number = made.next_number()
    # Where a query set the sequence, it follows the rows.
    if number is None:
        return None
    if met := [value for value in written.numbers if made.comes_to(value)]:
        first = min(met) if made.increment > 0 else max(met)
        return f"It writes {first} into {label}, and leaves the sequence behind that: the INSERT that takes it fails."
    if written.by_query:
        return f"A query writes the numbers of {label}, and the sequence stays at {number}: INSERTs may meet them."
    return None


def renamed(
    old: Name, new: Name, columns: t.Mapping[tuple[Name, str], NumberedColumn], *places: dict[Name, t.Any]
) -> None:
    """ALTER SEQUENCE … RENAME, for the columns that it fills and what is kept by its name."""
    for names in places:
        if old in names:
            names[new] = names.pop(old)
    for column in columns.values():
        column.sequence = new if column.sequence == old else column.sequence


def narrow(place: tuple[Name, str], column: NumberedColumn, sequences: t.Mapping[Name, Sequence]) -> str | None:
    """What is said of a column that holds more numbers now than its sequence gives; None where it does not.

    A bound that is none of a type was chosen by somebody.
    """
    made = sequences.get(column.sequence) if column.sequence else None
    if column.sequence is None or made is None or made.most >= MOST[column.kind] or made.most not in MOST.values():
        return None
    label = f"{dotted(place[0])}.{place[1]}"
    return f"{label} becomes {column.kind}, and its sequence {dotted(column.sequence)} still ends at {made.most}."


Ranges = t.Callable[["Name", str], "Range | None"]


def value_of(node: t.Any, ranges: Ranges, table: Name | None = None) -> Value:
    """What an expression gives.

    :param ranges: what is in a column of a table, None where it is not known
    :param table: the one that FROM names
    """
    while isinstance(node, ast.TypeCast) and constant(node) is None:
        node = node.arg
    given = constant(node)
    if given is not None:
        return (given.value, True) if given.kind == "integer" else (None, given.kind == "null")
    handler = _HANDLERS.get(type(node))
    return handler(node, ranges, table) if handler else _UNKNOWN


def _coalesced(node: t.Any, ranges: Ranges, table: Name | None) -> Value:
    return _first([value_of(item, ranges, table) for item in node.args or ()])


def _greatest(node: t.Any, ranges: Ranges, table: Name | None) -> Value:
    """GREATEST, whose op is 0, or LEAST; NULLs count for nothing."""
    values = [value_of(item, ranges, table) for item in node.args or ()]
    numbers = [value for value, _known in values if value is not None]
    known = all(known for _value, known in values) and bool(numbers)
    return ((max if int(node.op or 0) == 0 else min)(numbers), True) if known else _UNKNOWN


def _first(values: list[Value]) -> Value:
    for value, known in values:
        if not known or value is not None:
            return value, known
    return None, True


def _sum(node: t.Any, ranges: Ranges, table: Name | None) -> Value:
    symbol = node.name[-1].sval if node.name else ""
    left, right = (value_of(item, ranges, table) for item in (node.lexpr, node.rexpr))
    if symbol not in {"+", "-"} or not (left[1] and right[1]):
        return _UNKNOWN
    if left[0] is None or right[0] is None:
        return None, True
    return (left[0] + right[0] if symbol == "+" else left[0] - right[0]), True


def _of_query(node: t.Any, ranges: Ranges, _table: Name | None) -> Value:
    """`SELECT max(id) FROM t`, without a condition."""
    query = node.subselect
    plain = isinstance(query, ast.SelectStmt) and len(query.targetList or ()) == 1 and len(query.fromClause or ()) == 1
    if not plain or query.whereClause or query.groupClause or not isinstance(query.fromClause[0], ast.RangeVar):
        return _UNKNOWN
    return value_of(query.targetList[0].val, ranges, relation_name(query.fromClause[0]))


def _aggregate(node: t.Any, ranges: Ranges, table: Name | None) -> Value:
    name, arguments = qualified_name(node.funcname or ())[1], list(node.args or ())
    given: t.Any = arguments[0] if len(arguments) == 1 else None
    column = given.fields[-1] if isinstance(given, ast.ColumnRef) and given.fields else None
    there = ranges(table, str(column.sval)) if table and isinstance(column, ast.String) else None
    if there is None or node.agg_filter is not None or name not in {"max", "min"}:
        return _UNKNOWN
    return (there.highest if name == "max" else there.lowest), True


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any, Ranges, Name | None], Value]]] = {
    ast.SubLink: _of_query,
    ast.CoalesceExpr: _coalesced,
    ast.MinMaxExpr: _greatest,
    ast.A_Expr: _sum,
    ast.FuncCall: _aggregate,
}

__all__ = (
    "KEYS", "FormerSequences", "NumberedColumn", "Range", "Written", "columns_of", "free_sequence", "given_numbers",
    "narrow", "overtaken", "renamed", "sequences_of", "single_keys", "takes_number", "too_few", "value_of",
)  # fmt: skip
