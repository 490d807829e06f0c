"""Tokens and their cost, as an endpoint tells them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from agent.llm import BuiltinModel, ModelError, OpenAIModel
from agent.usage import MOST, Usage
from tests.unit.images.agent.test_llm import collect, settings


def counted(model: str) -> tuple[float, float, float]:
    """Tokens of prompts and of answers, and the cost."""
    tokens = [
        REGISTRY.get_sample_value("agent_model_tokens_total", {"model": model, "kind": kind}) or 0.0
        for kind in ("prompt", "completion")
    ]
    return tokens[0], tokens[1], REGISTRY.get_sample_value("agent_model_cost_total", {"model": model}) or 0.0


def answer(*parts: dict[str, Any], end: str = "data: [DONE]\n\n") -> httpx.Response:
    """A stream of chat completions."""
    return httpx.Response(200, text="".join(f"data: {json.dumps(part)}\n\n" for part in parts) + end)


PIECE = {"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}


def told(prompt: Any, completion: Any) -> dict[str, Any]:
    return {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


@pytest.mark.parametrize(
    ("name", "parts", "wanted"),
    [
        ("once", [PIECE, told(10, 5)], (10, 5, 0.0002)),
        ("again-and-again", [told(10, 1), PIECE, told(10, 5)], (10, 5, 0.0002)),
        ("never", [PIECE], (0, 0, 0)),
        ("null", [PIECE | {"usage": None}], (0, 0, 0)),
        ("half", [PIECE, {"choices": [], "usage": {"completion_tokens": 5}}], (0, 5, 0.0001)),
        ("nonsense", [PIECE, told(-1, "5")], (0, 0, 0)),
        ("too-much", [PIECE, told(MOST + 1, True)], (0, 0, 0)),
    ],
)
def test_what_an_endpoint_tells(name: str, parts: list[dict[str, Any]], wanted: tuple[float, float, float]) -> None:
    given = settings(llm_model=name, price_input=10.0, price_output=20.0)
    assert collect(OpenAIModel(given, httpx.MockTransport(lambda _request: answer(*parts)))) == ["hi"]
    assert counted(name) == pytest.approx(wanted)


def test_an_answer_that_broke_off_is_paid_for() -> None:
    model = OpenAIModel(
        settings(llm_model="broken"), httpx.MockTransport(lambda _request: answer(told(7, 3), end="data: {\n\n"))
    )
    with pytest.raises(ModelError):
        collect(model)
    assert counted("broken") == (7, 3, 0)


@pytest.mark.parametrize(("report", "wanted"), [(False, None), (True, {"include_usage": True})])
def test_an_endpoint_is_asked_for_it_where_that_is_set(report: bool, wanted: object) -> None:
    asked: list[Any] = []

    def endpoint(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return answer(PIECE)

    collect(OpenAIModel(settings(report_usage=report), httpx.MockTransport(endpoint)))
    assert asked[0].get("stream_options") == wanted


def test_the_stand_in_counts_words() -> None:
    before = counted("builtin-echo")
    pieces = collect(BuiltinModel(settings(llm_base_url="")), "one two three")
    after = counted("builtin-echo")
    assert (after[0] - before[0], after[1] - before[1], after[2]) == (3, len(pieces), 0)


def test_without_prices_there_is_no_cost() -> None:
    Usage(1000, 1000).count("free", (0.0, 0.0))
    assert REGISTRY.get_sample_value("agent_model_cost_total", {"model": "free"}) is None
