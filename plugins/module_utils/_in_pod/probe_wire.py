"""A server observed: phases timed, failures recorded, no secret in what is written. Part of probe.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import errno
import functools
import http.client
import json
import os
import re
import socket
import ssl
import threading
import time
import typing as t
import urllib.parse

from . import probe_certificate, probe_progress
from .probe_causes import cause_of
from .probe_startup import retry

Facts = dict[str, t.Any]
BODY_BYTES = 16384
# What a program meets that begins before its pod's network.
NOT_YET = (ConnectionRefusedError, ConnectionResetError, socket.gaierror)
BROKEN_AFTER = 3
# Bytes of one message there and back: many packets.
LARGE_BYTES = 64 << 10
# Keys of a record whose values quote servers and drivers, so that secrets are taken out of them; keys below those whose
# values are ours and stay as they are.
FOREIGN, OWN = frozenset({"facts", "error", "body"}), frozenset({"type", "cause"})


class Stop(Exception):
    """A phase failed and is on record; what would come after it is left out."""


class Log:
    """Writes records, without the secrets it was told."""

    def __init__(self, write: t.Callable[[str], object]) -> None:
        self._write = write
        self._secrets: set[str] = set()

    def hide(self, url: str, password: str) -> None:
        """Take the password out of what is written from now on, as it is and as URLs encode it, and the URL."""
        raw = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
        quoted = (urllib.parse.quote(password, safe=""), urllib.parse.quote_plus(password), repr(password)[1:-1])
        self._secrets |= {url, raw, password, *quoted, *(item.lower() for item in quoted)} - {""}

    def put(self, **record: t.Any) -> None:
        """Write one record."""
        self._write(json.dumps({k: self._clean(v) if k in FOREIGN else v for k, v in record.items()}))

    def _clean(self, value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: item if key in OWN else self._clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(item) for item in value]
        if isinstance(value, str):
            for secret in sorted(self._secrets, key=len, reverse=True):
                value = value.replace(secret, "***")
            # What a server sends may move a terminal's cursor.
            value = "".join(character if character.isprintable() else " " for character in value)
            return re.sub(r"//[^/@\s]*@", "//***@", value)
        return value


def described(error: BaseException) -> Facts:
    """An exception's type, the line of its text that names the cause, and what tells causes apart."""
    whole = str(error)
    lines = [line.strip(" \t-.") for line in whole.splitlines() if line.strip()]
    text = next((line for line in lines if not line.startswith("Multiple connection")), "")
    codes = {name: getattr(error, name, None) for name in ("errno", "sqlstate", "verify_code")}
    # Before secrets are taken out, for the password may be a word of the message.
    codes["cause"] = cause_of(whole)
    return {"type": type(error).__name__, "text": text[:500]} | {k: v for k, v in codes.items() if v is not None}


def elapsed(begin: float) -> float:
    """Milliseconds since `begin` (time.perf_counter)."""
    return round((time.perf_counter() - begin) * 1000, 3)


class NetworkGrace:
    """A new pod's network, which gets some seconds to begin to work before anything is on record about it."""

    def __init__(self, seconds: float) -> None:
        """:param seconds: for all servers together"""
        self._until = time.monotonic() + seconds

    def wait(self, places: list[tuple[str, int]], timeout: float) -> None:
        """Return once one of the places is connected, or cannot be for a reason that does not pass, or time is up."""
        if time.monotonic() >= self._until:
            return
        with contextlib.suppress(OSError):
            retry(
                lambda: first_open(addresses(places, timeout), timeout)[3],
                lambda error: isinstance(error, NOT_YET),
                self._until,
            ).close()
            self._until = 0.0


class Dependency:
    """One server that is asked, and what is on record about it."""

    stop = Stop

    def __init__(self, log: Log, name: str, timeout: float, grace: NetworkGrace | None = None) -> None:
        self.log, self.name, self.timeout = log, name, timeout
        self._grace = grace or NetworkGrace(0)

    @contextlib.contextmanager
    def phase(self, phase: str) -> t.Iterator[Facts]:
        """Time a phase and record it with the facts put into the yielded dict.

        :raises Stop: the phase failed
        """
        facts: Facts = {}
        begin = time.perf_counter()
        try:
            yield facts
        except Exception as error:
            self._record(phase, begin, facts, error)
            raise Stop from None
        self._record(phase, begin, facts, None)

    def _record(self, phase: str, begin: float, facts: Facts, error: Exception | None) -> None:
        said = {"error": described(error)} if error else {}
        own = {"dependency": self.name, "phase": phase, "ok": error is None, "ms": elapsed(begin)}
        self.log.put(record="phase", **own, facts=facts, **said)

    def wire(
        self, places: list[tuple[str, int]], secure: t.Callable[[socket.socket, str], Facts] | None
    ) -> tuple[str, str, int]:
        """Name resolution, TCP and, where `secure` is given, TLS; the host, address and port that answered."""
        host, address, port, channel = self.connected(places)
        with channel:
            if secure:
                with self.phase("tls") as facts:
                    facts["asked"] = [f"{name}:{number}" for name, number in places]
                    facts.update(secure(channel, host))
        return host, address, port

    def connected(
        self, places: list[tuple[str, int]], more: Facts | None = None
    ) -> tuple[str, str, int, socket.socket]:
        """Name resolution and TCP, with `more` facts of each; host, address and port that answered, and the channel."""
        known = {"asked": [f"{host}:{port}" for host, port in places], **(more or {})}
        self._grace.wait(places, self.timeout)
        with self.phase("dns") as facts:
            facts.update(known)
            found = addresses(places, self.timeout)
            facts["addresses"] = [item[1] for item in found]
        with self.phase("tcp") as facts:
            facts.update(known)
            host, address, port, channel = first_open(found, self.timeout)
            facts["address"] = address
        return host, address, port, channel

    @staticmethod
    def handshake(channel: socket.socket, context: ssl.SSLContext, host: str) -> Facts:
        """Shake hands; the protocol, and how long the certificate is still good for."""
        with context.wrap_socket(channel, server_hostname=host) as secured:
            return {"protocol": secured.version(), **probe_certificate.facts(secured)}

    @contextlib.contextmanager
    def limited(self, channel: socket.socket) -> t.Iterator[None]:
        """Shut a connection that is not done in time: a server that sends a byte now and then is never silent.

        :raises TimeoutError: in place of what the shut connection raised
        """
        watchdog = self.watched(channel.fileno())
        try:
            yield
        except Exception as error:
            if watchdog.bitten:
                raise TimeoutError(f"timed out: no whole answer within {self.timeout:g} s") from error
            raise
        finally:
            watchdog.close()

    def large(self, echo: t.Callable[[str], object], descriptor: int | None) -> None:
        """Have a server send back LARGE_BYTES: what is lost on the way are often only the packets that are full.

        :param echo: has the server send back what it is given, and returns that
        :param descriptor: of the connection, None where it is not known: then nobody counts, and `echo` has the limit
        """
        with contextlib.suppress(Stop), contextlib.ExitStack() as stack, self.phase("large") as facts:
            facts["bytes"] = LARGE_BYTES
            # Not the same byte again and again, which a tunnel may compress.
            sent = os.urandom(LARGE_BYTES // 2).hex()
            progress = None
            if descriptor is not None:
                stack.callback(self.watched(descriptor).close)
                progress = probe_progress.Progress(descriptor)
                stack.callback(progress.close)
            begin = time.monotonic()
            try:
                back = echo(sent)
            except Exception as error:
                facts.update(progress.facts() if progress else {})
                # The connection is shut from here then, of which a driver speaks as of the server's doing.
                if time.monotonic() - begin >= self.timeout:
                    raise TimeoutError(f"timed out: no whole answer within {self.timeout:g} s") from error
                raise
            if back != sent:
                raise RuntimeError("what was sent is not what came back")

    def watched(self, descriptor: int) -> Watchdog:
        """Watch a connection by its file descriptor."""
        return Watchdog(descriptor, self.timeout)

    def rounds(self, count: int, ask: t.Callable[[], object]) -> bool:
        """Ask `count` times and record how long each answer took; give up when nothing answers any more.

        :return: whether all were answered
        """
        samples: list[float] = []
        failed = 0
        broken = None
        while len(samples) + failed < count and failed < BROKEN_AFTER:
            begin = time.perf_counter()
            try:
                ask()
            except Exception as error:
                failed, broken = failed + 1, described(error)
            else:
                samples.append(elapsed(begin))
        said = {"error": broken} if broken else {}
        self.log.put(record="rounds", dependency=self.name, wanted=count, failed=failed, samples_ms=samples, **said)
        return not failed


def started_in_thread(call: t.Callable[[], t.Any]) -> t.Callable[[float], t.Any]:
    """Start a call in a thread and return a function that waits so many seconds for its result.

    :raises TimeoutError: that function, when there is no result by then
    """
    result: list[t.Any] = []

    def work() -> None:
        try:
            result.append((call(), None))
        except Exception as error:
            result.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def finish(seconds: float) -> t.Any:
        thread.join(seconds)
        if not result:
            raise TimeoutError(errno.ETIMEDOUT, f"no answer within {seconds:g} s")
        value, problem = result[0]
        if problem:
            raise problem
        return value

    return finish


def addresses(places: list[tuple[str, int]], timeout: float) -> list[tuple[str, str, int]]:
    """(host, address, port) of every host that has one.

    :raises OSError: the last host's error, where none has one
    """
    found: list[tuple[str, str, int]] = []
    problem: Exception | None = None
    for host, port in places:
        try:
            finish = started_in_thread(functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
            answers = finish(timeout)
        except (OSError, UnicodeError) as error:
            problem = error
        else:
            found += [(host, str(answer[4][0]), port) for answer in answers]
    if problem and not found:
        raise problem
    return found


def first_open(found: list[tuple[str, str, int]], timeout: float) -> tuple[str, str, int, socket.socket]:
    """The first address that accepts a connection, and the connection.

    :raises OSError: the last address's error, where none does
    """
    problem: OSError = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    for host, address, port in found:
        try:
            return host, address, port, socket.create_connection((address, port), max(1.0, timeout / len(found)))
        except OSError as error:
            problem = error
    raise problem


class Watchdog:
    """Shuts a connection's socket when its server has been silent for too long: libpq waits for ever."""

    def __init__(self, descriptor: int, seconds: float) -> None:
        self._channel = socket.socket(fileno=os.dup(descriptor))
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self._done = threading.Event()
        self.bitten = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def feed(self) -> None:
        """The server said something."""
        self._until = time.monotonic() + self._seconds

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            if time.monotonic() > self._until:
                self.bitten = True
                with contextlib.suppress(OSError):
                    self._channel.shutdown(socket.SHUT_RDWR)
                return

    def close(self) -> None:
        """Let go."""
        self._done.set()
        self._thread.join()
        self._channel.close()


def reach(target: Facts, timeout: float, resolve_timeout: float) -> Facts:
    """Whether a TCP connection to `target` can be had: reached, refused, timeout, unreachable or no-name.

    :param timeout: seconds for the connection
    :param resolve_timeout: seconds for its name
    """
    begin = time.perf_counter()
    said: Facts = {}
    try:
        found = addresses([(str(target["host"]), int(target["port"]))], resolve_timeout)
    except (OSError, UnicodeError) as error:
        got, said = "no-name", {"error": described(error)}
    else:
        begin = time.perf_counter()
        try:
            first_open(found, timeout)[3].close()
            got = "reached"
        except OSError as error:
            said = {"error": described(error)}
            got = "timeout" if isinstance(error, TimeoutError) else "unreachable"
            got = "refused" if isinstance(error, ConnectionRefusedError) else got
    asked = f"{target['host']}:{target['port']}"
    return {"record": "reach", "name": target["name"], "asked": asked, "got": got, "ms": elapsed(begin), **said}


def ask_http(log: Log, target: Facts, timeout: float) -> None:
    """Record the answer to GET: its status and, where it is JSON, its body."""
    begin = time.perf_counter()
    connection = http.client.HTTPConnection(str(target["host"]), int(target["port"]), timeout=timeout)
    try:
        connection.request("GET", str(target["path"]), headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read(BODY_BYTES)
        said: Facts = {"status": answer.status}
        with contextlib.suppress(ValueError):
            said["body"] = json.loads(body)
    except (OSError, http.client.HTTPException) as error:
        said = {"status": None, "error": described(error)}
    finally:
        connection.close()
    log.put(record="http", name=target["name"], path=target["path"], ms=elapsed(begin), **said)
