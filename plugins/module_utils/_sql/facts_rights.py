"""What the migrating role may do: types of the answers of _in_pod/right_facts.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t


class RelationRightRow(t.TypedDict):
    """A relation of which the role has not every right (RELATIONS).

    :param lacks: rights that it has on nothing of it, as GRANT calls them; `USAGE, UPDATE` is either of the two
    :param partly: rights that it has on some of the columns
    """

    oid: int
    lacks: list[str]
    partly: list[str]


class ObjectRightRow(t.TypedDict):
    """What the role may do with an object that is no relation (PLACES, ROUTINES, TYPES, ROLES, CLOSED).

    :param kind: schema, extension, database, tablespace, routine, type, role, membership (in a role), table or sequence
        (of those on which the role has no right), or `self` for the migrating role
    :param schema: empty where the object is in none
    :param may_alter: it belongs to the role; of a role: it may be altered, granted and dropped
    :param may_use: USAGE of a schema or type, EXECUTE of a routine; of a role: SET ROLE to it; of a tablespace: it is
        the database's own
    :param may_create: CREATE in a schema, database or tablespace; of `self`: it may make roles; of a role: it has
        CREATE in the session's schema
    """

    kind: str
    schema: str
    name: str
    owner: str
    may_alter: bool
    may_use: bool
    may_create: bool


class DefaultRightRow(t.TypedDict):
    """A column whose default takes numbers of a sequence that the role may not use (DEFAULTS).

    :param oid: of the table
    :param schema: of the sequence, as `owner`
    """

    oid: int
    column: str
    schema: str
    sequence: str
    owner: str


class RightFacts(t.TypedDict):
    """The answer of right_facts.collect."""

    relations: list[RelationRightRow]
    defaults: list[DefaultRightRow]
    objects: list[ObjectRightRow]


__all__ = ("DefaultRightRow", "ObjectRightRow", "RelationRightRow", "RightFacts")
