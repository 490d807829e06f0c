"""Revisions that commit in their middle: what fails after that leaves half a revision, which cannot be run again.

Alembic records a revision at its end. `autocommit_block()` commits what came before it, and each statement in it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

# Commands of ALTER TABLE that may be run twice.
_REPEATABLE = {Command.AT_SetNotNull, Command.AT_DropNotNull, Command.AT_ColumnDefault, Command.AT_ValidateConstraint,
               Command.AT_SetStatistics, Command.AT_SetRelOptions, Command.AT_AlterColumnType}  # fmt: skip


def partial_revisions(statements: t.Sequence[Statement]) -> list[Finding]:
    """A finding for each revision that commits something it cannot do twice, and goes on after that."""
    found = []
    for revision, group in itertools.groupby(statements, key=lambda item: item.revision):
        own = [item for item in group if not _session(item.node)]
        kept = _committed(own)
        if kept is None:
            continue
        words = (
            "An autocommit_block commits it before the revision ends: if a statement after it fails, the revision is"
            " not recorded, and the next run fails here on what is there already."
        )
        found.append(finding("revision-half-committed", words, revision=revision, statement=kept.number))
    return found


def _committed(own: t.Sequence[Statement]) -> Statement | None:
    """The first statement that is committed before the last one, and cannot be run again."""
    last_commit = max((place for place, item in enumerate(own) if item.transaction is None), default=-1)
    for place, item in enumerate(own[:-1]):
        # In a transaction, it is committed by the block that follows; a block's last statement by itself.
        committed = place <= last_commit if item.transaction is None else place < last_commit
        if committed and not repeatable(item.node):
            return item
    return None


def _session(node: t.Any) -> bool:
    return isinstance(node, (ast.VariableSetStmt, ast.SelectStmt))


def repeatable(node: t.Any) -> bool:
    """Whether a statement may be run again after it was committed."""
    if isinstance(node, ast.AlterTableStmt):
        dropped = {
            item.name for item in node.cmds or () if item.subtype == Command.AT_DropConstraint and item.missing_ok
        }
        return all(
            command.missing_ok or command.subtype in _REPEATABLE or _dropped_before(command, dropped)
            for command in node.cmds or ()
        )
    if isinstance(node, (ast.UpdateStmt, ast.DeleteStmt, ast.CommentStmt, ast.VacuumStmt, ast.ReindexStmt)):
        return True
    lenient = ("if_not_exists", "missing_ok", "replace", "skipIfNewValExists")
    return node is None or any(bool(getattr(node, name, False)) for name in lenient)


def _dropped_before(command: t.Any, dropped: set[str]) -> bool:
    """Whether it adds a constraint that the same ALTER TABLE drops IF EXISTS, which PostgreSQL does first."""
    return command.subtype == Command.AT_AddConstraint and command.def_.conname in dropped


__all__ = ("partial_revisions", "repeatable")
