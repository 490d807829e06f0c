"""An env.py that does what nobody expects: it looks for the database by itself, before it renders anything.

REACH is host:port of the database, which the scenario puts into the agent's plain settings. If it reaches anything it
ends with an error, and the preflight with it: it is to find nothing.
"""

from __future__ import annotations

import os
import socket

from alembic import context

host, _, port = os.environ["REACH"].rpartition(":")
try:
    socket.create_connection((host, int(port)), timeout=2).close()
except OSError:
    pass
else:
    raise RuntimeError("the image reached the database")
if ".invalid" not in os.environ["DATABASE_URL"]:
    raise RuntimeError("the image was given a database's URL")

context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
