"""Which model gave an answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column without a default is a change of the catalogue only."""
    op.add_column("messages", sa.Column("model", sa.Text(), nullable=True))


def downgrade() -> None:
    """Undo it, for development."""
    op.drop_column("messages", "model")
