"""Rights on tables that a foreign key joins, which the strength of a lock does not tell. Pure functions over facts.

Source: ATSimplePermissions and checkFkeyPermissions in src/backend/commands/tablecmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name, walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog

_DEFINING = (ast.CreateStmt, ast.AlterTableStmt)


class RightJudge:
    """Says each table once."""

    def __init__(self, catalog: Catalog, role: str, said: set[tuple[str, t.Any]]) -> None:
        """
        :param role: the migrating one
        :param said: what was said already, as LockJudge has it
        """
        self._catalog, self._role, self._said = catalog, role, said

    def judge(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        """Before the statement is read, so that the catalogue is that before it."""
        if not isinstance(node, _DEFINING):
            return
        keys = [part for part in walk(node) if isinstance(part, ast.Constraint) and part.pktable is not None]
        if not any(key.contype == ConstrType.CONSTR_FOREIGN for key in keys):
            return
        altered = isinstance(node, ast.AlterTableStmt) and node.objtype == ObjectType.OBJECT_TABLE
        own = self._catalog.table(relation_name(node.relation)) if altered else None
        if own and not own.may_alter:
            words = f"{dotted(own.name)} belongs to {own.owner}, of which the role {self._role} is no member."
            yield from self._say(("right", own.name), words, where | {"table": dotted(own.name)})
        for key in keys:
            other = self._catalog.table(relation_name(key.pktable))
            if other and other is not own and not (other.may_reference or other.may_alter):
                label = dotted(other.name)
                words = f"The role {self._role} has no REFERENCES on {label}, which belongs to {other.owner}."
                yield from self._say(("reference", other.name), words, where | {"table": label})

    def _say(self, key: tuple[str, t.Any], words: str, where: Where) -> t.Iterator[Finding]:
        if key not in self._said:
            self._said.add(key)
            yield finding("privilege-missing", words, **where)


__all__ = ("RightJudge",)
