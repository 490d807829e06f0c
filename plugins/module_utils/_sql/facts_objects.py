"""What is known of objects that are no tables, and of what decides whether a row may be written: types of the answers.

The queries are in _in_pod/object_queries.py and write_queries.py.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t


class PartRow(t.TypedDict):
    """Something that belongs to a table and has a name of its own in it (PARTS of object_queries)."""

    oid: int
    kind: str
    name: str


class ObjectTypeRow(t.TypedDict):
    """A type by its name, with the values of an enum (TYPES of object_queries).

    :param own: it is neither a table's row nor an array, so that a table of its name is refused
    """

    oid: int
    schema: str
    name: str
    category: str
    visible: bool
    own: bool
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


class IndexClassRow(t.TypedDict):
    """A plain column of an index (INDEX_CLASSES), by its table, and the operator class that it has there.

    :param schema: of the index
    :param by_itself: the class is the one that its type has without its being named
    :param type: that the class takes
    """

    oid: int
    schema: str
    name: str
    column: str
    method: str
    by_itself: bool
    type: str


class OperatorClassRow(t.TypedDict):
    """An operator class by its name (OPERATOR_CLASSES of place_facts).

    :param type: that it takes
    :param visible: its name without a schema leads to it
    """

    name: str
    schema: str
    method: str
    type: str
    visible: bool


class IndexDefinitionRow(t.TypedDict):
    """An index, as pg_get_indexdef() prints it (INDEXES of place_facts)."""

    schema: str
    name: str
    definition: str


class DomainRow(t.TypedDict):
    """A domain by its name (DOMAINS of place_facts).

    :param filled: it has a default
    :param checks_null: a check looks at NULL itself
    """

    name: str
    not_null: bool
    filled: bool
    checked: bool
    checks_null: bool


class DomainUseRow(t.TypedDict):
    """A column in which a domain is stored (DOMAIN_USES).

    :param name: of the domain
    :param domain_schema: its schema
    :param visible: its name without a schema leads to it
    :param not_null: it refuses NULL
    :param oid: of the table
    :param schema: of the table
    :param inside: in an array, a range or a row
    """

    name: str
    domain_schema: str
    visible: bool
    not_null: bool
    oid: int
    schema: str
    table: str
    column: str
    inside: bool


class CollationRow(t.TypedDict):
    """A collation by its name (COLLATIONS of place_facts).

    :param provider: pg_collation.collprovider: b builtin, c libc, d default, i ICU
    :param locale: None where the provider needs none
    """

    schema: str
    name: str
    provider: str
    deterministic: bool
    locale: str | None


class StatisticsObjectRow(t.TypedDict):
    """What CREATE STATISTICS made, by its name (STATISTICS of place_facts).

    :param columns: in no order
    :param computed: it has expressions as well
    """

    schema: str
    name: str
    table_schema: str
    table: str
    columns: list[str]
    computed: bool


class LookedRow(t.TypedDict):
    """A relation whose name, or whose constraint's, a condition of a DO block asks for (LOOKED), in any schema.

    :param shown: information_schema shows it to the role
    :param table: of an index, its table
    :param columns: those asked for that it has
    :param constraints: likewise
    """

    schema: str
    name: str
    kind: str
    shown: bool
    table: str | None
    columns: list[str]
    constraints: list[str]


class PlaceFacts(t.TypedDict):
    """The answer of place_facts.collect.

    :param hidden: objects that are there, and that their names without a schema do not reach
    :param path: schemas in which a name without one is looked for, in order: current_schemas(true)
    :param looked: what conditions of DO blocks look for
    """

    path: t.NotRequired[list[str]]
    looked: t.NotRequired[list[LookedRow]]

    collations: t.NotRequired[list[CollationRow]]
    statistics: t.NotRequired[list[StatisticsObjectRow]]
    icu: t.NotRequired[list[dict[str, str]]]

    hidden: list[NamedRow]
    domains: list[DomainRow]
    classes: list[OperatorClassRow]
    indexes: list[IndexDefinitionRow]


class WriteFacts(t.TypedDict):
    """The answer of write_facts.collect."""

    uniques: list[UniqueRow]
    triggers: list[TriggerRow]
    casts: list[CastRow]
    enums: list[EnumRow]
    default_classes: list[DefaultClassRow]
    index_classes: list[IndexClassRow]
    signatures: list[SignatureRow]
    unpopulated: list[UnpopulatedRow]
