"""Alembic's command line, with the session settings of PGOPTIONS in every connection. Part of schema.py.

libpq reads PGOPTIONS; asyncpg and pg8000 do not, and a migration without lock_timeout stops everybody who queues behind
it. The working directory comes last on Python's path, as nothing in it may hide Alembic or Python's own modules.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

OPTION = re.compile(r"(?:^|\s)-c\s*([\w.]+)=((?:\\.|\S)*)")


def settings(options: str) -> list[tuple[str, str]]:
    """Return the settings (name, value) that PGOPTIONS holds, in their order: of two with one name the last counts."""
    return [(name, re.sub(r"\\(.)", r"\1", value)) for name, value in OPTION.findall(options)]


def apply(connection: Any, options: str) -> None:
    """Set them on a new connection (PEP 249), unless its driver is made of libpq."""
    if "psycopg" in type(connection).__module__:
        return
    cursor = connection.cursor()
    for name, value in settings(options):
        quoted = value.replace("'", "''")
        cursor.execute(f"SELECT set_config('{name}', '{quoted}', false)")
    cursor.close()
    connection.commit()


def main(arguments: list[str]) -> None:
    """Run Alembic's command line."""
    own = str(Path(__file__).parent)
    sys.path[:] = [*(place for place in sys.path if place != own), str(Path.cwd())]
    from alembic.config import main as alembic
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    # As late as that: env.py may have added to it.
    event.listen(Engine, "connect", lambda connection, _record: apply(connection, os.environ.get("PGOPTIONS", "")))
    alembic(arguments, prog="alembic")


if __name__ == "__main__":
    main(sys.argv[1:])
