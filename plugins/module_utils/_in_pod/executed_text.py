"""A text that a revision executes: what of it depends on the driver."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

# The end of a transaction as a statement of its own; what stands in quotes was taken out before.
_ENDS_TRANSACTION = re.compile(
    r"(?:^|;)\s*(commit|rollback|abort)(?:\s+(?:work|transaction))?(?:\s+and\s+(?:no\s+)?chain)?\s*(?:;|$)",
    re.IGNORECASE,
)
# SQLAlchemy's names of drivers that send parameters apart from the text.
_BIND_ON_SERVER = frozenset({"psycopg", "psycopg_async"})
# What refuses a transaction: PreventInTransactionBlock in src/backend.
_ALONE = re.compile(
    r"\bcreate\s+(?:unique\s+)?index\s+concurrently\b|\bdrop\s+index\s+concurrently\b|\bvacuum\b"
    r"|\breindex\b[^;]*\bconcurrently\b|\balter\s+system\b|\b(?:create|drop)\s+(?:database|tablespace)\b"
    r"|\bdetach\s+partition\b[^;]*\bconcurrently\b",
    re.IGNORECASE,
)
# A statement behind another one.
_SEVERAL = re.compile(r";\s*[^\s;]")
_QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)


def ends_transaction(construct: t.Any) -> str | None:
    """The word by which a statement ends the transaction that Alembic opened; what follows depends on the driver."""
    found = _ENDS_TRANSACTION.search(_bare(construct))
    return found.group(1).upper() if found else None


def refused(construct: t.Any, driver: str | None) -> str | None:
    """Why several statements in one text are not taken, by the driver or, outside of a transaction too, the server.

    Sources: "Multiple Statements in a Simple Query" in PostgreSQL's documentation of its protocol, and
    https://www.psycopg.org/psycopg3/docs/basic/from_pg2.html#multiple-statements-in-the-same-query

    :param driver: SQLAlchemy's name of it, None where it is not known
    """
    alone = _ALONE.search(_bare(construct)) if _SEVERAL.search(_bare(construct)) else None
    if alone:
        words = " ".join(alone.group(0).upper().split())
        return f"several statements in one execute(), which PostgreSQL runs in one transaction, and {words} refuses one"
    bound = getattr(construct, "_bindparams", None)
    if driver != "asyncpg" and not (bound and driver in _BIND_ON_SERVER):
        return None
    if not _SEVERAL.search(_bare(construct)):
        return None
    return f"several statements{' with parameters' if bound else ''} in one execute(), which {driver} refuses"


def unbound(construct: t.Any) -> str | None:
    """The word behind a colon that SQLAlchemy takes for a parameter, quoted or not, and for which there is no value.

    Rendered, it becomes NULL; with a connection, it is refused.
    """
    from sqlalchemy import text

    clause = text(construct) if isinstance(construct, str) else construct
    return next((name for name, bind in clause._bindparams.items() if bind.required), None)


def _bare(construct: t.Any) -> str:
    """The text without what stands in quotes and comments."""
    return _QUOTED.sub(" ", str(construct)).strip()


__all__ = ("ends_transaction", "refused", "unbound")
