"""A session that wrote to the table messages and does not end, as an application leaves one."""

from __future__ import annotations

import os
import time

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"], application_name="forgotten") as connection:
    connection.execute("UPDATE messages SET content = content WHERE id = (SELECT min(id) FROM messages)")
    print("held", flush=True)
    time.sleep(3600)
