"""Redis, phase by phase: url, dns, tcp, tls, auth, query, write, rounds, large. Part of probe.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ssl
import typing as t
import uuid

if t.TYPE_CHECKING:  # pragma: no cover
    import socket

    from .probe_wire import Dependency, Facts

KEY_MILLISECONDS = 30_000
# Fields of INFO that are recorded.
TOLD = (
    "redis_version", "role", "loading", "maxmemory", "maxmemory_policy", "used_memory", "aof_enabled",
    "aof_last_write_status", "rdb_last_bgsave_status", "rdb_last_save_time", "connected_clients", "maxclients",
    "master_link_status",
)  # fmt: skip


class ClusterNodeError(Exception):
    """The server is one node of a Redis Cluster."""


def tls(dependency: Dependency, settings: Facts) -> t.Callable[[socket.socket, str], Facts]:
    """TLS as a rediss:// URL wants it."""

    def secure(channel: socket.socket, host: str) -> Facts:
        context = ssl.create_default_context(cafile=settings.get("ssl_ca_certs"), capath=settings.get("ssl_ca_path"))
        context.check_hostname = str(settings.get("ssl_check_hostname", True)).lower() not in ("false", "0", "no")
        if settings.get("ssl_cert_reqs") in ("none", "optional"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return dependency.handshake(channel, context, host)

    return secure


def ask(dependency: Dependency, wanted: Facts, url: str, rounds: int) -> None:
    """Record Redis. The key of the write is its own, expires by itself and is removed."""
    with dependency.phase("driver"):
        import redis
        from redis.backoff import NoBackoff
        from redis.connection import parse_url
        from redis.retry import Retry
    with dependency.phase("url"):
        try:
            settings = t.cast("Facts", parse_url(url))  # type: ignore[no-untyped-call]
        except ValueError:
            raise ValueError("it is no redis:// URL that redis-py can read") from None
        dependency.log.hide(url, str(settings.get("password", "")))
        host, port = wanted.get("host") or settings.get("host", "localhost"), settings.get("port", 6379)
    if "path" not in settings:
        secure = tls(dependency, settings) if url[:7] == "rediss:" else None
        dependency.wire([(str(host), int(wanted.get("port") or port))], secure)
    client = redis.Redis.from_url(
        url,
        socket_connect_timeout=dependency.timeout,
        socket_timeout=dependency.timeout,
        max_connections=1,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    key = f"ai_platform.agent:connectivity:{uuid.uuid4().hex}"
    try:
        with dependency.phase("auth"):
            client.ping()
        with dependency.phase("query") as facts:
            try:
                told: Facts = client.info()
                facts.update({name: told[name] for name in TOLD if name in told})
            except redis.exceptions.NoPermissionError:
                told, facts["hidden"] = {}, True
            if told.get("cluster_enabled") == 1:
                # Which of its keys this node takes would differ from run to run.
                raise ClusterNodeError("this is one node of a Redis Cluster, which takes only its own part of the keys")
        with contextlib.suppress(dependency.stop), dependency.phase("write"):
            try:
                client.set(key, "written", px=KEY_MILLISECONDS, nx=True)
                if client.get(key) != "written":
                    raise RuntimeError("what was written is not what is read back")
            finally:
                client.delete(key)
        if dependency.rounds(rounds, client.ping):
            # PING sends back its argument, and whoever may PING may do that; redis-py makes a yes or no of it.
            client.set_response_callback("PING", lambda answer, **_options: answer)
            dependency.large(lambda sent: client.execute_command("PING", sent))  # type: ignore[no-untyped-call]
    finally:
        client.close()
