"""Who answers: an OpenAI-compatible endpoint, or without one the built-in model, which says what it is."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from agent.limits import ANSWER_BYTES, REPLY_CHARACTERS, REPLY_SECONDS
from agent.settings import Settings
from agent.tracing import ModelCall
from agent.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Prompt = list[tuple[str, str]]
"""(role, content) of a conversation, oldest first."""


class ModelError(Exception):
    """The model gave no answer; the text is one sentence without the key."""


class Model(Protocol):
    """What answers a prompt, piece by piece."""

    name: str

    def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """Pieces of the reply as they come.

        :raises ModelError: the model gave no answer
        """
        ...

    async def close(self) -> None:
        """Give connections back."""


class BuiltinModel:
    """Deterministic stand-in: the same prompt always gets the same reply, so a demo and a test need no provider."""

    name = "builtin-echo"

    def __init__(self, settings: Settings) -> None:
        self._delay = settings.token_delay
        where = f" in the environment {settings.environment}" if settings.environment else ""
        self._who = (
            f"I am the reference agent's built-in stand-in model (builtin-echo), running{where}. No language model is"
            " connected: set LLM_BASE_URL to reach one."
        )

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """The reply, word by word."""
        words = re.findall(r"\S+\s*", f"{self._who} You said: {prompt[-1][1]}")
        # Its tokens are words.
        Usage(sum(len(content.split()) for _role, content in prompt), len(words)).count(self.name, (0, 0))
        for word in words:
            yield word
            if self._delay:
                await asyncio.sleep(self._delay)

    async def close(self) -> None:
        """Nothing to close."""


class OpenAIModel:
    """Any endpoint that speaks OpenAI's chat completions."""

    def __init__(
        self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None, tracer: Tracer | None = None
    ) -> None:
        self.name = settings.llm_model
        self._tracer = tracer
        headers = {"Authorization": f"Bearer {settings.llm_api_key}"} if settings.llm_api_key else {}
        self._report_usage = settings.report_usage
        self._prices = (settings.price_input, settings.price_output)
        self._client = httpx.AsyncClient(
            base_url=settings.llm_base_url, headers=headers, timeout=settings.llm_timeout, transport=transport
        )

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        messages = [{"role": role, "content": content} for role, content in prompt]
        body: dict[str, Any] = {"model": self.name, "stream": True, "messages": messages}
        # Not in every case: an endpoint that does not know it may refuse the whole request.
        return body | ({"stream_options": {"include_usage": True}} if self._report_usage else {})

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """The reply, as the endpoint sends it."""
        body, usage, ended = self._body(prompt), Usage(), False
        call = ModelCall(self._tracer, self.name)
        try:
            async with self._client.stream("POST", "/chat/completions", json=body) as response:
                if response.status_code != httpx.codes.OK:
                    raise ModelError(
                        f"the model endpoint answered {response.status_code}: check LLM_BASE_URL and its key"
                    )
                async for line in _lines(response):
                    if not line.startswith("data:"):
                        continue
                    if (data := line[5:].strip()) == "[DONE]":
                        ended = True
                        break
                    part = json.loads(data)
                    if part.get("error"):
                        raise ModelError("the model endpoint broke its answer off with an error: try again")
                    usage.read(part.get("usage"))
                    for choice in part.get("choices", []):
                        ended = ended or bool(choice.get("finish_reason"))
                        if piece := (choice.get("delta") or {}).get("content"):
                            yield storable(piece)
                if not ended:
                    # Half an answer would be stored, and served from the cache from now on.
                    raise ModelError("the model endpoint ended its answer half-way or sent no stream: try again")
        except httpx.TimeoutException:
            raise ModelError("the model endpoint did not answer in time") from None
        except httpx.HTTPError as error:
            raise ModelError(
                f"the model endpoint cannot be reached ({type(error).__name__}): check LLM_BASE_URL"
            ) from None
        except (ValueError, AttributeError, TypeError):
            raise ModelError(
                "the model endpoint sent something else than chat completions: check LLM_BASE_URL"
            ) from None
        finally:
            # An answer that broke off is paid for as well.
            usage.count(self.name, self._prices)
            call.end(usage, complete=ended)

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()


async def bounded(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """A reply that an endpoint cannot make longer, or let last longer, than limits.py allows.

    :raises ModelError: it did
    """
    size, end = 0, time.monotonic() + REPLY_SECONDS
    async for piece in pieces:
        size += len(piece)
        if size > REPLY_CHARACTERS:
            raise ModelError(f"the model endpoint's answer has more than {REPLY_CHARACTERS} characters")
        if time.monotonic() > end:
            raise ModelError(f"the model endpoint's answer took more than {REPLY_SECONDS:g} s")
        yield piece


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """The lines of an answer as they come; httpx's own iterator keeps a line that never ends without any limit.

    :raises ModelError: the answer has more than ANSWER_BYTES
    """
    size, rest = 0, ""
    async for text in response.aiter_text():
        size += len(text)
        if size > ANSWER_BYTES:
            raise ModelError(f"the model endpoint's answer has more than {ANSWER_BYTES // 1024 // 1024} MiB")
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            yield line.rstrip("\r")
    if rest:
        yield rest


def storable(text: str) -> str:
    """*text* without what PostgreSQL does not store: the character NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def choose(settings: Settings, tracer: Tracer | None = None) -> Model:
    """The configured model."""
    return OpenAIModel(settings, tracer=tracer) if settings.llm_base_url else BuiltinModel(settings)
