"""A column that is added where it is missing: nobody can say offline what this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Look at the table, then change it."""
    if "tokens" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("messages")}:
        op.add_column("messages", sa.Column("tokens", sa.Integer()))


def downgrade() -> None:
    """Undo it, for development."""
    op.drop_column("messages", "tokens")
