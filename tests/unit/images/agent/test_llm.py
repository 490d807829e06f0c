from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from agent.cache import key
from agent.llm import BuiltinModel, ModelError, OpenAIModel, Prompt, choose
from agent.settings import Settings

SETTINGS = Settings("postgresql://", "redis://", token_delay=0, environment="dev")
REMOTE = Settings(
    "postgresql://", "redis://", llm_base_url="https://llm.example/v1", llm_api_key="sk-secret", llm_model="large"
)
PROMPT: Prompt = [("user", "Hello")]


async def collect(model: BuiltinModel | OpenAIModel, prompt: Prompt = PROMPT) -> list[str]:
    return [piece async for piece in model.stream(prompt)]


def remote(answer: httpx.Response | Exception, seen: list[httpx.Request] | None = None) -> OpenAIModel:
    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return OpenAIModel(REMOTE, httpx.MockTransport(handle))


def test_the_built_in_model_is_deterministic_and_says_what_it_is() -> None:
    first = asyncio.run(collect(BuiltinModel(SETTINGS)))
    assert first == asyncio.run(collect(BuiltinModel(SETTINGS)))
    assert "builtin-echo" in "".join(first)
    assert "".join(first).endswith("You said: Hello")
    assert len(first) > 10


def test_an_endpoint_is_used_only_when_it_is_set() -> None:
    assert choose(SETTINGS).name == "builtin-echo"
    assert choose(REMOTE).name == "large"


def test_an_endpoint_gets_the_conversation_and_its_pieces_come_through() -> None:
    lines = [{"choices": [{"delta": {"role": "assistant"}}]}, {"choices": [{"delta": {"content": "Hi"}}]}]
    lines.append({"choices": [{"delta": {"content": " there"}}]})
    text = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"
    seen: list[httpx.Request] = []
    assert asyncio.run(collect(remote(httpx.Response(200, text=text), seen))) == ["Hi", " there"]
    assert str(seen[0].url) == "https://llm.example/v1/chat/completions"
    assert seen[0].headers["authorization"] == "Bearer sk-secret"
    assert json.loads(seen[0].content)["messages"] == [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (httpx.Response(401, text="bad key sk-secret"), "answered 401"),
        (httpx.ConnectError("refused"), "cannot be reached"),
        (httpx.ReadTimeout("slow"), "did not answer in time"),
        (httpx.Response(200, text="data: <html>\n\n"), "something else than chat completions"),
        (httpx.Response(200, text='data: ["list"]\n\n'), "something else than chat completions"),
    ],
)
def test_a_failing_endpoint_is_one_sentence_without_the_key(answer: httpx.Response | Exception, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        asyncio.run(collect(remote(answer)))
    assert sentence in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_a_cached_reply_belongs_to_one_model_and_one_prompt() -> None:
    keys = {key("a", PROMPT), key("b", PROMPT), key("a", [("user", "Hell")]), key("a", [*PROMPT, ("user", "o")])}
    assert len(keys) == 4
