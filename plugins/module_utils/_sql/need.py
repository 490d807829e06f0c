"""A right that a statement needs, as needed_rights.py finds it and the judges compare it with facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

# `own`, `drop` (which a schema's owner may do as well), `create` (in a schema, or a database), `use` (of a routine or
# type), `become`, `receive` (to own something where names without a schema are made) and `administer` (a role), `roles`
# (CREATEROLE), `superuser`, `grant`, `membership` (granting a role), `place` (in a tablespace), or a
# privilege of a relation as GRANT calls it.
Right = str
EITHER: t.Final = "USAGE, UPDATE"
# Of a sequence, for each row that there is.
FOR_ROWS: t.Final = "USAGE, for each row"
# currval() takes either right.
ANY_OF_SEQUENCE: t.Final = "SELECT, USAGE"
ROUTINES = {
    ObjectType.OBJECT_FUNCTION,
    ObjectType.OBJECT_PROCEDURE,
    ObjectType.OBJECT_ROUTINE,
    ObjectType.OBJECT_AGGREGATE,
}
TYPES = {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}


class Need(t.NamedTuple):
    """One right.

    :param kind: relation, schema, database, tablespace, routine, type, extension, role or self; all tables, sequences
        or routines of a schema; or `sequence of` a column of a table
    :param name: of a schema, extension or role in its second part; (None, "") for the one where names are made
    """

    kind: str
    right: Right
    name: Name


def become(role: t.Any) -> t.Iterator[Need]:
    """The right to act as a role; none where it is a word such as CURRENT_USER.

    :param role: a RoleSpec, or None
    """
    if role is not None and role.rolename:
        yield Need("role", "become", (None, role.rolename))


__all__ = ("ANY_OF_SEQUENCE", "EITHER", "FOR_ROWS", "ROUTINES", "TYPES", "Need", "Right", "become")
