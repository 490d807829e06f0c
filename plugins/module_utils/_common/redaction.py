"""Taking known secrets out of text that servers and programs wrote. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.spellings import pattern

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable

HIDDEN = "***"
# What follows a scheme, to the next blank or the next scheme; a password with a blank in it, which no port is.
_URL = re.compile(r"://((?:(?!://)\S)+)")
_BLANK = re.compile(r"(://[^\s:/@\"']{0,100}:)(?!\d+(?!\w))([^\s@\"'<>]{1,100}[ \t][^\n@\"'<>]{0,100})@")
_END_OF_TEXT = re.compile(r"""["'](?=[,:;}\])]|$)""")
# A value that its own name calls secret, quoted as SQL, Python and JSON do, or after an equals sign as in connection
# strings; what programs send for a login, and the options of curl and redis-cli.
_NAME = r"\b\w*(?:password|passwd|pwd|secret|token|api_?key|rediscli_auth)"
# Bounded, so that many quotes that nobody ended are not each looked for to the end of the text.
_TEXT = r"""e?'(?:[^'\\]|''|\\.){0,1000}'|"(?:[^"\\]|\\.){0,1000}\""""
_QUOTED = re.compile(rf"""(?i)({_NAME}\\?["']?\s{{0,9}}[=:]?\s{{0,9}})(?:\\?{_TEXT})""")
_ASSIGNED = re.compile(
    rf"""(?i)({_NAME}\s{{0,9}}=\s{{0,9}})(?!{re.escape(HIDDEN)})(?:[^\s'"&,;)]|[,;)'"](?=[^\s'"&,;)]))+"""
)
_SENT = re.compile(
    rf"""(?x)( \s(?:-u|--user)[\s=]{{1,9}}[^\s:'"]{{1,200}}:
         | \bredis-cli\b[^\n]{{0,200}}?\s(?:-a|--pass)[\s=]{{1,9}}["']?
         | \bAUTH["']?[ ,]{{1,9}}(?!<|called|failed|required|command|is\b|{re.escape(HIDDEN)})["']?
         | (?i:\b(?:proxy-)?authorization["']?\s{{0,9}}[:=]\s{{0,9}}["']?(?:bearer|basic|token)\s{{1,9}})
         | \bBearer\s{{1,9}}(?=[^\s"']{{0,200}}\d)
         )(?!{re.escape(HIDDEN)})[^\s'"]+"""
)


def redacted(value: t.Any, secrets: Iterable[str]) -> t.Any:
    """`value`, a text or a list or dictionary of them, without any of the secrets, however a program wrote them.

    Known secrets in each of their spellings; and without what its place says is one, as `without_named` tells it.
    """
    return _without(value, pattern(map(str, secrets)))


def without_logins(text: str) -> str:
    """`text` without the passwords of URLs in it."""
    return _BLANK.sub(rf"\1{HIDDEN}@", _URL.sub(_without_login, text))


def _without_login(found: re.Match[str]) -> str:
    """The login ends at the last @: else a password with an @ that is not encoded would be hidden only in part."""
    user, colon, rest = found[1].partition(":")
    if not colon or "/" in user:
        return found[0]
    # A text that JSON or Python quotes ends where the quote does, if the login is before that.
    end = _END_OF_TEXT.search(rest)
    inside = rest[: end.start()] if end and "@" in rest[: end.start()] else rest
    _password, at, place = inside.rpartition("@")
    return f"://{user}:{HIDDEN}@{place}{rest[len(inside) :]}" if at else found[0]


# The same statement stands in what is said of it, and in each finding.
@functools.lru_cache(maxsize=256)
def without_named(text: str) -> str:
    """`text` of programs and people, without the passwords of URLs and without values that their names call secret.

    What nobody knows as a secret is told by its place: `PASSWORD 'x'`, `password=x`, `{'token': 'x'}`, `curl -u me:x`.
    """
    text = _QUOTED.sub(rf"\1'{HIDDEN}'", without_logins(text))
    return _SENT.sub(rf"\1{HIDDEN}", _ASSIGNED.sub(rf"\1{HIDDEN}", text))


def _without(value: t.Any, known: re.Pattern[str]) -> t.Any:
    if isinstance(value, str):
        return without_named(known.sub(HIDDEN, value))
    if isinstance(value, dict):
        return {key: _without(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without(item, known) for item in value]
    return value


__all__ = ("redacted", "without_logins", "without_named")
