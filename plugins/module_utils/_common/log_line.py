"""What a line of a log says, also where a program writes its log as JSON. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

# Under these names python-json-logger, structlog, zap and pino keep what is said, and why.
_WORDS: t.Final = ("message", "msg", "event")
_CAUSES: t.Final = ("error", "err", "exception", "exc_info", "exc_text")


def spoken(line: str) -> str:
    """The message and the cause of a line that is a JSON object; any other line as it is.

    :param line: one line of a log
    :return: `message: cause` without line breaks; of a traceback its last line
    """
    text = line.strip()
    if not text.startswith("{"):
        return line
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return line
    words, cause = (next(filter(None, (_text(record.get(name)) for name in names)), "") for names in (_WORDS, _CAUSES))
    return ": ".join(part for part in (words, "" if cause in words else cause) if part) or line


def _text(value: object) -> str:
    """The last line of a text, or of the message of an object."""
    if isinstance(value, dict):
        value = next((value[name] for name in _WORDS if name in value), "")
    lines = value.splitlines() if isinstance(value, str) else []
    return next((each.strip() for each in reversed(lines) if each.strip()), "")


__all__ = ("spoken",)
