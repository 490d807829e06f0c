"""Operator classes that an index names: whether there is one for its method, and takes the type. Pure over facts.

Source: ResolveOpClass in src/backend/commands/indexcmds.c, IsBinaryCoercible in parser/parse_coerce.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_changes import BINARY

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

# Types whose binary-coercible partners are known.
_PLAIN: t.Final = {"int2", "int4", "int8", "text", "varchar", "bpchar", "uuid", "bool", "json", "jsonb", "date",
                   "timestamp", "timestamptz", "numeric", "float4", "float8", "bytea", "inet"}  # fmt: skip


class OperatorClassJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog = catalog
        places = facts.get("places")
        self._classes = places["classes"] if places else []
        self._extension_to_come = False

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have made one
        """
        node: t.Any = statement.node
        if isinstance(node, (ast.CreateExtensionStmt, ast.CreateOpClassStmt)):
            self._extension_to_come = True
        if not isinstance(node, ast.IndexStmt):
            return []
        sure = certain and not self._extension_to_come
        return [refusal("definition-refused", words, where, sure=sure) for words in self._index(node)]

    def _index(self, node: t.Any) -> t.Iterator[str]:
        method = node.accessMethod or "btree"
        table = self._catalog.table(relation_name(node.relation))
        for element in node.indexParams or ():
            if not element.opclass:
                continue
            schema, name = qualified_name(element.opclass)
            named = [row for row in self._classes if row["name"] == name]
            # One that is nowhere is object-missing's.
            if not named:
                continue
            found = [row for row in named if (row["visible"] if schema is None else row["schema"] == schema)]
            if not found:
                words = f"is in the schema {named[0]['schema']}, where the search path does not lead"
                yield f"The operator class {name} {words}"
                continue
            fit = [row for row in found if row["method"] == method]
            if not fit:
                yield f"The operator class {name} is one of {found[0]['method']}, and the index is of {method}"
                continue
            column = table.columns.get(element.name) if table and element.name else None
            if table and column and not _takes(fit[0]["type"], column.type):
                label = f"{dotted(table.name)}.{element.name}"
                yield f"The operator class {name} takes {fit[0]['type']}, and {label} is of type {column.type}"


def _takes(wanted: str, given: str) -> bool:
    """Whether it may; of types of extensions it is not known here which have the bytes of which."""
    if wanted == given or wanted.startswith("any") or given not in _PLAIN:
        return True
    return (given, wanted) in BINARY or wanted == "citext"


__all__ = ("OperatorClassJudge",)
