"""The steps of a move that need both servers: looking, copying under a freeze, comparing, letting go.

Dump, restore and comparison are those of a backup (backup_take.py, backup_restoration.py): the copy is a backup that
nobody keeps.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import secrets
import time
import typing as t

from . import (
    backup_facts,
    backup_manifest,
    backup_restoration,
    backup_restore,
    backup_take,
    move_facts,
    move_freeze,
    session,
)
from .backup_folder import BackupFolder
from .errors import CollectorError
from .move_facts import APPLICATION, CONNECT_SECONDS, SETTING

if t.TYPE_CHECKING:  # pragma: no cover
    from .backup_run import Site, Sites

# `source`: URL of the database that is there, as its owner. `admin`: of another database of the new server, as a role
# that may create databases. `owner_url`, `agent_url`: of the new one, as who migrates it and as who works with it.
# `same_roles`: owners and rights stay as they are. `jobs`, `version_table`, `lock_timeout_ms`, `image`: of a backup.
Request = dict[str, t.Any]
Row = dict[str, t.Any]
_UNREADABLE: t.Final = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                  AND e.deptype = 'e')
ORDER BY 1 LIMIT 5
"""


class LeftError(CollectorError):
    """A copy that failed, and of which something is left."""


def look(request: Request) -> Row:
    """What decides whether it can be moved, as `source` and `target`; nothing is changed.

    :raises CollectorError: one of the two cannot be asked
    """
    found = move_facts.source(request["source"], request["version_table"])
    return {"source": found, "target": move_facts.target(request, found)}


def copy(request: Request, sites: Sites) -> Row:
    """The database at the new server, the same; the old one stays read-only. A failure takes that back.

    What an earlier run left there complete, beside a source that is read-only since, is compared and not copied again.

    :return: `seconds` by step, `rows`, `tables`, `bytes`, `copied` and `notes`; `frozen_at` and `now` of this clock
    :raises LeftError: there is none, and something of this run is left, which the text names
    :raises CollectorError: there is none, and the old one may be written as before
    """
    found = look(request)
    source, target = found["source"], found["target"]
    if target["exists"] and not source["frozen"]:
        words = f"{target['where']} has a database {target['database']}, and a move never writes over one"
        raise CollectorError("restore-exists", f"{words}; let the new Secret's URLs name another one.")
    if not target["exists"]:
        _assert_creates(request, source, target)
    began = time.time()
    made = False
    try:
        if not source["frozen"]:
            move_freeze.freeze(request["source"])
        if target["exists"]:
            row = _compared(request, target)
        else:
            row = _copied(request, sites, target)
            made = True
        _assert_served(request, target)
    except BaseException as error:
        if left := _taken_back(request, target if made else None):
            first = error if isinstance(error, CollectorError) else CollectorError("move-failed", "The copy failed.")
            raise LeftError(first.id, " ".join((first.message, *left))) from error
        raise
    return row | {"frozen_at": began, "now": time.time(), "was_frozen": source["frozen"]}


def differences(request: Request) -> Row:
    """How the new database differs from the old one by now, a sentence each: what was written since.

    :raises CollectorError: one of the two cannot be asked
    """
    target = move_facts.named(request)
    wanted = _counted(request["source"], request["version_table"])
    said = _unlike(request, target["database"], wanted)
    return {"differences": said}


def thaw(request: Request) -> Row:
    """The old database may be written again.

    :raises CollectorError: it cannot be done
    """
    move_freeze.thaw(request["source"])
    return {"thawed": True}


def _assert_creates(request: Request, source: Row, target: Row) -> None:
    """Check, before anybody is held up, that the server creates such a database; it is removed at once."""
    import psycopg

    name = f"{target['database'][:30]}{backup_restoration.INFIX}{secrets.token_hex(4)}"
    owner = None if request["same_roles"] else target["owner"]
    with session.connected(request["admin"], CONNECT_SECONDS, APPLICATION) as admin:
        admin.autocommit = True
        try:
            admin.execute(t.cast("t.Any", backup_restore.creation(name, source, owner)))
            admin.execute(t.cast("t.Any", f"DROP DATABASE {backup_restore.quoted(name)}"))
        except psycopg.Error as error:
            said = (error.diag.message_primary or "connection lost").rstrip(".")
            words = f"{target['where']} cannot create a database like the one that is there ({said})"
            raise CollectorError("restore-refused", f"{words}; give it the locale or the right.") from None


def _copied(request: Request, sites: Sites, target: Row) -> Row:
    """Dump and restore, compared; as copy()."""
    began = time.monotonic()
    parameters = session.parameters(request["source"])
    where = session.place(parameters)
    with contextlib.ExitStack() as stack:
        connection = session.connected(request["source"], CONNECT_SECONDS, backup_take.APPLICATION)
        stack.callback(connection.close)
        facts = backup_take.look(connection, request["version_table"], where, request["lock_timeout_ms"])
        # The copy is to be written.
        facts["settings"] = [item for item in facts["settings"] if not item[1].startswith(f"{SETTING}=")]
        site: Site = stack.enter_context(sites(facts["major"], "pg_restore"))
        folder = BackupFolder(site.folder / "move")
        stack.enter_context(folder.locked())
        wish = backup_take.Wish(
            request["jobs"], site.folder, None, request["version_table"], request["lock_timeout_ms"], request["image"]
        )
        _assert_room(folder, facts)
        kept = backup_take.take(backup_take.Source(connection, facts, parameters, where), folder, wish, site, site)
        connection.close()
        dumped = time.monotonic()
        manifest = backup_manifest.read(kept.folder)
        place = backup_restoration.Target(
            request["admin"], target["database"], None if request["same_roles"] else target["owner"]
        )
        backup_restoration.judged(place, manifest)
        data = kept.folder / backup_manifest.DATA
        seconds, more = backup_restoration.restore(place, manifest, data, site, request["jobs"])
        seconds |= {"dump": round(dumped - began, 3), "all": round(time.monotonic() - began, 3)}
    return {
        "copied": True,
        "seconds": seconds,
        "rows": kept.record["rows"],
        "tables": kept.record["tables"],
        "bytes": kept.record["database_bytes"],
        "notes": [f"The copy was {note}." for note in more],
    }


def _assert_room(folder: BackupFolder, facts: Row) -> None:
    room = backup_take.room(folder, facts["database_bytes"], facts["database"])
    if not room.enough:
        words = f"The pod of the copy has {room.free} bytes free, and the dump may need {room.needed}"
        raise CollectorError("backup-room", f"{words}; name a volume in ai_agent_backup_work_claim.")


def _compared(request: Request, target: Row) -> Row:
    """What an earlier run copied; as copy()."""
    began = time.monotonic()
    wanted = _counted(request["source"], request["version_table"])
    said = _unlike(request, target["database"], wanted)
    if said:
        words = f"The database {target['database']} at {target['where']} is not as the old one: {'; '.join(said[:5])}"
        raise CollectorError("move-differs", f"{words}. Drop it, or name another one, and run it again.")
    seconds = round(time.monotonic() - began, 3)
    return {
        "copied": False,
        "seconds": {"compare": seconds, "all": seconds},
        "rows": sum(wanted["counts"].values()),
        "tables": len(wanted["tables"]),
        "bytes": wanted["database_bytes"],
        "notes": [],
    }


def _unlike(request: Request, database: str, wanted: Row) -> list[str]:
    parameters = session.parameters(request["admin"]) | {"dbname": database}
    where = session.place(parameters)
    import psycopg

    with backup_facts.translated(where):
        connection = psycopg.connect(**parameters, autocommit=True, client_encoding="UTF8")
    with contextlib.closing(connection):
        return backup_restore.compare(connection, wanted, where)[0]


def _counted(url: str, version_table: str) -> Row:
    """All facts of a database, with its rows counted."""
    where = session.place(session.parameters(url))
    with contextlib.closing(session.connected(url, CONNECT_SECONDS, APPLICATION)) as connection:
        found = backup_take.look(connection, version_table, where, CONNECT_SECONDS * 1000)
        with backup_facts.translated(where):
            found["counts"] = backup_facts.counts(connection, found["tables"])
            found["matview_counts"] = backup_facts.matview_counts(connection, found)
    return found


def _assert_served(request: Request, target: Row) -> None:
    """Check that both new logins are let into the new database, and that the agent reads every table.

    :raises CollectorError: they are not
    """
    for what in ("owner", "agent"):
        url = request[f"{what}_url"]
        where = session.place(session.parameters(url))
        with (
            backup_facts.translated(where),
            contextlib.closing(session.connected(url, CONNECT_SECONDS, APPLICATION)) as connection,
        ):
            hidden = [row[0] for row in connection.execute(_UNREADABLE).fetchall()]
            read_only = move_facts.row(connection, f"SELECT current_setting('{SETTING}')::bool AS it")["it"]
        if hidden:
            words = f"The role {target[what]} may not read {', '.join(hidden)} at {where}"
            raise CollectorError("move-target", f"{words}; let it be the owner, or keep the roles with their rights.")
        if read_only:
            words = f"Sessions of {target[what]} at {where} are read-only by a setting of the role or the server"
            raise CollectorError("move-target", f"{words} ({SETTING}); lift it.")


def _taken_back(request: Request, made: Row | None) -> list[str]:
    """Remove what this run has made, and let the old database be written again.

    :param made: the new database, None where this run made none
    :return: what could not be done, a sentence each
    """
    import psycopg

    left = []
    if made:
        name = backup_restore.quoted(made["database"])
        try:
            with session.connected(request["admin"], CONNECT_SECONDS, APPLICATION) as admin:
                admin.autocommit = True
                admin.execute(t.cast("t.Any", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        except (psycopg.Error, CollectorError):
            left.append(f"The copy could not be removed: drop the database {made['database']} at {made['where']}.")
    try:
        move_freeze.thaw(request["source"])
    except CollectorError as error:
        words = "Whether the old database may be written again is not known"
        left.append(f"{words}; run the move again, or RESET {SETTING} there. {error.message}")
    return left


__all__ = ("LeftError", "Request", "copy", "differences", "look", "thaw")
