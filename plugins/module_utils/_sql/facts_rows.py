"""What the server says when the statements of an upgrade are held against it: types of the answers.

They come of _in_pod/row_facts.py, key_facts.py, check_facts.py, immutable_facts.py, parse_facts.py and usage_facts.py.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t


class StatisticsRow(t.TypedDict):
    """A column in the planner's statistics (STATISTICS of row_tables), without its name.

    :param null_frac: the share of NULL, 0 to 1
    :param n_distinct: different values; below 0: their share of the rows, negated
    :param repeated: the sample saw a value twice
    """

    null_frac: float
    n_distinct: float
    repeated: bool


class _RowAnswer(t.TypedDict, total=False):
    """What the rows of one table say.

    :param violated: whether a row violates what was asked, None where that is not known
    :param why: it is not known, one word of row_facts.py
    :param count: rows that violate it, at most MOST_COUNTED + 1; None where only one was looked for
    :param rows: the planner's estimate, -1: never analysed
    :param modified: rows that changed since the last ANALYZE
    :param bytes: of the table with its partitions, None without a file
    :param statistics: of the columns, by name
    """

    violated: bool | None
    why: str
    count: int | None
    rows: int
    modified: int
    bytes: int | None
    statistics: dict[str, StatisticsRow]


class DomainUseAnswer(_RowAnswer):
    """What they say of one column in which a domain is stored."""

    schema: str
    table: str
    column: str


class RowAnswer(_RowAnswer, total=False):
    """The answer of row_facts.collect to one question; empty where nothing could be asked.

    :param uses: of a domain, instead of all else
    """

    uses: list[DomainUseAnswer]


class KeyAnswer(t.TypedDict):
    """The answer of key_facts.collect about one INSERT. A key of which nothing is known is in no list.

    :param number: of the statement
    :param table: schema or None, and name
    :param absent_keys: unique indexes that have none of its keys
    :param present_keys: unique indexes that have one
    :param present_parents: foreign keys whose parents are all there
    :param absent_parents: foreign keys of which a parent is missing
    :param next_number_taken: unique indexes whose sequence gives a number next that is there
    :param later_number_taken: unique indexes whose sequence comes to a number later that is there
    """

    number: int
    table: list[str | None]
    absent_keys: list[str]
    present_keys: list[str]
    present_parents: list[str]
    absent_parents: list[str]
    next_number_taken: list[str]
    later_number_taken: list[str]


class CheckAnswer(t.TypedDict):
    """The answer of check_facts.collect about one write of constants that violates something.

    :param number: of the statement
    :param table: schema or None, and name
    :param checks: constraints that it violates
    :param domains: columns whose domain refuses what is written
    """

    number: int
    table: list[str | None]
    checks: list[str]
    domains: list[str]


class ImmutableAnswer(t.TypedDict):
    """The answer of immutable_facts.collect about one expression that the upgrade keeps in a definition.

    :param number: of the statement
    :param place: of the expression among those of the statement, from 0
    :param immutable: whether all that it calls is IMMUTABLE, None where the server could not be asked
    """

    number: int
    place: int
    immutable: bool | None


class RefusalRow(t.TypedDict):
    """A statement, setting or name that the server refuses (parse_facts, shape_facts, address_facts).

    :param number: of the statement
    :param state: SQLSTATE
    :param message: the server's, its first 300 characters
    :param unsure: what runs before the statement may have changed that
    """

    number: int
    state: str
    message: str
    unsure: bool


class UsedViewRow(t.TypedDict):
    """A view over a table, at any depth (VIEWS of usage_facts).

    :param oid: of the table
    :param column: of the table that the view reads, None: the table as a whole
    """

    oid: int
    column: str | None
    schema: str
    name: str


class ParentRow(t.TypedDict):
    """A table from which another inherits, or of which it is a partition, at any depth (PARENTS).

    :param oid: of the one that inherits
    """

    oid: int
    schema: str
    name: str


class OpaqueFunctionRow(t.TypedDict):
    """A function that may use a table unseen (OPAQUE_FUNCTIONS).

    :param builds: it builds SQL when it runs
    :param words: names of the tables and views in its text
    """

    schema: str
    name: str
    builds: bool
    words: list[str]


class UsageTextRow(t.TypedDict):
    """A statement that pg_stat_statements counted, its first 10,000 characters (STATEMENTS)."""

    sql: str
    calls: int


class _UsageProblem(t.TypedDict):
    """The answer of usage_facts.collect where nothing is known.

    :param problem: why; None where something is
    """

    problem: str | None


class UsageFacts(_UsageProblem, total=False):
    """The answer of usage_facts.collect; beside `problem` nothing else is there where it is set.

    :param oids: of the tables that were asked about
    :param seconds: since the counting began
    :param statements: that are counted
    :param hidden: statements of other roles whose text this one may not read
    :param evicted: how often statements were dropped for want of room
    """

    oids: list[int]
    views: list[UsedViewRow]
    parents: list[ParentRow]
    functions: list[OpaqueFunctionRow]
    texts: list[UsageTextRow]
    seconds: float
    statements: int
    hidden: int
    evicted: int
