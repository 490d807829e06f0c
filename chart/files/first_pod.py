"""Hold a pod whose image migrates its database itself, until it may start: one pod first, the others when it serves.

Two pods that migrate at once break many programs. While any pod of the agent serves, its Service answers and this one
may start: a rolling update starts one pod at a time by itself. Where none serves, as after an installation, the first
pod to ask writes its name into a table (ledger.py) under the migration's lock and starts; the others ask again. A pod
that never served is followed by another one after FIRST_POD_SECONDS.

It cannot see more than that: a pod that serves is taken to have migrated.

Environment, beside DATABASE_URL and SCHEMA_LEDGER:
    FIRST_POD_NAME     name of this pod
    FIRST_POD_SERVICE  host:port of the agent's Service
    FIRST_POD_SECONDS  seconds, default 600
"""

from __future__ import annotations

import contextlib
import os
import socket
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
    from collections.abc import Mapping

FIRST = "first pod"
"""The entry of the ledger in which the pod that begins stands."""
CONNECT_SECONDS = 2.0


def serves(service: str) -> bool:
    """Whether a pod answers behind `host:port`."""
    host, _colon, port = service.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), CONNECT_SECONDS):
        return True
    return False


def hold(settings: schema.Settings) -> None:
    """Return when this pod may start.

    :raises SchemaError: the environment is not told, or the ledger cannot be written
    """
    Runner()
    environ = settings.environ
    if missing := [name for name in ("FIRST_POD_NAME", "FIRST_POD_SERVICE") if not environ.get(name)]:
        raise SchemaError(f"{missing[0]} is not set: the chart sets it.")
    pod, service, limit = environ["FIRST_POD_NAME"], environ["FIRST_POD_SERVICE"], environ.get("FIRST_POD_SECONDS", "")
    ledger, reminder = Ledger(environ), schema.Reminder(settings)
    while not serves(service):
        try:
            with schema.connect(settings, "ai-agent wait") as connection, schema.migration_lock(connection, settings):
                there = [entry for entry in ledger.entries(connection) if entry.release == FIRST]
                if not there or there[0].pod == pod or there[0].age > float(limit or 600):
                    ledger.write(connection, FIRST, pod)
                    settings.say(f"No pod serves; {pod} starts first, and migrates where its image finds it necessary.")
                    return
            reminder.say(f"No pod serves; {there[0].pod} starts first, this one when it serves.")
        except (schema.Unreachable, psycopg.Error) as error:
            reminder.say(f"Waiting for the database: {schema.brief(error)}")
        time.sleep(schema.POLL_SECONDS)
    settings.say(f"A pod behind {service} serves; {pod} starts.")


def main(environ: Mapping[str, str] | None = None) -> int:
    """Hold this pod and return the exit code."""
    environ = os.environ if environ is None else environ
    try:
        hold(schema.Settings.read(environ))
    except SchemaError as error:
        print(redact(str(error), secrets_of(environ.get("DATABASE_URL", ""))), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
