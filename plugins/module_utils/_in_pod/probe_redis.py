"""Redis, phase by phase: url, dns, tcp, tls, auth, query, write, rounds, large. Part of probe.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import inspect
import re
import socket
import ssl
import typing as t
import uuid

from .probe_causes import cause_of

if t.TYPE_CHECKING:  # pragma: no cover
    from .probe_wire import Dependency, Facts

KEY_MILLISECONDS = 30_000
# Fields of INFO that are recorded.
TOLD = (
    "redis_version", "role", "loading", "maxmemory", "maxmemory_policy", "used_memory", "aof_enabled",
    "aof_last_write_status", "rdb_last_bgsave_status", "rdb_last_save_time", "connected_clients", "maxclients",
    "master_link_status",
)  # fmt: skip


# Reads that tell whether one server takes every key: so many keys are on one node of two by chance once in 2^31 times.
SPREAD_KEYS = 32
# A password that is not encoded ends the address at one of these; what is left of it would be told as host and port.
_BEHIND_THE_ADDRESS = re.compile(r"^[^@/?#]*[/?#].*@|/[^?]*@|#.*@")


class ClusterNodeError(Exception):
    """The server is one node of a Redis Cluster."""


class SentinelError(Exception):
    """The server is a Sentinel, which holds no keys."""


def tls(dependency: Dependency, settings: Facts) -> t.Callable[[socket.socket, str], Facts]:
    """TLS as a rediss:// URL wants it."""

    def secure(channel: socket.socket, host: str) -> Facts:
        context, peer = _context(settings), channel.getpeername()[:2]
        try:
            return dependency.handshake(channel, context, host)
        except ssl.SSLCertVerificationError:
            raise
        except OSError as error:
            # A Redis without TLS waits for the end of what it takes for a line, or closes.
            if speaks_plainly(dependency, *peer):
                raise ConnectionError("the server has no TLS: begin the URL with redis://") from error
            raise

    return secure


def speaks_plainly(dependency: Dependency, address: str, port: int) -> bool:
    """Whether what listens there answers as Redis does without TLS."""
    try:
        with socket.create_connection((address, port), dependency.timeout) as channel, dependency.limited(channel):
            channel.sendall(b"PING\r\n")
            return channel.recv(1) in (b"+", b"-")
    except OSError:
        return False


def _context(settings: Facts) -> ssl.SSLContext:
    """What redis-py would trust, and the client's own certificate.

    :raises ValueError: a file cannot be read
    """
    from redis.connection import SSLConnection

    file, own = settings.get("ssl_ca_certs"), settings.get("ssl_certfile")
    try:
        context = ssl.create_default_context(cafile=file, capath=settings.get("ssl_ca_path"))
        if own:
            context.load_cert_chain(own, settings.get("ssl_keyfile"), settings.get("ssl_password"))
    except (OSError, ssl.SSLError) as error:
        raise ValueError(
            f"the certificates in {' and '.join(filter(None, (file, own)))} cannot be read: {error}"
        ) from None
    # Its default changed with redis-py 6.
    checks = inspect.signature(SSLConnection.__init__).parameters["ssl_check_hostname"].default
    context.check_hostname = str(settings.get("ssl_check_hostname", checks)).lower() not in ("false", "0", "no")
    if settings.get("ssl_cert_reqs") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def speaks_tls(dependency: Dependency, host: str, port: int) -> bool:
    """Whether the port answers a TLS handshake, whatever becomes of it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), dependency.timeout) as channel, dependency.limited(channel):
            context.wrap_socket(channel, server_hostname=host).close()
    except ssl.SSLError as error:
        return "ALERT" in str(error.reason)
    except OSError:
        return False
    return True


def _settings(url: str) -> Facts:
    """What redis-py reads in the URL.

    :raises ValueError: it is none, or names no server
    """
    from redis.connection import parse_url

    whole = url.strip()
    try:
        settings = t.cast("Facts", parse_url(whole))  # type: ignore[no-untyped-call]
    except ValueError:
        raise ValueError("it is no redis:// URL that redis-py can read") from None
    address = whole.partition("://")[2]
    if "path" not in settings and (_BEHIND_THE_ADDRESS.search(address) or "host" not in settings):
        raise ValueError("it names no host: percent-encode its password")
    return settings


def _client(url: str, timeout: float) -> t.Any:
    """A client of redis-py, no retries, whose times the URL cannot change.

    :raises ValueError: redis-py does not take an option of the URL
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        client = redis.Redis.from_url(url.strip(), max_connections=1, retry=Retry(NoBackoff(), 0))
        own = {"socket_connect_timeout": timeout, "socket_timeout": timeout, "decode_responses": True}
        client.connection_pool.connection_kwargs.update(own)
        # It is made and not used: an option that nobody knows is only found out here.
        client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
    except TypeError as error:
        name = re.search(r"argument '(\w+)'", str(error))
        raise ValueError(f"redis-py does not know its option{f' {name[1]}' if name else ''}") from None
    except (redis.RedisError, ValueError) as error:
        raise ValueError(f"redis-py does not take an option of it: {error}") from None
    return client


def ask(dependency: Dependency, wanted: Facts, url: str, rounds: int) -> None:
    """Record Redis. The key of the write is its own, expires by itself and is removed."""
    with dependency.phase("driver"):
        import redis
    with dependency.phase("url"):
        settings = _settings(url)
        dependency.log.hide(url, str(settings.get("password", "")))
        host, port = (
            str(wanted.get("host") or settings.get("host")),
            int(wanted.get("port") or settings.get("port", 6379)),
        )
        client = _client(url, dependency.timeout)
    plain = "path" not in settings and not url.lstrip().startswith("rediss:")
    if "path" not in settings:
        dependency.wire([(host, port)], None if plain else tls(dependency, settings))
    key = f"ai_platform.agent:connectivity:{uuid.uuid4().hex}"
    try:
        with dependency.phase("auth") as facts:
            try:
                client.ping()
            except (redis.ConnectionError, redis.TimeoutError, redis.InvalidResponse) as error:
                if plain and not isinstance(error, redis.AuthenticationError) and speaks_tls(dependency, host, port):
                    facts["speaks_tls"] = True
                raise
        with dependency.phase("query") as facts:
            told = _told(client)
            facts.update({name: told[name] for name in TOLD if name in told} if told else {"hidden": True})
            if told.get("redis_mode") == "sentinel":
                raise SentinelError(
                    "this is a Sentinel, which holds no keys: name the Redis that it watches, or its Service"
                )
        with contextlib.suppress(dependency.stop), dependency.phase("write"):
            try:
                client.set(key, "written", px=KEY_MILLISECONDS, nx=True)
                if client.get(key) != "written":
                    raise RuntimeError("what was written is not what is read back")
                if not told or told.get("cluster_enabled") == 1:
                    _assert_every_key(client, key)
            finally:
                # It expires by itself, and what went wrong before is what is to be told.
                with contextlib.suppress(redis.RedisError):
                    client.delete(key)
        if dependency.rounds(rounds, client.ping):
            # PING sends back its argument, and whoever may PING may do that; redis-py makes a yes or no of it.
            client.set_response_callback("PING", lambda answer, **_options: answer)
            dependency.large(lambda sent: client.execute_command("PING", sent), _descriptor(client))
    finally:
        client.close()


def _descriptor(client: t.Any) -> int | None:
    """The file descriptor of the one connection, None where this redis-py keeps it elsewhere."""
    connection = client.connection_pool.get_connection("PING")
    try:
        # A TLS connection is one of TCP below.
        return int(connection._sock.fileno())
    except AttributeError:
        return None
    finally:
        client.connection_pool.release(connection)


def _told(client: t.Any) -> Facts:
    """What INFO says; nothing where the user may not ask, or a proxy does not know the command."""
    import redis

    try:
        return t.cast("Facts", client.info())
    except redis.ResponseError as error:
        if isinstance(error, redis.exceptions.NoPermissionError) or cause_of(str(error)) is None:
            return {}
        raise


def _assert_every_key(client: t.Any, key: str) -> None:
    """Check that the server takes keys of any slot, as a cluster of one node does, or a proxy before many.

    :raises ClusterNodeError: it takes only its own part of them
    """
    from redis import exceptions

    # redis-py quotes one of the keys, which would differ from run to run.
    words = "this is one node of a Redis Cluster, which takes only its own part of the keys"
    try:
        for number in range(SPREAD_KEYS):
            client.get(f"{key}:{number}")
    except (exceptions.MovedError, exceptions.AskError, exceptions.ClusterDownError, exceptions.TryAgainError):
        raise ClusterNodeError(words) from None
