"""Which migrations ran, in a table of the chart's own, for tools whose own record this collection cannot read.

Part of command_migration.py and first_pod.py. The table stands in a schema of its own and is made only when there is
something to remember: some programs take a database with a foreign table in it for one that is in use.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

# schema.py reads the revisions of an Alembic image too. Here its session and its lock are used alone, and the image
# need not have Alembic: names that are never called stand in for what could not be imported.
if importlib.util.find_spec("alembic") is None:
    stand_in = types.ModuleType("schema_revisions")
    for name in ("RevisionsError", "State", "judge", "named", "read_graph"):
        setattr(stand_in, name, type(name, (Exception,), {}))
    sys.modules[stand_in.__name__] = stand_in

import psycopg
from psycopg import sql

from schema_runner import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Entry:
    """One migration that ended well, or the pod that begins: `release` says of what, `pod` by whom."""

    release: str
    pod: str
    age: float


class Ledger:
    """The table. Every method may raise psycopg.Error."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take its name, `table` or `schema.table`, from SCHEMA_LEDGER."""
        self._name = tuple(environ.get("SCHEMA_LEDGER", "ai_agent.migrations").split("."))
        self._table = sql.Identifier(*self._name)

    def entries(self, connection: psycopg.Connection[Any]) -> list[Entry]:
        """Return what is remembered, the newest first; the age is in seconds. Nothing where there is no table."""
        place = self._table.as_string(connection)
        if connection.execute("SELECT to_regclass(%s)", (place,)).fetchone() in (None, (None,)):
            return []
        query = "SELECT release, pod, extract(epoch FROM clock_timestamp() - at)::float FROM {} ORDER BY at DESC"
        return [Entry(*row) for row in connection.execute(sql.SQL(query).format(self._table))]

    def write(self, connection: psycopg.Connection[Any], release: str, pod: str = "") -> None:
        """Remember a release as the newest.

        :raises SchemaError: this user may not make the table
        """
        try:
            with connection.transaction():
                self._make(connection)
                query = (
                    "INSERT INTO {} (release, pod, at) VALUES (%s, %s, clock_timestamp()) ON CONFLICT (release) DO"
                    " UPDATE SET pod = EXCLUDED.pod, at = EXCLUDED.at"
                )
                connection.execute(sql.SQL(query).format(self._table), (release, pod))
        except psycopg.errors.InsufficientPrivilege as error:
            text = str(error).splitlines()[0]
            raise SchemaError(
                f"The table {'.'.join(self._name)} cannot be written ({text}): let the user of the migration create "
                "it, or name another one in migration.ledger."
            ) from error

    def _make(self, connection: psycopg.Connection[Any]) -> None:
        if len(self._name) > 1:
            schema = sql.Identifier(self._name[0])
            found = connection.execute("SELECT to_regnamespace(%s)", (schema.as_string(connection),)).fetchone()
            if found in (None, (None,)):
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
                # The agent's own user, which may be another one, reads it while its pod waits.
                connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO PUBLIC").format(schema))
        if connection.execute("SELECT to_regclass(%s)", (self._table.as_string(connection),)).fetchone() in (
            None,
            (None,),
        ):
            columns = "release text PRIMARY KEY, pod text NOT NULL, at timestamptz NOT NULL"
            connection.execute(sql.SQL(f"CREATE TABLE {{}} ({columns})").format(self._table))
            connection.execute(sql.SQL("GRANT SELECT ON {} TO PUBLIC").format(self._table))
