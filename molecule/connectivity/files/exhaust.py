"""Take every connection that the agent's role can have, those that become free as well, until killed."""

import os
import time

import psycopg

held = []
while True:
    try:
        held.append(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True))
    except psycopg.OperationalError:
        print(f"full with {len(held)}", flush=True)
        time.sleep(0.05)
