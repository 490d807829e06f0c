"""Which setting is in force where a statement runs. Source: SET and SET LOCAL in PostgreSQL's documentation."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import is_utc
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import VariableSetKind, ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_RESETS = {VariableSetKind.VAR_RESET, VariableSetKind.VAR_SET_DEFAULT, VariableSetKind.VAR_RESET_ALL}
_TIME: t.Final[dict[str, float]] = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_MEMORY: t.Final[dict[str, float]] = {"B": 1 / 1024, "kB": 1, "MB": 1024, "GB": 1024**2, "TB": 1024**3}


Value = t.TypeVar("Value")


class SessionSetting(t.Generic[Value]):  # noqa: UP046 - the sanity tests know no newer form
    """A setting of the session, updated after each statement of the upgrade."""

    def __init__(self, name: str, session: Value, read: t.Callable[[t.Any], Value]) -> None:
        """:param session: what the migrator's session starts with
        :param read: turns a constant of the SQL into the value
        """
        self._name, self._read = name, read
        self._default = self._session = session
        self._local: tuple[int, Value] | None = None
        self._transaction: int | None = None

    @property
    def value(self) -> Value:
        """What is in force for the statement taken in last."""
        if self._local and self._local[0] == self._transaction:
            return self._local[1]
        return self._session

    def after(self, statement: Statement) -> None:
        """Take in one statement, before its effects are judged."""
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
        if node.name != self._name and node.kind != VariableSetKind.VAR_RESET_ALL:
            return
        value = None if resets or not node.args else getattr(node.args[0], "val", None)
        self._assign(self._default if resets else self._read(value), local=bool(node.is_local))

    def _function(self, node: ast.FuncCall) -> None:
        values = [getattr(item, "val", None) for item in node.args or ()]
        name = node.funcname[-1] if node.funcname else None
        if getattr(name, "sval", "") != "set_config" or len(values) != 3:
            return
        # PostgreSQL compares names of settings without regard to case; of SET its grammar has made them small.
        if str(getattr(values[0], "sval", "")).lower() == self._name:
            self._assign(self._read(values[1]), local=bool(getattr(values[2], "boolval", True)))

    def _assign(self, value: Value, *, local: bool) -> None:
        if not local:
            self._session, self._local = value, None
        elif self._transaction is not None:
            self._local = (self._transaction, value)


class Timeout(SessionSetting[int]):
    """A time-out in milliseconds; 0: no limit."""

    def __init__(self, name: str, session: int) -> None:
        """:param session: what the migrator's session starts with"""
        super().__init__(name, session, _milliseconds)

    @property
    def milliseconds(self) -> int:
        return self.value


class Memory(SessionSetting[int]):
    """An amount of memory in KiB; -1: not known."""

    def __init__(self, name: str, session: int) -> None:
        """:param session: what the migrator's session starts with"""
        super().__init__(name, session, _kib)


class LockTimeout(Timeout):
    """`set`: it is other than 0 now."""

    def __init__(self, session: bool) -> None:
        """:param session: the migrator's session starts with one; its length does not matter here"""
        super().__init__("lock_timeout", int(session))

    @property
    def set(self) -> bool:
        return self.milliseconds != 0


class TimeZone(SessionSetting[str]):
    """The time zone by its name; empty where it is not known."""

    def __init__(self, session: str) -> None:
        """:param session: what the migrator's session starts with"""
        super().__init__("timezone", session, lambda value: str(getattr(value, "sval", "")))

    @property
    def utc(self) -> bool:
        """Whether a time without a zone and the same time with one are the same bytes."""
        return is_utc(self.value)


class ReplicationRole(SessionSetting[str]):
    """session_replication_role; `replica`: triggers do not fire, and those that keep foreign keys neither."""

    def __init__(self) -> None:
        super().__init__("session_replication_role", "origin", lambda value: str(getattr(value, "sval", "")).lower())

    @property
    def replica(self) -> bool:
        return self.value == "replica"


def _milliseconds(value: t.Any) -> int:
    """Milliseconds of a constant; -1 for a text that is none, which no limit is taken for."""
    amount = _amount(value, _TIME, "ms")
    return -1 if amount is None else max(1, round(amount)) if amount > 0 else 0


def milliseconds(text: str) -> int | None:
    """The milliseconds of a time-out given as text; None where the text is none."""
    amount = _amount(ast.String(sval=text), _TIME, "ms")
    return None if amount is None else round(amount)


def _kib(value: t.Any) -> int:
    """KiB of a constant; -1 for a text that is none."""
    amount = _amount(value, _MEMORY, "kB")
    return -1 if amount is None else round(amount)


def _amount(value: t.Any, units: dict[str, float], unit: str) -> float | None:
    """A number with a unit, or without one in *unit*; None for another text."""
    text = str(getattr(value, "sval", getattr(value, "ival", None)) or "0").strip()
    number = text.rstrip("usminhdkBMGT ")
    try:
        return float(number or "0") * units[text[len(number) :].strip() or unit]
    except (KeyError, ValueError):
        return None


__all__ = ("LockTimeout", "Memory", "ReplicationRole", "SessionSetting", "TimeZone", "Timeout", "milliseconds")
