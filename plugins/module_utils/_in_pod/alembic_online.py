"""env.py as it goes when it migrates, but for the connection: what it configures then, which may differ from offline.

Nothing is connected to: SQLAlchemy's engines give a stand-in that takes every statement and answers nothing.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import inspect
import re
import signal
import sys
import threading
import time
import types
import typing as t

# What env.py configures that decides what an upgrade runs, and Alembic's own values.
DECISIVE: t.Final[dict[str, t.Any]] = {
    "version_table": "alembic_version",
    "version_table_schema": None,
    "transaction_per_migration": False,
    "transactional_ddl": None,
}
# What env.py connects with, if not with psycopg.
DRIVERS: t.Final = frozenset({"asyncpg", "pg8000", "psycopg2"})
# env.py may wait for a database, which is not there; the preflight does not wait for its end.
SECONDS = 5.0
# env.py that still computes after SECONDS, as an import on a busy machine does, gets SECONDS again, at most ROUNDS
# times. It counts as waiting where it used less than BUSY of a processor.
ROUNDS, BUSY = 12, 0.01
# Statements of env.py itself that leave what revisions find as it is.
HARMLESS = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(?:select\b(?!.*set_config)|show\b|set\s+(?:session\s+|local\s+)?(?:\w*timeout|jit)\b"
    r"|begin\b|commit\b"
    r"|create\s+schema\s+if\s+not\s+exists\b|create\s+extension\s+if\s+not\s+exists\b)",
    re.IGNORECASE | re.DOTALL,
)


# A time-out that env.py sets for the session: name and value.
TIMEOUT = re.compile(
    r"\s*set\s+(?:session\s+)?(\w*timeout)\s*(?:=|\bto\b)\s*'?\s*([\w. ]+?)\s*'?\s*;?\s*", re.IGNORECASE
)


class TimeIsUp(BaseException):
    """The time is over."""


class EmptyResult:
    """The answer to a statement: no rows, whatever is asked of it."""

    rowcount = 0

    def __getattr__(self, _name: str) -> t.Any:
        return lambda *_arguments, **_options: EmptyResult()

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> t.Iterator[t.Any]:
        return iter(())

    def __enter__(self) -> EmptyResult:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __await__(self) -> t.Generator[t.Any, None, EmptyResult]:
        yield from ()
        return self

    async def __aenter__(self) -> EmptyResult:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


class StandIn(EmptyResult):
    """A connection, synchronous or not. `executed`: what it was given."""

    def __init__(self, engine: t.Any, executed: list[str]) -> None:
        self.engine, self.dialect, self.executed = engine, engine.dialect, executed
        self.sync_connection = self.connection = self
        self.autocommit = _autocommit(getattr(engine, "_execution_options", None) or {}) or _autocommit_engine(engine)
        # SQLAlchemy 2 begins a transaction with the first statement; whoever begins one with `with` also commits it.
        self.begun = self.block = self.commits = False

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> StandIn:
        return self

    async def __aenter__(self) -> StandIn:
        return self

    def __await__(self) -> t.Generator[t.Any, None, t.Any]:
        yield from ()
        return self

    def execution_options(self, **options: t.Any) -> StandIn:
        self.autocommit = self.autocommit or _autocommit(options)
        return self

    def in_transaction(self) -> bool:
        return self.begun

    def begin(self) -> StandIn:
        self.begun = self.block = True
        return self

    def commit(self) -> EmptyResult:
        self.begun = self.block = False
        self.commits = True
        return EmptyResult()

    def rollback(self) -> EmptyResult:
        self.begun = self.block = False
        return EmptyResult()

    def execute(self, statement: t.Any, *_arguments: t.Any, **_options: t.Any) -> EmptyResult:
        self.begun = self.begun or _begins_by_itself()
        self.executed.append(" ".join(str(statement).split()))
        return EmptyResult()

    exec_driver_sql = scalar = scalars = execute

    async def run_sync(self, function: t.Callable[..., t.Any], *arguments: t.Any, **options: t.Any) -> t.Any:
        return function(self, *arguments, **options)


class Session(EmptyResult):
    """A driver's connection and cursor, for what listens to new connections."""

    def __init__(self, executed: list[str]) -> None:
        self.executed = executed

    def cursor(self, *_arguments: t.Any, **_options: t.Any) -> Session:
        return self

    def __enter__(self) -> Session:
        return self

    def execute(self, statement: t.Any, *_arguments: t.Any, **_options: t.Any) -> EmptyResult:
        self.executed.append(" ".join(str(statement).split()))
        return EmptyResult()


def _begins_by_itself() -> bool:
    """Whether this SQLAlchemy begins a transaction with the first statement."""
    return not sys.modules["sqlalchemy"].__version__.startswith(("0.", "1."))


def _listened(engine: t.Any, executed: list[str]) -> None:
    """Let what the application does with each new connection do it with a stand-in."""
    pool = getattr(getattr(engine, "sync_engine", engine), "pool", None)
    for listener in getattr(getattr(pool, "dispatch", None), "connect", ()):
        if not str(getattr(listener, "__module__", "")).startswith("sqlalchemy"):
            with contextlib.suppress(Exception):
                listener(Session(executed), EmptyResult())


def _autocommit(options: t.Mapping[str, t.Any]) -> bool:
    return str(options.get("isolation_level", "")).upper() == "AUTOCOMMIT"


def _autocommit_engine(engine: t.Any) -> bool:
    """create_engine(isolation_level="AUTOCOMMIT"), which SQLAlchemy 2 keeps in a private name, and 1.4 in another."""
    dialect = getattr(getattr(engine, "sync_engine", engine), "dialect", None)
    levels = (getattr(dialect, name, None) for name in ("_on_connect_isolation_level", "isolation_level"))
    return any(_autocommit({"isolation_level": level}) for level in levels)


def _connection_settings(engine: t.Any) -> list[str]:
    """SET statements for what env.py hands to the driver for each session: `options` of libpq, asyncpg's settings.

    The URL that env.py is given here has none. SQLAlchemy keeps them in the function that connects.
    """
    pool: t.Any = getattr(getattr(engine, "sync_engine", engine), "pool", None)
    given: dict[str, t.Any] = {}
    with contextlib.suppress(Exception):
        given = dict(inspect.getclosurevars(pool._creator).nonlocals.get("cparams") or {})
    found = re.findall(r"(?:-c\s*|--)([\w.]+)=((?:\\.|\S)*)", str(given.get("options") or ""))
    settings = given.get("server_settings")
    found += list(settings.items()) if isinstance(settings, dict) else []
    return [f"SET {name} = {value}" for name, value in found if name != "application_name"]


class Context(EmptyResult):
    """What context.get_context() gives after a configuration."""

    def __init__(self, connection: t.Any) -> None:
        self.connection = self.bind = connection
        self.dialect = getattr(connection, "dialect", None)
        self.as_sql = False

    def begin_transaction(self, *_: t.Any) -> EmptyResult:
        return EmptyResult()

    def autocommit_block(self) -> EmptyResult:
        return EmptyResult()


class Driver(types.ModuleType):
    """Stands in for a driver that is not installed: each of its names is an exception class, which can be caught."""

    __version__ = "3.0.0"
    paramstyle = "pyformat"

    def __getattr__(self, name: str) -> t.Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (Exception,), {})
        setattr(self, name, made)
        return made


class Drivers(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds DRIVERS where nobody else has found them, from `with` to its end."""

    def find_spec(self, fullname: str, _path: t.Any = None, _target: t.Any = None) -> t.Any:
        found = fullname.partition(".")[0] in DRIVERS
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if found else None

    def create_module(self, spec: t.Any) -> Driver:
        return Driver(spec.name)

    def exec_module(self, module: t.Any) -> None:
        module.__path__ = []

    def __enter__(self) -> None:
        sys.meta_path.append(self)

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)
        for name in [name for name, module in sys.modules.items() if isinstance(module, Driver)]:
            del sys.modules[name]


def observe(environment: t.Any, run_env: t.Callable[[], None], *, drivers: bool) -> dict[str, t.Any]:
    """What env.py configures online.

    :param environment: an EnvironmentContext that is not offline
    :param drivers: whether one that is not installed may be so: the migration runs elsewhere
    :return: `options`, those of DECISIVE; `driver` of the connection; `runs`, how often it migrates; `executed`, what
        it runs on the connection itself; `autocommit`; `problem`, why it is not known, None where it is; `begun`, what
        becomes of a transaction that it begins before Alembic can, kept or lost, None without one; `timeouts`, what it
        sets for its session, by name, as texts
    """
    configured: list[dict[str, t.Any]] = []
    connections: list[t.Any] = []
    executed: list[str] = []
    begun: list[t.Any] = []
    runs = 0

    def configure(connection: t.Any = None, *_arguments: t.Any, **options: t.Any) -> None:
        connections.append(connection)
        configured.append({name: options.get(name, value) for name, value in DECISIVE.items()})
        if getattr(connection, "begun", False) and not connection.autocommit:
            begun.append(connection)
            # Only a commit that comes after the migrations keeps them, or the end of the caller's own block.
            connection.commits = connection.block
        if options.get("on_version_apply"):
            executed.append("what on_version_apply calls after each revision")

    def run_migrations(**_options: t.Any) -> None:
        nonlocal runs
        runs += 1

    environment.configure, environment.run_migrations = configure, run_migrations
    environment.begin_transaction = EmptyResult
    environment.get_context = lambda: Context(connections[-1] if connections else None)
    environment.get_bind = lambda: connections[-1] if connections else None
    environment.execute = lambda text, *_arguments, **_options: executed.append(" ".join(str(text).split()))
    problem = _problem(run_env, executed, drivers=drivers)
    if runs:
        problem = None
    elif problem is None:
        problem = "it never calls context.run_migrations()"
    dialect = getattr(connections[-1], "dialect", None) if connections else None
    return {
        "options": configured[-1] if configured else dict(DECISIVE),
        "driver": getattr(dialect, "driver", None),
        "runs": runs,
        "timeouts": {found[1].lower(): found[2] for found in map(TIMEOUT.fullmatch, executed) if found},
        "executed": [text[:200] for text in executed if not HARMLESS.match(text)][:5],
        "autocommit": any(getattr(item, "autocommit", False) for item in connections),
        "problem": problem,
        "begun": ("kept" if all(item.commits for item in begun) else "lost") if begun else None,
    }


def _problem(run_env: t.Callable[[], None], executed: list[str], *, drivers: bool) -> str | None:
    """What ends env.py before its end, None where nothing does."""
    try:
        with _engines(executed), _limited(), Drivers() if drivers else contextlib.nullcontext():
            run_env()
    except TimeIsUp:
        return f"it waited for more than {SECONDS:g} s"
    except SystemExit as error:
        return f"it ends the process with exit code {error.code}"
    except Exception as error:
        lines = str(error).strip().splitlines()
        return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
    return None


@contextlib.contextmanager
def _engines(executed: list[str]) -> t.Iterator[None]:
    """Connections are stand-ins."""
    from sqlalchemy.engine import Engine

    def connect(engine: t.Any, *_arguments: t.Any, **_options: t.Any) -> StandIn:
        _listened(engine, executed)
        executed.extend(_connection_settings(engine))
        return StandIn(engine, executed)

    def begin(engine: t.Any, *_arguments: t.Any, **_options: t.Any) -> StandIn:
        return connect(engine).begin()

    owners: list[t.Any] = [Engine]
    # Importing it takes as long as all revisions of many a project. Where env.py does so only now, its connections end
    # in those of Engine.
    if asynchronous := sys.modules.get("sqlalchemy.ext.asyncio"):
        owners.append(asynchronous.AsyncEngine)
    names = ("connect", "begin", "raw_connection")
    before = [(owner, name, vars(owner)[name]) for owner in owners for name in names if name in vars(owner)]
    for owner, name, _original in before:
        setattr(owner, name, begin if name == "begin" else connect)
    try:
        yield
    finally:
        for owner, name, original in before:
            setattr(owner, name, original)


@contextlib.contextmanager
def _limited() -> t.Iterator[None]:
    """SECONDS of waiting, where signals can be had."""
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return

    used, rounds = time.process_time(), 0

    def over(_number: int, _frame: object) -> None:
        nonlocal used, rounds
        now, rounds = time.process_time(), rounds + 1
        if now - used < BUSY * SECONDS or rounds >= ROUNDS:
            raise TimeIsUp
        used = now
        signal.setitimer(signal.ITIMER_REAL, SECONDS)

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
