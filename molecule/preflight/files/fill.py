"""A million messages, and statistics about them."""

from __future__ import annotations

import os

import psycopg

FILL = """
INSERT INTO messages (session_id, role, content)
SELECT (SELECT id FROM sessions LIMIT 1), 'user', 'message number ' || n FROM generate_series(1, 1000000) n
"""

with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    connection.execute("INSERT INTO sessions (id) VALUES (gen_random_uuid())")
    connection.execute(FILL)
    connection.execute("ANALYZE messages")
    print(connection.execute("SELECT count(*), pg_table_size('messages') FROM messages").fetchone(), flush=True)
