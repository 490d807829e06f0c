"""The desk of a contract test: a pod that asks the server under test, loads it, and can take database and cache away.

A request is a line of JSON, and so is its answer; whoever asks sends empty lines to show that it still lives.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
import time
from typing import Any

from . import stdin_lines
from .contract_load import Load, ask
from .contract_relay import Relay

Row = dict[str, Any]

# Seconds without a line from the caller after which this program ends.
QUIET_SECONDS = 60.0


class Desk:
    """The controller in the pod: passes a request to the method `do_…` of its name."""

    def __init__(self) -> None:
        self._relays: dict[str, Relay] = {}
        self._load: Load | None = None

    def answer(self, request: Row) -> Row:
        """The answer to a request, `error` where there is none.

        :param request: `do` names one of the methods, with its arguments
        """
        try:
            found: Row = getattr(self, f"do_{request['do']}")(**{key: request[key] for key in request if key != "do"})
        except Exception as error:
            # Any error is an answer to the caller, not the end of this program.
            return {"error": f"{type(error).__name__}: {error}"}
        return found

    def do_relay(self, name: str, port: int, host: str, to_port: int) -> Row:
        """Open a relay before a server."""
        self._relays[name] = Relay(port, (host, to_port))
        return {"port": self._relays[name].port}

    def do_shut(self, name: str) -> Row:
        """Shut the relay: the server behind it is away."""
        self._relays[name].shut()
        return {}

    def do_open(self, name: str) -> Row:
        """Open the relay again."""
        self._relays[name].open()
        return {}

    def do_ask(self, target: Row) -> Row:
        """One request."""
        return ask(target)

    def do_load(self, target: Row, threads: int) -> Row:
        """Begin many, and come back when the first was answered."""
        self._load = Load(target, threads)
        end = time.monotonic() + 30
        while not self._load.told()["statuses"] and time.monotonic() < end:
            time.sleep(0.02)
        return {"now": time.time()}

    def do_stop(self) -> Row:
        """End them, and tell what came of each."""
        load, self._load = self._load, None
        return load.stop() if load else {}

    def do_time(self) -> Row:
        """What this machine's clock says."""
        return {"now": time.time()}

    def do_ahead(self, url: str, table: str, revision: str, ledger: str = "") -> Row:
        """Write a revision that no image knows into a version table of Alembic; `rows`: what stood there.

        :param ledger: the table in which the chart remembers releases; the revision becomes the newest of them
        """
        # An image without the driver has no say here.
        import psycopg
        from psycopg import sql

        names = sql.Identifier(*table.split("."))
        with psycopg.connect(url, connect_timeout=10) as connection:
            if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() == (None,):
                return {"rows": []}
            rows = [row[0] for row in connection.execute(sql.SQL("SELECT version_num FROM {}").format(names))]
            connection.execute(sql.SQL("UPDATE {} SET version_num = %s").format(names), (revision,))
            if ledger and connection.execute("SELECT to_regclass(%s)", (ledger,)).fetchone() != (None,):
                entry = sql.SQL("INSERT INTO {} (release, pod, at) VALUES (%s, '', clock_timestamp())")
                connection.execute(entry.format(sql.Identifier(*ledger.split("."))), (revision,))
        return {"rows": rows}

    def do_back(self, url: str, table: str, rows: list[str], revision: str = "", ledger: str = "") -> Row:
        """Write again what stood there."""
        import psycopg
        from psycopg import sql

        names = sql.Identifier(*table.split("."))
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.execute(sql.SQL("DELETE FROM {}").format(names))
            for row in rows:
                connection.execute(sql.SQL("INSERT INTO {} (version_num) VALUES (%s)").format(names), (row,))
            if ledger and connection.execute("SELECT to_regclass(%s)", (ledger,)).fetchone() != (None,):
                entry = sql.SQL("DELETE FROM {} WHERE release = %s").format(sql.Identifier(*ledger.split(".")))
                connection.execute(entry, (revision,))
        return {}


def main(_request: Row | None = None) -> None:
    """Answer what comes on stdin until it ends, or nothing comes any more."""
    desk = Desk()
    for line in stdin_lines.lines(QUIET_SECONDS):
        if line.strip():
            sys.stdout.write(json.dumps(desk.answer(json.loads(line))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

__all__ = ("Desk", "main")
