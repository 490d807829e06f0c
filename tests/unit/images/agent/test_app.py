"""The HTTP interface where database and cache are away: what still answers, and how the rest fails."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from agent import database_check
from agent.app import create_app
from agent.health import Health, brief
from agent.lifecycle import Lifecycle
from agent.limits import BODY_BYTES
from agent.settings import Settings

SECRET = "s3cret"


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@pytest.fixture
def lifecycle() -> Lifecycle:
    """A process that serves."""
    return Lifecycle()


class Client:
    """Requests to an application in this process."""

    def __init__(self, app: FastAPI) -> None:
        """Answer with what *app* answers, an exception of its own included."""
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One request."""

        async def run() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://agent") as client:
                return await client.request(method, path, **given)

        return asyncio.run(run())

    def get(self, path: str) -> httpx.Response:
        """GET."""
        return self.request("GET", path)

    def post(self, path: str, **given: Any) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **given)


@pytest.fixture
def client(lifecycle: Lifecycle) -> Client:
    """An agent without database and cache."""
    settings = Settings(
        f"postgresql+psycopg://agent_user:{SECRET}@127.0.0.1:{closed_port()}/agent_db",
        f"redis://:{SECRET}@127.0.0.1:{closed_port()}/0",
        organization="platform",
        environment="dev",
    )
    return Client(create_app(settings, lifecycle))


def test_alive_and_about_need_no_database(client: Client) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/").json() == {
        "name": "ai-agent",
        "version": "1.0.0",
        "organization": "platform",
        "environment": "dev",
    }
    assert "agent_requests_in_flight" in client.get("/metrics").text


def test_ready_names_each_part_that_fails(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answers = [client.get("/ready") for _turn in range(2)]
    assert [answer.status_code for answer in answers] == [503, 503]
    checks = answers[0].json()["checks"]
    assert {name: check["status"] for name, check in checks.items()} == {
        "database": "failed",
        "schema": "failed",
        "cache": "degraded",
    }
    assert "onnection refused" in checks["database"]["message"]
    assert SECRET not in answers[0].text + caplog.text
    # Said once, not once a probe.
    assert caplog.text.count("not ready: database") == 1


@pytest.fixture
def well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database and a cache that answer."""
    seen: dict[str, Any] = {"server": "15.1", "revisions": frozenset({"0006"})}
    monkeypatch.setattr(database_check, "look", lambda _url: database_check.Seen(**seen))
    monkeypatch.setattr(Health, "_look_at_cache", lambda _self: {"cache": {"status": "ok", "message": "Redis answers"}})


def test_without_its_cache_a_pod_stays_ready_and_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen = database_check.Seen(server="15.1", revisions=frozenset({"0006"}))
    monkeypatch.setattr(database_check, "look", lambda _url: seen)
    with caplog.at_level(logging.INFO):
        answer = client.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["checks"]["cache"]["status"] == "degraded"
    assert "agent_cache_up 0.0" in client.get("/metrics").text
    assert "degraded: cache" in caplog.text


@pytest.mark.usefixtures("well")
def test_ready_goes_off_when_the_drain_begins(client: Client, lifecycle: Lifecycle) -> None:
    assert client.get("/ready").status_code == 200
    lifecycle.begin_drain()
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["lifecycle"]["status"] == "failed"
    assert answer.json()["checks"]["database"]["status"] == "ok"


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
def test_a_chat_without_a_database_is_one_sentence(client: Client, path: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.post(path, json={"message": "hello"})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "database" in answer.json()["error"]
    assert SECRET not in answer.text + caplog.text


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "message"),
        ({"message": ""}, "message"),
        ({"message": "a\0b"}, "NUL"),
        ({"message": "x" * 100_001}, "message"),
        ({"message": "hello", "session_id": "1"}, "session_id"),
        ({"message": "hello", "temperature": 1}, "temperature"),
        ([], "the body"),
    ],
)
def test_a_wrong_question_is_one_sentence(client: Client, body: object, named: str) -> None:
    answer = client.post("/v1/chat", json=body)
    assert answer.status_code == 422
    assert named in answer.json()["error"]


def test_a_broken_body_and_unknown_paths(client: Client) -> None:
    headers = {"content-type": "application/json"}
    assert client.post("/v1/chat", content=b"{", headers=headers).status_code == 422
    surrogate = b'{"message": "a\\ud800"}'
    assert client.post("/v1/chat", content=surrogate, headers=headers).status_code == 422
    assert client.get("/v1/nothing").json() == {"error": "Not Found"}
    # Version 1.0.0 has no table for it.
    assert client.post("/v1/messages/1/feedback", json={"rating": 1}).status_code == 404


def test_the_unforeseen_is_one_sentence(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_self: Health) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(Health, "ready", fail)
    answer = client.get("/ready")
    assert answer.status_code == 500
    assert "error" in answer.json()
    assert SECRET not in answer.text


def test_the_cause_is_told_where_several_addresses_were_tried() -> None:
    error = Exception("Multiple connection attempts failed. All failures were:\n- host: 'h', port: 1: refused\n- b")
    assert brief(error) == "host: 'h', port: 1: refused"


async def _endless(piece: bytes, sent: list[int]) -> AsyncIterator[bytes]:
    while True:
        sent.append(len(piece))
        yield piece


@pytest.mark.parametrize("announced", [True, False], ids=["content-length", "chunked"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: Client, announced: bool) -> None:
    sent: list[int] = []
    if announced:
        answer = client.post("/v1/chat", content=b'{"message": "' + b"x" * (3 * BODY_BYTES) + b'"}')
    else:
        answer = client.post("/v1/chat", content=_endless(b"x" * 65536, sent))
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("the body is larger than 2048 KiB")
    assert sum(sent) <= BODY_BYTES + 2 * 65536


def test_the_longest_message_in_the_longest_spelling_is_no_large_body(client: Client) -> None:
    body = '{"message": "' + "\\ud83d\\ude00" * 100_000 + '"}'
    # It is read, and fails for want of a database.
    assert client.post("/v1/chat", content=body.encode()).status_code == 503
