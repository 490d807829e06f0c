"""Statements of a DO block whose condition does not hold, or is not known to, and what stays as it is because of it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.objects import touches
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_names import ENUM

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_names import TypeNames


def left_out(statement: Statement, holds: bool | None, types: TypeNames, where: Where) -> list[Finding]:
    """What is said of a statement that does not run, or may not run.

    :param holds: whether its condition does, False or None
    :param types: as they are before it
    """
    if holds is None:
        words = "It runs where the condition of its DO block holds, and whether it does is not known from here."
        return [finding("statement-opaque", words, **where)]
    made = [touch.name for touch in touches(statement.node) if touch.action == "make" and touch.kind == "type"]
    found = []
    for name in made:
        if differs := _difference(name, statement.node, types):
            message = f"{differs}: the condition of its DO block skips this, and it stays so."
            found.append(finding("definition-differs", message, severity="unknown", **where))
    return found


def _difference(name: Name, node: t.Any, types: TypeNames) -> str | None:
    """How the existing type differs from the wanted one; None where it serves."""
    full, places = types.meant(name), types.places(name[1])
    if full is None:
        # What is looked for is the name alone, and it was found where names without a schema do not lead.
        return f"The type {dotted(name)} is in the schema {places[0][0]} alone" if places else None
    there = types.known(full)
    if isinstance(node, ast.CreateEnumStmt):
        if there.labels is None:
            return f"{dotted(full)} exists already and is no enum" if there.category != ENUM else None
        missing = [value.sval for value in t.cast("t.Any", node.vals) or () if value.sval not in there.labels]
        if missing:
            listed = ", ".join(repr(str(value)) for value in missing[:5])
            return f"The type {dotted(full)} exists already and has no value {listed}"
    elif not there.own:
        return f"{dotted(full)} exists already and is the row of a table"
    return None


__all__ = ("left_out",)
