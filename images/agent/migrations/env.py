"""Alembic's environment: one transaction a revision, the URL from DATABASE_URL."""

from __future__ import annotations

import logging
import os
import typing as t

from alembic import context
from sqlalchemy import create_engine

from agent.models import Base
from agent.settings import driver_url

# The migration's log names each revision; the application sets up its own logs and does not come here.
logging.basicConfig(format="%(message)s")
logging.getLogger("alembic").setLevel(logging.INFO)

# A statement that waits for a lock stops everybody who comes after it. libpq reads this; what stood in it before wins.
os.environ["PGOPTIONS"] = f"-c lock_timeout=2s {os.environ.get('PGOPTIONS', '')}"


def run() -> None:
    """Render SQL in offline mode, else migrate."""
    # Straight from the environment: Alembic's configuration file would read a % in a password as its own syntax.
    url = driver_url(os.environ.get("DATABASE_URL", "postgresql://"))
    options: dict[str, t.Any] = {"target_metadata": Base.metadata, "transaction_per_migration": True}
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", literal_binds=True, **options)
        with context.begin_transaction():
            context.run_migrations()
        return
    engine = create_engine(url, connect_args={"application_name": "ai-agent migration"})
    with engine.connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
