"""What an error of the server says of a deletion, in one sentence with what to do. Pure.

The server's own words may quote a row, so the code of its error and the name of that stand for them.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from .errors import CollectorError

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TIMEOUTS: t.Final = {
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
    "57P05": "idle_session_timeout",
}
_LOST: t.Final = ("08", "57")
# By class: the finding, and the rest of the sentence.
_CLASSES: t.Final = {
    "42": ("retention-declaration", "the tables changed meanwhile, or something that runs for them lacks an object"),
    "53": ("database-refused", "the server has no room, memory or connection left"),
    "22": ("retention-declaration", "a value does not fit its type: look at the default, view or trigger that makes it"),
    "23": ("retention-declaration", "a constraint refuses it: look at the one that its log names"),
}
_ELSE: t.Final = ("database-refused", "the server's log has its words")


def failure(code: str | None, name: str, where: str, sessions: int, *, lost: bool) -> CollectorError:
    """One sentence about an error that ended a deletion.

    :param code: SQLSTATE; none where the driver itself failed
    :param name: of the driver's class for it
    :param where: host, port and database
    :param sessions: that were deleted until then
    :param lost: the connection is gone
    """
    done = f"after {sessions} whole sessions"
    if code == "55P03":
        words = f"A table at {where} is locked by somebody else, who changes it perhaps"
        return CollectorError("database-timeout", f"{words}; run it again, {done}.")
    if code == "57014":
        words = f"A look at the tables at {where} took too long"
        return CollectorError("database-timeout", f"{words}; look for load, or for a lock on them, {done}.")
    if code in _TIMEOUTS:
        words = f"{_TIMEOUTS[code]} of the server at {where} ended the session {done}"
        return CollectorError("database-timeout", f"{words}; raise it for this role, then run it again.")
    if code == "25006":
        words = f"The server at {where} takes no writes of this role any more, {done}"
        return CollectorError("in-recovery", f"{words}: it is a standby, or default_transaction_read_only is on.")
    if code == "42501":
        words = (
            f"The role may not delete at {where}, although its rights say so: a trigger or a policy stands before it"
        )
        return CollectorError("retention-privilege", f"{words}; {done}.")
    if lost or (code or "08")[:2] in _LOST:
        words = f"The server at {where} ended the session ({code or 'connection lost'}) {done}"
        return CollectorError("database-refused", f"{words}; run it again.")
    finding, words = _CLASSES.get(str(code)[:2], _ELSE)
    return CollectorError(finding, f"A statement failed at {where} ({code} {name}) {done}: {words}.")


__all__ = ("failure",)
