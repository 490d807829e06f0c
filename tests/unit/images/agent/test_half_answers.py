"""Streams of a model endpoint that do not end as they should: half an answer must be stored nowhere."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from agent.llm import ModelError, OpenAIModel
from agent.settings import Settings, SettingsError

SETTINGS = Settings("postgresql+psycopg://h/d", "redis://h", llm_base_url="http://llm/v1", llm_model="small")


def answer(*parts: object) -> list[str]:
    """What comes of a stream of *parts* that ends without [DONE]."""
    text = "".join(f"data: {json.dumps(part)}\n\n" for part in parts)
    model = OpenAIModel(SETTINGS, httpx.MockTransport(lambda _request: httpx.Response(200, text=text)))

    async def collect() -> list[str]:
        return [piece async for piece in model.stream([("user", "hello")])]

    return asyncio.run(collect())


def part(content: str | None, reason: str | None = None) -> dict[str, object]:
    """One part as a streaming endpoint sends it."""
    return {"choices": [{"delta": {"content": content}, "finish_reason": reason}]}


def test_a_finish_reason_ends_an_answer_as_well() -> None:
    assert answer(part("Hi"), part(None, "stop")) == ["Hi"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([part("Hi")], "half-way"),
        ([], "half-way"),
        ([part("Hi"), {"error": {"message": "key sk-very-secret is over its limit"}}], "broke its answer off"),
    ],
)
def test_an_answer_without_an_end_is_an_error(parts: list[object], said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        answer(*parts)
    assert "sk-very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://agent_user:s3cr@et@db:5432/agent_db"),
        ("REDIS_URL", "redis://:s3cr@et@cache:6379/0"),
        ("REDIS_URL", "redis://:x@cache:6379/0?socket_timeout=s3cret"),
    ],
)
def test_an_at_sign_in_a_password_is_refused_for_its_rest_would_be_told_as_a_host(name: str, value: str) -> None:
    given = {"DATABASE_URL": "postgresql://u:p@db/d", "REDIS_URL": "redis://:p@cache/0", name: value}
    with pytest.raises(SettingsError, match=name) as caught:
        Settings.from_env(given)
    assert not any(part in str(caught.value) for part in ("s3cr", "et@"))
