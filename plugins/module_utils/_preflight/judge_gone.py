"""Relations that the upgrade renamed or dropped before a statement that names them. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, dotted, relations

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# Of other statements, judge_objects.py says what is missing, or the relation is one that they make.
_WRITES: t.Final = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.SelectStmt)
_ON: t.Final = (ast.IndexStmt, ast.CreateTrigStmt, ast.TruncateStmt, ast.CopyStmt, ast.LockStmt)


class GoneJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        self._catalog, self._rules = catalog, rules

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: nothing before it may have made the relation again unseen
        """
        if not self._rules.known:
            return []
        names = dict.fromkeys(_named(statement.node))
        gone = [name for name in names if self._catalog.qualified(name) in self._catalog.dropped]
        return [
            refusal(
                "object-missing", f"{dotted(name)} was renamed or dropped by this upgrade before", where, sure=certain
            )
            for name in gone
            if not self._catalog.known(name)
        ]


def _named(node: t.Any) -> t.Iterator[Name]:
    """The relations that have to be there, without those of WITH queries."""
    kind: t.Any = type(node)
    if kind in _WRITES or kind in _ON:
        parts = [node]
    elif kind in {ast.ViewStmt, ast.CreateTableAsStmt}:
        parts = [node.query]
    elif kind is ast.CreatePolicyStmt:
        parts = [node.table, node.qual, node.with_check]
    elif kind is ast.AlterTableStmt and not node.missing_ok:
        parts = [node.relation, node.cmds]
    elif kind is ast.CreateStmt:
        parts = [node.tableElts, node.inhRelations]
    else:
        return
    for part in parts:
        yield from relations(part)


__all__ = ("GoneJudge",)
