"""Runs the real upgrade, as `alembic upgrade` does, on a throw-away database; every connection leads there.

env.py and the revisions are the user's code. Whatever URL they build, from a file or a variable, SQLAlchemy and the
drivers are given the throw-away database instead. Between the revisions it leaves marks in the server's log.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import threading
import time
import typing as t
from pathlib import Path

from .alembic_place import own_ini
from .alembic_url import put
from .alembic_worker import (
    AlembicError,
    Worker,
    described,
)
from .kept_off_disk import kept_off_disk

# How a mark begins: a query, so that it stands in the log among the statements of its session.
MARK = "ai_agent_trace"
# Parameters of a connection that say where it leads and as whom; all others are as env.py has them.
PLACE = frozenset({
    "host", "hostaddr", "port", "user", "password", "dbname", "database", "dsn", "conninfo", "service", "passfile",
    "sslmode", "ssl", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "ssl_context", "channel_binding",
    "gssencmode", "krbsrvname", "target_session_attrs", "require_auth", "unix_sock", "direct_tls",
})  # fmt: skip


def place_for(driver: str, place: dict[str, str]) -> dict[str, str]:
    """The parameters of a driver's `connect` that lead to a place.

    :param place: host (the folder of a socket), user and dbname, and what the URL has as options
    """
    user, database = place["user"], place["dbname"]
    if driver == "pg8000":
        return {"unix_sock": f"{place['host']}/.s.PGSQL.5432", "user": user, "database": database}
    if driver == "asyncpg":
        return {"host": place["host"], "user": user, "database": database}
    return place


def redirect(place: dict[str, str]) -> None:
    """Have every connection of this process lead to `place`."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def connect(dialect: t.Any, _record: object, _arguments: object, options: dict[str, t.Any]) -> t.Any:
        if dialect.name != "postgresql":
            raise RuntimeError(f"the dialect {dialect.name} has no throw-away database")
        kept = {name: value for name, value in options.items() if name not in PLACE}
        return dialect.connect(**kept | place_for(dialect.driver, place))

    event.listen(Engine, "do_connect", connect)
    # A `creator` of an engine, and revisions that know their driver, go past SQLAlchemy.
    for name, owners in (("psycopg", ("", "Connection")), ("psycopg2", ("",))):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            for owner in owners:
                _redirect_driver(getattr(module, owner) if owner else module, place_for(name, place))


def _redirect_driver(owner: t.Any, there: dict[str, str]) -> None:
    original = owner.connect

    def connect(*_arguments: object, **options: t.Any) -> t.Any:
        return original(**{name: value for name, value in options.items() if name not in PLACE} | there)

    owner.connect = staticmethod(connect) if isinstance(owner, type) else connect


class Tracer:
    """The upgrade of one Alembic directory."""

    def __init__(self, request: dict[str, t.Any]) -> None:
        """:param request: as Worker takes it"""
        self.worker = Worker(request)
        self.revision = ""
        self.seconds: dict[str, float] = {}

    def upgrade(self) -> None:
        """Run env.py online, with the URL that Worker.observed() tries first; what it prints goes to stderr.

        :raises AlembicError: it, or the revision that `revision` names, fails
        """
        worker = self.worker
        if worker.scheme is None:
            put(worker.config, None)
            try:
                self._upgrade()
            except AlembicError:
                if self.revision:
                    raise
            else:
                return
        put(worker.config, worker.scheme or "postgresql")
        self._upgrade()

    def _upgrade(self) -> None:
        from alembic.runtime.environment import EnvironmentContext

        worker = self.worker

        def steps(heads: t.Any, context: t.Any) -> list[t.Any]:
            planned = worker.script._upgrade_revs(worker.target, heads)
            for step in planned:
                step.migration_fn = self._marked(step, context)
            return planned

        worker.config.cmd_opts.sql = False
        environment = EnvironmentContext(worker.config, worker.script, fn=steps, destination_rev=worker.target)
        try:
            with environment, contextlib.redirect_stdout(sys.stderr), kept_off_disk(), worker._application():
                worker.script.run_env()
        except SystemExit as error:
            raise AlembicError("trace-failed", f"it ends the process with exit code {error.code}") from error
        except Exception as error:
            raise AlembicError("trace-failed", described(error, worker.root)) from error

    def _marked(self, step: t.Any, context: t.Any) -> t.Callable[..., None]:
        original, revision = step.migration_fn, step.revision.revision

        def mark(word: str) -> None:
            context.connection.exec_driver_sql(f"SELECT '{MARK} {word} {revision}'")

        def migrate(**arguments: t.Any) -> None:
            self.revision = revision
            mark("begins")
            began = time.monotonic()
            original(**arguments)
            self.seconds[revision] = time.monotonic() - began
            mark("ends")

        migrate.__name__ = original.__name__
        return migrate


def end_with_caller() -> None:
    """End this process, and what env.py has started, when the caller is no longer there to close stdin's other end."""

    def wait() -> None:
        os.read(0, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def _only_answers() -> int:
    """Have whatever foreign code prints go nowhere; returns the file descriptor that stdout was."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    # A session of which one stream is closed closes stdin as well, by which this process knows its caller.
    os.dup(2)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return kept


def main(request: dict[str, t.Any]) -> None:
    """Upgrade, and write one line of JSON.

    :param request: `alembic`, as Worker takes it; `place`; `answers`, the file descriptor for it. In a pod, where an
        image has its own place for `ini`, the answer goes to stdout, and nothing else does
    :return: as the answer: seconds by revision; where it failed, `revision` ("" is env.py) and `error`
    """
    gc.disable()
    end_with_caller()
    sys.argv = ["alembic"]
    answers_to: int = request.get("answers") or _only_answers()
    alembic: dict[str, t.Any] = {"ini": str(own_ini())} | request["alembic"]
    tracer: Tracer | None = None
    answer: dict[str, t.Any] = {"revision": "", "error": None}
    try:
        redirect(request["place"])
        tracer = Tracer(alembic)
        tracer.upgrade()
    except AlembicError as error:
        answer["error"] = str(error)
    except BaseException as error:
        answer["error"] = described(error, str(Path.cwd()))
    if tracer:
        answer |= {"revision": tracer.revision, "seconds": tracer.seconds}
    with os.fdopen(answers_to, "w", encoding="utf-8") as answers:
        answers.write(json.dumps(answer) + "\n")
    # Whatever threads foreign code left behind.
    os._exit(0)


__all__ = ("MARK", "main")
