"""What decides whether a database can be moved: the one that is there, and the server that is to have it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from . import backup_facts, backup_session, session
from .errors import CollectorError

Facts = dict[str, t.Any]
APPLICATION: t.Final = "ai_platform.agent move"
CONNECT_SECONDS: t.Final = 10
SETTING: t.Final = "default_transaction_read_only"
# A role's own setting counts before the database's. Without the right to see a session, backend_type is NULL.
_SOURCE: t.Final = f"""
SELECT pg_is_in_recovery() AS standby,
       pg_has_role(session_user, d.datdba, 'USAGE') AS owner,
       EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) item
               WHERE s.setdatabase = d.oid AND s.setrole = 0 AND item = '{SETTING}=on') AS frozen,
       ARRAY(SELECT DISTINCT r.rolname::text FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole,
             unnest(s.setconfig) item WHERE s.setdatabase IN (0, d.oid) AND item LIKE '{SETTING}=%'
             AND item <> '{SETTING}=on' ORDER BY 1) AS overriding,
       (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()) AS prepared,
       ARRAY(SELECT DISTINCT a.usename::text FROM pg_stat_activity a
             WHERE a.datid = d.oid AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid()
             AND coalesce(a.backend_type, 'client backend') = 'client backend'
             AND NOT pg_has_role(session_user, a.usesysid, 'USAGE')
             AND NOT (pg_has_role(session_user, 'pg_signal_backend', 'USAGE')
                      AND NOT (SELECT rolsuper FROM pg_roles r WHERE r.oid = a.usesysid)) ORDER BY 1) AS stubborn
FROM pg_database d WHERE d.datname = current_database()
"""  # noqa: S608 - a constant
# Since PostgreSQL 15 a database's locale may be another provider's, which knows its own names.
_TARGET: t.Final = """
SELECT current_setting('server_version_num')::int / 10000 AS major, pg_is_in_recovery() AS standby,
       r.rolsuper OR r.rolcreatedb AS creates,
       EXISTS (SELECT FROM pg_database WHERE datname = %(name)s) AS exists,
       ARRAY(SELECT w FROM unnest(%(roles)s::text[]) w
             WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = w)) AS missing,
       (SELECT pg_has_role(session_user, o.oid, 'USAGE') FROM pg_roles o WHERE o.rolname = %(owner)s) AS member,
       ARRAY(SELECT w FROM unnest(%(extensions)s::text[]) w
             WHERE NOT EXISTS (SELECT FROM pg_available_extensions e WHERE e.name = w)) AS extensions,
       %(collate)s IN ('C', 'POSIX') OR EXISTS (
         SELECT FROM pg_collation c WHERE c.collprovider = 'c'
         AND lower(replace(c.collcollate, '-', '')) = lower(replace(%(collate)s, '-', ''))) AS locale
FROM pg_roles r WHERE r.rolname = session_user
"""


def source(url: str, version_table: str) -> Facts:
    """The facts of backup_facts.py without counts, and whether it can be made read-only.

    :raises CollectorError: it cannot be asked
    """
    where = session.place(session.parameters(url))
    with (
        backup_facts.translated(where),
        session.connected(url, CONNECT_SECONDS, APPLICATION) as connection,
    ):
        connection.autocommit = True
        backup_session.unhindered(connection)
        table = backup_facts.version_table(connection, version_table)
        backup_facts.prepare(connection)
        found = row(connection, _SOURCE) | {"where": where}
        return backup_facts.facts(connection, table) | found


def target(request: Facts, wanted: Facts) -> Facts:
    """What the new server says of a database that would be like the one that is there.

    :param request: `admin`, `owner_url` and `agent_url`, and `same_roles`, as move_run.py has them
    :param wanted: of source()
    :raises CollectorError: it cannot be asked
    """
    names = named(request)
    roles = sorted(wanted["roles"]) if request["same_roles"] else sorted({names["owner"], names["agent"]})
    where = session.place(session.parameters(request["admin"]))
    asked = {
        "name": names["database"],
        "roles": roles,
        "owner": names["owner"],
        "extensions": sorted(wanted["extensions"]),
        "collate": wanted["collate"],
    }
    with (
        backup_facts.translated(where),
        session.connected(request["admin"], CONNECT_SECONDS, APPLICATION) as connection,
    ):
        connection.autocommit = True
        backup_session.unhindered(connection)
        found = row(connection, _TARGET, asked)
    logins = {what: _login(request[f"{what}_url"]) for what in ("owner", "agent")}
    return found | names | {"where": where.rpartition("/")[0], "logins": logins}


def named(request: Facts) -> dict[str, str]:
    """Database, owner and agent, as the new URLs name them.

    :raises CollectorError: one of them is no URL, or they name two databases
    """
    owner, agent = (session.parameters(request[f"{what}_url"]) for what in ("owner", "agent"))
    names = {str(each.get("dbname") or each.get("user") or "") for each in (owner, agent)}
    if len(names) > 1:
        words = f"The new Secret's URLs name two databases, {' and '.join(sorted(names))}"
        raise CollectorError("move-refused", f"{words}; let both name the one that is to be made.")
    return {"database": names.pop(), "owner": str(owner.get("user") or ""), "agent": str(agent.get("user") or "")}


def _login(url: str) -> list[str]:
    """Id and words of what refuses a login; none where it works.

    A server looks at the password first: one that only misses the database has let the user in.
    """
    try:
        session.connected(url, CONNECT_SECONDS, APPLICATION).close()
    except CollectorError as error:
        return [] if error.id == "database-missing" else [error.id, error.message]
    return []


def row(connection: t.Any, query: str, values: t.Any = None) -> Facts:
    """The one row of a query, by the names of its columns."""
    cursor = connection.execute(query, values)
    return dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))


__all__ = ("APPLICATION", "CONNECT_SECONDS", "SETTING", "Facts", "named", "row", "source", "target")
