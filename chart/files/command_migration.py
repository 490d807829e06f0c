"""Migrate a database with a program of the image's own (`migrate -- PROGRAM ...`), or wait for that (`wait`).

It has the lock, the deadline, the session settings and the failure handling of schema.py, and its exit codes. What the
program did it cannot read, so it remembers which release was migrated (ledger.py):

- a release that was never migrated, or was the last one, runs its program, which finds nothing to do the second time;
- a release after which another one was migrated is a rollback: its program would meet a schema that it does not know,
  so the schema is left alone, exit code 0.

Environment, beside that of schema.py:
    SCHEMA_RELEASE  what this release's migration is known by: image and program
    SCHEMA_LEDGER   the table, default ai_agent.migrations

In the program's words `$(NAME)` stands for a variable of its environment: DATABASE_URL there carries the session
settings of the migration.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

# It comes first, for it makes schema.py usable in an image without Alembic.
from ledger import Ledger  # isort: skip
import psycopg

import schema
from schema_runner import Runner, SchemaError
from schema_url import redact, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


class Program(Runner):
    """Runs the image's program wherever schema.py would run Alembic."""

    def __init__(self, words: list[str], limit: float | None = None) -> None:
        """:param words: the program and its arguments
        :param limit: seconds from now on
        """
        super().__init__(limit)
        self._words = words

    def run(
        self,
        command: list[str],  # noqa: ARG002 - Alembic's
        environ: Mapping[str, str],
        say: Callable[[str], None],
        held: Callable[[], bool],
    ) -> tuple[int, list[str]]:
        """Run the program in place of `command`.

        :raises SchemaError: the image has no such program
        """
        words = [VARIABLE.sub(lambda found: environ.get(found[1], found[0]), word) for word in self._words]
        try:
            return super().run(words, environ, say, held)
        except OSError as error:
            raise SchemaError(
                f"The program {words[0]} of migration.command cannot be started: {error.strerror}."
            ) from error


def release_of(environ: Mapping[str, str]) -> str:
    """Return what this release's migration is known by.

    :raises SchemaError: it is not told
    """
    if not environ.get("SCHEMA_RELEASE"):
        raise SchemaError("SCHEMA_RELEASE is not set: the chart makes it of image and program.")
    return environ["SCHEMA_RELEASE"]


def migrate(settings: schema.Settings, words: list[str], database_timeout: float | None, limit: float | None) -> None:
    """Run the program, unless a later release's was run after it; within `limit` s.

    :raises SchemaError: it fails
    """
    runner = Program(words, limit)
    ledger, release = Ledger(settings.environ), release_of(settings.environ)
    with (
        schema.connect_patiently(settings, "ai-agent migrate", database_timeout, schema.LOCK_SESSION) as connection,
        schema.migration_lock(connection, settings),
    ):
        known = [entry.release for entry in ledger.entries(connection)]
        if release in known[1:]:
            settings.say(f"This release, {release}, was migrated before {known[0]}: the schema is left alone.")
            return
        settings.say(f"Migrating with {words[0]}; the schema is at {known[0] if known else 'no release'}.")
        schema.upgrade(runner, settings, connection)
        if not schema.answers(connection):
            raise SchemaError("The connection with the lock broke at the end of the migration: run it again.")
        ledger.write(connection, release)
        settings.say(f"The schema is at {release}.")


def wait(settings: schema.Settings) -> None:
    """Return when this release was migrated; only reads."""
    Runner()
    ledger, release = Ledger(settings.environ), release_of(settings.environ)
    reminder = schema.Reminder(settings)
    while True:
        try:
            with schema.connect(settings, "ai-agent wait") as connection, connection.transaction():
                connection.execute("SET TRANSACTION READ ONLY")
                connection.execute("SET LOCAL statement_timeout = '10s'")
                known = [entry.release for entry in ledger.entries(connection)]
            if release in known:
                settings.say(f"The schema is ready: {release} was migrated.")
                return
            reminder.say(f"Waiting for the migration of {release}; the last one was {known[0] if known else 'none'}.")
        except (schema.Unreachable, psycopg.Error) as error:
            reminder.say(f"Waiting for the database: {schema.brief(error)}")
        time.sleep(schema.POLL_SECONDS)


def main(arguments: list[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="command_migration.py", description="Migrate with a program, or wait for it.")
    commands = parser.add_subparsers(dest="command", required=True)
    migrating = commands.add_parser("migrate", help="run the program")
    migrating.add_argument("--database-timeout", type=float, metavar="SECONDS", help="longest wait for the database")
    migrating.add_argument("--timeout", type=float, metavar="SECONDS", help="longest time for all of it")
    migrating.add_argument("program", nargs="+", metavar="WORD", help="the program and its arguments, after --")
    commands.add_parser("wait", help="return when this release was migrated")
    options = parser.parse_args(arguments)
    environ = os.environ if environ is None else environ
    secrets = secrets_of(environ.get("DATABASE_URL", ""))
    try:
        settings = schema.Settings.read(environ)
        if options.command == "migrate":
            migrate(settings, options.program, options.database_timeout, options.timeout)
        else:
            wait(settings)
    except SchemaError as error:
        print(redact(str(error), secrets), file=sys.stderr, flush=True)
        return 1
    except psycopg.Error as error:
        words = f"The database broke off: {schema.brief(error)}; run it again."
        print(redact(words, secrets), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
