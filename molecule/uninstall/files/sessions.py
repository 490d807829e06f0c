"""Make two sessions, an old and a new one, where there are none of their keys; print which of both are there."""

import json
import os

import psycopg

OLD, NEW = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
with psycopg.connect(os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")) as connection:
    if not connection.execute("SELECT 1 FROM sessions WHERE id = %s", (NEW,)).fetchone():
        for key, days in ((OLD, 90), (NEW, 1)):
            connection.execute("INSERT INTO sessions VALUES (%s, now() - %s * interval '1 day')", (key, days))
            connection.execute(
                "INSERT INTO messages (session_id, role, content, created_at)"
                " VALUES (%s, 'user', 'x', now() - %s * interval '1 day')",
                (key, days),
            )
    rows = connection.execute("SELECT id::text FROM sessions WHERE id IN (%s, %s) ORDER BY id", (OLD, NEW)).fetchall()
print(json.dumps({"there": [key[-1:] for (key,) in rows]}))
