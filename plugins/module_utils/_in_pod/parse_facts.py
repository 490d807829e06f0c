"""What the server itself says of statements that are to run later: it parses and analyses them, and executes none.

PREPARE looks up names, columns, types and operators, reads literals and applies rules, as for a statement that runs,
but plans nothing and so calls no function. Source: PostgreSQL documentation, PREPARE; PrepareQuery in
src/backend/commands/prepare.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

NAME = "ai_platform_preflight"
# Each waits for a lock as long as lock_timeout allows; a queue of them must not add up.
SECONDS = 5.0
# Classes of SQLSTATE that say nothing about the statement: connection, transaction, resources, somebody in the way.
_ELSEWHERE = ("08", "25", "40", "53", "54", "57", "58", "XX")
_LOCKED = "55P03"


def refusals(connection: psycopg.Connection, asked: t.Sequence[tuple[int, str]]) -> list[dict[str, t.Any]]:
    """The statements that the server refuses.

    :param asked: number and text, one statement each
    :return: `number`, `state` (SQLSTATE) and `message`, the server's, for each that it refuses
    """
    from psycopg import Error

    found = []
    end = time.monotonic() + SECONDS
    for number, text in asked:
        if time.monotonic() > end:
            break
        try:
            with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                # The binary form makes psycopg use the extended protocol, which takes one statement and no second.
                cursor.execute(f"PREPARE {NAME} AS {text}", binary=True)
                # A prepared statement outlives the transaction, and behind a pooler the session.
                cursor.execute(f"DEALLOCATE {NAME}")
        except Error as error:
            state = error.sqlstate
            if state is None:
                raise
            if state != _LOCKED and state[:2] not in _ELSEWHERE:
                message = (error.diag.message_primary or "").strip()
                found.append({"number": number, "state": state, "message": message[:300]})
    return found


__all__ = ("refusals",)
