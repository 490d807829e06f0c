"""Why a program of PostgreSQL failed, in one sentence with what to do. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from .errors import CollectorError

LONGEST_WORDS: t.Final = 300
_RIGHTS: t.Final = ("permission denied", "must be superuser", "must have privileges", "must be a superuser")


def failure(program: str, said: str, code: int) -> CollectorError:
    """One sentence about a program that failed.

    :param said: what it complained of
    """
    lines = [line.partition("error: ")[2] for line in said.splitlines() if "error: " in line]
    first = next((line for line in lines if line), said.strip().splitlines()[-1] if said.strip() else f"exit {code}")
    cure = "its own words say why"
    if "No space left" in said:
        cure = "make room"
    elif program == "pg_restore" and any(word in said for word in _RIGHTS):
        cure = "restore as a superuser, or grant the role that right at the new server"
    elif "permission denied" in said:
        cure = "grant the role pg_read_all_data, and SELECT on large objects"
    elif "must be owner" in said or "must be member" in said or "must be able to SET ROLE" in said:
        cure = "restore as a superuser, or give all to one role with restore_owner"
    elif "is not available" in said:
        cure = "name PostgreSQL's programs with this extension in `postgresql`"
    elif program == "pg_restore" and "does not exist" in said:
        # A restore has no search path, so that nobody's object is taken for another one.
        cure = "what it calls is found by a search path: give its functions one (ALTER FUNCTION … SET search_path)"
    elif "could not obtain lock" in said or "canceling statement due to lock timeout" in said:
        cure = "a migration holds a lock, so try again after it"
    elif "row-level security" in said:
        cure = "give the role BYPASSRLS"
    return CollectorError("backup-failed", f"{program} failed: {first[:LONGEST_WORDS].rstrip('.')}; {cure}.")


__all__ = ("failure",)
