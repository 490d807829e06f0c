"""Answers through a log: cut, surrounded by foreign words, and never half of one."""

from __future__ import annotations

import base64
import random
import zlib

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import framing
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import Framer, Incomplete, Unframer

SMALL = {"text": "ü\n@@preflight:0:1:AAAA@@"}
LARGE = {"text": "ü" + random.Random(7).randbytes(60_000).hex()}  # noqa: S311 - it shall not be compressible


def lines() -> list[str]:
    framer = Framer()
    return [line for answer in (SMALL, LARGE, SMALL) for line in framer.lines(answer)]


def test_answers_come_back_and_no_line_is_long() -> None:
    unframer = Unframer()
    found = [answer for line in lines() if (answer := unframer.feed(line)) is not None]
    assert found == [SMALL, LARGE, SMALL]
    assert len(lines()) > 4
    assert max(map(len, lines())) < 16_000


def test_foreign_words_between_and_around_them_do_no_harm() -> None:
    unframer, found = Unframer(), []
    for line in lines():
        for text in ("Traceback (most recent call last):", "@@preflight", f"progress 40%{line} and more"):
            found += [answer] if (answer := unframer.feed(text)) else []
    assert found == [SMALL, LARGE, SMALL]


@pytest.mark.parametrize("lost", [0, 1, 2, -2])
def test_a_lost_line_is_noticed(lost: int) -> None:
    kept = lines()
    del kept[lost]
    unframer = Unframer()
    with pytest.raises(Incomplete):
        list(map(unframer.feed, kept))


def test_what_is_no_answer_or_would_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MOST_BYTES", 1000)
    for payload in (
        b"no zlib",
        zlib.compress(b"no json"),
        zlib.compress(b"[1]"),
        zlib.compress(b'"' + b"a" * 5000 + b'"'),
    ):
        with pytest.raises(Incomplete):
            Unframer().feed(f"@@preflight:0:1:{base64.b64encode(payload).decode()}@@")
