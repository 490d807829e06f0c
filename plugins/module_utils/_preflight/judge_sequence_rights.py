"""Roles that may insert rows, and that a new serial column or default makes use a sequence that they may not. Pure.

The owner of a table makes its sequences, and nobody else has a right on them; identity columns need none. Source:
nextval_internal in src/backend/commands/sequence.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import Refusal, refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    GrantTargetType,
    ObjectType,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sequence_questions import sequence_calls
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_changes import SERIAL

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement


class SequenceRightJudge:
    """Judges each statement of the upgrade, in order; finish() comes after the last, for a GRANT may follow."""

    def __init__(self, catalog: Catalog, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog = catalog
        known = facts.get("sequences")
        # By table, roles that may insert into it, each with the sequences that it may use.
        self._roles: dict[Name, list[tuple[str, list[str]]]] = {}
        for row in known["writers"] if known else ():
            self._roles.setdefault((row["schema"], row["table"]), []).append((row["role"], row["usable"]))
        self._waiting: list[tuple[Name, str, str | None, Where]] = []

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read. Of rights it says nothing yet.

        :param certain: no earlier opaque statement can have changed the objects
        """
        node: t.Any = statement.node
        if isinstance(node, ast.AlterSeqStmt):
            name = self._catalog.qualified(relation_name(node.sequence))
            owned = self._owned(name, node.options or ())
            return [refusal("definition-refused", words, where, sure=sure and certain) for words, sure in owned]
        if isinstance(node, ast.GrantStmt) and node.objtype == ObjectType.OBJECT_SEQUENCE and node.is_grant:
            every = node.targtype != GrantTargetType.ACL_TARGET_OBJECT
            named = {str(item.relname) for item in node.objects or () if isinstance(item, ast.RangeVar)}
            self._waiting = [
                item
                for item in self._waiting
                if not every and item[2] not in named and not _made_for(item[0], item[1], named)
            ]
        elif isinstance(node, ast.AlterTableStmt) and node.objtype == ObjectType.OBJECT_TABLE:
            table = self._catalog.qualified(relation_name(node.relation))
            for command in node.cmds or () if table in self._roles else ():
                if found := _numbered(command):
                    self._waiting.append((table, *found, where))
        return []

    def _owned(self, name: Name, options: t.Iterable[t.Any]) -> t.Iterator[Refusal]:
        """The table of OWNED BY has the same owner and stands in the same schema: process_owned_by."""
        given = next((option.arg for option in options if option.defname == "owned_by"), ())
        table = self._catalog.table(qualified_name(given[:-1])) if len(given) > 1 else None
        sequence = self._catalog.table(name)
        if table and sequence and table.owner != sequence.owner:
            yield f"{dotted(name)} belongs to {sequence.owner}, and {dotted(table.name)} to {table.owner}", True
        elif table and sequence and table.name[0] != name[0]:
            yield f"{dotted(name)} stands in another schema than {dotted(table.name)}", True

    def finish(self) -> list[Finding]:
        """Roles whose INSERTs are refused after the upgrade."""
        found = []
        for table, column, sequence, where in self._waiting:
            roles = [role for role, usable in self._roles[table] if sequence is None or sequence not in usable]
            if roles:
                words = (
                    f"{dotted(table)}.{column} takes numbers of a sequence that {', '.join(roles[:3])} may not use:"
                    " INSERTs are refused. GRANT USAGE ON SEQUENCE, or make it an identity column, which needs none."
                )
                about: Where = where | {"table": dotted(table)}
                found.append(finding("write-rejected", words, severity="fail", **about))
        return found


def _made_for(table: Name, column: str, sequences: set[str]) -> bool:
    return f"{table[1]}_{column}_seq" in sequences


def _numbered(command: t.Any) -> tuple[str, str | None] | None:
    """The column that a command gives a sequence, and its name; None of one that is made with it."""
    part = command.def_
    if command.subtype == Command.AT_AddColumn and part.typeName is not None:
        if part.typeName.names[-1].sval in SERIAL:
            return part.colname, None
        defaults = [item.raw_expr for item in part.constraints or () if item.contype == ConstrType.CONSTR_DEFAULT]
        column, expression = part.colname, defaults[0] if defaults else None
    elif command.subtype == Command.AT_ColumnDefault:
        column, expression = command.name, part
    else:
        return None
    calls = [call.sequence for call in sequence_calls(expression) if call.function == "nextval" and call.sequence]
    return (column, calls[0][1]) if calls else None


__all__ = ("SequenceRightJudge",)
