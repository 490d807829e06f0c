"""A model's endpoint, phase by phase: url, dns, tcp, proxy, tls, models. Part of probe.py.

It is asked for the list of its models, as OpenAI's API names it, which costs no token. The request goes the way of the
agent's own: with its key, through its proxy, against its certificate authorities, as httpx reads them from the
environment (https://www.python-httpx.org/environment_variables/). No word of an answer's body is recorded but a code in
lower case, for providers quote parts of the key.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import ssl
import time
import typing as t
import urllib.parse

from . import probe_certificate

if t.TYPE_CHECKING:  # pragma: no cover
    import socket

    from .probe_wire import Dependency, Facts

APPLICATION = "ai_platform.agent-connectivity"
PATH = "/models"
# Most bytes that are read of a list of models, because the probe shares the agent's memory.
LIST_BYTES = 1 << 20
ERROR_BYTES = 16 << 10
_CODE = re.compile(r"[a-z_]{1,40}")
_PORTS = {"http": 80, "https": 443}
_OK = 200
MARGIN_SECONDS = 0.1


class AnswerError(Exception):
    """The endpoint, or the proxy before it, answered with a status that is no success."""


class ProxyError(Exception):
    """The proxy cannot be used, or let nothing through."""


def ask(dependency: Dependency, wanted: Facts, url: str) -> None:
    """Record the endpoint at `url`, the address before `/models`.

    :param wanted: `key_env`, or `key`; `model_env`; `ca_file`; `path` in place of `/models`
    """
    with dependency.phase("url"):
        key = str(wanted.get("key") or os.environ.get(wanted.get("key_env", ""), "")).strip()
        dependency.log.hide("", key)
        place = _place(url)
        dependency.log.hide("", urllib.parse.unquote(place.password or ""))
        if not key.isascii() or not key.isprintable():
            raise ValueError("the key holds characters that no HTTP header may")
        host, port = str(place.hostname), place.port or _PORTS[place.scheme]
    asked = [f"{host}:{port}"]
    through: urllib.parse.SplitResult | None = None
    try:
        through = _proxy(place.scheme, host, port)
    except ProxyError:
        with dependency.phase("proxy") as facts:
            facts.update({"asked": asked, "proxy": True})
            raise
    proxied = {"proxy": True} if through else {}
    near = [(str(through.hostname), through.port or _PORTS["http"])] if through else [(host, port)]
    with contextlib.ExitStack() as stack:
        channel: socket.socket = stack.enter_context(dependency.connected(near, proxied)[3])
        if through and place.scheme == "https":
            with dependency.phase("proxy") as facts, dependency.limited(channel):
                facts.update({"asked": asked, "proxy": True})
                _tunnel(channel, f"{_bracketed(host)}:{port}", through)
        if place.scheme == "https":
            with dependency.phase("tls") as facts:
                facts["asked"] = asked
                # Hundreds of authorities are read from a file, which is not the endpoint's time.
                context = _context(wanted.get("ca_file"))
                with dependency.limited(channel):
                    secured = context.wrap_socket(channel, server_hostname=host)
                channel = stack.enter_context(secured)
                facts.update({"protocol": secured.version(), **probe_certificate.facts(secured)})
        with dependency.phase("models") as facts, dependency.limited(channel):
            facts.update({"asked": asked, "key": bool(key), **proxied})
            name = os.environ.get(wanted.get("model_env", ""), "")
            headers = _headers(place, key, through)
            path = place.path.rstrip("/") + (wanted.get("path") or PATH)
            target = f"http://{_bracketed(host)}:{port}{path}" if through and place.scheme == "http" else path
            # A little less than the time after which the connection is shut, which looks like the answer's end.
            until = time.monotonic() + dependency.timeout - MARGIN_SECONDS
            connection = http.client.HTTPConnection(host, port)
            connection.sock = channel
            connection.request("GET", target, headers=headers)
            _answer(connection.getresponse(), facts, until)
            if name:
                facts["model"] = name
                facts["listed"] = name in facts["names"] if facts["names"] is not None else None
            names = facts.pop("names")
            facts["models"] = None if names is None else len(names)


def _place(url: str) -> urllib.parse.SplitResult:
    """The URL's parts.

    :raises ValueError: it is no address of a web server
    """
    try:
        place = urllib.parse.urlsplit(url.strip())
        # A word in place of the port fails when it is asked for.
        fits = place.scheme in _PORTS and place.hostname and place.port != 0
    except ValueError:
        # The words of the error may quote a password.
        fits = None
    if not fits:
        raise ValueError("it is no http:// or https:// address of a host")
    return place


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _proxy(scheme: str, host: str, port: int) -> urllib.parse.SplitResult | None:
    """The proxy by which the environment leads there.

    :raises ProxyError: it is of a kind that this program does not speak
    """
    # Where it is needed alone: it takes 2 MiB.
    from urllib.request import getproxies_environment, proxy_bypass

    proxies = getproxies_environment()
    found = proxies.get(scheme) or proxies.get("all")
    if not found or proxy_bypass(host) or proxy_bypass(f"{host}:{port}"):
        return None
    place = urllib.parse.urlsplit(found if "://" in found else f"http://{found}")
    if place.scheme != "http" or not place.hostname:
        raise ProxyError(f"the environment names a proxy of the kind {place.scheme}, by which this test cannot go")
    return place


def _tunnel(channel: socket.socket, authority: str, proxy: urllib.parse.SplitResult) -> None:
    """Have the proxy lead to the endpoint.

    :raises ProxyError: it does not
    """
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}", *(f"{k}: {v}" for k, v in _login(proxy).items())]
    channel.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))
    answer = b""
    # Byte by byte: what comes after the head is the endpoint's.
    while not answer.endswith(b"\r\n\r\n"):
        if not (byte := channel.recv(1)):
            raise ProxyError("it closed the connection to the question for a tunnel")
        answer += byte
        if len(answer) > ERROR_BYTES:
            raise ProxyError("its answer to the question for a tunnel does not end")
    status = answer.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(status) < 2 or status[1] != "200":
        raise ProxyError(f"it answered {' '.join(status[1:2]) or 'nothing'} to the question for a tunnel")


def _login(proxy: urllib.parse.SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    both = ":".join(urllib.parse.unquote(part or "") for part in (proxy.username, proxy.password))
    return {"Proxy-Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}


def _headers(place: urllib.parse.SplitResult, key: str, proxy: urllib.parse.SplitResult | None) -> dict[str, str]:
    own = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": APPLICATION,
    }
    own |= _login(proxy) if proxy and place.scheme == "http" else {}
    return own | ({"Authorization": f"Bearer {key}"} if key else {})


def _context(authority: str | None) -> ssl.SSLContext:
    """The certificate authorities that count.

    :raises ValueError: a file of them cannot be read
    """
    file, folder = authority or os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file and not folder:
        with contextlib.suppress(ImportError):
            import certifi

            file = str(certifi.where())
    try:
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"the certificate authorities in {file or folder} cannot be read: {error}") from None


def _answer(answer: http.client.HTTPResponse, facts: Facts, until: float) -> None:
    """Read an answer; `facts` gets `status` and the models' `names`, None where the answer is no list of them.

    :raises AnswerError: the status is no success
    """
    facts["status"] = answer.status
    if answer.status != _OK:
        facts.update(_refusal(answer, until))
        raise AnswerError(f"it answered {answer.status}{' ' + facts['code'] if 'code' in facts else ''}")
    body = _body(answer, LIST_BYTES, until)
    facts["names"] = None
    if body is None:
        facts["cut"] = True
        return
    with contextlib.suppress(ValueError, MemoryError):
        facts["names"] = _names(json.loads(body))


def _refusal(answer: http.client.HTTPResponse, until: float) -> Facts:
    """What a refusal says of itself, as far as it may be repeated: where to, when again, and a code."""
    told: Facts = {}
    if after := answer.getheader("Retry-After"):
        told["retry_after"] = after[:40]
    if to := answer.getheader("Location"):
        # What follows the path may be a token.
        with contextlib.suppress(ValueError):
            parts = urllib.parse.urlsplit(to)
            told["location"] = (
                f"{parts.scheme}://{parts.hostname}{parts.path}"[:200] if parts.hostname else parts.path[:200]
            )
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
        error = json.loads(_body(answer, ERROR_BYTES, until) or b"").get("error")
        code = error.get("code") or error.get("type")
        if isinstance(code, str) and _CODE.fullmatch(code):
            told["code"] = code
    return told


def _body(answer: http.client.HTTPResponse, most: int, until: float) -> bytes | None:
    """The body, None where it is longer than `most`.

    :raises TimeoutError: it did not end in time
    """
    body = b""
    while piece := answer.read1(65536):
        body += piece
        if len(body) > most:
            return None
        if time.monotonic() > until:
            break
    if time.monotonic() > until:
        raise TimeoutError("timed out: the answer began and did not end")
    return body


def _names(answer: t.Any) -> list[str] | None:
    """The names in a list of models, as OpenAI's API has it; None where it is none."""
    listed = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        return None
    return [str(item["id"]) for item in listed if isinstance(item, dict) and "id" in item]


__all__ = ("ask",)
