"""How a secret may stand in text: a pattern of all the ways in which programs write it. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import html.entities
import re
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable

# YAML breaks a line in double quotes anywhere.
_BROKEN = r"(?:\\\n[ ]{0,40})?"
# JSON in JSON in JSON doubles a backslash each time, from one to eight.
_ESCAPES, _ESCAPE = r"\\{0,8}", r"\\{1,8}"
# Secrets of fewer bytes are not looked for in base64 and hexadecimal: those forms are as short as any word.
_LEAST_BYTES = 4
_BASE64_BEGINS, _BASE64_ENDS = (0, 2, 3), (0, 3, 2)
_NAMES = {chr(point): name for point, name in html.entities.codepoint2name.items()} | {"'": "apos"}
# What else stands for a blank character in a form, and in most languages.
_ALSO = {" ": [r"\+"], "\n": [rf"{_ESCAPE}n"], "\t": [rf"{_ESCAPE}t"], "\r": [rf"{_ESCAPE}r"]}
# One character may be written as several: quotes are doubled in SQL, YAML and CSV, and ended and begun again around one
# in a shell ('"'"'); % in configuration files, $ in Kubernetes.
_RUNS = re.compile(r"(?P<blanks>\s+)|(?P<slashes>\\+)|(?P<more>['\"]+|%+|\$+)|(?P<other>.)", re.DOTALL)


def pattern(secrets: Iterable[str]) -> re.Pattern[str]:
    """What finds each of the secrets, the longest first, however it is spelled, each character by itself.

    As it is, escaped, for SQL, shells, YAML, CSV, JSON (also in JSON), Python, C, HTML and URLs; and as a
    whole in base64, also with something before it, and in hexadecimal digits.

    Its time grows with the text and no faster: what stands in the text between two parts of the pattern can belong to
    one of them only. In `a*a*b` it could belong to both: for `aaa` without a `b` every way to share it is tried.
    """
    chosen = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    found = [form for secret in chosen for form in (re.escape(secret), *_encoded(secret.encode()), _spelled(secret))]
    return re.compile("|".join(found) or r"(?!)")


def _spelled(secret: str) -> str:
    parts, escape = [], _ESCAPE
    for found in _RUNS.finditer(secret):
        text, count = found[0], len(found[0])
        if found["blanks"]:
            # A line of YAML is broken at a blank.
            each = "|".join(form for char in sorted(set(text)) for form in _forms(char, escape))
            # If the secret itself has backslashes, one next to a blank must not count as its escape.
            tolerated = "" if "\\" in secret else _ESCAPES
            parts.append(rf"{_ESCAPES}(?:{each}|{tolerated}\s){{{count},{count + 40}}}")
        elif found["slashes"]:
            parts.append(rf"{_character(text[0], escape)}{{{count},{16 * count}}}+")
        elif found["more"]:
            each = "|".join(_character(char, escape) for char in ("'\"" if text[0] in "'\"" else text[0]))
            parts.append(f"(?:{each}){{{count},{5 * count}}}")
        else:
            parts.append(_character(text, escape))
        # The backslashes before it are taken already.
        escape = _ESCAPES if found["slashes"] else _ESCAPE
    return "".join(parts)


def _character(char: str, escape: str) -> str:
    """What finds one character."""
    literal = r"\\" if char == "\\" else f"{_ESCAPES}{re.escape(char)}"
    return f"{_BROKEN}(?:{'|'.join(_forms(char, escape))}|{literal})"


def _forms(char: str, escape: str) -> list[str]:
    """All the ways to write a character otherwise than as it is."""
    point, raw = ord(char), char.encode()
    utf16 = char.encode("utf-16-be").hex()
    forms = [
        *_ALSO.get(char, ()),
        "".join(rf"%(?:25){{0,2}}{_digits(f'{byte:02x}')}" for byte in raw),
        "".join(rf"{escape}x{_digits(f'{byte:02x}')}" for byte in raw),
        "".join(rf"{escape}{byte:03o}" for byte in raw),
        "".join(rf"{escape}u{_digits(utf16[at : at + 4])}" for at in range(0, len(utf16), 4)),
        rf"{escape}U{_digits(f'{point:08x}')}",
        rf"&(?:amp;){{0,2}}#0{{0,6}}(?:{point}|[xX]0{{0,6}}{_digits(f'{point:x}')});",
    ]
    if point < 256:
        forms.append(rf"{escape}x{_digits(f'{point:02x}')}")
    if char in _NAMES:
        forms.append(rf"&(?:amp;){{0,2}}{_NAMES[char]};")
    return forms


def _digits(hexadecimal: str) -> str:
    """The digits, whose letters may be large or small."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in hexadecimal)


def _encoded(raw: bytes) -> list[str]:
    """The bytes in base64, wherever in its groups of three they begin, and in hexadecimal digits."""
    if len(raw) < _LEAST_BYTES:
        return [re.escape(base64.b64encode(raw).decode())]
    forms = []
    for before in range(3):
        bits = base64.b64encode(b"\0" * before + raw).decode()
        # Letters at the ends also hold bits of what stands before and behind.
        inside = bits[_BASE64_BEGINS[before] : len(bits) - _BASE64_ENDS[(before + len(raw)) % 3]]
        forms.append("".join({"+": "[-+]", "/": "[_/]"}.get(letter, letter) for letter in inside))
    return [*forms, _digits(raw.hex())]


__all__ = ("pattern",)
