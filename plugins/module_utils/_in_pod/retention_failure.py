"""What an error of the server says of a deletion, in one sentence with what to do. Pure.

The server's own words may quote a row, so the code of its error and the name of that stand for them.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from .errors import CollectorError

# By SQLSTATE: the finding, and its sentence. https://www.postgresql.org/docs/current/errcodes-appendix.html
_ONES: t.Final = {
    "55P03": (
        "database-timeout",
        "A table at {where} is locked by somebody else, who changes it perhaps ({done}); run it again.",
    ),
    "57014": (
        "database-timeout",
        "A look at the tables at {where} took too long ({done}); look for load, or for a lock on them.",
    ),
    "25006": (
        "in-recovery",
        "The server at {where} takes no writes of this role any more ({done}): it is a standby, or"
        " default_transaction_read_only is on.",
    ),
    "42501": (
        "retention-privilege",
        "The role may not delete at {where}, although its rights say so ({done}): a trigger or a policy stands before"
        " it.",
    ),
}
_TIMEOUTS: t.Final = {
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
    "57P05": "idle_session_timeout",
}
_ENDED: t.Final = (
    "database-timeout",
    "{timeout} of the server at {where} ended the session {done}; raise it for this role, then run it again.",
)
_LOST: t.Final = (
    "database-refused",
    "The server at {where} ended the session ({code}) {done}; run it again.",
)
# By class: the finding, and the rest of the sentence.
_CLASSES: t.Final = {
    "42": ("retention-declaration", "the tables changed meanwhile, or something that runs for them lacks an object"),
    "53": ("database-refused", "the server has no room, memory or connection left"),
    "22": (
        "retention-declaration",
        "a value does not fit its type: look at the default, view or trigger that makes it",
    ),
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
    if code in _ONES:
        finding, words = _ONES[code]
    elif code in _TIMEOUTS:
        finding, words = _ENDED
    elif lost or code is None or code[:2] in {"08", "57"}:
        finding, words = _LOST
    else:
        finding, rest = _CLASSES.get(code[:2], _ELSE)
        words = f"A statement failed at {{where}} ({{code}} {name}) {{done}}: {rest}."
    own = {"where": where, "done": done, "timeout": _TIMEOUTS.get(code or ""), "code": code or "connection lost"}
    return CollectorError(finding, words.format(**own))


__all__ = ("failure",)
