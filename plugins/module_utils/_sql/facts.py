"""What is known of a live database: a type for the rows of each query of the collector, and for its answers.

The queries are in _in_pod/live_queries.py, which is sent into pods and imports nothing from here;
tests/integration/preflight/test_facts.py holds both against each other on real servers.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import (
    DomainUseRow,
    ObjectFacts,
    PlaceFacts,
    WriteFacts,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_relations import RelationFacts, SequenceFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_rights import RightFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_rows import (
    CheckAnswer,
    ImmutableAnswer,
    KeyAnswer,
    RefusalRow,
    RowAnswer,
    UsageFacts,
)


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
    :param maintenance_kib: maintenance_work_mem
    :param schema: where names without one are created, None where the search path leads nowhere
    :param read_only: transactions of the role only read, unless they say otherwise
    """

    version: int
    in_recovery: bool
    read_only: bool
    role: str
    timezone: str
    max_connections: int
    reserved: int
    superuser: bool
    lock_timeout: str
    timeouts: dict[str, int]
    maintenance_kib: int
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
    :param gives_way: an autovacuum that gives way to whoever wants the table
    """

    oid: int
    pid: int | None
    mode: str
    granted: bool
    state: str | None
    application: str | None
    blocked_by: list[int]
    transaction_seconds: float | None
    gives_way: bool | None


class UseRow(t.TypedDict):
    """A view, and a relation that it reads (USES)."""

    oid: int
    used: int


class PublishedRow(t.TypedDict):
    """A table whose UPDATE or DELETE is published, or may be by the upgrade, and what identifies its rows (PUBLISHED).

    :param identity: pg_class.relreplident
    :param index_oid: the index that identifies rows, None without one
    :param columns: of that index; `kinds`: what of the table is published: update, delete
    :param publications: their names; `listed`: those that name the table itself, whatever they send
    :param unfit: columns for which an UPDATE or DELETE is refused
    """

    oid: int
    identity: str
    index_oid: int | None
    columns: list[str]
    kinds: list[str]
    publications: list[str]
    listed: list[str]
    unfit: t.NotRequired[list[str]]


class FunctionRow(t.TypedDict):
    """A function by its name (FUNCTIONS).

    :param volatile: pg_proc.provolatile: i, s or v
    :param kind: pg_proc.prokind: f function, p procedure, a aggregate, w window function
    """

    schema: str
    name: str
    volatile: str
    kind: str
    returns_set: bool


class TypeRow(t.TypedDict):
    """A type by its name (TYPES).

    :param kind: pg_type.typtype, d is a domain
    :param base: of a domain
    :param constrained: a domain that refuses values
    :param filled: a domain with a default
    :param volatile: that default calls a function which gives each row another value
    """

    name: str
    kind: str
    base: str | None
    modifier: int
    filled: bool
    volatile: bool
    constrained: bool


class ExtensionRow(t.TypedDict):
    """An extension, its installed version, all others, and the extensions that the default one `lacks` (EXTENSIONS)."""

    name: str
    installed: str | None
    trusted: bool
    superuser: bool
    versions: list[str]
    lacks: list[str]


class _TableFacts(t.TypedDict):
    """What the collector's queries say about the names in the statements."""

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


class TableFacts(_TableFacts, total=False):
    """What is known of the objects whose names the statements hold; the facts recorded for unit tests are these.

    :param domain_uses: where domains that the upgrade changes are stored; missing where no server was asked
    :param of_file: they are of a file, so that nothing is known of rows, sessions and locks
    :param places: where names lead that have no schema, and definitions of indexes; missing likewise
    :param sequences: those that the upgrade moves or takes numbers from; missing where no server was asked
    """

    domain_uses: list[DomainUseRow]
    of_file: bool
    sequences: SequenceFacts
    places: PlaceFacts


class DatabaseFacts(TableFacts):
    """The answer of live_facts.collect.

    :param published: tables whose changes a publication sends
    :param relations: what ties tables to others, to functions and to sequences
    :param rights: what the migrating role may do, beside what it owns
    :param rows: by question, in their order; None where nothing was asked
    :param keys: of INSERTs of constants
    :param checks: of constants that violate one
    :param immutable: of expressions that the upgrade keeps in indexes and columns
    :param refusals: statements that the server does not parse, and settings that it does not take
    :param usage: of the tables that lose something; None where no server was asked
    """

    published: list[PublishedRow]
    relations: RelationFacts
    rights: RightFacts
    rows: list[RowAnswer] | None
    keys: list[KeyAnswer]
    checks: list[CheckAnswer]
    immutable: list[ImmutableAnswer]
    refusals: list[RefusalRow]
    usage: UsageFacts | None


# The facts of a database that does not exist yet, or that could not be asked.
NO_FACTS: t.Final[DatabaseFacts] = {
    "names": [], "classes": [], "descendants": [], "columns": [], "constraints": [], "uses": [], "invalid_indexes": [],
    "locks": [], "functions": [], "types": [], "extensions": [], "published": [],
    "objects": {"asked": {}, "parts": [], "types": [], "named": [], "casts": [], "dependents": []},
    "writes": {"uniques": [], "triggers": [], "casts": [], "enums": [], "default_classes": [], "index_classes": [],
               "signatures": [], "unpopulated": []},
    "relations": {"keys": [], "bounds": [], "inherited": [], "attribute_counts": [], "row_security": [],
                  "functions": [], "sequences": [], "events": [], "publications": []},
    "rights": {"relations": [], "defaults": [], "objects": []},
    "rows": None, "keys": [], "checks": [], "immutable": [], "refusals": [], "usage": None,
}  # fmt: skip
