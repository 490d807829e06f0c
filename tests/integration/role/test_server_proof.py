"""The question whether a PostgreSQL takes a password, put to a real one by the program that guard runs in its pod."""

from __future__ import annotations

import os
import signal
import subprocess
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import server_proof
from psycopg import sql

from dev.postgresql import Server, binaries, running

HOSTILE = "p'a\"s$s `%\\ é#{{"


@pytest.fixture(scope="module")
def server() -> t.Iterator[Server]:
    with running(15) as made:
        yield made


def answers(server: Server, users: dict[str, str], passwords: dict[str, str]) -> list[str]:
    told = "".join(f"{line}\n" for line in server_proof.question(users, passwords))
    path = f"{binaries(15) / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", server_proof.PROGRAM],
        input=told,
        env={"PATH": path, "POSTGRESQL_PORT_NUMBER": str(server.port)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_the_server_says_which_passwords_are_its_own(server: Server) -> None:
    with psycopg.connect(server.url(), autocommit=True) as session:
        session.execute(sql.SQL("CREATE ROLE copier LOGIN REPLICATION PASSWORD {}").format(HOSTILE))
    users = {"replication-password": "copier", "postgres-password": "postgres", "password": "nobody-knows"}
    right = {"replication-password": HOSTILE, "postgres-password": server.password or "", "password": "x"}
    assert answers(server, users, right) == ["yes", "yes", "no"]
    assert answers(server, users, right | {"replication-password": f"{HOSTILE} "}) == ["no", "yes", "no"]
    # One that takes whatever comes proves nothing.
    rules = server.folder / "data" / "pg_hba.conf"
    rules.write_text("host all all 127.0.0.1/32 trust\n" + rules.read_text())
    server.process.send_signal(signal.SIGHUP)
    with psycopg.connect(server.url()) as session:
        assert session.execute("SELECT 1 FROM pg_hba_file_rules WHERE auth_method = 'trust'").fetchone()
    assert answers(server, users, right) == ["no", "no", "no"]
