"""A model's endpoint, phase by phase: url, dns, tcp, proxy, tls, models. Part of probe.py.

It is asked for the list of its models, as OpenAI's API names it, which costs no token. The request goes the way of the
agent's own: with its key, through its proxy, against its certificate authorities, as httpx reads them from the
environment (https://www.python-httpx.org/environment_variables/). No word of an answer's body is recorded but a code in
lower case, for providers quote parts of the key.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import ssl
import time
import typing as t
import urllib.parse
import zlib

from . import probe_certificate
from .probe_proxy import PORTS, ProxyError, basic, login, proxy, tunnel

if t.TYPE_CHECKING:  # pragma: no cover
    import socket

    from .probe_wire import Dependency, Facts

APPLICATION = "ai_platform.agent-connectivity"
PATH = "/models"
# Most bytes that are read of a list of models, because the probe shares the agent's memory.
LIST_BYTES = 1 << 20
ERROR_BYTES = 16 << 10
_CODE = re.compile(r"[a-z_]{1,40}")
# What stands in a path as it is (RFC 3986, 3.3), and what is encoded already.
_IN_A_PATH = "/%:@!$&'()*+,;=~"
_OK = 200
MARGIN_SECONDS = 0.1


class AnswerError(Exception):
    """The endpoint, or the proxy before it, answered with a status that is no success."""


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
        host, port = str(place.hostname), place.port or PORTS[place.scheme]
    asked = [f"{host}:{port}"]
    through: urllib.parse.SplitResult | None = None
    try:
        through = proxy(place.scheme, host, port)
    except ProxyError:
        with dependency.phase("proxy") as facts:
            facts.update({"asked": asked, "proxy": True})
            raise
    dependency.log.hide("", urllib.parse.unquote((through and through.password) or ""))
    proxied = {"proxy": True} if through else {}
    near = [(str(through.hostname), through.port or PORTS["http"])] if through else [(host, port)]
    with contextlib.ExitStack() as stack:
        channel: socket.socket = stack.enter_context(dependency.connected(near, proxied)[3])
        if through and place.scheme == "https":
            with dependency.phase("proxy") as facts, dependency.limited(channel):
                facts.update({"asked": asked, "proxy": True})
                tunnel(channel, f"{_bracketed(host)}:{port}", through)
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
            path = _path(place, wanted)
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
        fits = place.scheme in PORTS and place.hostname and place.port != 0
    except ValueError:
        # The words of the error may quote a password.
        fits = None
    if not fits:
        raise ValueError("it is no http:// or https:// address of a host")
    if place.query:
        raise ValueError("it has a query (?…), behind which the path would come: leave the query out")
    return place


def _path(place: urllib.parse.SplitResult, wanted: Facts) -> str:
    whole = f"{place.path.rstrip('/')}/{str(wanted.get('path') or PATH).lstrip('/')}"
    return urllib.parse.quote(whole, safe=_IN_A_PATH)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _headers(place: urllib.parse.SplitResult, key: str, through: urllib.parse.SplitResult | None) -> dict[str, str]:
    """The headers of the agent's own request; a login in the address comes before the key, as httpx has it."""
    own = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": APPLICATION,
    }
    own |= login(through) if through and place.scheme == "http" else {}
    if place.username or place.password:
        return own | {"Authorization": basic(place)}
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
    facts["names"] = None
    try:
        body = _body(answer, LIST_BYTES, until)
    except http.client.HTTPException:
        raise AnswerError("its answer broke off half-way") from None
    if body is None:
        facts["cut"] = True
        return
    with contextlib.suppress(ValueError, MemoryError, RecursionError):
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
            host = parts.netloc.rpartition("@")[2]
            told["location"] = f"{parts.scheme}://{host}{parts.path}"[:200] if host else parts.path[:200]
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
    unpacked = _unpacker(answer.getheader("Content-Encoding", ""))
    while piece := answer.read1(65536):
        body += unpacked(piece, most + 1)
        if len(body) > most:
            return None
        if time.monotonic() > until:
            break
    if time.monotonic() > until:
        raise TimeoutError("timed out: the answer began and did not end")
    return body


def _unpacker(encoding: str) -> t.Callable[[bytes, int], bytes]:
    """What a piece of a body is, unpacked to so many bytes at most: gateways pack what nobody asked them to."""
    kind = encoding.strip().lower()
    if kind not in {"gzip", "deflate"}:
        return lambda piece, _most: piece
    # The header of gzip or of zlib, whichever comes.
    unpacking = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)

    def unpacked(piece: bytes, most: int) -> bytes:
        try:
            return unpacking.decompress(piece, most)
        except zlib.error:
            return piece

    return unpacked


def _names(answer: t.Any) -> list[str] | None:
    """The names in a list of models, as OpenAI's API has it; None where it is none.

    Together answers with the bare list, Ollama with null where it has no model.
    """
    listed = answer
    if isinstance(answer, dict):
        listed = (answer.get("data") or []) if answer.get("object") == "list" else answer.get("data")
    if not isinstance(listed, list):
        return None
    return [str(item["id"]) for item in listed if isinstance(item, dict) and "id" in item]


__all__ = ("ask",)
