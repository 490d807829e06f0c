"""Fill the model of answers from before 0004."""

from __future__ import annotations

from alembic import context, op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 5000
FILL = """
UPDATE messages SET model = 'unknown' WHERE id IN (
    SELECT id FROM messages WHERE role = 'assistant' AND model IS NULL ORDER BY id LIMIT {limit}
)
"""


def upgrade() -> None:
    """In batches, each committed: no row stays locked for longer than its batch takes."""
    if context.is_offline_mode():
        op.execute(FILL.format(limit="ALL"))
        return
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        while connection.exec_driver_sql(FILL.format(limit=BATCH)).rowcount:
            pass


def downgrade() -> None:
    """What was not known before is not known after."""
