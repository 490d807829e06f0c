"""How two URLs of a server differ, without saying a password. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import re
from urllib.parse import unquote, urlsplit

# The ports that libpq and redis-py take where a URL names none.
_PORTS = {"postgresql": "5432", "postgres": "5432", "redis": "6379", "rediss": "6379"}


# A host or address. What is no name may be the end of a password that was not percent-encoded.
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]|)(?::(?P<port>\d*))?")


@dataclasses.dataclass(frozen=True)
class Parts:
    """Where a URL leads, and as whom.

    `host` and `port` are lists with commas where the URL names several servers.

    :param password: None without one, decoded
    :param parameters: its query
    """

    host: str
    port: str
    database: str
    user: str
    password: str | None = dataclasses.field(repr=False)
    parameters: str = dataclasses.field(repr=False)

    def __str__(self) -> str:
        """For messages, without password and parameters, which may hold another."""
        return f"{self.host}:{self.port}/{self.database}" + (f" as {self.user}" if self.user else "")


def parts(url: str, namespace: str) -> Parts:
    """The parts of a URL, each in one spelling: the port is written, a Service of `namespace` has its short name.

    :raises ValueError: it is no URL; the message does not hold it
    """
    try:
        split = urlsplit(url)
    except ValueError:
        raise ValueError("no URL") from None
    access, _at, place = split.netloc.rpartition("@")
    found = [_HOST.fullmatch(each) for each in place.split(",")]
    if not split.scheme or not place or None in found or "@" in split.path + split.query + split.fragment:
        raise ValueError("no URL")
    user, colon, password = access.partition(":")
    kind = split.scheme.partition("+")[0]
    hosts = [_short(each["name"].lower(), namespace) for each in found if each]
    ports = [each["port"] or _PORTS.get(kind, "") for each in found if each]
    database = unquote(split.path.lstrip("/")) or ("0" if kind.startswith("redis") else "")
    secret = unquote(password) if colon else None
    return Parts(",".join(hosts), ",".join(ports), database, unquote(user), secret, split.query)


def _short(name: str, namespace: str) -> str:
    """The name of a Service of this namespace as its neighbours call it."""
    return re.sub(rf"\.{re.escape(namespace)}(\.svc(\.[a-z0-9.-]+)?)?\.?$", "", name)


def differences(live: str, planned: str, namespace: str) -> list[str]:
    """The names of the parts in which two URLs differ, empty where they lead to the same place as the same user.

    `form` where one of them is no URL. A cache that asks for a password from now on, or no longer, is the same one.
    """
    try:
        now, then = parts(live, namespace), parts(planned, namespace)
    except ValueError:
        return [] if live == planned else ["form"]
    names = [field.name for field in dataclasses.fields(Parts)]
    found = [name for name in names if getattr(now, name) != getattr(then, name)]
    if urlsplit(planned).scheme.startswith("redis") and None in {now.password, then.password}:
        found = [name for name in found if name not in {"password", "user"}]
    return found


def destination(url: str, namespace: str) -> str:
    """Where a URL leads and as whom, for messages."""
    try:
        return str(parts(url, namespace))
    except ValueError:
        return "something that is no URL"


__all__ = ("Parts", "destination", "differences", "parts")
