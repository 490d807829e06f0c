"""What the server says of objects that a statement names by kind, name and argument types. It is only asked.

Source: PostgreSQL documentation, System Information Functions, pg_get_object_address.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

# Each may wait for a lock as long as lock_timeout allows; a queue of them must not add up.
SECONDS = 5.0
# That an object, a function, a type or a schema is not there, is of another kind, or that several are.
PROVE = {"42704", "42883", "42809", "42725", "3F000", "42P01"}
ADDRESS = "SELECT pg_get_object_address(%(kind)s, %(name)s::text[], %(arguments)s::text[])"
# A function without its arguments; several of that name are refused.
NAMED = "SELECT %(name)s::text::regproc"


def refusals(connection: psycopg.Connection, asked: t.Sequence[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The objects that are not there, or of another kind.

    :param asked: as _sql/address_questions.py makes it
    :return: as of parse_facts.refusals(), with `unsure` as it was asked
    """
    from psycopg import Error, sql

    found = []
    end = time.monotonic() + SECONDS
    for item in asked:
        if time.monotonic() > end:
            break
        try:
            with connection.transaction(force_rollback=True):
                if item["arguments"] is None:
                    name = sql.Identifier(*item["name"]).as_string(connection)
                    connection.execute(NAMED, {"name": name})
                else:
                    connection.execute(ADDRESS, {key: item[key] for key in ("kind", "name", "arguments")})
        except Error as error:
            if error.sqlstate is None:
                raise
            if error.sqlstate in PROVE:
                message = (error.diag.message_primary or "").strip()
                row = {"number": item["number"], "state": error.sqlstate, "message": message[:300]}
                found.append(row | {"unsure": item["unsure"]})
    return found


__all__ = ("refusals",)
