"""What may not stand in the tablespace pg_global: everything but the catalogue that all databases share. Pure.

Sources: heap_create in src/backend/catalog/heap.c, ATPrepSetTableSpace in src/backend/commands/tablecmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.address_questions import placed
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_SHARED: t.Final = "pg_global"
_MAKING: t.Final = (ast.CreateStmt, ast.IndexStmt, ast.CreateTableAsStmt)


class TablespaceJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self) -> None:
        # What SET default_tablespace says.
        self._default = ""

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> t.Iterator[Finding]:
        """A tablespace that is missing, or closed to the role, is told by others."""
        del certain
        node: t.Any = statement.node
        named = placed(node)
        default = [self._default] if self._default and not named and isinstance(node, _MAKING) else []
        if _SHARED in (*named, *default):
            words = f"Only what all databases share can be in the tablespace {_SHARED}: this will fail."
            yield finding("definition-refused", words, severity="fail", **where)
        if isinstance(node, ast.VariableSetStmt) and node.name == "default_tablespace":
            values: t.Any = node.args or ()
            self._default = str(getattr(getattr(values[0], "val", None), "sval", "")) if values else ""


__all__ = ("TablespaceJudge",)
