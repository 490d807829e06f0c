"""A trace of applications with other drivers than ours, in a Python of their own."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from dev import environments
from dev.postgresql import running
from lab.cache import cached, digest
from tests.integration.preflight.asking import BOTH_MODES, ask
from tests.integration.preflight.conftest import CHOSEN
from tests.integration.preflight.test_trace import LOOKS, SCHEMA, project

DAY = "2026-11-20"
PACKAGES = ("alembic==1.17.2", "sqlalchemy==2.0.44", "asyncpg==0.31.0", "psycopg2-binary==2.9.11", "pg8000==1.31.5")
# The URL from alembic.ini, as Alembic's own templates have it.
FROM_VARIABLE = 'os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)'
PLAIN = BOTH_MODES.replace(FROM_VARIABLE, 'context.config.get_main_option("sqlalchemy.url")')
ASYNC = """
import asyncio
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import async_engine_from_config


def migrate(connection):
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def online():
    section = context.config.get_section(context.config.config_ini_section)
    engine = async_engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(online())
"""

# An application that makes its own URL where the file names none, as one does that is migrated by its own program.
OWN_URL = ASYNC.replace(
    "    engine = async",
    """    if "sqlalchemy.url" not in section:
        section["sqlalchemy.url"] = "postgresql+asyncpg://own:own@127.0.0.1:1/own"
    engine = async""",
)


@pytest.fixture(scope="session")
def other_python() -> Path:
    """An interpreter with SQLAlchemy and three drivers, and without psycopg."""
    key = digest([DAY, environments.python(), *PACKAGES])
    folder = cached("trace-drivers", key, lambda made: environments.fill(made / "venv", *PACKAGES, until=DAY))
    return folder / "venv" / "bin" / "python"


@pytest.mark.parametrize(
    ("driver", "env"),
    [("asyncpg", ASYNC), ("psycopg2", PLAIN), ("pg8000", PLAIN), ("", OWN_URL)],
    ids=["asyncpg", "psycopg2", "pg8000", "a URL of its own"],
)
def test_the_driver_of_the_configuration_is_led_to_the_copy(
    driver: str, env: str, other_python: Path, tmp_path: Path
) -> None:
    """Another program's URL stands in alembic.ini, and nothing of it is used but the driver; or none stands there."""
    body = LOOKS.format('op.add_column("items", sa.Column("extra", sa.Integer()))')
    folder = project(tmp_path / "project", body, env=env)
    ini = folder / "alembic.ini"
    if driver:
        ini.write_text(ini.read_text() + f"sqlalchemy.url = postgresql+{driver}://else:where@127.0.0.1:1/nothing\n")
    with running(CHOSEN[-1]) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(SCHEMA)
        programs = str(server.folder / "programs" / "bin")
        more = {"alembic_python": str(other_python), "trace": True, "trace_postgresql": programs}
        verdict = ask(folder, server.url(), migrator_sets_lock_timeout=True, **more)
        told = [item["message"] for item in verdict.findings if item["id"].startswith("trace")]
        assert [item["revision"] for item in verdict.result["trace"].get("revisions", ())] == ["r1"], told
        assert not told
        assert "env-online-unseen" not in verdict.ids
        with psycopg.connect(server.url()) as connection:
            columns = connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'items'::regclass")
            assert "extra" not in {row[0] for row in columns}
