"""The SQL that Alembic writes, and the line of the revision's file that wrote each part of it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import re
import sys
import typing as t

# One revision that writes from so many different lines is a loop over data, and its lines help nobody.
MOST = 1000
# A lone UTF-16 surrogate: a Python string may hold one, UTF-8 cannot.
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class LinedBuffer(io.StringIO):
    """A text buffer that notes where in `file` each write comes from, directly or through helper modules.

    `file`: path of the revision that runs now; None notes nothing. `lines`: pairs of a position in the text and the
    line (from 1) that wrote from there on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.file: str | None = None
        self.lines: list[tuple[int, int]] = []

    def begin(self, file: str) -> None:
        """The revision of `file` writes from now on."""
        self.file, self.lines = file, []

    def end(self) -> list[tuple[int, int]]:
        """What was noted since `begin`."""
        self.file = None
        return self.lines

    def write(self, text: str, /) -> int:
        if self.file and len(self.lines) < MOST:
            frame = sys._getframe(1)
            while frame is not None and frame.f_code.co_filename != self.file:
                frame = frame.f_back  # type: ignore[assignment]
            if frame is not None and (not self.lines or self.lines[-1][1] != frame.f_lineno):
                self.lines.append((self.tell(), frame.f_lineno))
        return super().write(text)


def without_lone_surrogates(value: t.Any) -> t.Any:
    """A value of JSON in which lone surrogates are exchanged: JSON can write them, and nothing that reads it can."""
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {without_lone_surrogates(name): without_lone_surrogates(item) for name, item in value.items()}
    return [without_lone_surrogates(item) for item in value] if isinstance(value, (list, tuple)) else value
