"""Give the agent's role the password of the Secret again."""

import os
import typing as t

import psycopg
from psycopg import conninfo, sql

right = conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])["password"]
given: dict[str, t.Any] = {"password": "another-one"}
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, **given) as connection:
    connection.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(sql.Literal(right)))
