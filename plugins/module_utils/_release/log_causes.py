"""From what a container printed of its database to the heading of the runbook. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.database_causes import FINDING_OF_CAUSE
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_causes import cause_of

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Sequence

# What schema.py, psycopg and libpq begin a line about a failed connection with; an application's own lines may hold
# words such as "timeout" for other reasons.
_ABOUT_THE_DATABASE = re.compile(
    "Waiting for the database|failed to resolve host|could not translate host name"
    "|connection to server|connection failed"
)
# getaddrinfo(3) as glibc and musl word it: EAI_AGAIN, nobody answered; EAI_NONAME and EAI_NODATA, no such name.
_NAMES = (
    ("Temporary failure in name resolution", "dns-unavailable"),
    ("Try again", "dns-unavailable"),
    ("Errno -3]", "dns-unavailable"),
    ("Name or service not known", "database-host-unknown"),
    ("No address associated", "database-host-unknown"),
    ("Name does not resolve", "database-host-unknown"),
    ("Errno -2]", "database-host-unknown"),
    ("Errno -5]", "database-host-unknown"),
)
# Where a log is all there is, a time-out is that of the TCP connection.
_CAUSES = FINDING_OF_CAUSE | {"timeout": "database-filtered"}

# What PostgreSQL and the migrator (chart/files/schema.py) say of a migration that began. The words of PostgreSQL are
# those of its lc_messages; its SQLSTATE and psycopg's class for it are not translated.
_AT_WORK = (
    (re.compile(r"No space left on device|\bDiskFull\b|\b53100\b"), "database-disk-full"),
    (re.compile(r"^Another migration is at work on this database"), "migrator-active"),
    (re.compile(r"^The migration lost \d+ times against a lock"), "lock-held"),
    (re.compile(r"^The migration was ended by signal 9\b"), "migration-memory"),
)


HEADINGS: t.Final = frozenset(id_ for _words, id_ in _AT_WORK)


def heading(lines: Sequence[str]) -> str:
    """The heading of docs/runbook.md for the newest line that names what was wrong with the database; else empty."""
    for line in reversed(lines):
        if told := next((id_ for words, id_ in _AT_WORK if words.search(line)), ""):
            return told
        if _ABOUT_THE_DATABASE.search(line):
            named = next((found for words, found in _NAMES if words in line), None)
            if found := named or _CAUSES.get(str(cause_of(line))):
                return found
    return ""


__all__ = ("HEADINGS", "heading")
