"""What is known of a live database: a type for the rows of each query of the collector, and for its answers.

The queries are in _in_pod/live_queries.py, object_queries.py and write_queries.py, which are sent into pods and import
nothing from here; tests/integration/preflight/test_facts.py holds both against each other on real servers.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t


class SessionRow(t.TypedDict):
    """A client of the server (SESSIONS). Without pg_read_all_stats most of another role's session is None.

    :param here: in this database
    :param transaction_seconds: since its transaction began, None outside of one
    :param state_seconds: since it has been in its state
    :param snapshot: it holds one, so CREATE INDEX CONCURRENTLY waits for it
    """

    pid: int
    user: str | None
    application: str | None
    state: str | None
    here: bool | None
    transaction_seconds: float | None
    state_seconds: float | None
    snapshot: bool


class PreparedRow(t.TypedDict):
    """A prepared transaction of this database (PREPARED), and its age."""

    gid: str
    seconds: float


class AdvisoryRow(t.TypedDict):
    """A session that holds the migrators' advisory lock, or waits for it (ADVISORY)."""

    pid: int
    granted: bool


class ReplicaRow(t.TypedDict):
    """A standby that streams from this server (REPLICAS)."""

    application: str
    state: str | None
    lag_seconds: float | None
    lag_bytes: float | None


class SlotRow(t.TypedDict):
    """A replication slot (SLOTS), and the WAL that is kept for it."""

    name: str
    active: bool
    kept_bytes: float | None


class ServerRow(t.TypedDict):
    """The server as the migrating role sees it (SERVER), without its process id.

    :param version: server_version_num, 180001
    :param reserved: connections that are kept for other roles
    :param lock_timeout: as pg_settings has it: milliseconds, or empty
    :param timeouts: milliseconds by setting, of those that this version has
    :param sees_all: it may read the sessions of other roles
    :param schema: where names without one are created, None where the search path leads nowhere
    """

    version: int
    in_recovery: bool
    role: str
    timezone: str
    max_connections: int
    reserved: int
    superuser: bool
    lock_timeout: str
    timeouts: dict[str, int]
    sees_all: bool
    database_bytes: int
    may_create_in_database: bool
    schema: str | None
    may_create: bool


class ServerFacts(ServerRow):
    """The answer of live_facts.server.

    :param pooled: a pooler stands between, so another process answered than the one that was connected to
    :param migrators: who holds the advisory lock, or waits for it
    """

    pooled: bool
    sessions: list[SessionRow]
    prepared: list[PreparedRow]
    migrators: list[AdvisoryRow]
    replicas: list[ReplicaRow]
    slots: list[SlotRow]


class VersionTable(t.TypedDict):
    """The answer of live_facts.live_rows.

    :param rows: of the version table, None where it does not exist
    :param has_tables: there are others
    :param characters: how many version_num holds, None without a limit or a table
    """

    rows: list[str] | None
    has_tables: bool
    characters: int | None


class NameRow(t.TypedDict):
    """A name that was asked for, and the relation it leads to (RESOLVE)."""

    schema: str | None
    name: str
    oid: int | None


class DescendantRow(t.TypedDict):
    """A partition or an inheriting table, at any depth (DESCENDANTS)."""

    root: int
    oid: int


class _ClassRow(t.TypedDict):
    """A relation (CLASSES).

    :param kind: pg_class.relkind
    :param rows: the planner's estimate, -1: never analysed
    :param bytes: of the table alone
    :param persistence: pg_class.relpersistence
    :param table_oid: of an index, its table
    :param valid: false of an index whose build failed
    :param writes: rows written since statistics began
    :param reads: scans started since then
    """

    oid: int
    schema: str
    name: str
    kind: str
    rows: int
    bytes: int
    owner: str
    may_alter: bool
    may_reference: bool
    persistence: str
    access_method: str | None
    tablespace: str | None
    table_oid: int | None
    valid: bool
    unique: bool
    partition_of: int | None
    default_partition: int | None
    writes: int
    reads: int


class ClassRow(_ClassRow, total=False):
    """A relation with its size (SIZES).

    :param total_bytes: with indexes and TOAST, missing where the files could not be asked
    """

    total_bytes: int


class ColumnRow(t.TypedDict):
    """A column (COLUMNS). Of a domain the base type and its modifier.

    :param domain_default: its domain has a default
    :param identity: pg_attribute.attidentity
    :param generated: pg_attribute.attgenerated
    :param indexed: an index has it, also in an expression or a predicate
    :param computed: one of those has an expression or a predicate
    """

    oid: int
    name: str
    type: str
    modifier: int
    not_null: bool
    has_default: bool
    domain_default: bool
    identity: str
    generated: str
    indexed: bool
    computed: bool


class ConstraintRow(t.TypedDict):
    """A constraint (CONSTRAINTS); the letters are those of pg_constraint.

    :param other_oid: the table at the other end of a foreign key, 0 without one
    :param index_oid: the index that enforces it, 0 without one
    :param expression: of a check, unless its table was locked
    """

    constraint_oid: int
    oid: int
    name: str
    kind: str
    validated: bool
    deferrable: bool
    deferred: bool
    on_delete: str
    on_update: str
    other_oid: int
    index_oid: int
    columns: list[str]
    other_columns: list[str]
    expression: str | None


class InvalidIndexRow(t.TypedDict):
    """An index that a failed build left, by its table (INVALID)."""

    oid: int
    name: str


class LockRow(t.TypedDict):
    """A lock that another session holds on a table, or waits for (LOCKS).

    :param pid: None of a prepared transaction
    :param mode: as pg_locks has it, `AccessExclusiveLock`
    :param blocked_by: processes that it waits for
    :param yields: an autovacuum that gives way to whoever wants the table
    """

    oid: int
    pid: int | None
    mode: str
    granted: bool
    state: str | None
    application: str | None
    blocked_by: list[int]
    transaction_seconds: float | None
    yields: bool | None


class UseRow(t.TypedDict):
    """A view, and a relation that it reads (USES)."""

    oid: int
    used: int


class PublishedRow(t.TypedDict):
    """A published table whose UPDATE or DELETE is published, and what identifies its rows (PUBLISHED).

    :param identity: pg_class.relreplident
    :param index_oid: the index that identifies rows, None without one
    :param columns: of that index
    :param publications: their names
    """

    oid: int
    identity: str
    index_oid: int | None
    columns: list[str]
    publications: list[str]


class FunctionRow(t.TypedDict):
    """A function by its name; `volatile` is pg_proc.provolatile: i, s or v (FUNCTIONS)."""

    schema: str
    name: str
    volatile: str


class TypeRow(t.TypedDict):
    """A type by its name (TYPES).

    :param kind: pg_type.typtype, d is a domain
    :param base: of a domain
    :param constrained: a domain that refuses values
    """

    name: str
    kind: str
    base: str | None
    modifier: int
    constrained: bool


class ExtensionRow(t.TypedDict):
    """An extension that the server could install, and the version that is installed (EXTENSIONS)."""

    name: str
    installed: str | None
    trusted: bool
    superuser: bool


class PartRow(t.TypedDict):
    """Something that belongs to a table and has a name of its own in it (PARTS of object_queries)."""

    oid: int
    kind: str
    name: str


class ObjectTypeRow(t.TypedDict):
    """A type by its name, with the values of an enum (TYPES of object_queries)."""

    oid: int
    schema: str
    name: str
    category: str
    visible: bool
    labels: list[str]


class NamedRow(t.TypedDict):
    """An object that is there, by its kind and its name (NAMED)."""

    kind: str
    name: str


class CastRow(t.TypedDict):
    """A cast that an assignment makes by itself (CASTS)."""

    source: str
    target: str


# `class` is no name in Python.
_DependentClass = t.TypedDict("_DependentClass", {"class": str})


class DependentRow(_DependentClass):  # pylint: disable=inherit-non-class  # made by a call
    """What depends on an object that the upgrade changes or drops (DEPENDENTS); `class` is the catalogue it stands in.

    :param kind: of the object that was asked about: relation, type, function, schema or extension
    :param root: its oid
    :param root_name: its name, where it is a function, schema or extension
    :param column: the one of its columns that is depended upon
    :param strength: pg_depend.deptype, n or a
    :param owner: the relation to which the dependent belongs
    :param part: the dependent's name in that relation
    :param label: the dependent in PostgreSQL's words
    """

    kind: str
    root: int
    root_name: str | None
    column: str | None
    strength: str
    owner_schema: str | None
    owner: str | None
    part: str | None
    label: str


class ObjectFacts(t.TypedDict):
    """The answer of object_facts.collect.

    :param asked: by kind, the names that were asked for: of others nothing is known
    """

    asked: dict[str, list[str]]
    parts: list[PartRow]
    types: list[ObjectTypeRow]
    named: list[NamedRow]
    casts: list[CastRow]
    dependents: list[DependentRow]


class UniqueRow(t.TypedDict):
    """A unique index (UNIQUES of write_queries), by its table.

    :param partial: it has a predicate
    :param immediate: not DEFERRABLE
    :param constraint: the name of the constraint it belongs to
    :param columns: of its key, None for an expression
    """

    oid: int
    schema: str
    name: str
    partial: bool
    immediate: bool
    valid: bool
    constraint: str | None
    columns: list[str | None]


class TriggerRow(t.TypedDict):
    """A trigger that fires for a plain session (TRIGGERS), by its table.

    :param type: the bits of pg_trigger.tgtype
    :param schema: of its function
    :param source: of a function in plpgsql, its first 20,000 characters
    :param columns: of UPDATE OF
    """

    oid: int
    name: str
    type: int
    deferrable: bool
    deferred: bool
    schema: str
    function: str
    language: str
    source: str | None
    columns: list[str]


class EnumRow(t.TypedDict):
    """An enum type of a column, and its values (ENUMS)."""

    name: str
    labels: list[str]


class SignatureRow(t.TypedDict):
    """A function outside of pg_catalog (SIGNATURES); types by their internal names.

    :param kind: pg_proc.prokind
    :param defaults: how many of its inputs have one
    :param names: of all parameters, None without any
    :param modes: pg_proc.proargmodes, None where all are IN
    :param all_types: of all parameters, None where all are IN
    """

    schema: str
    name: str
    kind: str
    returns_set: bool
    defaults: int
    returns: str
    names: list[str] | None
    modes: list[str] | None
    inputs: list[str]
    all_types: list[str] | None


class UnpopulatedRow(t.TypedDict):
    """A materialized view that was never filled (UNPOPULATED)."""

    oid: int


class DefaultClassRow(t.TypedDict):
    """A type that an access method has an operator class for without its being named (DEFAULT_CLASSES)."""

    method: str
    type: str


class WriteFacts(t.TypedDict):
    """The answer of write_facts.collect."""

    uniques: list[UniqueRow]
    triggers: list[TriggerRow]
    casts: list[CastRow]
    enums: list[EnumRow]
    default_classes: list[DefaultClassRow]
    signatures: list[SignatureRow]
    unpopulated: list[UnpopulatedRow]


class TableFacts(t.TypedDict):
    """The answer of live_facts.collect: about the names that statements hold."""

    names: list[NameRow]
    classes: list[ClassRow]
    descendants: list[DescendantRow]
    columns: list[ColumnRow]
    constraints: list[ConstraintRow]
    uses: list[UseRow]
    invalid_indexes: list[InvalidIndexRow]
    locks: list[LockRow]
    functions: list[FunctionRow]
    types: list[TypeRow]
    extensions: list[ExtensionRow]
    objects: ObjectFacts
    writes: WriteFacts
