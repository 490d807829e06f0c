"""The proxy of a model's endpoint, as httpx reads it from the environment, and its tunnel. Part of probe.py.

Source: https://www.python-httpx.org/environment_variables/, and for NO_PROXY what httpx 0.28 makes of its entries.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import importlib.util
import ipaddress
import typing as t
import urllib.parse

if t.TYPE_CHECKING:  # pragma: no cover
    import socket

PORTS: t.Final = {"http": 80, "https": 443}
HEAD_BYTES = 16 << 10


class ProxyError(Exception):
    """The proxy cannot be used, or let nothing through."""


def proxy(scheme: str, host: str, port: int) -> urllib.parse.SplitResult | None:
    """The proxy by which the environment leads there.

    :raises ProxyError: it is of a kind that this program does not speak, or the environment cannot be read
    """
    # Where it is needed alone: it takes 2 MiB.
    from urllib.request import getproxies_environment

    proxies = getproxies_environment()
    spared = [item.strip() for item in proxies.get("no", "").split(",") if item.strip()]
    if "*" in spared:
        return None
    if (unfit := next(filter(_breaks, spared), None)) and importlib.util.find_spec("httpx"):
        raise ProxyError(f"NO_PROXY has {unfit}, with which no client of httpx can begin: leave that entry out")
    found = proxies.get(scheme) or proxies.get("all")
    if not found or any(spares(item, scheme, host, port) for item in spared):
        return None
    return _read(found if "://" in found else f"http://{found}")


def _read(found: str) -> urllib.parse.SplitResult:
    """The parts of a proxy's address.

    :raises ProxyError: it is none, or of a kind that this program does not speak; nothing of it is quoted
    """
    try:
        place = urllib.parse.urlsplit(found)
        fits = place.port != 0 and "@" not in place.path + place.query + place.fragment
    except ValueError:
        fits = False
    if not fits:
        raise ProxyError("the environment names a proxy whose address cannot be read: percent-encode its password")
    if place.scheme != "http" or not place.hostname:
        raise ProxyError(f"the environment names a proxy of the kind {place.scheme}, by which this test cannot go")
    return place


def _breaks(item: str) -> bool:
    """Whether httpx fails at an entry of NO_PROXY: a network of IPv6, or what is behind a colon and no port."""
    if "://" in item:
        return False
    if (version := _version(item)) is not None:
        return version == 6 and "/" in item
    behind = item.partition(":")[2]
    return bool(behind) and not behind.isdigit()


def _version(item: str) -> int | None:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(item.partition("/")[0]).version
    return None


def spares(item: str, scheme: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY keeps an address from the proxy.

    A network counts as its first address alone; `.example.com` spares what is below that name and not the name; an
    entry with a port spares no address that leaves its scheme's own one out.
    """
    of_scheme, _separator, rest = item.lower().rpartition("://")
    if of_scheme not in {"", "all", scheme}:
        return False
    name, of_port, exact = rest, None, bool(of_scheme)
    if _version(rest) is not None:
        name, exact = rest.partition("/")[0], True
    elif rest.rpartition(":")[2].isdigit():
        name, _colon, number = rest.rpartition(":")
        of_port = int(number)
    if of_port is not None and of_port != (None if port == PORTS[scheme] else port):
        return False
    host = host.lower()
    if exact or name == "localhost":
        return host == name
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")


def tunnel(channel: socket.socket, authority: str, through: urllib.parse.SplitResult) -> None:
    """Have the proxy lead to the endpoint.

    :raises ProxyError: it does not
    """
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}", *(f"{k}: {v}" for k, v in login(through).items())]
    channel.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))
    answer = b""
    # Byte by byte: what comes after the head is the endpoint's.
    while not answer.endswith(b"\r\n\r\n"):
        if not (byte := channel.recv(1)):
            raise ProxyError("it closed the connection to the question for a tunnel")
        answer += byte
        if len(answer) > HEAD_BYTES:
            raise ProxyError("its answer to the question for a tunnel does not end")
    status = answer.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(status) < 2 or status[1] != "200":
        raise ProxyError(f"it answered {' '.join(status[1:2]) or 'nothing'} to the question for a tunnel")


def login(through: urllib.parse.SplitResult) -> dict[str, str]:
    """The header with the proxy's login, none where its address has none."""
    return {"Proxy-Authorization": basic(through)} if through.username is not None else {}


def basic(place: urllib.parse.SplitResult) -> str:
    """The login of an address as RFC 7617 writes it."""
    both = ":".join(urllib.parse.unquote(part or "") for part in (place.username, place.password))
    return f"Basic {base64.b64encode(both.encode()).decode()}"


__all__ = ("PORTS", "ProxyError", "basic", "login", "proxy", "spares", "tunnel")
