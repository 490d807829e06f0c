"""The lock, rewrite and scan that each kind of statement costs, for a server's major version."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import rules_data, rules_object, rules_server
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rules_alter_table import alter_table

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog

_HANDLERS: t.Final[dict[type, t.Callable[[t.Any, Reading], None]]] = {
    ast.AlterTableStmt: alter_table,
    **rules_object.HANDLERS,
    **rules_data.HANDLERS,
    **rules_server.HANDLERS,
}


def read(node: t.Any, catalog: Catalog, version: int) -> Reading:
    """What `node` does, given what is known of the tables. `catalog` is updated to the state after it."""
    reading = Reading(catalog, version)
    if handler := _HANDLERS.get(type(node)):
        handler(node, reading)
    else:
        kind = type(node).__name__.removesuffix("Stmt")
        reading.say("statement-unruled", f"{kind}: there is no rule for this kind of statement.")
    return reading


__all__ = ("read",)
