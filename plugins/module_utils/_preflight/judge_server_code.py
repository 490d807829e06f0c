"""Code on the server that an upgrade replaces, or that runs inside it unread. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.session_settings import ReplicationRole
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.signatures import (
    Signature,
    signature,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_relations import FunctionUseRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# Catalogues of what keeps a function's results.
_KEPT: t.Final = {"pg_class", "pg_constraint", "pg_attrdef"}
# Statements for which no event trigger fires: they read and write rows, or work on the whole server.
_NO_EVENT = (
    ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.VariableSetStmt, ast.DoStmt,
    ast.VariableShowStmt, ast.TransactionStmt, ast.CopyStmt, ast.LockStmt, ast.TruncateStmt, ast.VacuumStmt,
    ast.CallStmt, ast.ExecuteStmt, ast.ConstraintsSetStmt, ast.NotifyStmt, ast.DiscardStmt, ast.CreateRoleStmt,
    ast.AlterRoleStmt, ast.AlterRoleSetStmt, ast.DropRoleStmt, ast.GrantRoleStmt, ast.CreateEventTrigStmt,
)  # fmt: skip
# Commands of ALTER TABLE with which something goes that PostgreSQL tells event triggers of.
_DROPPING: t.Final = {
    Command.AT_DropColumn, Command.AT_DropConstraint, Command.AT_DropIdentity, Command.AT_DropExpression,
    Command.AT_DropNotNull,
}  # fmt: skip
# Command tags, of the statements that a migration mostly consists of; of others every tag may be meant.
_TAGS: t.Final[dict[type, set[str]]] = {
    ast.CreateStmt: {"CREATE TABLE"}, ast.AlterTableStmt: {"ALTER TABLE", "ALTER INDEX", "ALTER VIEW"},
    ast.IndexStmt: {"CREATE INDEX"}, ast.ViewStmt: {"CREATE VIEW"}, ast.CreateFunctionStmt: {"CREATE FUNCTION"},
    ast.CreateEnumStmt: {"CREATE TYPE"}, ast.AlterEnumStmt: {"ALTER TYPE"}, ast.CommentStmt: {"COMMENT"},
    ast.CreateSeqStmt: {"CREATE SEQUENCE"}, ast.CreateTrigStmt: {"CREATE TRIGGER"}, ast.GrantStmt: {"GRANT", "REVOKE"},
}  # fmt: skip


class ServerCodeJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect
        :param rules: the caller updates them after this judge has seen a statement
        """
        self._catalog, self._rules = catalog, rules
        self._events = list(facts["relations"]["events"])
        self._role = ReplicationRole()
        self._uses: dict[str, list[FunctionUseRow]] = {}
        for row in facts["relations"]["functions"]:
            self._uses.setdefault(row["function"], []).append(row)

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the functions
        """
        node: t.Any = statement.node
        if not self._rules.known or node is None:
            return []
        found = list(self._event(node, where))
        if isinstance(node, ast.CreateFunctionStmt):
            found += self._function(node, where) if certain else ()
        elif isinstance(node, ast.CopyStmt):
            found.append(_copied(node, where))
        before = self._role.replica
        self._role.after(statement)
        if self._role.replica and not before:
            words = "Foreign keys and triggers are switched off from here on: rows may stay that violate them."
            found.append(finding("data-unknown", words, **where))
        return found

    def _function(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        new = signature(node)
        if new is None:
            return
        schema = new.schema or self._catalog.schema
        others = [item for item in self._rules.routines.possible(new.name) if item.schema == schema]
        label = f"{dotted((schema, new.name))}()"
        if any(item.inputs == new.inputs for item in others):
            if node.replace:
                yield self._replaced(new.name, label, where)
        elif any(_both_take(item, new) for item in others):
            words = f"There are two functions {label} then: a call that fits both is refused as ambiguous."
            yield finding("contract-phase", words, **where)

    def _replaced(self, name: str, label: str, where: Where) -> Finding:
        uses = self._uses.get(name, ())
        kept = next((row["label"] for row in uses if row["class"] in _KEPT), None)
        trigger = next((row["label"] for row in uses if row["class"] == "pg_trigger"), None)
        if kept:
            words = f"{label} is replaced, and the {kept} keeps what it computed before: REINDEX, or check the rows."
            return finding("contract-phase", words, **where)
        if trigger:
            words = f"{label} is replaced, and the {trigger} runs it inside every matching write from here on."
            return finding("trigger-created", words, **where)
        words = f"{label} is replaced: whatever calls it gets what the new one returns, also the running version."
        return finding("contract-phase", words, **where)

    def _event(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        """Once for each event trigger: what it does may be anything."""
        if isinstance(node, _NO_EVENT):
            return
        tags = _TAGS.get(type(node))
        drops = isinstance(node, ast.DropStmt)
        dropping = drops or _drops_a_part(node)
        for row in list(self._events):
            listed = set(row["tags"] or ())
            if drops and listed and not any(tag.startswith("DROP") for tag in listed):
                continue
            if (listed and tags and not listed & tags) or (row["event"] == "sql_drop" and not dropping):
                continue
            self._events.remove(row)
            words = f"The event trigger {row['name']} runs {row['function']}() at this, which is not read here."
            yield finding("data-unknown", words, **where)


def _drops_a_part(node: t.Any) -> bool:
    """Whether a statement other than DROP drops something. Source: EventTriggerSQLDropAddObject in event_trigger.c."""
    if isinstance(node, ast.AlterTableStmt):
        commands: t.Any = node.cmds or ()
        return any(
            command.subtype in _DROPPING or (command.subtype == Command.AT_ColumnDefault and command.def_ is None)
            for command in commands
        )
    return isinstance(node, (ast.AlterDomainStmt, ast.DropOwnedStmt))


def _copied(node: ast.CopyStmt, where: Where) -> Finding:
    if node.filename is None:
        words = "COPY … FROM STDIN has no rows to read: op.execute() sends none, and the driver refuses it."
        if not node.is_from:
            words = "COPY … TO STDOUT has nobody to read it: op.execute() takes no rows, and the driver refuses it."
        return finding("statement-refused", words, **where)
    place = "a program on the server" if node.is_program else f"the server's file {node.filename}"
    if node.is_from:
        words = f"Which rows COPY reads from {place} is not known from here, nor whether the table takes them."
    else:
        words = f"Whether COPY can write to {place} is not known from here."
    return finding("data-unknown", words, **where)


def _both_take(one: Signature, other: Signature) -> bool:
    """Whether there is a number of arguments that both take."""
    least = max(len(item.inputs) - item.defaults for item in (one, other))
    return least <= min(len(item.inputs) for item in (one, other))


__all__ = ("ServerCodeJudge",)
