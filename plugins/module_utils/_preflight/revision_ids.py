"""Revision ids that the version table has no room for: readable ids pass on SQLite and fail at their last statement.

Source: version_table_impl in alembic/ddl/impl.py, which makes the column varchar(32).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

COLUMN = "version_num"
_LIMITED = {"varchar", "bpchar"}


def version_num_width(node: t.Any, table: str, before: int | None) -> int | None:
    """Characters that the version table's column holds after this statement; None: as many as one likes."""
    if not isinstance(node, (ast.CreateStmt, ast.AlterTableStmt)) or node.relation is None:
        return before
    if node.relation.relname != table:
        return before
    if isinstance(node, ast.CreateStmt):
        for element in node.tableElts or ():
            if isinstance(element, ast.ColumnDef) and element.colname == COLUMN:
                return _length(element.typeName)
    else:
        for command in node.cmds or ():
            changes = isinstance(command, ast.AlterTableCmd) and command.subtype == Command.AT_AlterColumnType
            if changes and command.name == COLUMN:
                return _length(command.def_.typeName)
    return before


def _length(type_name: t.Any) -> int | None:
    if type_name.names[-1].sval not in _LIMITED or not type_name.typmods:
        return None
    return int(getattr(type_name.typmods[0].val, "ival", 0) or 0) or None


def too_long(
    segments: t.Sequence[Segment], found: t.Sequence[Statement], table: str, characters: int | None
) -> list[Finding]:
    """One finding for each pending revision whose id does not fit.

    :param found: the statements of all segments in order; one of them may widen the column
    :param characters: its width before the first; None where it has no limit
    """
    by_revision: dict[str, list[Statement]] = {}
    for statement in found:
        by_revision.setdefault(statement.revision, []).append(statement)
    findings = []
    for segment in segments:
        for statement in by_revision.get(segment.revision, ()):
            characters = version_num_width(statement.node, table, characters)
        if characters is not None and len(segment.revision) > characters:
            words = (
                f"The revision id {segment.revision} has {len(segment.revision)} characters; {table}.{COLUMN} holds"
                f" {characters}: the revision fails at its last statement."
            )
            findings.append(finding("revision-id-long", words, revision=segment.revision))
    return findings


__all__ = ("COLUMN", "too_long", "version_num_width")
