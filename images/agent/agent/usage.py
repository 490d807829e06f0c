"""What answers cost: the tokens that a model's endpoint says it counted, and their price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.metrics import COST, TOKENS

MOST = 10**9
"""More than any prompt or answer has: what is above comes from a broken endpoint, and would spoil the counters."""


@dataclass
class Usage:
    """Tokens of one prompt and its answer; None where nobody counted."""

    prompt: int | None = None
    completion: int | None = None

    def read(self, told: Any) -> None:
        """Take what an endpoint tells as `usage`. Some tell it again and again; the last one counts."""
        if isinstance(told, dict):
            self.prompt = _number(told.get("prompt_tokens"), self.prompt)
            self.completion = _number(told.get("completion_tokens"), self.completion)

    def count(self, model: str, prices: tuple[float, float]) -> None:
        """Add it to the metrics.

        :param prices: of a million tokens of prompts, and of answers
        """
        for kind, number in (("prompt", self.prompt), ("completion", self.completion)):
            if number is not None:
                TOKENS.labels(model, kind).inc(number)
        if any(prices) and (self.prompt is not None or self.completion is not None):
            COST.labels(model).inc(((self.prompt or 0) * prices[0] + (self.completion or 0) * prices[1]) / 1_000_000)


def _number(told: Any, before: int | None) -> int | None:
    fits = isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= MOST
    return told if fits else before
