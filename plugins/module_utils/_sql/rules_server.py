"""The rules of statements about the whole server, or about an object's owner: none locks a table that others use."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading

# Objects of which the server is asked whether they exist, and who may change their owner.
_OWNED: t.Final = {
    ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE, ObjectType.OBJECT_ROUTINE, ObjectType.OBJECT_TYPE,
    ObjectType.OBJECT_DOMAIN, ObjectType.OBJECT_SCHEMA,
}  # fmt: skip
# Source: PreventInTransactionBlock in src/backend/tcop/utility.c and commands/.
_ALONE: t.Final[dict[type, str]] = {
    ast.AlterSystemStmt: "ALTER SYSTEM", ast.CreatedbStmt: "CREATE DATABASE", ast.DropdbStmt: "DROP DATABASE",
    ast.CreateTableSpaceStmt: "CREATE TABLESPACE", ast.DropTableSpaceStmt: "DROP TABLESPACE",
}  # fmt: skip


def _none(_node: t.Any, _reading: Reading) -> None:
    """No lock: the statement changes only its own session."""


def _owner(node: t.Any, reading: Reading) -> None:
    if ObjectType(node.objectType) not in _OWNED:
        reading.say("statement-unruled", "AlterOwner: there is no rule for this kind of object.")


def _alone(node: t.Any, reading: Reading) -> None:
    reading.standalone = _ALONE[type(node)]
    reading.say("statement-unruled", f"{reading.standalone} concerns the whole server, of which nothing was asked.")


HANDLERS: t.Final[dict[type, t.Callable[[t.Any, Reading], None]]] = {
    **dict.fromkeys((ast.ListenStmt, ast.UnlistenStmt, ast.DeallocateStmt, ast.FetchStmt, ast.ClosePortalStmt), _none),
    **dict.fromkeys(_ALONE, _alone),
    ast.AlterOwnerStmt: _owner,
}

__all__ = ("HANDLERS",)
