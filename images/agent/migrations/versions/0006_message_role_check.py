"""Only roles that exist."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHECK = "messages_role_known"


def upgrade() -> None:
    """New rows are checked at once; the old ones afterwards, under a lock that lets others read and write."""
    # There already where the validation failed before: this revision can be run again.
    op.execute(f"ALTER TABLE messages DROP CONSTRAINT IF EXISTS {CHECK}")
    op.execute(f"ALTER TABLE messages ADD CONSTRAINT {CHECK} CHECK (role IN ('system', 'user', 'assistant')) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE messages VALIDATE CONSTRAINT {CHECK}")


def downgrade() -> None:
    """Undo it, for development."""
    op.drop_constraint(CHECK, "messages", type_="check")
