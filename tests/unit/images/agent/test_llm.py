"""The model behind an OpenAI-compatible endpoint, and its built-in stand-in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from agent import llm
from agent.llm import BuiltinModel, Model, ModelError, OpenAIModel, choose
from agent.settings import Settings

KEY = "sk-very-secret"


def settings(**given: object) -> Settings:
    """Settings with an endpoint."""
    base: dict[str, object] = {"llm_base_url": "http://llm/v1", "llm_api_key": KEY, "llm_model": "small"}
    return Settings("postgresql+psycopg://h/d", "redis://h", **{**base, **given})  # type: ignore[arg-type]


def collect(model: Model, said: str = "hello") -> list[str]:
    """All pieces of a reply."""

    async def run() -> list[str]:
        pieces = [piece async for piece in model.stream([("user", said)])]
        await model.close()
        return pieces

    return asyncio.run(run())


def endpoint(answer: Callable[[httpx.Request], httpx.Response]) -> OpenAIModel:
    """A model whose endpoint is a function."""
    return OpenAIModel(settings(), httpx.MockTransport(answer))


def chunks(*contents: str | None) -> str:
    """What a streaming endpoint sends."""
    lines = [json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]}) for content in contents]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])


def test_pieces_come_as_the_endpoint_sends_them() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=": comment\n\n" + chunks(None, "Hel", "lo"))

    assert collect(endpoint(answer)) == ["Hel", "lo"]
    assert str(seen[0].url) == "http://llm/v1/chat/completions"
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"
    body = json.loads(seen[0].content)
    assert (body["model"], body["messages"]) == ("small", [{"role": "user", "content": "hello"}])


def test_what_postgresql_cannot_store_is_taken_out() -> None:
    assert collect(endpoint(lambda _request: httpx.Response(200, text=chunks("a\0b", "\ud83d")))) == ["ab", "?"]


def refuse(_request: httpx.Request) -> httpx.Response:
    """Nobody listens."""
    raise httpx.ConnectError("[Errno 111] Connection refused")


def sleep(_request: httpx.Request) -> httpx.Response:
    """Nobody answers."""
    raise httpx.ReadTimeout("")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refuse, "cannot be reached"),
        (sleep, "in time"),
        (lambda _request: httpx.Response(401, json={"error": {"message": f"Incorrect API key: {KEY}"}}), "401"),
        (lambda _request: httpx.Response(200, text="data: <html>\n\n"), "something else"),
        (lambda _request: httpx.Response(200, text='data: {"choices": null}\n\n'), "something else"),
        (lambda _request: httpx.Response(200, text="data: []\n\n"), "something else"),
    ],
)
def test_each_failure_is_one_sentence_without_the_key(
    answer: Callable[[httpx.Request], httpx.Response], said: str
) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        collect(endpoint(answer))
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_an_endpoint_the_builtin_model_answers_and_says_so() -> None:
    model = choose(settings(llm_base_url="", environment="dev"))
    assert isinstance(model, BuiltinModel)
    pieces = collect(model, "What\n is up?")
    assert len(pieces) > 10
    reply = "".join(pieces)
    assert "builtin-echo" in reply
    assert "environment dev" in reply
    assert reply.endswith("You said: What\n is up?")
    assert pieces == collect(model, "What\n is up?")


def test_an_answer_without_an_end_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm, "ANSWER_BYTES", 1000)
    with pytest.raises(ModelError, match="more than"):
        collect(endpoint(lambda _request: httpx.Response(200, text="data: " + "x" * 2000)))


@pytest.mark.parametrize(("name", "most"), [("REPLY_CHARACTERS", 5), ("REPLY_SECONDS", -1.0)])
def test_a_reply_is_bounded_in_length_and_time(monkeypatch: pytest.MonkeyPatch, name: str, most: float) -> None:
    async def run() -> None:
        async for _piece in llm.bounded(BuiltinModel(settings()).stream([("user", "hello")])):
            pass

    asyncio.run(run())
    monkeypatch.setattr(llm, name, most)
    with pytest.raises(ModelError, match="the model endpoint's answer"):
        asyncio.run(run())
