"""New columns of a domain: each row that is there gets the default, or NULL, and the domain may refuse it. Pure.

And domains that get a constraint: the server refuses one where a column holds the domain inside an array, a range or a
row. Rows that violate the constraint are judge_rows.py's.

Source: ATExecAddColumn in src/backend/commands/tablecmds.c, which rewrites the table for a domain with constraints.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

_FILLED: t.Final = {ConstrType.CONSTR_DEFAULT, ConstrType.CONSTR_IDENTITY, ConstrType.CONSTR_GENERATED}


class DomainJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog, self._rules = catalog, rules
        places = facts.get("places")
        self._domains = {row["name"]: row for row in places["domains"]} if places else {}

        self._not_null = {row["name"] for row in facts.get("domain_uses", ()) if row["not_null"]}

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the domain
        """
        node: t.Any = statement.node
        if isinstance(node, ast.AlterDomainStmt):
            words = self._inside(node)
            return [refusal("definition-refused", words, where, sure=certain)] if words else []
        if not isinstance(node, ast.AlterTableStmt) or node.objtype != ObjectType.OBJECT_TABLE:
            return []
        table = self._catalog.table(relation_name(node.relation))
        if table is None or (table.bytes == 0 and table.name in self._rules.with_size and table.kind != "p"):
            return []
        found = []
        for command in node.cmds or ():
            if command.subtype == Command.AT_AddColumn and command.def_.colname not in table.columns:
                label = f"{dotted(table.name)}.{command.def_.colname}"
                for words, sure in self._added(command.def_):
                    about: Where = where | {"table": dotted(table.name)}
                    if sure and certain:
                        found.append(finding("rows-violate", f"{label} {words}: this fails on any row.", **about))
                    else:
                        found.append(finding("rows-unknown", f"Whether {label} {words} is not known.", **about))
        return found

    def _inside(self, node: t.Any) -> str | None:
        """Where the domain stands inside another type, why it gets no constraint.

        Source: find_composite_type_dependencies in src/backend/commands/tablecmds.c.
        """
        if node.subtype not in {"C", "O", "V"} or (node.subtype == "C" and node.def_.skip_validation):
            return None
        name = qualified_name(node.typeName)
        if node.subtype == "O" and name[1] in self._not_null:
            return None
        for table, column, inside in self._catalog.uses_of_domain(name):
            if inside and self._catalog.known(table):
                return f"{dotted(table)}.{column} holds the domain {name[1]} inside an array, a range or a row"
        return None

    def _added(self, column: t.Any) -> t.Iterator[tuple[str, bool]]:
        kind, _modifier, array = type_changes.type_name(column.typeName) if column.typeName else ("", None, False)
        domain = self._domains.get(kind)
        if domain is None or array:
            return
        filled = domain["filled"] or any(item.contype in _FILLED for item in column.constraints or ())
        if domain["not_null"] and not filled:
            yield f"gets NULL, which the domain {kind} refuses", True
        elif domain["checked"] and (filled or domain["checks_null"]):
            what = "a default" if filled else "NULL"
            yield f"gets {what} that the domain {kind} refuses", False


__all__ = ("DomainJudge",)
