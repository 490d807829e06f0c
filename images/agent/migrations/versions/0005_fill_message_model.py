"""Fill the model of answers from before 0004."""

from __future__ import annotations

from alembic import context, op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 5000
FILL = "UPDATE messages SET model = 'unknown' WHERE role = 'assistant' AND model IS NULL"
# Each batch begins where the last one ended: looking from the start again would read all filled rows each time.
FILL_BATCH = """
WITH batch AS (
    SELECT id FROM messages WHERE id > %(after)s AND role = 'assistant' AND model IS NULL ORDER BY id LIMIT %(limit)s
), filled AS (
    UPDATE messages SET model = 'unknown' WHERE id IN (SELECT id FROM batch)
)
SELECT max(id) FROM batch
"""


def upgrade() -> None:
    """In batches, each committed: no row stays locked for longer than its batch takes."""
    if context.is_offline_mode():
        op.execute(FILL)
        return
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        after: int | None = 0
        while after is not None:
            after = connection.exec_driver_sql(FILL_BATCH, {"after": after, "limit": BATCH}).scalar()


def downgrade() -> None:
    """What was not known before is not known after."""
