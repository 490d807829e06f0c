"""Store SESSIONS sessions of ten messages each, nine of ten of them 90 days old; print what is stored then."""

import json
import os

import psycopg

SESSIONS = int(os.environ["SESSIONS"])
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    connection.execute(
        "INSERT INTO sessions (id, created_at) SELECT gen_random_uuid(),"
        " now() - CASE WHEN n %% 10 = 0 THEN interval '1 day' ELSE interval '90 days' END"
        " FROM generate_series(1, %s) AS n",
        (SESSIONS,),
    )
    connection.execute(
        "INSERT INTO messages (session_id, role, content, created_at)"
        " SELECT id, 'user', repeat('word ', 40), created_at FROM sessions, generate_series(1, 10)"
    )
    # As autovacuum leaves a table that grew over months.
    connection.execute("ANALYZE sessions, messages")
    rows = connection.execute("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM messages)").fetchone()
print(json.dumps({"stored": rows}))
