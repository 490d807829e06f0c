"""A score that every message gets at once: a volatile default writes the whole table anew."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What a large table does not take."""
    op.execute("ALTER TABLE messages ADD COLUMN score double precision DEFAULT random()")


def downgrade() -> None:
    """Undo it, for development."""
    op.drop_column("messages", "score")
