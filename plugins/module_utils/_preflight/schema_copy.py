"""The schema of a live database in a throw-away server: roles, rights, objects and settings, no row and no password."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import ScratchError

_CREATE_DATABASE = re.compile(r"^CREATE DATABASE .*?;$", re.MULTILINE | re.DOTALL)
# The options of a user mapping are a login at another server, or at the same one.
_LEFT_OUT = re.compile(
    r"^CREATE DATABASE .*?;$|^CREATE USER MAPPING .*?;$|^\\(?:un)?restrict .*?$", re.MULTILINE | re.DOTALL
)
# So may be what somebody keeps under a name of his own in the settings of a role or database.
_OWN_SETTINGS = re.compile(
    r"""^ALTER (?:ROLE|DATABASE) [^\n]* SET "?[A-Za-z_]\w*\.[^'\n]* (?:TO|=) (?:E?'(?:[^']|'')*'|[^'\n]*);$""",
    re.MULTILINE,
)
# What the role that migrates may have set for itself would keep statements out of the log.
_LOGGED = {
    "log_statement": "all", "log_min_messages": "error", "log_min_error_statement": "error",
    "log_error_verbosity": "default", "log_parameter_max_length": "-1",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Live:
    """The database whose schema is copied.

    :param database: its name
    :param role: as which the migration logs in
    :param major: the server's major version
    :param encoding: PostgreSQL's name of it
    :param version_table: its schema and name; without a schema there is none
    :param heads: the rows of the version table
    :param options: libpq's, of the URL
    :param settings: of the server, for every session
    :param filled: materialized views that have rows, in the order in which they were made
    :param positions: SQL that brings sequences to where they are
    """

    database: str
    role: str
    major: int
    encoding: str
    version_table: tuple[str | None, str]
    heads: t.Sequence[str] = ()
    options: str | None = None
    settings: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    filled: t.Sequence[str] = ()
    positions: t.Sequence[str] = ()

    @property
    def place(self) -> dict[str, str]:
        """What a connection to the copy has from here: libpq's parameters without the host."""
        found = {"dbname": self.database, "user": self.role}
        return found | ({"options": self.options} if self.options else {})


class Ran(t.Protocol):
    """How a run of psql ended."""

    @property
    def returncode(self) -> int | None:
        """0 is well."""

    @property
    def stderr(self) -> str:
        """What it said."""


class Scratch(t.Protocol):
    """A throw-away server, as its superuser."""

    def psql(self, sql: str, database: str = "template1", *, stop: bool = True) -> Ran:
        """Run SQL.

        :param stop: at the first error
        """


class Dump(t.Protocol):
    """The live database's own programs."""

    def __call__(self, program: str, *options: str) -> str:
        """What pg_dump or pg_dumpall writes.

        :raises ScratchError: it fails
        """


def live_of(found: t.Mapping[str, t.Any], heads: t.Sequence[str]) -> Live:
    """From the answer of _in_pod/copy_facts.py, and the rows of the version table."""
    return Live(**{**found, "version_table": tuple(found["version_table"])}, heads=heads)


def copy(live: Live, server: Scratch, dump: Dump | None, watch: str, lock_timeout_ms: int) -> None:
    """Make the copy.

    :param dump: None where the database is a new one, with nothing in it
    :param watch: SQL that is run in it at the end
    :param lock_timeout_ms: how long the copying may wait for a lock of the live database
    :raises ScratchError: a part cannot be had here
    """
    role = _quoted(live.role)
    if dump:
        with contextlib.suppress(ScratchError):
            # Some providers let nobody read all roles; those that the schema names are made below.
            roles = dump("pg_dumpall", "--roles-only", "--no-role-passwords")
            server.psql(_OWN_SETTINGS.sub("", roles), stop=False)
    server.psql(f"CREATE ROLE {role} LOGIN; ALTER ROLE {role} LOGIN;", stop=False)
    if live.database == "postgres":
        server.psql("DROP DATABASE postgres", "template1")
    options = ["--schema-only", "--create", "--no-subscriptions", "--no-tablespaces", "--no-security-labels"]
    schema = dump("pg_dump", *options, f"--lock-wait-timeout={lock_timeout_ms}") if dump else ""
    made = _database(live, server, schema)
    if made.returncode == 0 and schema:
        made = server.psql(_OWN_SETTINGS.sub("", _LEFT_OUT.sub("", schema)), "template1")
    if made.returncode == 0:
        views = [f"REFRESH MATERIALIZED VIEW {view};" for view in live.filled]
        server.psql("\n".join([*views, *live.positions]), live.database, stop=False)
        logged = "".join(f"ALTER ROLE {role} IN DATABASE {_quoted(live.database)} SET {name} = '{value}';\n"
                         for name, value in _LOGGED.items())  # fmt: skip
        made = server.psql(_position(live) + logged + watch, live.database)
    if made.returncode:
        lines = [line.partition("ERROR:  ")[2] or line for line in made.stderr.strip().splitlines()]
        raise ScratchError(f"the schema cannot be copied: {lines[0] if lines else 'psql fails'}")


def _database(live: Live, server: Scratch, schema: str) -> Ran:
    """The empty database of the copy, as the dump makes it where this machine can."""
    own = _CREATE_DATABASE.search(schema)
    if own and (made := server.psql(own[0], "template1")).returncode == 0:
        return made
    # It is a new one, or has a locale that is not known here.
    encoding = _literal(live.encoding)
    owner = "" if own else f" OWNER {_quoted(live.role)}"
    plain = f"CREATE DATABASE {_quoted(live.database)}{owner} TEMPLATE template0 ENCODING {encoding} LOCALE 'C'"
    return server.psql(plain, "template1")


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


__all__ = ("Dump", "Live", "Ran", "Scratch", "copy", "live_of")
