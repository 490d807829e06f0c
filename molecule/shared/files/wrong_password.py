"""Give the agent's role another password than the one in the Secret."""

import os

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    connection.execute("ALTER ROLE CURRENT_USER PASSWORD 'another-one'")
