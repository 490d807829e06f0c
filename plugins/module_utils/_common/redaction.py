"""Taking known secrets out of text that servers and programs wrote. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import html
import json
import re
import typing as t
from urllib.parse import quote, quote_plus

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable

HIDDEN = "***"
# A password in a URL, whoever's it is.
_LOGIN = re.compile(r"://([^:/@\s]*):[^@\s]+@")
# A value that its own name calls secret, quoted as SQL, Python and JSON do, or after an equals sign as in connection
# strings; and the login of curl.
_NAME = r"\b\w*(?:password|passwd|pwd|secret|token|api_?key)"
_TEXT = r"""e?'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|\\.)*\""""
_QUOTED = re.compile(rf"""(?i)({_NAME}["']?\s*[=:]?\s*)(?:{_TEXT})""")
_ASSIGNED = re.compile(rf"""(?i)({_NAME}\s*=\s*)(?!{re.escape(HIDDEN)})[^\s'"&,;)]+""")
_CURL = re.compile(r"(\s(?:-u|--user)[\s=]+[^\s:'\"]+:)[^\s'\"]+")


def redacted(value: t.Any, secrets: Iterable[str]) -> t.Any:
    """`value`, a text or a list or dictionary of them, without any of the secrets, however a program wrote them.

    As it is, in a URL, in base64, in JSON, in Python and in HTML; and without passwords of URLs that nobody named.
    """
    forms = sorted({form for secret in secrets if secret for form in _forms(str(secret))}, key=len, reverse=True)
    known = re.compile("|".join(map(re.escape, forms)) or r"(?!)")
    return _without(value, known)


def without_logins(text: str) -> str:
    """`text` without the passwords of URLs in it."""
    return _LOGIN.sub(rf"://\1:{HIDDEN}@", text)


def without_named(text: str) -> str:
    """`text` of programs and people, without the passwords of URLs and without values that their names call secret.

    What nobody knows as a secret is told by its place: `PASSWORD 'x'`, `password=x`, `{'token': 'x'}`, `curl -u me:x`.
    """
    text = _QUOTED.sub(rf"\1'{HIDDEN}'", without_logins(text))
    return _CURL.sub(rf"\1{HIDDEN}", _ASSIGNED.sub(rf"\1{HIDDEN}", text))


def _without(value: t.Any, known: re.Pattern[str]) -> t.Any:
    if isinstance(value, str):
        return without_logins(known.sub(HIDDEN, value))
    if isinstance(value, dict):
        return {key: _without(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without(item, known) for item in value]
    return value


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    in_url = {quote(secret, safe=""), quote(secret), quote_plus(secret), quote(secret, safe="").lower()}
    return {secret, repr(secret)[1:-1], html.escape(secret), *encoded, *in_json, *in_url}


__all__ = ("redacted", "without_logins", "without_named")
