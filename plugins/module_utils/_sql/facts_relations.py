"""What is known of ties between tables, functions and sequences: types of the answers of _in_pod/relation_facts.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t


class PartitionKeyRow(t.TypedDict):
    """The key of a partitioned table (KEYS).

    :param expressions: it has some, beside or instead of columns
    :param strategy: pg_partitioned_table.partstrat: r, l or h
    :param parts: its columns in order, None for an expression
    :param types: of these, by their internal names; empty for an expression
    """

    oid: int
    expressions: bool
    strategy: str
    parts: list[str | None]
    types: list[str]
    columns: list[str]


class BoundRow(t.TypedDict):
    """A partition, by its parent (BOUNDS).

    :param bound: as CREATE TABLE … PARTITION OF has it
    """

    oid: int
    schema: str
    name: str
    bound: str


class InheritedRow(t.TypedDict):
    """What a table or an index has from its parent (INHERITED).

    :param kind: column, constraint or index
    """

    oid: int
    kind: str
    name: str


class AttributeCountRow(t.TypedDict):
    """A table of more than 1,000 places of columns, dropped ones counted (ATTRIBUTE_COUNTS)."""

    oid: int
    attributes: int


class RowSecurityRow(t.TypedDict):
    """A table with row-level security (ROW_SECURITY).

    :param active: it applies to the migrating role
    """

    oid: int
    active: bool


# `class` is no name in Python.
_UseClass = t.TypedDict("_UseClass", {"class": str})


class FunctionUseRow(_UseClass):  # pylint: disable=inherit-non-class  # made by a call
    """What keeps what a function computed, or calls it (FUNCTIONS); `class` is the catalogue it stands in.

    :param function: its name, without a schema
    :param label: what uses it, in PostgreSQL's words
    """

    function: str
    label: str


class SequenceRow(t.TypedDict):
    """The sequence of a column (SEQUENCES).

    :param type: of the column, its internal name
    :param most: the sequence's greatest number
    :param cycles: it begins again after that
    :param visible: the role may read it
    :param last: the number given last, None where there was none or it is not visible
    """

    oid: int
    column: str
    type: str
    most: int
    start: int
    increment: int
    cycles: bool
    sequence: str
    visible: bool
    last: int | None


class SequenceStateRow(t.TypedDict):
    """A sequence that an upgrade moves or takes numbers from (SEQUENCES of sequence_facts).

    :param kind: the internal name of its type
    :param visible: the role may read where it stands
    :param identity: it belongs to an identity column
    :param last: pg_sequence's last_value, None where it is not known
    :param called: that number was given already
    """

    schema: str
    name: str
    kind: str
    least: int
    most: int
    start: int
    increment: int
    cycles: bool
    visible: bool
    identity: bool
    owner: str
    last: int | None
    called: bool | None


class NumberedColumnRow(t.TypedDict):
    """A column that gets numbers of a sequence, now or by the upgrade (COLUMNS of sequence_facts).

    :param type: its internal name
    :param unique: an index holds each of its values once
    :param begins: an index begins with it, and the role may read it
    :param seen: its numbers were asked for
    :param lowest: its least number, None without a row, or where it was not asked for
    """

    schema: str
    table: str
    name: str
    type: str
    sequence_schema: str | None
    sequence: str | None
    sequence_oid: int | None
    unique: bool
    begins: bool
    seen: bool
    lowest: int | None
    highest: int | None


class WriterRow(t.TypedDict):
    """A role that may insert into a table which gets a column with a sequence (WRITERS of sequence_facts).

    :param usable: names of sequences that it may use
    """

    schema: str
    table: str
    role: str
    usable: list[str]


class SequenceFacts(t.TypedDict):
    """The answer of sequence_facts.collect."""

    sequences: list[SequenceStateRow]
    writers: list[WriterRow]
    columns: list[NumberedColumnRow]


class EventTriggerRow(t.TypedDict):
    """An event trigger that fires for a plain session (EVENTS).

    :param tags: command tags that it is limited to, None without a limit
    """

    name: str
    event: str
    tags: list[str] | None
    function: str


class PublicationRow(t.TypedDict):
    """A publication that sends the UPDATE or DELETE of its tables (PUBLICATIONS).

    :param every: it has all tables of the database, also those that are made later
    :param schemas: those whose tables it has, likewise
    """

    name: str
    every: bool
    updates: bool
    deletes: bool
    schemas: list[str]


class RelationFacts(t.TypedDict):
    """The answer of relation_facts.collect.

    :param functions: of those that the upgrade makes
    """

    keys: list[PartitionKeyRow]
    bounds: list[BoundRow]
    inherited: list[InheritedRow]
    attribute_counts: list[AttributeCountRow]
    row_security: list[RowSecurityRow]
    functions: list[FunctionUseRow]
    sequences: list[SequenceRow]
    events: list[EventTriggerRow]
    publications: list[PublicationRow]
