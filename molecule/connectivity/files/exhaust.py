"""Take every connection that the agent's role can have, those that become free as well, until asked to end."""

import os
import signal
import sys
import time

import psycopg

# A pod's network goes at once when it is killed: the server would not hear that its clients are gone, for two hours.
signal.signal(signal.SIGTERM, lambda *_: sys.exit())

held = []
try:
    while True:
        try:
            held.append(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True))
        except psycopg.OperationalError:
            print(f"full with {len(held)}", flush=True)
            time.sleep(0.05)
finally:
    for connection in held:
        connection.close()
