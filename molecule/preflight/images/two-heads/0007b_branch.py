"""One of two revisions that both follow 0006, as two people make them on two branches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007b"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Harmless by itself."""
    op.add_column("sessions", sa.Column("branch_b", sa.Text()))


def downgrade() -> None:
    """Undo it, for development."""
    op.drop_column("sessions", "branch_b")
