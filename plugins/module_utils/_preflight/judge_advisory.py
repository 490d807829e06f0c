"""Advisory locks that an upgrade takes itself: whoever holds one is nobody that a look at the tables would find. Pure.

Source: PostgreSQL documentation, Advisory Lock Functions; lock_timeout ends this wait as it ends that for a table.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import LOCK_KEY
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import RawStream, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.session_settings import LockTimeout
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_WAITING: t.Final = {
    "pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared",
}  # fmt: skip
# Those that do not wait: they say false of a lock that somebody holds.
_TRYING: t.Final = {name.replace("pg_", "pg_try_", 1) for name in _WAITING}


class AdvisoryJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, timeout: LockTimeout) -> None:
        """:param timeout: as it is after the statements before"""
        self._timeout = timeout

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> t.Iterator[Finding]:
        """Each call once; that others make the same call, nobody can know from here."""
        del certain
        for part in walk(statement.node):
            name = qualified_name(part.funcname or ())[1] if isinstance(part, ast.FuncCall) else ""
            if name not in _WAITING | _TRYING:
                continue
            given: t.Any = part.args or ()
            label = f"{name}({', '.join(RawStream()(item) for item in given)})"
            own = len(given) == 1 and _number(given[0]) == LOCK_KEY
            if own and name in _TRYING:
                words = f"{label} gives false: schema.py holds this lock while it runs Alembic."
                yield finding("advisory-lock", words, **where)
            elif own:
                words = f"{label} waits for schema.py, which holds this lock while it runs Alembic: this will never end"
                yield finding("advisory-lock", f"{words} well.", severity="fail", **where)
            elif name in _WAITING:
                ends = "lock_timeout ends that, and the upgrade with it" if self._timeout.set else "nothing ends that"
                words = f"{label} waits for whoever holds this lock, which was not asked; {ends}."
                yield finding("advisory-lock", words, **where)


def _number(node: t.Any) -> int | None:
    while isinstance(node, ast.TypeCast):
        node = node.arg
    value = node.val if isinstance(node, ast.A_Const) else None
    text = str(value.fval if isinstance(value, ast.Float) else getattr(value, "ival", None))
    return int(text) if text.isdecimal() else None


__all__ = ("AdvisoryJudge",)
