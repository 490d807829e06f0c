"""Find a session's messages by an index, built while others write."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index of a build that broke off is invalid and in the way of the next try: it goes first."""
    with op.get_context().autocommit_block():
        # It waits for older transactions without blocking anybody; a time-out would only leave an invalid index.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS messages_by_session")
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_by_session ON messages (session_id, id)")
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    """Undo it, for development."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS messages_by_session")
