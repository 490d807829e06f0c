"""The tables in question as they are on the server, updated after each statement of the upgrade."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import NullTestType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import conjuncts

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: the type's internal name (`int4`; of a domain that of its base), its modifier (pg_attribute.atttypmod,
    -1: none), its NOT NULL, whether an index is built on it, and whether one with an expression or a predicate is.

    :param has_default: where an INSERT leaves it out, it gets a value of its own or of its domain
    :param identity: pg_attribute.attidentity (a always, d by default, empty: none)
    :param generated: computed from other columns, so that nobody may write it
    """

    type: str
    modifier: int = -1
    not_null: bool = False
    indexed: bool = False
    computed: bool = False
    has_default: bool = False
    identity: str = ""
    generated: bool = False


@dataclasses.dataclass(frozen=True)
class Constraint:
    """A constraint.

    The kind `parent` is no constraint: of a partition that this upgrade made, `other` is the table it belongs to.

    :param kind: pg_constraint.contype (c check, f foreign key, p primary, u unique, x exclusion, n not null)
    :param not_null_of: the columns that a check proves to be not null
    :param other: the table at the other end of a foreign key
    :param outgoing: whether this table is the referencing one
    :param on_delete: pg_constraint.confdeltype (a no action, r restrict, c cascade, n set null, d set default)
    :param on_update: pg_constraint.confupdtype, likewise
    :param deferrable: SET CONSTRAINTS may put it off to the commit
    :param deferred: INITIALLY DEFERRED, so that it is put off without
    :param condition: of a check that this upgrade adds, as partition_proofs.text_of has it
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    validated: bool
    other: Name | None = None
    outgoing: bool = True
    not_null_of: frozenset[str] = frozenset()
    on_delete: str = "a"
    on_update: str = "a"
    deferrable: bool = False
    deferred: bool = False
    condition: str = ""


@dataclasses.dataclass
class Table:
    """A relation on the server. Sizes in bytes, `rows` the planner's estimate (-1: never analysed).

    :param name: the one before the upgrade
    :param writes: rows written since statistics began
    :param reads: scans started since then
    """

    name: Name
    kind: str
    bytes: int = 0
    total_bytes: int = 0
    rows: int = -1
    writes: int = 0
    reads: int = 0
    owner: str = ""
    may_alter: bool = True
    may_reference: bool = True
    columns: dict[str, Column] = dataclasses.field(default_factory=dict)
    constraints: list[Constraint] = dataclasses.field(default_factory=list)
    children: tuple[Name, ...] = ()
    # Of a partition: the table it belongs to. Of a partitioned table: its default partition.
    partition_of: Name | None = None
    default_partition: Name | None = None
    # Of a view or materialized view: what its query reads.
    uses: tuple[Name, ...] = ()
    persistence: str = "p"
    access_method: str | None = None
    tablespace: str | None = None
    # Of an index: the table it belongs to, whether queries may use it and it is kept, whether it is unique.
    table: Name | None = None
    valid: bool = True
    unique: bool = False

    def foreign_keys(self) -> t.Iterator[tuple[Constraint, Name]]:
        """The foreign keys whose other table is known, in either direction, each with that table."""
        return ((item, item.other) for item in self.constraints if item.kind == "f" and item.other)


# The schema of temporary relations, as a statement may write it.
TEMPORARY: t.Final = "pg_temp"


@dataclasses.dataclass
class Catalog:
    """Tables by schema and name.

    `complete` says that a server was asked: only then does a missing name mean a missing table.

    :param resolved: what the search path made of names without a schema
    :param schema: where such names are created
    """

    tables: dict[Name, Table] = dataclasses.field(default_factory=dict)
    resolved: dict[Name, Name] = dataclasses.field(default_factory=dict)
    schema: str = "public"
    # pg_proc.provolatile by name; names outside pg_catalog in `user_functions`.
    volatility: dict[Name, str] = dataclasses.field(default_factory=dict)
    user_functions: set[Name] = dataclasses.field(default_factory=set)
    # Names that stand for nothing but aggregates, and for nothing but functions that return sets.
    aggregates: set[Name] = dataclasses.field(default_factory=set)
    set_returning: set[Name] = dataclasses.field(default_factory=set)
    # Domains by name: base type, modifier, whether it has constraints.
    domains: dict[str, tuple[str, int, bool]] = dataclasses.field(default_factory=dict)
    # By name of a domain that has a default: whether the default is volatile.
    domains_with_default: dict[str, bool] = dataclasses.field(default_factory=dict)
    # By domain that the upgrade changes: the table, the column, and whether it stands inside another type there.
    domain_uses: dict[Name, list[tuple[Name, str, bool]]] = dataclasses.field(default_factory=dict)
    # Whether the server was asked for them.
    domain_uses_known: bool = False
    timezone_is_utc: bool = False
    complete: bool = False
    created: set[Name] = dataclasses.field(default_factory=set)
    # Of these, those of the session alone, and what their names without a schema meant before; and of those the ones
    # that go with their transaction (ON COMMIT DROP).
    temporary: dict[Name, Name | None] = dataclasses.field(default_factory=dict)
    vanishing: set[Name] = dataclasses.field(default_factory=set)
    # The number of the transaction that runs, None outside of one.
    transaction: int | None = None
    created_types: set[str] = dataclasses.field(default_factory=set)
    # Of these, enums to which no cast was made since.
    created_enums: set[str] = dataclasses.field(default_factory=set)
    created_schemas: set[str] = dataclasses.field(default_factory=set)
    dropped: set[Name] = dataclasses.field(default_factory=set)
    # Of what this upgrade made: where a table's foreign keys lead, an index's table, what a view reads.
    references: dict[Name, list[Constraint]] = dataclasses.field(default_factory=dict)
    indexes: dict[Name, Name] = dataclasses.field(default_factory=dict)
    # Of such an index its columns in order; none that has an expression or a predicate.
    keys_of_indexes: dict[Name, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    views: dict[Name, tuple[Name, ...]] = dataclasses.field(default_factory=dict)
    # By partitioned table, as it was called before: the strategy of its key (r, l, h) and its columns.
    partition_keys: dict[Name, tuple[str, tuple[str | None, ...]]] = dataclasses.field(default_factory=dict)

    def qualified(self, name: Name) -> Name:
        """Schema and name: two spellings of one table are one table."""
        if name[0] is not None:
            return name
        known = self.resolved.get(name)
        return known if known in self.tables or known in self.created else (self.schema, name[1])

    def table(self, name: Name) -> Table | None:
        """What the server knows of it; None where it is new, dropped or was never there."""
        return self.tables.get(self.qualified(name))

    def is_new(self, name: Name) -> bool:
        """Made by this upgrade: nobody else uses it yet, so a lock on it harms nobody."""
        return self.qualified(name) in self.created

    def known(self, name: Name) -> bool:
        """On the server, or made by this upgrade."""
        return self.table(name) is not None or self.is_new(name)

    def uses_of_domain(self, name: Name) -> list[tuple[Name, str, bool]]:
        """Where the domain is stored now: the table, the column, and whether it stands inside another type there."""
        other: Name = (None, name[1]) if name[0] == self.schema else (self.schema, name[1])
        places = (name, other) if name[0] in {None, self.schema} else (name,)
        return list(dict.fromkeys(use for place in places for use in self.domain_uses.get(place, ())))

    def existed(self, name: Name) -> bool:
        """Known now or before this upgrade dropped or renamed it, or made together with a table of this upgrade.

        PostgreSQL names implicit indexes and sequences after their table (ChooseIndexName, ChooseRelationName).
        """
        full = self.qualified(name)
        if self.known(name) or full in self.dropped:
            return True
        schema, text = full
        return any((schema, text[:end]) in self.created for end, sign in enumerate(text) if sign == "_")

    def create(self, name: Name, *, temporary: bool = False, vanishing: bool = False) -> None:
        """A relation is made. A temporary one hides whatever else has its name, until it is dropped.

        :param vanishing: ON COMMIT DROP
        """
        full = (TEMPORARY, name[1]) if temporary else self.qualified(name)
        if full in self.tables:
            return
        self.created.add(full)
        if temporary:
            self.temporary.setdefault(full, self.resolved.get((None, name[1])))
            self.resolved[None, name[1]] = full
            self.vanishing |= {full} if vanishing else set()

    def drop(self, name: Name) -> None:
        full = self.qualified(name)
        self.drop_indexes(full)
        self.created.discard(full)
        self.tables.pop(full, None)
        if full in self.temporary:
            self.vanishing.discard(full)
            if (before := self.temporary.pop(full)) is None:
                self.resolved.pop((None, full[1]), None)
            else:
                self.resolved[None, full[1]] = before
        for made in (self.references, self.indexes, self.keys_of_indexes, self.views):
            made.pop(full, None)
        self.dropped.add(full)

    def enter(self, transaction: int | None) -> None:
        """The next statement runs in this transaction: with another one, what it made ON COMMIT DROP is gone.

        :param transaction: its number, None for a statement that commits by itself
        """
        if transaction is None or transaction != self.transaction:
            for name in sorted(self.vanishing):
                for view in [view for view, sources in self.views.items() if name in map(self.qualified, sources)]:
                    self.drop(view)
                self.drop(name)
        self.transaction = transaction

    def drop_indexes(self, table: Name, column: str | None = None) -> None:
        """The indexes of a table that goes, or of its column that does: their names are free again."""
        known = self.table(table)
        before = known.name if known else table
        gone = {name for name, index in self.tables.items() if index.table == before and name != table}
        if column is not None:
            gone = {name for name in gone if column in self.tables[name].columns}
        made = {name for name, own in self.indexes.items() if own == self.qualified(table)}
        gone |= {name for name in made if column is None or column in self.keys_of_indexes.get(name, (column,))}
        for name in gone:
            self.drop(name)

    def move(self, name: Name, *, schema: str | None = None, to: str | None = None) -> None:
        """ALTER … RENAME TO, or SET SCHEMA."""
        old = self.qualified(name)
        new = (schema or old[0], to or old[1])
        self.dropped.add(old)
        if old in self.created:
            self.created.remove(old)
            self.created.add(new)
        if old in self.tables:
            self.tables[new] = self.tables.pop(old)
        places: tuple[dict[Name, t.Any], ...] = (self.references, self.indexes, self.keys_of_indexes, self.views)
        for made in places:
            if old in made:
                made[new] = made.pop(old)
        self.indexes = {index: new if table == old else table for index, table in self.indexes.items()}
        for keys in (*self.references.values(), *(table.constraints for table in self.tables.values())):
            keys[:] = [dataclasses.replace(key, other=new) if key.other == old else key for key in keys]
        if name[0] is None:
            self.resolved[None, new[1]] = new

    def column(self, name: Name, column: str) -> Column | None:
        table = self.table(name)
        return table.columns.get(column) if table else None

    def constraints(self, name: Name, constraint: str | None = None) -> list[Constraint]:
        """All, or those of that name."""
        return [item for item in self._constraints(name) if constraint in {None, item.name}]

    def _constraints(self, name: Name) -> list[Constraint]:
        table = self.table(name)
        return table.constraints if table else self.references.get(self.qualified(name), [])

    def add_constraint(self, name: Name, made: Constraint) -> None:
        """One more, on a table of the server or of this upgrade; a foreign key is known at its other end as well."""
        table = self.table(name)
        (table.constraints if table else self.references.setdefault(self.qualified(name), [])).append(made)
        other = self.table(made.other) if made.other and made.kind == "f" else None
        if other and other is not table:
            key = next((item.columns for item in other.constraints if item.kind == "p"), ())
            back = dataclasses.replace(made, columns=key, other=self.qualified(name), outgoing=False)
            other.constraints.append(back)

    def drop_constraints(self, name: Name, matches: t.Callable[[Constraint], bool]) -> None:
        """Forget those that match, at both ends."""
        found = self._constraints(name)
        for item in [item for item in found if matches(item)]:
            found.remove(item)
            other = self.table(item.other) if item.other else None
            if other:
                full = self.qualified(name)
                other.constraints = [back for back in other.constraints if (back.name, back.other) != (item.name, full)]

    def index_columns(self, name: Name) -> tuple[str, ...] | None:
        """The columns of an index, on the server or of this upgrade; None where they are not known."""
        index = self.table(name)
        return tuple(index.columns) if index else self.keys_of_indexes.get(self.qualified(name))

    def view_sources(self, name: Name) -> tuple[Name, ...]:
        """What a view reads; nothing where it is no view."""
        table = self.table(name)
        return table.uses if table and table.kind == "v" else self.views.get(self.qualified(name), ())

    def with_partitions(self, name: Name) -> tuple[Name, ...]:
        """The table, and its partitions where it has some."""
        table = self.table(name)
        return (name, *table.children) if table and table.kind == "p" else (name,)

    def with_rows(self, table: Table) -> Table:
        """A partitioned table with the sizes of its partitions, which hold the rows; any other as it is."""
        if table.kind != "p":
            return table
        parts = [part for name in table.children if (part := self.table(name)) and part.kind != "p"]
        rows = max(table.rows, sum(max(part.rows, 0) for part in parts))
        sizes = {name: sum(getattr(part, name) for part in parts) for name in ("bytes", "total_bytes")}
        return dataclasses.replace(table, rows=rows, **sizes)

    def proves_not_null(self, name: Name, column: str) -> bool:
        """NOT NULL itself says so already, or a valid check does.

        Source: NotNullImpliedByRelConstraints in src/backend/commands/tablecmds.c. Since 18 a column may be NOT NULL
        by a constraint that is not valid yet.
        """
        table = self.table(name)
        if table is None:
            return False
        known = table.columns.get(column)
        waiting = any(item.kind == "n" and not item.validated and column in item.columns for item in table.constraints)
        return bool(known and known.not_null and not waiting) or any(
            item.validated and column in item.not_null_of for item in table.constraints
        )


def checked_not_null(expression: t.Any) -> frozenset[str]:
    """The columns that a check proves to be not null: `a IS NOT NULL`, or several of them joined by AND."""
    return frozenset(
        str(last.sval)
        for part in conjuncts(expression)
        if isinstance(part, ast.NullTest)
        and part.nulltesttype == NullTestType.IS_NOT_NULL
        and isinstance(part.arg, ast.ColumnRef)
        and isinstance(last := part.arg.fields[-1], ast.String)  # type: ignore[index]
    )


__all__ = ("TEMPORARY", "Catalog", "Column", "Constraint", "Table", "checked_not_null")
