"""A trace on this machine: the database's schema in a throw-away server, and the real upgrade on it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shutil
import subprocess
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import TRACER
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import end, receive, start
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.scratch_server import (
    ScratchError,
    ScratchServer,
    programs,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_log import WATCH, read

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess

# Foreign code is given a network of its own, in which there is nothing: root may make one, else a user namespace may.
_WITHOUT_NETWORK = (["unshare", "--net"], ["unshare", "--user", "--map-current-user", "--net"])
_DATABASE = re.compile(r"^CREATE DATABASE .*?;$|^\\(?:un)?restrict .*?$", re.MULTILINE | re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Live:
    """The database whose schema is traced.

    :param parameters: libpq's, of the connection
    :param major: the server's major version
    :param role: as which the migration logs in
    :param version_table: schema, None for the first of the search path, and name
    :param heads: the rows of the version table, None where there is none
    """

    parameters: t.Mapping[str, str] = dataclasses.field(repr=False)
    major: int
    role: str
    version_table: tuple[str | None, str]
    heads: t.Sequence[str] | None


def trace(live: Live, alembic: AlembicProcess, named: str | None, timeout: float) -> Trace:
    """Run the upgrade on a copy of the schema.

    :param named: the folder with PostgreSQL's programs, None to look for one
    :param timeout: of the upgrade, in seconds
    :raises ScratchError: there is no copy to be had
    """
    began = time.monotonic()
    with ScratchServer(programs(live.major, named)) as server:
        started = time.monotonic()
        database = live.parameters.get("dbname") or live.parameters.get("user") or "postgres"
        _copy(live, server, database)
        copied = time.monotonic()
        answer = _upgrade(alembic, {"host": str(server.folder), "dbname": database, "user": live.role}, timeout)
        ended = time.monotonic()
        statements = read(server.log())
    phases = {"server": started - began, "schema": copied - started, "upgrade": ended - copied}
    return Trace(statements, answer["error"], answer["revision"], answer.get("seconds") or {}, phases)


def _copy(live: Live, server: ScratchServer, database: str) -> None:
    """Roles and schema, without a row and without a password.

    :raises ScratchError: a part cannot be had here
    """
    with contextlib.suppress(ScratchError):
        # Some providers let nobody read all roles; those that the schema names are made below.
        server.psql(server.dump("pg_dumpall", live.parameters, "--roles-only", "--no-role-passwords"), stop=False)
    quoted, role = _quoted(database), _quoted(live.role)
    server.psql(f"CREATE ROLE {role} LOGIN; ALTER ROLE {role} LOGIN;", stop=False)
    made = server.psql(f"CREATE DATABASE {quoted} TEMPLATE template0", stop=database != "postgres")
    options = ("--schema-only", "--create", "--no-subscriptions", "--no-tablespaces", "--no-security-labels")
    schema = _DATABASE.sub("", server.dump("pg_dump", live.parameters, *options))
    if made.returncode == 0:
        made = server.psql(schema)
    if made.returncode == 0:
        made = server.psql(_position(live) + _watched(role, quoted) + WATCH, database)
    if made.returncode:
        lines = [line.partition("ERROR:  ")[2] or line for line in made.stderr.strip().splitlines()]
        raise ScratchError(f"the schema cannot be copied: {lines[0] if lines else 'psql fails'}")


def _position(live: Live) -> str:
    schema, name = live.version_table
    if live.heads is None:
        return ""
    table = f"{_quoted(schema)}.{_quoted(name)}" if schema else _quoted(name)
    # As its owner finds it: the dump sets an empty search_path for itself only.
    return "".join(f"INSERT INTO {table} VALUES ({_literal(head)});\n" for head in live.heads)  # noqa: S608 - quoted


def _watched(role: str, database: str) -> str:
    logged = "SET log_statement = 'all';\n"
    return f"ALTER ROLE {role} {logged}ALTER ROLE {role} IN DATABASE {database} {logged}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _upgrade(alembic: AlembicProcess, place: dict[str, str], timeout: float) -> dict[str, t.Any]:
    """The answer of _in_pod/alembic_trace.py.

    :raises ScratchError: it gives none in time
    """
    request = {"alembic": alembic.request, "place": place}
    python = [*_without_network(), alembic.python]
    process, answers = start(python, TRACER, request, alembic.folder, alembic.environment)
    try:
        line, _beyond = receive(answers, b"", time.monotonic() + timeout)
        answer: dict[str, t.Any] = json.loads(line)
    except TimeoutError:
        raise ScratchError(f"the upgrade did not end within {timeout:g} s") from None
    except (EOFError, ValueError):
        raise ScratchError("the process that upgrades died without an answer") from None
    finally:
        end(process, answers)
    return answer


def _without_network() -> list[str]:
    """The words before a command that take its network away; none where this machine allows neither way."""
    if shutil.which("unshare"):
        for words in _WITHOUT_NETWORK:
            tried = subprocess.run([*words, "true"], capture_output=True, check=False)  # pylint: disable=ansible-bad-function
            if tried.returncode == 0:
                return words
    return []


__all__ = ("Live", "trace")
