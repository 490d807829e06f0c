"""Behind PgBouncer in transaction mode each transaction meets another session of the server."""

from __future__ import annotations

import concurrent.futures
import contextlib

import psycopg

from dev import pooler
from tests.integration.agent.conftest import World

REQUESTS, AT_ONCE, SESSIONS = 80, 8, 3


def test_every_conversation_is_answered_and_nothing_is_left_in_a_session(world: World) -> None:
    with pooler.in_front_of(world.database.url, default_pool_size=SESSIONS) as url:
        agent = world.start(DATABASE_URL=url)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as callers:
            answers = list(callers.map(lambda number: agent.chat(f"Hello {number}"), range(REQUESTS)))
        assert [(one.status_code, one.text) for one in answers if one.status_code != 200] == []
        assert world.database.rows("SELECT count(*) FROM messages") == [(2 * REQUESTS,)]
        with contextlib.ExitStack() as stack:
            for _session in range(SESSIONS):
                connection = stack.enter_context(psycopg.connect(url, prepare_threshold=None))
                assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
                assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
