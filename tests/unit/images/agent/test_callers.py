"""Who may ask, how often, and by which id a request is known."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from prometheus_client import REGISTRY

from agent import auth, rate_limit
from agent.app import create_app
from agent.lifecycle import Lifecycle
from agent.logs import JsonLines
from agent.rate_limit import Buckets
from agent.request_id import CURRENT, chosen
from agent.settings import Settings
from tests.unit.images.agent.test_app import Client, closed_port

TOKENS = ("first-token-of-a-test", "second-token-of-a-test")


def client(**given: Any) -> Client:
    """An agent without database and cache."""
    database = f"postgresql+psycopg://u:p@127.0.0.1:{closed_port()}/d"
    return Client(create_app(Settings(database, f"redis://127.0.0.1:{closed_port()}/0", **given), Lifecycle()))


def bearer(token: str) -> dict[str, str]:
    """The header."""
    return {"Authorization": f"Bearer {token}"}


CHAT = {"json": {"message": "hello"}}


@pytest.mark.parametrize("path", sorted(auth.OPEN))
def test_what_is_open_needs_no_token(path: str) -> None:
    assert client(api_tokens=TOKENS).get(path).status_code in {200, 503}


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/v1/sessions/x/messages", "/metrics/", "/no-such-path"])
def test_everything_else_needs_one(path: str) -> None:
    answer = client(api_tokens=TOKENS).get(path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="ai-agent"'
    assert "token is needed" in answer.json()["error"]


@pytest.mark.parametrize("token", TOKENS)
def test_each_token_lets_in(token: str) -> None:
    """503: there is no database behind it."""
    assert client(api_tokens=TOKENS).post("/v1/chat", headers=bearer(token), **CHAT).status_code == 503


@pytest.mark.parametrize(
    "headers",
    [
        bearer("third-token-of-a-test"),
        bearer(TOKENS[0][:-1]),
        bearer(TOKENS[0] + "x"),
        bearer(""),
        {"Authorization": TOKENS[0]},
        {"Authorization": f"Basic {TOKENS[0]}"},
        [(b"Authorization", "Bearer t\xe4st".encode("latin-1"))],
        [("Authorization", f"Bearer {TOKENS[0]}"), ("Authorization", f"Bearer {TOKENS[1]}")],
    ],
)
def test_a_wrong_token_is_refused_and_not_repeated(headers: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client(api_tokens=TOKENS).post("/v1/chat", headers=headers, **CHAT)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert TOKENS[0] not in answer.text + caplog.text


def test_every_token_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each, and each by the library's comparison, so that the time tells nothing."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr("agent.auth.hmac.compare_digest", compare)
    for token in (*TOKENS, "x"):
        client(api_tokens=TOKENS).get("/docs" if token == "x" else "/openapi.json")
        client(api_tokens=TOKENS).request("GET", "/openapi.json", headers=bearer(token))
    assert compared.count((32, 32)) == len(compared)
    assert len(compared) >= 3 * len(TOKENS)


def test_without_tokens_nobody_is_asked_for_one() -> None:
    assert client().get("/openapi.json").status_code == 200


def test_a_bucket_fills_again() -> None:
    now = [100.0]
    buckets = Buckets(per_minute=60, burst=2, now=lambda: now[0])
    assert [buckets.wait("a") for _ in range(3)] == [0, 0, pytest.approx(1.0)]
    assert buckets.wait("b") == 0
    now[0] += 0.5
    assert buckets.wait("a") == pytest.approx(0.5)
    now[0] += 0.5
    assert buckets.wait("a") == 0
    now[0] += 3600
    # It holds no more than the burst.
    assert [buckets.wait("a") for _ in range(3)] == [0, 0, pytest.approx(1.0)]


def test_callers_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "CALLERS", 3)
    buckets = Buckets(per_minute=1, burst=1, now=lambda: 0.0)
    for caller in "abc":
        assert buckets.wait(caller) == 0
    assert buckets.wait("a") > 0
    assert buckets.wait("d") == 0
    # b asked longest ago; a has asked since.
    assert buckets.wait("a") > 0
    assert buckets.wait("b") == 0


def refused(cause: str) -> float:
    """What the metrics count."""
    return REGISTRY.get_sample_value("agent_refused_total", {"cause": cause}) or 0.0


def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    before = refused("rate")
    agent = client(rate_per_minute=2)
    answers = [agent.post("/v1/chat", **CHAT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 30
    assert "too often" in answers[-1].json()["error"]
    assert refused("rate") == before + 1
    # A probe that is refused would restart the agent.
    assert {agent.get("/health").status_code for _ in range(5)} == {200}


def test_each_token_has_a_limit_of_its_own() -> None:
    agent = client(rate_per_minute=1, rate_burst=1, api_tokens=TOKENS)
    asked = [agent.post("/v1/chat", headers=bearer(token), **CHAT).status_code for token in (*TOKENS, *TOKENS)]
    assert asked == [503, 503, 429, 429]


def test_headers_that_anybody_may_write_make_no_caller() -> None:
    agent = client(rate_per_minute=1)
    asked = [agent.post("/v1/chat", headers={"X-Forwarded-For": f"192.0.2.{n}"}, **CHAT).status_code for n in range(2)]
    assert asked == [503, 429]


@pytest.mark.parametrize("given", ["abc", "0af7651916cd43dd8448eb211c80319c", "a.b_c:d-e", "x" * 128])
def test_a_well_formed_id_is_taken(given: str) -> None:
    assert chosen([given]) == given


@pytest.mark.parametrize(
    "given", [[], [""], ["x" * 129], ["a b"], ["a\nb"], ['a"b'], ["ä"], ["٣"], ["a", "b"], ["a\n"]]
)
def test_any_other_is_replaced(given: list[str]) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", chosen(given))


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/health", {}),
        ("GET", "/no-such-path", {}),
        ("POST", "/v1/chat", {"json": {}}),
        ("POST", "/v1/chat", {"content": b"x" * (3 << 20)}),
        ("POST", "/v1/chat", CHAT),
    ],
)
@pytest.mark.parametrize("tokens", [(), TOKENS])
def test_every_answer_has_the_id(method: str, path: str, more: dict[str, Any], tokens: tuple[str, ...]) -> None:
    answer = client(api_tokens=tokens).request(method, path, headers={"X-Request-ID": "mine-1"}, **more)
    assert answer.headers.get_list("X-Request-ID") == ["mine-1"]


def test_a_failure_that_nobody_foresaw_has_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("agent.chat.Chat.start", broken)
    answer = client().post("/v1/chat", headers={"X-Request-ID": "mine-2"}, **CHAT)
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "mine-2")


def test_every_line_of_a_request_has_its_id(caplog: pytest.LogCaptureFixture) -> None:
    """Also those that worker threads write."""
    seen: list[tuple[str, str]] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append((record.name, json.loads(JsonLines().format(record)).get("request_id", "")))

    reader = Reader()
    logging.getLogger("agent").addHandler(reader)
    try:
        with caplog.at_level(logging.INFO):
            client().post("/v1/chat", headers={"X-Request-ID": "mine-3"}, **CHAT)
    finally:
        logging.getLogger("agent").removeHandler(reader)
    names = {name for name, _own in seen}
    # The cache's line comes from a worker thread.
    assert {"agent.lifecycle", "agent.app", "agent.cache"} <= names
    assert {own for _name, own in seen} == {"mine-3"}


def test_a_line_outside_of_a_request_has_none() -> None:
    assert CURRENT.get() == ""
    line = JsonLines().format(logging.LogRecord("agent", logging.INFO, "", 0, "started", None, None))
    assert "request_id" not in json.loads(line)
