"""The schema of a live database in a throw-away server: roles, rights, objects and settings, no row and no password."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.scratch_server import ScratchError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.scratch_server import ScratchServer

_SERVER = """
SELECT session_user::text, current_setting('server_version_num')::int / 10000, pg_encoding_to_char(encoding)
FROM pg_database WHERE datname = current_database()
"""
_SCHEMA = """
SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(concat_ws('.', quote_ident(%s), quote_ident(%s)))
"""
# What the server's files set for all sessions; where messages go and what is loaded is the copy's own affair.
_SETTINGS = """
SELECT name, current_setting(name) FROM pg_settings
WHERE source IN ('configuration file', 'command line') AND context IN ('user', 'superuser')
  AND name !~ '^(log_|debug_|trace_|track_|jit|dynamic_library|client_min|synchronous)|_preload_libraries$'
"""
# A dump of the schema leaves all of them without their rows, which refuses what a filled one allows.
_FILLED = """
SELECT format('%I.%I', schemaname, matviewname) FROM pg_matviews m
WHERE ispopulated ORDER BY to_regclass(format('%I.%I', schemaname, matviewname))::oid
"""
# How far its numbers have come is no row of anybody, and decides what may be altered of a sequence.
_SEQUENCES = """
SELECT format('SELECT pg_catalog.setval(%L, %s);', format('%I.%I', schemaname, sequencename), last_value)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
_CREATE_DATABASE = re.compile(r"^CREATE DATABASE .*?;$", re.MULTILINE | re.DOTALL)
# The options of a user mapping are a login at another server, or at the same one.
_LEFT_OUT = re.compile(
    r"^CREATE DATABASE .*?;$|^CREATE USER MAPPING .*?;$|^\\(?:un)?restrict .*?$", re.MULTILINE | re.DOTALL
)
# What the role that migrates may have set for itself would keep statements out of the log.
_LOGGED = {
    "log_statement": "all", "log_min_messages": "error", "log_min_error_statement": "error",
    "log_error_verbosity": "default", "log_parameter_max_length": "-1",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Live:
    """The database whose schema is copied.

    :param parameters: libpq's, of the connection
    :param role: as which the migration logs in
    :param major: the server's major version
    :param version_table: its schema and name; without a schema there is none
    :param heads: the rows of the version table
    :param settings: of the server, for every session
    :param positions: SQL that brings sequences to where they are
    :param filled: materialized views that have rows, in the order in which they were made
    :param lock_timeout_ms: how long the copying may wait for a lock
    """

    parameters: t.Mapping[str, str] = dataclasses.field(repr=False)
    role: str
    major: int
    encoding: str
    version_table: tuple[str | None, str]
    heads: t.Sequence[str]
    settings: t.Mapping[str, str]
    filled: t.Sequence[str]
    positions: t.Sequence[str]
    lock_timeout_ms: int

    @property
    def database(self) -> str:
        """Its name, as libpq finds it."""
        return self.parameters.get("dbname") or self.parameters.get("user") or "postgres"


def look(
    connection: t.Any, parameters: t.Mapping[str, str], table: tuple[str | None, str], heads: t.Sequence[str], wait: int
) -> Live:
    """What of the live database its copy must know.

    :param table: the version table, as it is configured: without a schema it is the first of the search path
    :param wait: milliseconds for a lock
    """
    role, major, encoding = connection.execute(_SERVER).fetchone()
    found = connection.execute(_SCHEMA, table).fetchone()
    settings = dict(connection.execute(_SETTINGS).fetchall())
    filled = [row[0] for row in connection.execute(_FILLED).fetchall()]
    positions = [row[0] for row in connection.execute(_SEQUENCES).fetchall()]
    place = (found[0] if found else None, table[1])
    return Live(parameters, role, major, encoding, place, heads, settings, filled, positions, wait)


def copy(live: Live, server: ScratchServer, watch: str) -> None:
    """Make the copy.

    :param watch: SQL that is run in it at the end
    :raises ScratchError: a part cannot be had here
    """
    with contextlib.suppress(ScratchError):
        # Some providers let nobody read all roles; those that the schema names are made below.
        server.psql(server.dump("pg_dumpall", live.parameters, "--roles-only", "--no-role-passwords"), stop=False)
    database, role = _quoted(live.database), _quoted(live.role)
    server.psql(f"CREATE ROLE {role} LOGIN; ALTER ROLE {role} LOGIN;", stop=False)
    if live.database == "postgres":
        server.psql("DROP DATABASE postgres", "template1")
    options = ["--schema-only", "--create", "--no-subscriptions", "--no-tablespaces", "--no-security-labels"]
    options.append(f"--lock-wait-timeout={live.lock_timeout_ms}")
    dump = server.dump("pg_dump", live.parameters, *options)
    own = _CREATE_DATABASE.search(dump)
    made = server.psql(own[0] if own else "", "template1")
    if made.returncode:
        # With a locale that this machine has not.
        plain = f"CREATE DATABASE {database} TEMPLATE template0 ENCODING {_literal(live.encoding)} LOCALE 'C'"
        made = server.psql(plain, "template1")
    schema = _LEFT_OUT.sub("", dump)
    if made.returncode == 0:
        made = server.psql(schema, "template1")
    if made.returncode == 0:
        views = [f"REFRESH MATERIALIZED VIEW {view};" for view in live.filled]
        server.psql("\n".join([*views, *live.positions]), live.database, stop=False)
        logged = "".join(f"ALTER ROLE {role} IN DATABASE {database} SET {name} = '{value}';\n"
                         for name, value in _LOGGED.items())  # fmt: skip
        made = server.psql(_position(live) + logged + watch, live.database)
    if made.returncode:
        lines = [line.partition("ERROR:  ")[2] or line for line in made.stderr.strip().splitlines()]
        raise ScratchError(f"the schema cannot be copied: {lines[0] if lines else 'psql fails'}")


def _position(live: Live) -> str:
    schema, name = live.version_table
    if not schema:
        return ""
    table = f"{_quoted(schema)}.{_quoted(name)}"
    return "".join(f"INSERT INTO {table} VALUES ({_literal(head)});\n" for head in live.heads)  # noqa: S608 - quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


__all__ = ("Live", "copy", "look")
