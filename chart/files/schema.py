"""Bring a PostgreSQL schema to the revision that an agent image needs (`migrate`), or wait until it is there (`wait`).

The chart mounts this file into the migration's Job and into the agent's init container; the image's own Python runs it
in the image's working directory, where `python -m alembic upgrade head` works. It needs psycopg 3 and Alembic only.

Environment:
    DATABASE_URL           postgresql://...; a driver in the scheme (postgresql+psycopg://) is accepted
    ALEMBIC_CONFIG         Alembic's configuration file, default alembic.ini
    SCHEMA_VERSION_TABLE   Alembic's version table, `table` or `schema.table`, default alembic_version
    SCHEMA_LOCK_TIMEOUT    longest wait of one statement for a lock, default 2s; those of the URL or PGOPTIONS win

Exit codes: 0 done, or nothing to do; 1 failed, with one sentence on stderr; 2 wrong usage; 124 stopped because its time
was over, which is not worth another try; 143 ended by SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Beside this file lie the modules that belong to it, also where the image sets PYTHONSAFEPATH.
sys.path.insert(0, str(Path(__file__).parent))

try:
    import psycopg
    from psycopg import sql
    from psycopg.conninfo import conninfo_to_dict

    from libpq_url import parameters
    from schema_revisions import RevisionsError, State, judge, named, read_graph
    from schema_runner import Runner, SchemaError
    from schema_url import child_environment, plain_url, redact, secrets_of
except ImportError as missing:
    sys.exit(f"The image lacks the Python package {missing.name}: schema.py needs psycopg 3 and alembic.")

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The key of the advisory lock, "ai_agent" in ASCII; advisory locks count per database.
LOCK_KEY = int.from_bytes(b"ai_agent", "big")
# PostgreSQL finishes the running statement of a killed migrator, and holds its lock, unless it looks after the client.
CHECK_INTERVAL = ("client_connection_check_interval", "2s")
# That look sees a connection that was closed. A node that is lost closes nothing, and by the kernel's default the
# server asks after two hours: until then nobody else would get the lock. It ignores these on a Unix socket.
# Where it had sent something that nobody received, keepalives say nothing, and tcp_user_timeout decides.
KEEPALIVES = (
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "25000"),
)
# Options of the session that holds the lock.
LOCK_SESSION = " ".join(f"-c {name}={value}" for name, value in (("statement_timeout", "0"), *KEEPALIVES))
# PostgreSQL 17 has it, and refuses a session that sets what it does not know.
TRANSACTION_TIMEOUT_SINCE = 170000
LOST_AGAINST_LOCK = re.compile(r"LockNotAvailable|55P03|lock timeout")
# The line of a Python traceback, or of Alembic, that names the cause; PostgreSQL's DETAIL and HINT lines do not match.
CAUSE = re.compile(r"^(?:FAILED|(?:\w+\.)*[A-Z]\w*[a-z]\w*): ")
# Nobody but the kernel sends that signal to a child of this program.
SHORT_OF_MEMORY = ", as the kernel does where the memory limit is reached (raise migration.resources.limits.memory)"
LOCK_ATTEMPTS = 8
LONGEST_PAUSE_SECONDS = 30.0
POLL_SECONDS = 1.0
REMIND_SECONDS = 15.0


class Unreachable(SchemaError):
    """The database does not answer or refuses this login: worth another try."""


def cause_of(lines: Iterable[str]) -> str:
    """Return the line of a program's output that names why it failed, without a full stop."""
    filled = [line.strip() for line in lines if line.strip()] or ["it printed nothing"]
    return ([line for line in filled if CAUSE.match(line)] or filled)[-1].rstrip(".")


SILENCE = (
    " - no packet came back, so a NetworkPolicy or a firewall drops it: name the server's address in"
    " networkPolicy.database.to, and its port, where it is not 5432, in networkPolicy.database.ports; the PostgreSQL of"
    " another release lets in only pods with its client label, which"
    ' commonLabels can set ({"<its release>-db-client": "true"})'
)
"""What a time-out means and a refusal does not."""


def why_unreachable(error: Exception) -> str:
    """Return the line of the error, and what it means where that is not said."""
    line = brief(error)
    return line + (SILENCE if re.search(r"timeout expired|timed out", line) else "")


def brief(error: Exception) -> str:
    """Return the line of a database error that names the cause, without a full stop."""
    lines = [line.strip(" \t-.") for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("Multiple connection attempts")), type(error).__name__)


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    environ: Mapping[str, str]
    url: str
    secrets: frozenset[str]
    config_file: str
    version_table: tuple[str, ...]
    lock_timeout: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read `environ`.

        :raises SchemaError: something is missing or wrong in it
        """
        if not environ.get("DATABASE_URL"):
            raise SchemaError("DATABASE_URL is not set: the chart takes it from the release's Secret.")
        try:
            url = plain_url(environ["DATABASE_URL"])
        except ValueError as error:
            raise SchemaError(str(error)) from error
        try:
            parameters(url)
        except ValueError as error:
            raise SchemaError(f"DATABASE_URL: {error}.") from None
        lock_timeout = environ.get("SCHEMA_LOCK_TIMEOUT", "2s")
        if not re.fullmatch(r"[1-9]\d*(ms|s|min)", lock_timeout):
            raise SchemaError(f"SCHEMA_LOCK_TIMEOUT is {lock_timeout!r}: write a number with ms, s or min, such as 2s.")
        table = tuple(environ.get("SCHEMA_VERSION_TABLE", "alembic_version").split("."))
        return cls(environ, url, secrets_of(url), environ.get("ALEMBIC_CONFIG", "alembic.ini"), table, lock_timeout)

    def say(self, text: str) -> None:
        """Print one line of the log, without the password."""
        print(redact(text, self.secrets), flush=True)


class Reminder:
    """Says a text when it is new, and again now and then."""

    def __init__(self, settings: Settings) -> None:
        """Start with nothing said."""
        self._settings = settings
        self._last = ("", 0.0)

    def say(self, text: str) -> None:
        """Print `text` unless it was printed less than REMIND_SECONDS ago."""
        if text != self._last[0] or time.monotonic() - self._last[1] >= REMIND_SECONDS:
            self._settings.say(text)
            self._last = (text, time.monotonic())


def connect(settings: Settings, name: str, options: str | None = None) -> psycopg.Connection[Any]:
    """Open an autocommit connection.

    :param options: libpq's, beside those of the URL. A pooler in transaction mode refuses them, where it would hand on
        to its other clients what is set later
    :raises Unreachable: there is no answer
    :raises SchemaError: a connection pooler answers, which cannot hold a migration's lock
    """
    try:
        given: dict[str, Any] = {"connect_timeout": 5, "application_name": name}
        if options:
            own = conninfo_to_dict(settings.url).get("options") or settings.environ.get("PGOPTIONS", "")
            given["options"] = f"{own} {options}".strip()
        # A firewall drops the idle connection that holds the lock during a long migration, unless it is kept alive.
        # Statements are never prepared: behind a pooler the next one may meet another server connection.
        return psycopg.connect(settings.url, autocommit=True, keepalives_idle=30, prepare_threshold=None, **given)
    except psycopg.OperationalError as error:
        if "unsupported startup parameter" in str(error):
            raise SchemaError(
                "DATABASE_URL leads to a connection pooler, which cannot hold a migration's lock: give the migration a "
                "direct connection in the Secret's key migration-database-url."
            ) from error
        raise Unreachable(why_unreachable(error)) from error


def connect_patiently(settings: Settings, name: str, limit: float | None, options: str) -> psycopg.Connection[Any]:
    """Connect, trying for `limit` seconds, without end where it is None.

    :raises SchemaError: there is no connection by then, or only one to a connection pooler
    """
    reminder = Reminder(settings)
    start = time.monotonic()
    while True:
        try:
            return connect(settings, name, options)
        except Unreachable as error:
            if limit is not None and time.monotonic() - start >= limit:
                raise SchemaError(f"The database did not answer within {limit:g} s: {error}.") from error
            reminder.say(f"Waiting for the database: {error}")
        time.sleep(POLL_SECONDS)


def read_live(connection: psycopg.Connection[Any], table: tuple[str, ...]) -> frozenset[str]:
    """Return the rows of the version table, empty where there is none."""
    identifier = sql.Identifier(*table)
    found = connection.execute("SELECT to_regclass(%s)", (identifier.as_string(connection),)).fetchone()
    if found is None or found[0] is None:
        return frozenset()
    return frozenset(row[0] for row in connection.execute(sql.SQL("SELECT version_num FROM {}").format(identifier)))


def prepare_session(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Set up the connection that holds the lock; return the session options that this server knows."""
    # Unknown before PostgreSQL 14, refused on platforms that cannot notice a closed socket.
    with contextlib.suppress(psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError):
        connection.execute("SELECT set_config(%s, %s, false)", CHECK_INTERVAL)
        connection.execute("SET idle_session_timeout = 0")
        return [CHECK_INTERVAL]
    return []


def lifted_timeouts(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return the session options that take back what ALTER ROLE may have set: a migration takes as long as it takes."""
    names = ["statement_timeout", "idle_in_transaction_session_timeout"]
    if connection.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
        names.append("transaction_timeout")
    return [(name, "0") for name in names]


@contextlib.contextmanager
def migration_lock(connection: psycopg.Connection[Any], settings: Settings) -> Iterator[None]:
    """Hold the advisory lock, taken by trying and sleeping; a connection that ends gives it back.

    A migrator that waits inside pg_advisory_lock holds a snapshot, and CREATE INDEX CONCURRENTLY of the one at work
    waits for that snapshot: a deadlock. Autocommit matters for the same reason.
    """
    reminder = Reminder(settings)
    while connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone() != (True,):
        reminder.say("Another migration is at work on this database; waiting for its end.")
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        with contextlib.suppress(psycopg.Error):
            connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))


def answers(connection: psycopg.Connection[Any]) -> bool:
    """Whether the connection, and the lock with it, is still there."""
    try:
        return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def invalid_indexes(connection: psycopg.Connection[Any]) -> str:
    """Return a sentence about indexes that a broken CREATE INDEX CONCURRENTLY left, empty where there are none."""
    query = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    names = named(row[0] for row in connection.execute(query)) if answers(connection) else "no revision"
    return (
        ""
        if names == "no revision"
        else f" An index built concurrently is left invalid: drop {names} and run it again."
    )


def upgrade(runner: Runner, settings: Settings, connection: psycopg.Connection[Any]) -> None:
    """Run `alembic upgrade head`, again after a pause where it gets no lock.

    :raises SchemaError: it fails
    """
    options = [("lock_timeout", settings.lock_timeout), *KEEPALIVES, *prepare_session(connection)]
    options += lifted_timeouts(connection)
    environ = child_environment(settings.environ, options)
    program = str(Path(__file__).with_name("schema_alembic.py"))
    command = [sys.executable, program, "-c", settings.config_file, "upgrade", "head"]
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        code, tail = runner.run(command, environ, settings.say, lambda: answers(connection))
        if code == 0:
            return
        broken = invalid_indexes(connection)
        if broken or not LOST_AGAINST_LOCK.search("\n".join(tail)):
            ended = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
            short = SHORT_OF_MEMORY if code == -signal.SIGKILL else ""
            raise SchemaError(f"The migration {ended}{short}: {cause_of(tail)}.{broken}")
        if attempt < LOCK_ATTEMPTS:
            pause = min(2.0**attempt, LONGEST_PAUSE_SECONDS)
            settings.say(f"A lock was not to be had within {settings.lock_timeout}; trying again in {pause:g} s.")
            time.sleep(pause)
    raise SchemaError(
        f"The migration lost {LOCK_ATTEMPTS} times against a lock held longer than {settings.lock_timeout}: "
        "end the long transaction (pg_stat_activity shows it) and run it again."
    )


def migrate(settings: Settings, database_timeout: float | None, limit: float | None) -> None:
    """Bring the database to the image's head, unless it is there or beyond what this image knows; within `limit` s."""
    runner = Runner(limit)
    graph = read_graph(settings.config_file)
    with (
        connect_patiently(settings, "ai-agent migrate", database_timeout, LOCK_SESSION) as connection,
        migration_lock(connection, settings),
    ):
        live = read_live(connection, settings.version_table)
        state = judge(live, graph.heads, graph.ancestors)
        if state is State.CURRENT:
            settings.say(f"The schema is at {named(live)}, as this image needs it: nothing to do.")
        elif state.serves:
            settings.say(f"The schema is at {named(live)}, beyond this image, whose head is {graph.head}: left alone.")
        elif state is State.DIVERGED:
            raise SchemaError(
                f"The schema is at {named(live)}, which this image, whose head is {graph.head}, knows only in part: "
                "use an image that has all of these revisions."
            )
        else:
            settings.say(
                f"The schema is at {named(live)}; migrating to {graph.head}, {graph.missing(live)} revision(s)."
            )
            upgrade(runner, settings, connection)
            live = read_live(connection, settings.version_table)
            if judge(live, graph.heads, graph.ancestors) is not State.CURRENT:
                raise SchemaError(
                    f"Alembic ended well, yet the schema is at {named(live)} instead of {graph.head}: check that "
                    f"env.py uses DATABASE_URL and the version table {'.'.join(settings.version_table)}."
                )
            settings.say(f"The schema is at {graph.head}.")


def wait(settings: Settings) -> None:
    """Return when the database has what the image needs; only reads."""
    Runner()
    graph = read_graph(settings.config_file)
    reminder = Reminder(settings)
    while True:
        try:
            with connect(settings, "ai-agent wait") as connection, connection.transaction():
                # For this transaction alone: DATABASE_URL may lead to a pooler, whose other clients would keep what a
                # session sets.
                connection.execute("SET TRANSACTION READ ONLY")
                connection.execute("SET LOCAL statement_timeout = '10s'")
                live = read_live(connection, settings.version_table)
            state = judge(live, graph.heads, graph.ancestors)
            seen = f"it is at {named(live)} ({state.value}), this image needs {graph.head}"
            if state.serves:
                settings.say(f"The schema is ready: {seen}.")
                return
            reminder.say(f"Waiting for the schema: {seen}.")
        except (Unreachable, psycopg.Error) as error:
            reminder.say(f"Waiting for the database: {brief(error)}")
        time.sleep(POLL_SECONDS)


def main(arguments: list[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="schema.py", description="Migrate a schema with Alembic, or wait for it.")
    commands = parser.add_subparsers(dest="command", required=True)
    migrating = commands.add_parser("migrate", help="bring the database to the image's head")
    migrating.add_argument("--database-timeout", type=float, metavar="SECONDS", help="longest wait for the database")
    migrating.add_argument("--timeout", type=float, metavar="SECONDS", help="longest time for all of it")
    commands.add_parser("wait", help="return when the schema is at or beyond what the image needs")
    options = parser.parse_args(arguments)
    environ = os.environ if environ is None else environ
    secrets = secrets_of(environ.get("DATABASE_URL", ""))
    try:
        settings = Settings.read(environ)
        if options.command == "migrate":
            migrate(settings, options.database_timeout, options.timeout)
        else:
            wait(settings)
    except (SchemaError, RevisionsError) as error:
        print(redact(str(error), secrets), file=sys.stderr, flush=True)
        return 1
    except psycopg.Error as error:
        print(redact(f"The database broke off: {brief(error)}; run it again.", secrets), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
