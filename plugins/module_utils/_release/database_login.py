"""Which of two roles of PostgreSQL a release logs in as, as the annotation of its Secret says it. Pure.

One role owns the objects; two others, its members, take turns at logging in, so that a password is changed only of the
role that nobody uses. Where no rotation has been yet, the owner logs in itself, and there is no annotation.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import datetime
import typing as t
from urllib.parse import quote, unquote

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import annotated
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret_data import decoded, encoded

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping

Object = dict[str, t.Any]
ANNOTATION: t.Final = "ai-agent/database-login"
# Names of PostgreSQL are cut off behind so many bytes (NAMEDATALEN - 1).
# Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
_LONGEST = 63


@dataclasses.dataclass(frozen=True)
class Login:
    """What the annotation says.

    :param owner: the role that owns the objects
    :param login: the role in the Secret's URLs
    :param since: when the password in use came into the Secret, UTC in ISO 8601; empty where that is not known
    :param preparing: the role that is being given a new password, while the Secret has the old one
    :param replaces: the role that was in the Secret before, until it is locked
    :param before: the Secret's rotation id until then
    """

    owner: str
    login: str
    since: str = ""
    preparing: str = ""
    replaces: str = ""
    before: str = ""

    def as_annotation(self) -> str:
        """The text of the annotation, which `login_of` reads again."""
        return annotated.text_of(self)


def login_of(secret: Object | None) -> Login | None:
    """What the annotation of a Secret says; None without one.

    :raises FindingError: `rotation-record`: somebody wrote something else into it
    """
    cure = 'give it {"owner": …, "login": …} as the server\'s roles and database-url have them.'
    return annotated.read(secret, ANNOTATION, Login, cure)


def others(owner: str) -> tuple[str, str]:
    """The two roles that take turns.

    :raises FindingError: `rotation-refused`: their names would be too long
    """
    names = f"{owner}_a", f"{owner}_b"
    if any(len(name.encode()) > _LONGEST for name in names):
        words = f"The database's user {owner} has too long a name for roles {owner}_a and {owner}_b beside it"
        raise FindingError("rotation-refused", f"{words}: change its password by hand.")
    return names


def idle(owner: str, login: str) -> str:
    """The one of the two that is not in use.

    :raises FindingError: as `others`
    """
    first, second = others(owner)
    return second if login == first else first


def as_login(data: Mapping[str, str], owner: str, login: str) -> dict[str, str]:
    """A Secret's data with another user in those URLs that have `owner` for theirs; base64, as it was."""
    return {key: encoded(_as_login(decoded(value), owner, login)) for key, value in data.items()}


def urls_of(data: Mapping[str, str], owner: str) -> set[str]:
    """Keys of the URLs that have `owner` for their user."""
    return {key for key, value in data.items() if f"://{quote(owner, safe='')}:" in decoded(value)}


def with_password(data: Mapping[str, str], owner: str, password: str) -> dict[str, str]:
    """What a Secret of others is to hold for another password: its URLs that have the user of `database-url`.

    :param data: of that Secret, base64
    :param owner: the role that owns the objects, or stands for who may use them; the user of what comes back
    :param password: the new one; it is under `password` in any case
    :raises FindingError: `rotation-refused`: it has no `database-url` with a user
    """
    user = _user(decoded(data.get("database-url", "")))
    if not user:
        words = "The Secret has no URL with a user under database-url, so there is no password to change"
        raise FindingError("rotation-refused", f"{words} (keys of other names are not rotated).")
    access = f"{quote(owner or user, safe='')}:{quote(password, safe='')}@"
    found = {}
    for key, value in data.items():
        scheme, separator, rest = decoded(value).partition("://")
        if separator and _user(decoded(value)) == user and scheme.partition("+")[0] in {"postgresql", "postgres"}:
            found[key] = encoded(f"{scheme}://{access}{rest.rpartition('@')[2]}")
    return found | {"password": encoded(password)}


def _user(url: str) -> str:
    _scheme, separator, rest = url.partition("://")
    access, at, _place = rest.rpartition("@")
    return unquote(access.partition(":")[0]) if separator and at else ""


def expected_now(expected: Mapping[str, str], secret: Object | None) -> dict[str, str]:
    """What the role would write into a Secret, with the user that a rotation has put there.

    :param expected: as passwords and manifests make it, with the owner for its user; base64
    :param secret: the living one
    :raises FindingError: as `login_of`
    """
    told = login_of(secret)
    return as_login(expected, told.owner, told.login) if told else dict(expected)


def age_days(secret: Object | None, now: datetime.datetime) -> int | None:
    """For how many whole days the password has been in use: since it was rotated, else since the Secret was made.

    :param secret: the living one
    :param now: with its time zone
    :return: None where nobody knows
    :raises FindingError: as `login_of`
    """
    told = login_of(secret)
    return days_since(told.since if told else "", secret, now)


def days_since(since: str, secret: Object | None, now: datetime.datetime) -> int | None:
    """Whole days since a time, or since a Secret was made where there is none.

    :param since: in ISO 8601 with its time zone, or empty
    :param now: with its time zone
    :return: None where nobody knows
    """
    begun = since or ((secret or {}).get("metadata") or {}).get("creationTimestamp") or ""
    try:
        return max(0, (now - datetime.datetime.fromisoformat(begun)).days)
    except (ValueError, TypeError):
        return None


def _as_login(url: str, owner: str, login: str) -> str:
    scheme, separator, rest = url.partition("://")
    start = f"{quote(owner, safe='')}:"
    if not separator or not rest.startswith(start):
        return url
    return f"{scheme}://{quote(login, safe='')}:{rest.removeprefix(start)}"


__all__ = (
    "ANNOTATION",
    "Login",
    "age_days",
    "as_login",
    "days_since",
    "expected_now",
    "idle",
    "login_of",
    "others",
    "urls_of",
    "with_password",
)
