"""Put each kind of question to the agent, look into its database, and print what was found as one line of JSON."""

from __future__ import annotations

import json
import os
import typing as t
import urllib.request

import psycopg
from psycopg import sql

URL = os.environ["AGENT_URL"]


def call(path: str, body: dict[str, t.Any] | None = None) -> t.Any:
    """Send a request to the agent and return the response; an answer other than 2xx raises."""
    data = json.dumps(body).encode() if body else None
    return urllib.request.urlopen(  # noqa: S310 - a Service of this namespace
        urllib.request.Request(f"{URL}{path}", data, {"Content-Type": "application/json"}),  # noqa: S310
        timeout=30,
    )


def rows(connection: psycopg.Connection[t.Any]) -> int:
    """Count the rows of all tables but Alembic's."""
    names = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    ).fetchall()
    queries = [sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)) for (name,) in names]
    return sum(count for query in queries for (count,) in connection.execute(query))


found: dict[str, t.Any] = {}
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    [(found["revision"],)] = connection.execute("SELECT version_num FROM alembic_version")
    found["rows_before"] = rows(connection)
    with call("/health") as response:
        found["health"] = response.status
    with call("/ready") as response:
        found["ready"] = json.load(response)
    with call("/metrics") as response:
        found["metrics"] = sum(line.startswith(b"# TYPE") for line in response)
    with call("/v1/chat", {"message": "Where are you?"}) as response:
        found["reply"] = json.load(response)["reply"]
    with call("/v1/chat/stream", {"message": "Where are you, in pieces?"}) as response:
        found["stream"] = response.headers["Content-Type"].partition(";")[0]
        found["pieces"] = sum(line.startswith(b"data:") for line in response)
    found["rows_after"] = rows(connection)
print(json.dumps(found))
