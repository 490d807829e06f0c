"""After a connection that failed others fail at once, until a while has passed or the database was seen to answer."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from agent import connecting
from agent.connecting import Pause


class Server:
    """Takes the place of the driver's `connect`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.engine = create_engine("postgresql+psycopg://u@nowhere/d", pool_size=1)
        self.pause = Pause(self.engine)
        monkeypatch.setattr(self.engine.dialect, "connect", self._connect)

    def _connect(self, *_arguments: object, **_options: object) -> None:
        self.asked += 1
        self.meanwhile()
        raise psycopg.OperationalError("connection refused by nowhere")

    def fails(self) -> str:
        with pytest.raises(OperationalError) as caught:
            self.engine.connect()
        return str(caught.value.orig)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def test_a_second_connection_fails_at_once_with_the_same_words(server: Server) -> None:
    assert server.fails() == server.fails() == "connection refused by nowhere"
    assert server.asked == 1


def test_after_the_pause_it_is_tried_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "PAUSE", 0.05)
    server.fails()
    time.sleep(0.1)
    server.fails()
    assert server.asked == 2


def test_whoever_saw_the_database_answer_ends_the_pause(server: Server) -> None:
    server.fails()
    server.pause.end()
    server.fails()
    assert server.asked == 2


def test_an_attempt_that_began_before_the_answer_begins_no_pause(server: Server) -> None:
    server.meanwhile = server.pause.end
    server.fails()
    server.fails()
    assert server.asked == 2
