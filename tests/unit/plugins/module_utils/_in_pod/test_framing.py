"""Answers through a log: cut, surrounded by foreign words, and never half of one."""

from __future__ import annotations

import base64
import json
import random
import tracemalloc
import typing as t
import zlib

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import framing
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import (
    Framer,
    Incomplete,
    TooLarge,
    Unframer,
    parsed,
)

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


def test_what_was_kept_of_several_answers_is_counted_together() -> None:
    unframer, framer = Unframer(), Framer()
    answer = {"text": "a" * (5 << 20)}
    for _ in range(3):
        assert [unframer.feed(line) for line in framer.lines(answer)][-1] == answer
    with pytest.raises(TooLarge):
        list(map(unframer.feed, framer.lines(answer)))


def test_an_answer_without_an_end_is_not_kept() -> None:
    unframer, line = Unframer(), "A" * 12000
    with pytest.raises(TooLarge):
        list(map(unframer.feed, (f"@@preflight:{number}:0:{line}@@" for number in range(4000))))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":[' + b"[]," * 5_000_000 + b"[]]}",
        b'{"a":[' + b"{}," * 5_000_000 + b"{}]}",
        b'{"a":[' + b'"xy",' * 3_000_000 + b'"x"]}',
        b'{"a":[' + b"1e9," * 4_000_000 + b"1]}",
        b"[" * 16_000_000,
    ],
    ids=["lists", "dictionaries", "texts", "numbers", "deep"],
)
def test_few_bytes_do_not_become_much_memory(text: bytes) -> None:
    tracemalloc.start()
    try:
        [line] = [f"@@preflight:0:1:{base64.b64encode(zlib.compress(text)).decode()}@@"]
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        with pytest.raises(Incomplete):
            Unframer().feed(line)
        assert tracemalloc.get_traced_memory()[1] - before < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ["\ud800", "\udfff x", "\ude42\ud83d"])
def test_half_a_character_is_no_answer(text: str) -> None:
    with pytest.raises(Incomplete):
        parsed(json.dumps({"sql": text}).encode())
    whole: dict[str, t.Any] = {"sql": "🙂 \\ud800"}
    assert parsed(json.dumps(whole).encode()) == whole
