"""From what both servers say to findings, all of them in one list. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

Row = dict[str, t.Any]
_CURE: t.Final = "name the URL of its owner, or of a superuser, in ai_agent_move_source_secret"


def judged(facts: Row, *, same_roles: bool, begun: bool) -> list[Finding]:
    """What stands in the way, and what is to be known before.

    :param facts: of _in_pod/move_run.py, `source` and `target`
    :param same_roles: owners and rights stay as they are
    :param begun: the record says that a move of this database is under way
    """
    source, target = facts["source"], facts["target"]
    return [
        *_of_source(source, begun=begun),
        *_of_server(source, target),
        *_of_database(source, target),
        *_of_roles(target, same_roles=same_roles),
        *(finding("backup-note", f"The database would be {note}.") for note in source.get("lost") or ()),
    ]


def _of_source(source: Row, *, begun: bool) -> t.Iterator[Finding]:
    where = source["where"]
    if source["standby"]:
        yield finding("in-recovery", f"{where} is a standby, which nobody can make read-only; name the primary.")
    if not source["owner"]:
        words = f"The role that would make {where} read-only is not its owner"
        yield finding("move-source", f"{words}; {_CURE}.")
    if source["stubborn"]:
        words = f"The role that would make {where} read-only may not end sessions of {', '.join(source['stubborn'])}"
        yield finding("move-source", f"{words}, which may write on; close them, or {_CURE}.")
    if source["overriding"]:
        words = f"The roles {', '.join(source['overriding'])} have a default_transaction_read_only of their own"
        yield finding("move-source", f"{words}, which counts before that of {where}: reset it (ALTER ROLE … RESET).")
    if source["prepared"]:
        words = f"{where} has {source['prepared']} prepared transactions, which write when they are committed"
        yield finding("move-source", f"{words}: commit or roll them back first.")
    if source["frozen"] and not begun:
        words = f"{where} is read-only by its own setting, and no move is under way that made it so"
        yield finding("move-source", f"{words}: ALTER DATABASE … RESET default_transaction_read_only, or leave it.")


def _of_server(source: Row, target: Row) -> t.Iterator[Finding]:
    where = target["where"]
    if target["standby"]:
        yield finding("in-recovery", f"{where} is a standby; name the primary in the new URLs.")
    if target["major"] < source["major"]:
        words = f"{source['where']} is PostgreSQL {source['major']}, and {where} is PostgreSQL {target['major']}"
        yield finding("restore-version", f"{words}; move to the same version or a newer one.")
    if not target["creates"]:
        words = f"The role of ai_agent_move_database_secret may not create databases at {where}"
        yield finding("privilege-missing", f"{words}; name one that may (CREATEDB).")
    for name in target["extensions"]:
        words = f"{where} has no extension {name}, which the database uses"
        yield finding("extension-unavailable", f"{words}; install its package there, or choose another server.")
    words = f"{where} does not say how much room it has; the database takes {_size(source['database_bytes'])} now."
    yield finding("restore-room-unknown", words)


def _of_database(source: Row, target: Row) -> t.Iterator[Finding]:
    where, name = target["where"], target["database"]
    if target["exists"] and not source["frozen"]:
        words = f"{where} has a database {name}, and a move never writes over one"
        yield finding("restore-exists", f"{words}; let the new Secret's URLs name another one, or drop it.")
    if not target["locale"] and (source.get("provider") or "c") == "c":
        words = f"{where} shows no collation like {source['collate']} ({source['encoding']}), which the database has"
        yield finding("move-locale", f"{words}; it is tried before anybody is held up.")


def _of_roles(target: Row, *, same_roles: bool) -> t.Iterator[Finding]:
    where = target["where"]
    if target["missing"]:
        words = f"{where} lacks the roles {', '.join(target['missing'])}"
        yield finding("restore-roles", f"{words}; create them there, with the passwords of the new Secret.")
    if not same_roles and target["member"] is False:
        words = f"The role of ai_agent_move_database_secret is no member of {target['owner']} at {where}"
        yield finding("restore-roles", f"{words}, so it can give it nothing; grant it that role.")
    if not same_roles and target["agent"] != target["owner"]:
        words = f"{target['agent']} is not the owner of the new database, {target['owner']}, who would get everything"
        cure = "set ai_agent_move_same_roles where both servers have the same roles, or let both URLs name one role"
        yield finding("move-target", f"{words}; {cure}.")
    for what, problem in target["logins"].items():
        if problem and target[what] not in target["missing"]:
            yield finding(problem[0], f"The {what} of the new database cannot log in: {problem[1]}")


def estimate(records: t.Sequence[Row], database: str, database_bytes: int) -> tuple[float, str] | None:
    """Seconds that a dump and a restore may take, and the backup that says so; None where none does.

    :param records: of backups, the newest first
    """
    for record in records:
        seconds = record.get("seconds") or {}
        known = isinstance(seconds.get("dump"), int | float) and isinstance(seconds.get("restore"), int | float)
        if record.get("verified") is True and record.get("database") == database and known:
            share = database_bytes / max(1, int(record.get("database_bytes") or database_bytes))
            return (seconds["dump"] + seconds["restore"]) * share, str(record.get("name"))
    return None


def told(records: t.Sequence[Row], source: Row) -> Finding:
    """How long nobody could write, before it begins."""
    found = estimate(records, source["database"], source["database_bytes"])
    if found is None:
        words = f"No verified backup says how long dump and restore of {source['database']} take"
        return finding("move-time", f"{words}: nobody could write meanwhile. Run playbooks/backup.yml first.")
    words = f"Dump and restore took as long when the backup {found[1]} was verified, and nobody can write meanwhile"
    return finding("move-time", f"About {found[0]:.0f} s: {words}.", severity="info")


def _size(number: int) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"


__all__ = ("estimate", "judged", "told")
