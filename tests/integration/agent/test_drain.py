"""SIGTERM: readiness goes off, what runs is finished, late comers are answered, then exit code 0."""

from __future__ import annotations

import threading
import time
import typing as t
import uuid

import httpx

from tests.integration.agent.conftest import Agent, World, events
from tests.integration.waiting import eventually

SLOW = {"BUILTIN_TOKEN_DELAY_MS": "100"}


class Stream(threading.Thread):
    """A client that reads a stream to its end."""

    def __init__(self, agent: Agent) -> None:
        """Begin at once."""
        super().__init__(daemon=True)
        self._agent = agent
        self.events: list[tuple[str, dict[str, t.Any]]] = []
        self.broken = ""
        self.start()
        eventually(lambda: self.events)

    def run(self) -> None:
        """Read."""
        question = {"message": f"Tell me about {uuid.uuid4()}"}
        try:
            with httpx.stream("POST", f"{self._agent.http.base_url}/v1/chat/stream", json=question, timeout=30) as got:
                for event in events(got):
                    self.events.append(event)
        except httpx.TransportError as error:
            self.broken = repr(error)

    @property
    def last(self) -> str:
        """Name of the last event."""
        return self.events[-1][0]


def test_a_running_stream_ends_and_late_comers_are_answered(world: World) -> None:
    agent = world.start(**SLOW)
    stream = Stream(agent)
    agent.terminate()
    eventually(lambda: agent.ready()[0] == 503, 2)
    assert set(agent.ready()[1]) == {"lifecycle"}
    assert agent.http.get("/health").status_code == 200
    # On a connection that was open before, and on a new one; each answer asks the client to leave.
    for client in (agent.http, httpx.Client(base_url=agent.http.base_url, timeout=30)):
        late = client.post("/v1/chat", json={"message": f"Late {uuid.uuid4()}"})
        assert late.status_code == 200
        assert late.headers["connection"] == "close"
    stream.join(20)
    assert (stream.last, stream.broken) == ("done", "")
    assert agent.process.wait(10) == 0
    assert "drained" in agent.log
    stored = world.database.rows("SELECT count(*) FROM messages WHERE role = 'assistant'")
    assert stored == [(3,)]


def test_an_idle_agent_leaves_soon(world: World) -> None:
    agent = world.start()
    begin = time.monotonic()
    agent.terminate()
    assert agent.process.wait(10) == 0
    assert 1 <= time.monotonic() - begin < 6


def test_what_does_not_end_is_cut_off_at_the_limit(world: World) -> None:
    agent = world.start(BUILTIN_TOKEN_DELAY_MS="2000", DRAIN_SECONDS="1")
    stream = Stream(agent)
    begin = time.monotonic()
    agent.terminate()
    assert agent.process.wait(15) == 0
    assert 1 <= time.monotonic() - begin < 8
    stream.join(10)
    assert stream.last == "token"
    assert "1 requests were still running after 1 s" in agent.log


def test_nothing_fails_under_load(world: World) -> None:
    """Clients that change to another process as soon as readiness is off, as a Service does, lose no request."""
    leaving, staying = world.start(BUILTIN_TOKEN_DELAY_MS="5"), world.start(BUILTIN_TOKEN_DELAY_MS="5")
    target, stop = [leaving], threading.Event()
    answers: list[object] = []

    def load() -> None:
        while not stop.is_set():
            try:
                with httpx.Client(base_url=target[0].http.base_url, timeout=30) as client:
                    answers.append(client.post("/v1/chat", json={"message": f"{uuid.uuid4()}"}).status_code)
            except httpx.TransportError as error:
                answers.append(repr(error))

    threads = [threading.Thread(target=load) for _client in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    leaving.terminate()
    eventually(lambda: leaving.ready()[0] == 503, 2)
    time.sleep(0.5)
    target[0] = staying
    assert leaving.process.wait(15) == 0
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(answers) > 20
    assert set(answers) == {200}
