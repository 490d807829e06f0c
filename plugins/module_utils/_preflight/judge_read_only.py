"""Transactions that the upgrade itself makes read-only. Pure.

Source: "Description" of SET TRANSACTION; PreventCommandIfReadOnly in src/backend/tcop/utility.c. Alembic writes its
version in the same transaction, so that one which ends as read-only fails whatever else it does.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import VariableSetKind, ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_DEFAULT: t.Final = "default_transaction_read_only"
_RESETS = {VariableSetKind.VAR_RESET, VariableSetKind.VAR_SET_DEFAULT}
# What a read-only transaction takes all the same.
_READING = (ast.VariableSetStmt, ast.VariableShowStmt, ast.TransactionStmt, ast.ExplainStmt, ast.ConstraintsSetStmt,
            ast.LockStmt, ast.ListenStmt, ast.UnlistenStmt, ast.DiscardStmt, ast.PrepareStmt)  # fmt: skip
_ON: t.Final = {"on", "true", "yes", "1", "t", "y", "tr", "tru", "ye"}


class ReadOnlyJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self) -> None:
        # What a transaction begins with: None where that is the session's own.
        self._default: bool | None = None
        self._set_in: int | None = None
        # What was said of the transaction itself.
        self._own: tuple[int | None, bool] = (None, False)

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read."""
        node: t.Any = statement.node
        if isinstance(node, ast.VariableSetStmt):
            return list(self._setting(node, statement.transaction, where))
        own = statement.transaction is not None and self._own == (statement.transaction, True)
        begun_so = bool(self._default) and (statement.transaction is None or statement.transaction != self._set_in)
        if not (own or begun_so) or not _writes(node):
            return []
        if begun_so and not own and statement.transaction is not None and self._own[0] == statement.transaction:
            return []
        words = "The transaction only reads, by default_transaction_read_only of a statement before it"
        if own:
            words = "The transaction only reads, by a SET TRANSACTION before it"
        if certain:
            return [finding("statement-refused", f"{words}: this will fail.", **where)]
        return [finding("statement-refused", f"{words}.", severity="unknown", **where)]

    def _setting(self, node: t.Any, transaction: int | None, where: Where) -> t.Iterator[Finding]:
        if node.kind == VariableSetKind.VAR_RESET_ALL or (node.name == _DEFAULT and node.kind in _RESETS):
            self._default = None
        elif node.name == _DEFAULT and not node.is_local:
            # The transaction that runs already began before it.
            self._default, self._set_in = _is_on(node.args), transaction
        elif node.name in {"TRANSACTION", "transaction_read_only", "SESSION CHARACTERISTICS"}:
            given = _given(node)
            if given is None:
                return
            if node.name == "SESSION CHARACTERISTICS":
                self._default, self._set_in = given, transaction
            elif transaction is not None:
                self._own = (transaction, given)
                if given:
                    words = "Alembic writes its version in this transaction, which only reads from here on"
                    yield finding("statement-refused", f"{words}: this will fail.", **where)


def _given(node: t.Any) -> bool | None:
    """Whether it says READ ONLY or READ WRITE; None where it says neither."""
    if node.name == "transaction_read_only":
        return _is_on(node.args)
    for item in node.args or ():
        if isinstance(item, ast.DefElem) and item.defname == "transaction_read_only":
            return _is_on((item.arg,))
    return None


def _is_on(values: t.Any) -> bool:
    value: t.Any = getattr(values[0], "val", None) if values else None
    if isinstance(value, ast.Integer):
        return bool(value.ival)
    return str(getattr(value, "sval", "")).lower() in _ON


def _writes(node: t.Any) -> bool:
    if node is None or isinstance(node, _READING):
        return False
    if isinstance(node, ast.SelectStmt):
        # What a function does is not known.
        return node.intoClause is not None or bool(node.lockingClause)
    temporary = getattr(getattr(node, "relation", None), "relpersistence", None) == "t"
    return not temporary


__all__ = ("ReadOnlyJudge",)
