# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""What the collector found out about the tables in question, and what the upgrade itself changes about them."""

from __future__ import annotations

import dataclasses
import typing as t

from pglast import ast, parse_sql
from pglast.parser import ParseError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._statements import Name


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: the type's internal name (`int4`), its modifier (-1: none), and whether it is NOT NULL."""

    type: str
    modifier: int
    not_null: bool
    enum: bool = False


@dataclasses.dataclass(frozen=True)
class Constraint:
    """A constraint. kind: c check, f foreign key, p primary key, u unique, x exclusion, n not null.

    `not_null_of`: the column that a check of the form `column IS NOT NULL` proves. `other`: the table at the other
    end of a foreign key; `outgoing` whether this table is the referencing one.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    validated: bool
    other: Name | None = None
    outgoing: bool = True
    not_null_of: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A relation on the server. Sizes in bytes, `rows` the planner's estimate (-1: never analysed)."""

    name: str
    kind: str
    bytes: int = 0
    total_bytes: int = 0
    rows: int = -1
    writes: int = 0
    reads: int = 0
    owner: str = ""
    may_alter: bool = True
    columns: dict[str, Column] = dataclasses.field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    children: tuple[Name, ...] = ()
    # For an index: the table it belongs to.
    table: Name | None = None


@dataclasses.dataclass
class Catalog:
    """Tables by the name a statement uses, completed statement by statement while the upgrade is read.

    `complete` says that a server was asked: only then does a missing name mean a missing table.
    """

    tables: dict[Name, Table] = dataclasses.field(default_factory=dict)
    aliases: dict[Name, Name] = dataclasses.field(default_factory=dict)
    volatility: dict[Name, str] = dataclasses.field(default_factory=dict)
    constrained_domains: set[str] = dataclasses.field(default_factory=set)
    timezone_is_utc: bool = False
    complete: bool = False
    created: set[Name] = dataclasses.field(default_factory=set)
    dropped: set[Name] = dataclasses.field(default_factory=set)
    renamed: dict[Name, Name] = dataclasses.field(default_factory=dict)
    # Constraints of this upgrade: (table, constraint) -> the column whose NOT NULL it proves (or None), validated?
    added: dict[tuple[Name, str], tuple[str | None, bool]] = dataclasses.field(default_factory=dict)

    def origin(self, name: Name) -> Name:
        """The name the table had before this upgrade renamed it."""
        while name in self.renamed:
            name = self.renamed[name]
        return name

    def table(self, name: Name) -> Table | None:
        return self.tables.get(self.origin(name))

    def full(self, name: Name) -> Name:
        """Schema and name on the server, where it is known: two spellings of one table are one table."""
        return self.aliases.get(self.origin(name), name)

    def is_new(self, name: Name) -> bool:
        """Made by this upgrade: nobody else uses it yet, so a lock on it harms nobody."""
        return self.origin(name) in self.created

    def column(self, name: Name, column: str) -> Column | None:
        table = self.table(name)
        return table.columns.get(column) if table else None

    def proves_not_null(self, name: Name, column: str) -> bool:
        """A validated check constraint, a primary key or NOT NULL itself says so already."""
        if any(key[0] == name and proof == (column, True) for key, proof in self.added.items()):
            return True
        table = self.table(name)
        if table is None:
            return False
        known = table.columns.get(column)
        return bool(known and known.not_null) or any(
            item.validated and item.not_null_of == column for item in table.constraints
        )


def checked_not_null(expression: t.Any) -> str | None:
    """The column of a check that is `column IS NOT NULL` and no more."""
    if (
        isinstance(expression, ast.NullTest)
        and expression.nulltesttype == 1
        and isinstance(expression.arg, ast.ColumnRef)
    ):
        return str(expression.arg.fields[-1].sval)
    return None


def _proof(expression: str | None) -> str | None:
    if expression is None:
        return None
    try:
        return checked_not_null(parse_sql(f"SELECT {expression}")[0].stmt.targetList[0].val)
    except ParseError:
        return None


_UTC = {"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal", "Etc/Universal"}


def from_facts(facts: dict[str, t.Any], timezone: str) -> Catalog:
    """The catalogue of what the collector found (the answer of _live_facts.collect)."""
    by_oid: dict[int, dict[str, t.Any]] = {row["oid"]: row for row in facts["classes"]}
    full: dict[int, Name] = {oid: (row["schema"], row["name"]) for oid, row in by_oid.items()}
    columns: dict[int, dict[str, Column]] = {oid: {} for oid in by_oid}
    for row in facts["columns"]:
        columns[row["oid"]][row["name"]] = Column(row["type"], row["modifier"], row["not_null"])
    constraints: dict[int, list[Constraint]] = {oid: [] for oid in by_oid}
    for row in facts["constraints"]:
        other = full.get(row["other_oid"])
        if row["oid"] in by_oid:
            constraints[row["oid"]].append(
                Constraint(
                    row["name"],
                    row["kind"],
                    tuple(row["columns"]),
                    row["validated"],
                    other,
                    True,
                    _proof(row["expression"]),
                )
            )
        if row["other_oid"] in by_oid and row["other_oid"] != row["oid"]:
            constraints[row["other_oid"]].append(
                Constraint(
                    row["name"], row["kind"], tuple(row["other_columns"]), row["validated"], full[row["oid"]], False
                )
            )
    children: dict[int, list[Name]] = {oid: [] for oid in by_oid}
    for row in facts["descendants"]:
        children[row["root"]].append(full[row["oid"]])
    catalog = Catalog(complete=True, timezone_is_utc=timezone in _UTC)
    for oid, row in by_oid.items():
        catalog.tables[full[oid]] = Table(
            name=".".join(full[oid]), kind=row["kind"], bytes=row["bytes"], total_bytes=row.get("total_bytes", row["bytes"]),
            rows=row["rows"], writes=row["writes"], reads=row["reads"], owner=row["owner"], may_alter=row["may_alter"],
            columns=columns[oid], constraints=tuple(constraints[oid]), children=tuple(children[oid]),
            table=full.get(row["table_oid"]),
        )  # fmt: skip
    for row in facts["names"]:
        if row["oid"]:
            catalog.tables[row["schema"], row["name"]] = catalog.tables[full[row["oid"]]]
            catalog.aliases[row["schema"], row["name"]] = full[row["oid"]]
    for row in facts["functions"]:
        for name in ((None, row["name"]), (row["schema"], row["name"])):
            if catalog.volatility.get(name) != "v":
                catalog.volatility[name] = row["volatile"]
    catalog.constrained_domains = {row["name"] for row in facts["types"] if row["kind"] == "d" and row["constrained"]}
    return catalog


__all__ = ("Catalog", "Column", "Constraint", "Table", "checked_not_null", "from_facts")
