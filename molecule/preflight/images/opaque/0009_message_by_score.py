"""An index, where there is none of its name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Look at the indexes, then make one beside the running application."""
    if "messages_score" not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("messages")}:
        with op.get_context().autocommit_block():
            op.create_index("messages_score", "messages", ["score"], postgresql_concurrently=True)


def downgrade() -> None:
    """Undo it, for development."""
    op.drop_index("messages_score", "messages")
