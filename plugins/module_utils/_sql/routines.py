"""Functions and procedures of the server, followed through the statements of an upgrade."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.signatures import ROUTINES, Signature, signature
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import SignatureRow

_TYPES: t.Final = {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}


class Routines:
    """By name, without a schema: several may share one.

    `types_renamed`: a type has another name now than in these signatures.
    """

    def __init__(self, rows: t.Iterable[SignatureRow]) -> None:
        """:param rows: `signatures` of write_facts.collect"""
        self.types_renamed = False
        self._possible: dict[str, list[Signature]] = {}
        for row in rows:
            self._possible.setdefault(row["name"], []).append(Signature.of_row(row))
        self._changed: set[str] = set()
        # By name, what this upgrade has made and not dropped or renamed since.
        self._made: dict[str, list[Signature]] = {}

    def made(self, name: str) -> list[Signature]:
        """The functions of this name that the upgrade has made before and has not dropped."""
        return self._made.get(name, [])

    def certain(self, name: str) -> list[Signature]:
        """All of this name, none of which the upgrade has touched; nothing where one was."""
        return [] if name in self._changed else self.possible(name)

    def possible(self, name: str) -> list[Signature]:
        """The functions of the server of this name that may still be there."""
        return self._possible.get(name, [])

    def after(self, node: t.Any) -> None:
        """Apply a statement. What a new or replaced routine takes and returns is not followed."""
        kind: t.Any = type(node)
        if kind is ast.CreateFunctionStmt:
            self._changed.add(qualified_name(node.funcname)[1])
            if new := signature(node):
                self._made.setdefault(new.name, []).append(new)
        elif kind is ast.DropStmt and node.removeType in ROUTINES:
            for name in (qualified_name(item.objname)[1] for item in node.objects or ()):
                self._changed.add(name)
                self._made.pop(name, None)
                # Which of several goes is not followed.
                if len(self.possible(name)) == 1:
                    del self._possible[name]
        elif kind is ast.RenameStmt and node.renameType in ROUTINES:
            self._changed |= {qualified_name(node.object.objname)[1], node.newname}
            self._made.pop(qualified_name(node.object.objname)[1], None)
        elif kind is ast.RenameStmt and node.renameType in _TYPES:
            self.types_renamed = True
        elif kind in {ast.AlterObjectSchemaStmt, ast.DropStmt}:
            # A schema that goes takes what is in it.
            self._made = {} if kind is ast.AlterObjectSchemaStmt or node.behavior else self._made


__all__ = ("Routines",)
