"""Connections to a database that may be away: after one that failed, others fail at once for a while.

Without it the requests that wait for a worker thread would each wait for a connection of their own, one after the
other, and a caller would hang for a multiple of the time limit instead of being told to ask again.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection

PAUSE = 1.0
"""Seconds after a failed connection in which no other is tried."""


class Pause:
    """Watches how an engine connects. Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.Lock()
        self._failed = ""
        self._until = 0.0
        self._ended = 0.0
        event.listen(engine, "do_connect", self._connect)

    def end(self) -> None:
        """The database answers: connections may be tried again, also where an attempt that began before fails."""
        with self._lock:
            self._ended = time.monotonic()
            self._until = 0.0

    def _connect(
        self, dialect: Dialect, _record: object, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> DBAPIConnection:
        began = time.monotonic()
        with self._lock:
            if began < self._until:
                raise psycopg.OperationalError(self._failed)
        try:
            connection: DBAPIConnection = dialect.connect(*arguments, **options)
        except psycopg.OperationalError as error:
            with self._lock:
                if self._ended < began:
                    self._failed, self._until = str(error), time.monotonic() + PAUSE
            raise
        self.end()
        return connection
