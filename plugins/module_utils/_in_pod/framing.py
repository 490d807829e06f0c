"""Answers through a pod's log: foreign words may stand between them, long lines are cut, and its size is limited.

An answer is a JSON object, compressed, in one or more lines `@@preflight:NUMBER:LAST:BASE64@@`. Used on both sides.
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
# An answer comes from an image that is not trusted: it must not fill the reader's memory.
MOST_BYTES = 256 << 20
_LINE = re.compile(r"@@preflight:(\d+):([01]):([A-Za-z0-9+/=]*)@@")


class Incomplete(Exception):
    """Lines of an answer are missing, or it is none."""


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

    def feed(self, line: str) -> dict[str, t.Any] | None:
        """The answer that this line completes, None where it completes none. Raises Incomplete."""
        found = _LINE.search(line)
        if found is None:
            return None
        if int(found[1]) != self._number:
            raise Incomplete
        self._number += 1
        self._parts.append(found[3])
        if found[2] == "0":
            return None
        text, self._parts = "".join(self._parts), []
        inflater = zlib.decompressobj()
        try:
            answer = json.loads(inflater.decompress(base64.b64decode(text), MOST_BYTES))
        except (ValueError, zlib.error, RecursionError):
            raise Incomplete from None
        if not isinstance(answer, dict) or inflater.unconsumed_tail:
            raise Incomplete
        return answer


__all__ = ("Framer", "Incomplete", "Unframer")
