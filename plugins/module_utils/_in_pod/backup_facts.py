"""What a database holds in one snapshot: what a backup records of it, and what a restored copy is compared with."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

from . import backup_lost, backup_session
from .errors import CollectorError

Facts = dict[str, t.Any]

_SERVER = """
SELECT d.datname::text AS database, current_setting('server_version_num')::int / 10000 AS major,
       current_setting('server_version') AS server_version,
       pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS collate, d.datctype::text AS ctype,
       d.datconnlimit AS connection_limit, pg_get_userbyid(d.datdba)::text AS owner,
       pg_database_size(d.oid) AS database_bytes,
       shobj_description(d.oid, 'pg_database') AS comment,
       to_jsonb(d) ->> 'datlocprovider' AS provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
       to_jsonb(d) ->> 'daticurules' AS rules
FROM pg_database d WHERE d.datname = current_database()
"""
# What an extension brings comes with the extension, as pg_dump has it too.
_RELATIONS = """
SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS kind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'S', 'm') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                  AND e.deptype = 'e')
ORDER BY 1
"""
# A sequence gives its numbers outside of transactions: the dump may be ahead of the snapshot, and never behind.
_SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename), last_value, increment_by FROM pg_sequences
WHERE last_value IS NOT NULL
"""
_POPULATED = "SELECT format('%I.%I', schemaname, matviewname), ispopulated FROM pg_matviews"
# Which server it is, for a folder with the backups of more than one. Not everybody may ask that.
_SYSTEM = "SELECT system_identifier::text FROM pg_control_system()"
_MAY_ASK = "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')"
_EXTENSIONS = "SELECT extname::text, extversion FROM pg_extension ORDER BY 1"
_LARGE_OBJECTS = "SELECT count(*) FROM pg_largeobject_metadata"
# The first superuser is nowhere among the dependencies of objects, whatever it owns.
_ROLES = """
SELECT r.rolname::text, r.rolsuper FROM pg_roles r
WHERE r.rolname !~ '^pg_' AND (r.oid = 10 OR r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database())
  OR r.oid IN (SELECT s.refobjid FROM pg_shdepend s, pg_database d WHERE d.datname = current_database()
               AND s.refclassid = 'pg_authid'::regclass AND (s.dbid = d.oid
               OR (s.classid = 'pg_database'::regclass AND s.objid = d.oid)))
  OR r.oid IN (SELECT s.setrole FROM pg_db_role_setting s, pg_database d
               WHERE s.setdatabase = d.oid AND d.datname = current_database()))
ORDER BY 1
"""
_DATABASE_SETTINGS = """
SELECT coalesce(r.rolname::text, ''), item FROM pg_db_role_setting s
JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) item ORDER BY 1, 2
"""
_RIGHTS = """
SELECT coalesce(r.rolname::text, ''), a.privilege_type, a.is_grantable
FROM pg_database d, aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE d.datname = current_database() ORDER BY 1, 2
"""
_VERSION_TABLE = """
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s)
"""


@contextlib.contextmanager
def translated(where: str, cure: str = "") -> t.Iterator[None]:
    """Turn the driver's errors into sentences.

    :param where: host, port and database
    :param cure: what to do where a right is missing to do something there, and none to read
    :raises CollectorError: one of them came
    """
    import psycopg
    from psycopg import errors

    try:
        yield
    except errors.InsufficientPrivilege as error:
        said = (error.diag.message_primary or "").rstrip(".")
        if cure:
            words = f"The role of database_url may not do something at {where} ({said}); {cure}."
            raise CollectorError("privilege-missing", words) from None
        cure = "grant it pg_read_all_data"
        if "row-level security" in said:
            cure = "give it BYPASSRLS: rows that policies hide would be missing"
        raise CollectorError("privilege-missing", f"The role may not read all of {where} ({said}); {cure}.") from None
    except psycopg.Error as error:
        said = (error.diag.message_primary or "connection lost").rstrip(".")
        lost = error.sqlstate is None or error.sqlstate[:2] in {"08", "57"}
        what = "ended the session" if lost else "refuses a statement"
        words = f"The server at {where} {what} ({said}); its log says why."
        raise CollectorError("database-refused", words) from None


def version_table(connection: t.Any, name: str) -> str | None:
    """The full name of Alembic's table, as this session's search path has it; to be asked before `prepare`."""
    found = connection.execute(_VERSION_TABLE, (name,)).fetchone()
    return str(found[0]) if found else None


def prepare(connection: t.Any) -> None:
    """Have a session, in autocommit, see every row or be refused, and nobody's names but the server's own."""
    backup_session.unhindered(connection)
    connection.execute("SET search_path = pg_catalog")


def facts(connection: t.Any, table: str | None) -> Facts:
    """All but the counts of rows.

    :param table: of version_table()
    """
    cursor = connection.execute(_SERVER)
    names = [column.name for column in cursor.description]
    found: Facts = dict(zip(names, cursor.fetchone(), strict=True))
    relations = connection.execute(_RELATIONS).fetchall()
    known = {name for name, kind in relations if kind == "S"}
    # What somebody has named himself, with a dot, may be a secret.
    settings = [list(row) for row in connection.execute(_DATABASE_SETTINGS).fetchall()]
    kept = [row for row in settings if "." not in row[1].partition("=")[0]]
    left_out = [row[1].partition("=")[0] for row in settings if row not in kept]
    matviews = {name for name, kind in relations if kind == "m"}
    return found | {
        "system": connection.execute(_SYSTEM).fetchone()[0] if connection.execute(_MAY_ASK).fetchone()[0] else None,
        "matviews": {name: full for name, full in connection.execute(_POPULATED).fetchall() if name in matviews},
        "lost": backup_lost.lost(connection, left_out),
        "tables": [name for name, kind in relations if kind == "r"],
        "sequences": {
            name: [value, step] for name, value, step in connection.execute(_SEQUENCES).fetchall() if name in known
        },
        "extensions": dict(connection.execute(_EXTENSIONS).fetchall()),
        "large_objects": connection.execute(_LARGE_OBJECTS).fetchone()[0],
        "roles": dict(connection.execute(_ROLES).fetchall()),
        "settings": kept,
        "settings_left_out": left_out,
        "rights": [list(row) for row in connection.execute(_RIGHTS).fetchall()],
        "version_table": table,
        "revision": _revision(connection, table),
    }


def _revision(connection: t.Any, table: str | None) -> list[str]:
    if table is None:
        return []
    rows = connection.execute(f"SELECT version_num FROM {table} ORDER BY 1").fetchall()  # noqa: S608 - quoted by format()
    return [str(row[0]) for row in rows]


def counts(connection: t.Any, tables: t.Iterable[str]) -> dict[str, int]:
    """The rows of each table, without those that inherit from it."""
    found = {}
    for name in tables:
        found[name] = connection.execute(f"SELECT count(*) FROM ONLY {name}").fetchone()[0]  # noqa: S608 - as above
    return found


def matview_counts(connection: t.Any, facts: Facts) -> dict[str, int]:
    """The rows of each materialized view that has any at all; one that is being refreshed is left out."""
    from psycopg import errors

    found = {}
    for name in sorted(name for name, full in facts["matviews"].items() if full):
        with contextlib.suppress(errors.LockNotAvailable), connection.transaction():
            connection.execute("SET LOCAL lock_timeout = 1000")
            found[name] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - as above
    return found


def notes(wanted: Facts, found: Facts) -> list[str]:
    """In what a restored copy differs as it may, as ends of sentences. Pure.

    pg_restore fills a materialized view anew from the restored tables, and not with the rows that it had.
    """
    rows, there = wanted.get("matview_counts", {}), found.get("matview_counts", {})
    return [
        f"restored with {there[name]} rows in the materialized view {name} instead of {rows[name]}: it is filled anew"
        for name in sorted(rows.keys() & there.keys())
        if rows[name] != there[name]
    ]


def differences(wanted: Facts, found: Facts) -> list[str]:
    """In what a restored copy differs from its backup, a sentence each; none where it is the same. Pure.

    :param wanted: facts and `counts` of the snapshot
    :param found: the same of the copy
    """
    said = []
    rows, there = wanted["counts"], found["counts"]
    for name in sorted(rows.keys() | there.keys()):
        if rows.get(name) != there.get(name):
            said.append(f"{name} has {_rows(there.get(name))} instead of {_rows(rows.get(name))}")
    if wanted["revision"] != found["revision"]:
        names = [", ".join(item) or "none" for item in (found["revision"], wanted["revision"])]
        said.append(f"the schema revision is {names[0]} instead of {names[1]}")
    if wanted["large_objects"] != found["large_objects"]:
        said.append(f"there are {found['large_objects']} large objects instead of {wanted['large_objects']}")
    for name in sorted(wanted["extensions"].keys() - found["extensions"].keys()):
        said.append(f"the extension {name} is missing")
    for name, full in sorted(wanted.get("matviews", {}).items()):
        if name not in found["matviews"]:
            said.append(f"the materialized view {name} is missing")
        elif found["matviews"][name] != full:
            said.append(f"the materialized view {name} {'has no' if full else 'has'} rows yet")
    for name, (value, step) in sorted(wanted["sequences"].items()):
        now = (found["sequences"].get(name) or [None])[0]
        if now is None or (now - value) * step < 0:
            said.append(f"the sequence {name} is at {now} instead of {value}")
    return said


def _rows(number: int | None) -> str:
    return "no such table" if number is None else f"{number} rows"


__all__ = ("Facts", "counts", "differences", "facts", "matview_counts", "notes", "prepare", "translated",
           "version_table")  # fmt: skip
