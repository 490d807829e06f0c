"""Print how many sessions are older than 30 days, how many are younger, and how many messages have no session."""

import json
import os

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE created_at < now() - interval '30 days') AS old,"
        " count(*) FILTER (WHERE created_at >= now() - interval '30 days') AS young FROM sessions"
    ).fetchone()
    lost = connection.execute(
        "SELECT count(*) FROM messages AS m WHERE NOT EXISTS (SELECT FROM sessions AS s WHERE s.id = m.session_id)"
    ).fetchone()
print(json.dumps({"old": (row or [0])[0], "young": (row or [0, 0])[1], "lost": (lost or [0])[0]}))
