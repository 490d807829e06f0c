"""Figures in words, and words that are safe to print."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

# Control characters drive a terminal (ESC, BEL, and 0x9b, which is ESC [ in one), and neither XML nor HTML allows them;
# U+202A to U+2069 turn the order of what is read; lone surrogates are in no UTF-8 file.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """The text with U+FFFD for each character that is none to read; line feeds and tabs stay."""
    return _UNPRINTABLE.sub("\ufffd", text)


def all_printable(value: t.Any) -> t.Any:
    """Plain JSON whose every string is printable, keys too."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(name) if isinstance(name, str) else name: all_printable(item) for name, item in value.items()}
    return [all_printable(item) for item in value] if isinstance(value, (list, tuple)) else value


def size(number: float) -> str:
    """Bytes in binary units."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


__all__ = ("all_printable", "printable", "size")
