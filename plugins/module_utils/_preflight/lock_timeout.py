"""Whether lock_timeout is set where a statement runs. Source: SET and SET LOCAL in PostgreSQL's documentation."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import VariableSetKind, ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_NAME = "lock_timeout"
_RESETS = {VariableSetKind.VAR_RESET, VariableSetKind.VAR_SET_DEFAULT, VariableSetKind.VAR_RESET_ALL}


class LockTimeout:
    """Followed from statement to statement. `set`: it is other than 0 now."""

    def __init__(self, session: bool) -> None:
        """`session`: what the migrator's session starts with."""
        self._default = self._session = session
        self._local: tuple[int, bool] | None = None
        self._transaction: int | None = None

    @property
    def set(self) -> bool:
        if self._local and self._local[0] == self._transaction:
            return self._local[1]
        return self._session

    def after(self, statement: Statement) -> None:
        """Take in one statement, before the locks of which are judged."""
        self._transaction = statement.transaction
        node = statement.node
        if isinstance(node, ast.VariableSetStmt):
            self._variable(node)
        elif isinstance(node, ast.SelectStmt):
            for target in node.targetList or ():
                if isinstance(target, ast.ResTarget) and isinstance(target.val, ast.FuncCall):
                    self._function(target.val)

    def _variable(self, node: ast.VariableSetStmt) -> None:
        resets = node.kind in _RESETS
        if node.name != _NAME and node.kind != VariableSetKind.VAR_RESET_ALL:
            return
        value = None if resets or not node.args else getattr(node.args[0], "val", None)
        self._assign(self._default if resets else _is_set(value), local=bool(node.is_local))

    def _function(self, node: ast.FuncCall) -> None:
        values = [getattr(item, "val", None) for item in node.args or ()]
        name = node.funcname[-1] if node.funcname else None
        if getattr(name, "sval", "") != "set_config" or len(values) != 3 or getattr(values[0], "sval", "") != _NAME:
            return
        self._assign(_is_set(values[1]), local=bool(getattr(values[2], "boolval", True)))

    def _assign(self, value: bool, *, local: bool) -> None:
        if not local:
            self._session, self._local = value, None
        elif self._transaction is not None:
            self._local = (self._transaction, value)


def _is_set(value: t.Any) -> bool:
    text = str(getattr(value, "sval", getattr(value, "ival", None)) or "0")
    return text.rstrip("usminhd ") not in {"0", ""}


__all__ = ("LockTimeout",)
