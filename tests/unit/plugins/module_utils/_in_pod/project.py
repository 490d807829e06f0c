"""Alembic directories for tests."""

from __future__ import annotations

import typing as t
from pathlib import Path

ENV = """
from alembic import context

context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""


class Project:
    """An Alembic directory with an env.py that renders offline."""

    def __init__(self, folder: Path, env: str = ENV) -> None:
        self.folder = folder
        self.versions = folder / "migrations" / "versions"
        self.versions.mkdir(parents=True)
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n")
        (folder / "migrations" / "env.py").write_text(env)

    def add(self, name: str, down: str | tuple[str, ...] | None, *sql: str, body: str = "", **more: t.Any) -> Project:
        """A revision that executes statements, or has a body of its own."""
        lines = [more.pop("doc", f'"""Revision {name}."""'), "from alembic import context, op"]
        lines += [f"revision = {name!r}", f"down_revision = {down!r}"]
        lines += [f"{key} = {value!r}" for key, value in more.items()]
        lines += ["def upgrade():", *(f"    op.execute({text!r})" for text in sql), body or "    pass"]
        lines += ["def downgrade():", "    op.get_bind()"]
        (self.versions / f"{name}.py").write_text("\n".join(lines) + "\n")
        return self
