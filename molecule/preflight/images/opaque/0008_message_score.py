"""A score with a volatile default, which writes the table anew, where the table has none."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Ask the catalogue, then change the table."""
    asked = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'messages' AND column_name = 'score'"
    if not op.get_bind().exec_driver_sql(asked).scalar():
        op.execute("ALTER TABLE messages ADD COLUMN score double precision DEFAULT random()")


def downgrade() -> None:
    """Undo it, for development."""
    op.drop_column("messages", "score")
