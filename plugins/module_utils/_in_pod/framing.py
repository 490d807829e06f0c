"""Answers through a pod's log: foreign words may stand between them, long lines are cut, and its size is limited.

An answer is a JSON object, compressed, in one or more lines `@@preflight:NUMBER:LAST:BASE64@@`. Used on both sides.
The answers of the connectivity test's probe have the same mark.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import re
import typing as t
import zlib

# containerd writes lines above 16 KiB in pieces, between which those of another stream may come.
CHUNK = 12000
# Answers come from images that are not trusted: they must not fill the reader's memory. In all, as JSON.
MOST_BYTES = 16 << 20
# `[[],[],…` of that size would be 400 MiB of Python: what separates values is counted before anything is made of them.
MOST_MARKS = 2_000_000
_LINE = re.compile(r"@@preflight:(\d+):([01]):([A-Za-z0-9+/=]*)@@")


class Incomplete(Exception):
    """Lines of an answer are missing, or it is none."""


class TooLarge(Incomplete):
    """Answers that hold more than anybody would read."""


def parsed(text: bytes) -> t.Any:
    """What this JSON says.

    :raises TooLarge: it is longer than MOST_BYTES, or holds more than MOST_MARKS
    :raises Incomplete: it is no JSON, or holds text that cannot be written
    """
    if len(text) > MOST_BYTES or sum(map(text.count, (b",", b"[", b"{", b'"'))) > MOST_MARKS:
        raise TooLarge
    try:
        answer = json.loads(text)
        if b"\\ud" in text or b"\\uD" in text:
            # Half of a character would break whatever writes or parses it later.
            json.dumps(answer, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Incomplete from None
    return answer


class Framer:
    """Turns answers into lines."""

    def __init__(self) -> None:
        self._number = 0

    def lines(self, answer: dict[str, t.Any]) -> t.Iterator[str]:
        """The lines of one answer, without their ends."""
        text = base64.b64encode(zlib.compress(json.dumps(answer).encode(), 6)).decode()
        for start in range(0, len(text), CHUNK):
            last = int(start + CHUNK >= len(text))
            yield f"@@preflight:{self._number}:{last}:{text[start : start + CHUNK]}@@"
            self._number += 1


class Unframer:
    """Turns lines into answers."""

    def __init__(self) -> None:
        self._number = 0
        self._parts: list[str] = []
        self._kept = 0
        self._left = MOST_BYTES

    def feed(self, line: str) -> dict[str, t.Any] | None:
        """The answer that this line completes, None where it completes none.

        :raises Incomplete: lines are missing, or together they are no answer
        :raises TooLarge: the answers hold more than MOST_BYTES or MOST_MARKS
        """
        found = _LINE.search(line)
        if found is None:
            return None
        if int(found[1]) != self._number:
            raise Incomplete
        self._number += 1
        self._parts.append(found[3])
        self._kept += len(found[3])
        # Base64 is a third longer, and what cannot be compressed hardly grows.
        if self._kept > 1.5 * MOST_BYTES:
            raise TooLarge
        if found[2] == "0":
            return None
        packed, self._parts, self._kept = "".join(self._parts), [], 0
        inflater = zlib.decompressobj()
        try:
            text = inflater.decompress(base64.b64decode(packed), self._left + 1)
        except (ValueError, zlib.error):
            raise Incomplete from None
        self._left -= len(text)
        if self._left < 0:
            raise TooLarge
        answer = parsed(text)
        if not isinstance(answer, dict):
            raise Incomplete
        return answer


__all__ = ("MOST_BYTES", "Framer", "Incomplete", "TooLarge", "Unframer", "parsed")
