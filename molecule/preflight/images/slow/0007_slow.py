"""An upgrade that takes longer than anybody watches, and that nobody can read offline."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Wait in the server."""
    op.get_bind().exec_driver_sql("SELECT pg_sleep(20)").scalar()


def downgrade() -> None:
    """There is nothing to undo."""
