"""The rights that statements about roles need, and those that give rights away."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import GrantTargetType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.need import ROUTINES, TYPES, Need, become
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, relation_name

_ALL_OF: t.Final = {
    ObjectType.OBJECT_TABLE: "all tables", ObjectType.OBJECT_SEQUENCE: "all sequences",
    **dict.fromkeys(ROUTINES, "all routines"),
}  # fmt: skip
_GRANTED: t.Final = {
    ObjectType.OBJECT_SCHEMA: "schema", ObjectType.OBJECT_TABLESPACE: "tablespace", **dict.fromkeys(TYPES, "type"),
    **dict.fromkeys(ROUTINES, "routine"),
}  # fmt: skip


def _default_rights(node: t.Any) -> t.Iterator[Need]:
    for option in node.options or ():
        if option.defname == "roles":
            for role in option.arg or ():
                yield from become(role)


def _reassign(node: t.Any) -> t.Iterator[Need]:
    for role in (*node.roles, node.newrole):
        yield from become(role)


def _setting(node: t.Any) -> t.Iterator[Need]:
    if node.name == "role":
        for item in node.args or ():
            word = getattr(getattr(item, "val", None), "sval", None)
            if word and word != "none":
                yield Need("role", "become", (None, word))


def _grant(node: t.Any) -> t.Iterator[Need]:
    """Granting and revoking. Source: restrict_and_check_grant in src/backend/catalog/aclchk.c."""
    kind = ObjectType(node.objtype)
    if node.targtype == GrantTargetType.ACL_TARGET_ALL_IN_SCHEMA:
        yield from (Need(_ALL_OF[kind], "grant", (None, str(item.sval))) for item in node.objects if kind in _ALL_OF)
    elif node.targtype == GrantTargetType.ACL_TARGET_OBJECT:
        for item in node.objects or ():
            if kind in {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_SEQUENCE}:
                yield Need("relation", "grant", relation_name(item))
            elif kind in _GRANTED:
                parts = item.objname if kind in ROUTINES else item
                yield Need(_GRANTED[kind], "grant", qualified_name(parts if isinstance(parts, tuple) else (parts,)))
            elif kind == ObjectType.OBJECT_PARAMETER_ACL:
                yield Need("self", "superuser or not", (None, str(item.sval)))


def _grant_role(node: t.Any) -> t.Iterator[Need]:
    for item in node.granted_roles or ():
        if item.priv_name:
            yield Need("role", "membership", (None, str(item.priv_name)))


def _make_role(_node: t.Any) -> t.Iterator[Need]:
    yield Need("self", "roles", (None, ""))


def _alter_role(node: t.Any) -> t.Iterator[Need]:
    if node.role is not None and node.role.rolename:
        yield Need("role", "administer", (None, node.role.rolename))


def _drop_role(node: t.Any) -> t.Iterator[Need]:
    yield from (Need("role", "administer", (None, role.rolename)) for role in node.roles or () if role.rolename)


# By the class of the statement.
ROLE_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], t.Iterator[Need]]]] = {
    ast.AlterDefaultPrivilegesStmt: _default_rights,
    ast.ReassignOwnedStmt: _reassign,
    ast.VariableSetStmt: _setting,
    ast.GrantStmt: _grant,
    ast.GrantRoleStmt: _grant_role,
    ast.CreateRoleStmt: _make_role,
    **dict.fromkeys((ast.AlterRoleStmt, ast.AlterRoleSetStmt), _alter_role),
    ast.DropRoleStmt: _drop_role,
}

__all__ = ("ROLE_HANDLERS",)
