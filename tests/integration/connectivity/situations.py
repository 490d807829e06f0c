"""The cases of tests/unit/plugins/module_utils/_connectivity/cases.py, set up with real servers.

A situation yields dependencies.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import time
import typing as t
from pathlib import Path
from urllib.parse import quote

import psycopg

from dev import postgresql, redis_server
from tests.integration.waiting import eventually

if t.TYPE_CHECKING:
    from dev.postgresql import Server
    from dev.redis_server import RedisServer

Dependency = dict[str, t.Any]
Situation = t.Callable[["Stage"], contextlib.AbstractContextManager[list[Dependency]]]
# Looked for in everything that comes out, in each form that a URL, a driver or Python gives it.
CANARY = "cänary@:/%+ü 'x"
SITUATIONS: dict[str, Situation] = {}


def situation(function: t.Callable[[Stage], t.Iterator[list[Dependency]]]) -> Situation:
    """Register a situation under its function's name."""
    made = contextlib.contextmanager(function)
    SITUATIONS[function.__name__.replace("_", "-")] = made
    return made


class Stage:
    """Servers that several situations share, started when the first asks."""

    def __init__(self, folder: Path, major: int) -> None:
        """Keep files in `folder`; PostgreSQL is of version `major`."""
        self.folder, self.major = folder, major
        self._stack = contextlib.ExitStack()
        self._postgresql: Server | None = None
        self._redis: RedisServer | None = None

    def postgresql(self) -> Server:
        """A PostgreSQL with a version table and the roles of the situations."""
        if self._postgresql is None:
            self._postgresql = self._stack.enter_context(postgresql.running(self.major, max_connections="15"))
            with psycopg.connect(self._postgresql.url(), autocommit=True) as connection:
                for text in (
                    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
                    "INSERT INTO alembic_version VALUES ('0006')",
                    f"CREATE ROLE odd LOGIN PASSWORD {psycopg.sql.quote(CANARY)}",
                    "CREATE ROLE reader LOGIN PASSWORD 'reader'",
                    "ALTER ROLE reader SET default_transaction_read_only = on",
                    "GRANT SELECT ON alembic_version TO PUBLIC",
                    "CREATE DATABASE closed",
                    "REVOKE TEMPORARY ON DATABASE closed FROM PUBLIC",
                    "CREATE DATABASE empty",
                ):
                    connection.execute(text)
        return self._postgresql

    def redis(self) -> RedisServer:
        """A Redis with an odd password."""
        if self._redis is None:
            self._redis = self._stack.enter_context(redis_server.running(CANARY))
        return self._redis

    def close(self) -> None:
        """End them."""
        self._stack.close()


def database(url: str, **more: t.Any) -> Dependency:
    return {"name": "postgresql", "kind": "postgresql", "url": url, **more}


def replica(url: str) -> Dependency:
    return {"name": "postgresql-replica", "kind": "replica", "url": url}


def cache(url: str) -> Dependency:
    return {"name": "redis", "kind": "redis", "url": url}


def of_database(host: str, port: int) -> str:
    return f"postgresql://agent:{quote(CANARY, safe='')}@{host}:{port}/agent"


def of_cache(host: str, port: int) -> str:
    return f"redis://:{quote(CANARY, safe='')}@{host}:{port}/0"


@contextlib.contextmanager
def listener(*, full: bool = False) -> t.Iterator[int]:
    """A port that accepts and never answers, or whose queue is full, so that the kernel drops what comes."""
    with socket.socket() as server, contextlib.ExitStack() as callers:
        server.bind(("127.0.0.1", 0))
        server.listen(0 if full else 16)
        port: int = server.getsockname()[1]
        for _ in range(4 if full else 0):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        yield port


@contextlib.contextmanager
def mail_server() -> t.Iterator[int]:
    """The port of a server that speaks first, as SMTP does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].sendall(b"220 mail.example.com ESMTP\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@contextlib.contextmanager
def web_server() -> t.Iterator[int]:
    """The port of an HTTP server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class _Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: t.Any) -> None:
        """Say nothing."""


def _schema(stage: Stage, url: str | None = None) -> list[Dependency]:
    return [database(url or stage.postgresql().url(), version_table="alembic_version")]


@situation
def postgresql_well(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield _schema(stage)


@situation
def postgresql_odd_password(stage: Stage) -> t.Iterator[list[Dependency]]:
    url = stage.postgresql().url(user="odd", password=quote(CANARY, safe=""))
    yield _schema(stage, url.replace("postgresql://", "postgresql+psycopg://"))


@situation
def postgresql_refused(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(of_database("127.0.0.1", postgresql.free_port()))]


@situation
def postgresql_filtered(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with listener(full=True) as port:
        yield [database(of_database("127.0.0.1", port))]


@situation
def postgresql_silent(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with listener() as port:
        yield [database(of_database("127.0.0.1", port))]


@situation
def postgresql_frozen(stage: Stage) -> t.Iterator[list[Dependency]]:
    """The backend takes the session and falls silent at the first question."""
    server = stage.postgresql()
    with proxy(server.port, freely, _until_asked) as port:
        yield [database(server.url().replace(f":{server.port}/", f":{port}/"))]


@contextlib.contextmanager
def proxy(
    target: int, back: t.Callable[[bytes], bool], forth: t.Callable[[bytes], bool], *, piece: int = 65536
) -> t.Iterator[int]:
    """The port of a proxy that hands bytes on, in each direction, as long as its function says so.

    :param piece: at most so many bytes at once come back
    """
    made: list[socket.socket] = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    near = server.accept()[0]
                    far = socket.create_connection(("127.0.0.1", target))
                    made.extend((near, far))
                    threading.Thread(target=pump, args=(far, near, back, piece), daemon=True).start()
                    threading.Thread(target=pump, args=(near, far, forth), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
    # What was not handed on would stay a session of the server.
    for channel in made:
        with contextlib.suppress(OSError):
            channel.shutdown(socket.SHUT_RDWR)


def pump(source: socket.socket, sink: socket.socket, passes: t.Callable[[bytes], bool], piece: int = 65536) -> None:
    """Hand bytes on as long as `passes` says so."""
    with contextlib.suppress(OSError):
        while (data := source.recv(piece)) and passes(data):
            sink.sendall(data)


def freely(_data: bytes) -> bool:
    """Everything passes."""
    return True


def _until_asked(data: bytes) -> bool:
    return b"server_version_num" not in data


def _slowly(_data: bytes) -> bool:
    time.sleep(0.3)
    return True


@situation
def postgresql_no_such_name(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(of_database("no-such-name.invalid", 5432))]


@situation
def postgresql_wrong_password(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield _schema(stage, stage.postgresql().url(password=quote("not" + CANARY, safe="")))


@situation
def postgresql_password_named_password(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield _schema(stage, stage.postgresql().url(password="password"))


@situation
def postgresql_no_such_user(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield _schema(stage, stage.postgresql().url(user="nobody-here"))


@situation
def postgresql_no_such_database(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield _schema(stage, stage.postgresql().url("nothing"))


@contextlib.contextmanager
def _busy(server: Server, sessions: int) -> t.Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(sessions):
            stack.enter_context(psycopg.connect(server.url("empty")))
        yield


@situation
def postgresql_too_many_connections(stage: Stage) -> t.Iterator[list[Dependency]]:
    # Three of the 15 are reserved for superusers.
    with _busy(stage.postgresql(), 13):
        yield _schema(stage, stage.postgresql().url(user="odd", password=quote(CANARY, safe="")))


@situation
def postgresql_few_connections_left(stage: Stage) -> t.Iterator[list[Dependency]]:
    with _busy(stage.postgresql(), 8):
        yield _schema(stage)


@situation
def postgresql_standby(stage: Stage) -> t.Iterator[list[Dependency]]:
    with postgresql.running(stage.major, standby=True) as server:
        yield [database(server.url())]


@situation
def postgresql_read_only(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield _schema(stage, stage.postgresql().url(user="reader", password="reader"))


@situation
def postgresql_no_temporary(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(stage.postgresql().url("closed", user="odd", password=quote(CANARY, safe="")))]


@situation
def postgresql_no_version_table(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield _schema(stage, stage.postgresql().url("empty"))


@situation
def postgresql_url_malformed(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(f"postgresql://agent:{CANARY}@127.0.0.1:5432/agent")]


@situation
def postgresql_not_postgresql(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with mail_server() as port:
        yield [database(of_database("127.0.0.1", port))]


@situation
def postgresql_without_tls(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield _schema(stage, stage.postgresql().url() + "?sslmode=require")


@situation
def postgresql_tls(stage: Stage) -> t.Iterator[list[Dependency]]:
    with postgresql.with_certificate(stage.major, stage.folder, "IP:127.0.0.1") as (server, authority):
        yield [database(f"{server.url()}?sslmode=verify-full&sslrootcert={authority}")]


@situation
def postgresql_tls_other_name(stage: Stage) -> t.Iterator[list[Dependency]]:
    with postgresql.with_certificate(stage.major, stage.folder, "DNS:db.example.com") as (server, authority):
        yield [database(f"{server.url()}?sslmode=verify-full&sslrootcert={authority}")]


@situation
def postgresql_tls_unknown_authority(stage: Stage) -> t.Iterator[list[Dependency]]:
    with postgresql.with_certificate(stage.major, stage.folder, "IP:127.0.0.1") as (server, _authority):
        yield [database(f"{server.url()}?sslmode=verify-full&sslrootcert=system")]


@contextlib.contextmanager
def _pair(stage: Stage) -> t.Iterator[tuple[Server, Server]]:
    """A primary and a standby that follows it."""
    with (
        postgresql.running(stage.major, wal_level="replica") as primary,
        postgresql.running(stage.major, follows=primary) as standby,
    ):
        yield primary, standby


@situation
def replica_well(stage: Stage) -> t.Iterator[list[Dependency]]:
    with _pair(stage) as (primary, standby):
        yield [database(primary.url()), replica(standby.url())]


@situation
def replica_down(stage: Stage) -> t.Iterator[list[Dependency]]:
    url = stage.postgresql().url()
    yield [database(url), replica(of_database("127.0.0.1", postgresql.free_port()))]


@situation
def replica_behind(stage: Stage) -> t.Iterator[list[Dependency]]:
    with _pair(stage) as (primary, standby):
        with psycopg.connect(standby.url(), autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            # It is a request, which the replica grants at its next record.
            state = "SELECT pg_get_wal_replay_pause_state()"
            eventually(lambda: connection.execute(state).fetchone() == ("paused",), 30)
        with psycopg.connect(primary.url(), autocommit=True) as connection:
            # The servers of tests commit before the WAL is written, and the probe asks for what is written.
            connection.execute("SET synchronous_commit TO local")
            connection.execute("CREATE TABLE written_meanwhile (id int)")
        yield [database(primary.url()), replica(standby.url())]


@situation
def replica_is_primary(stage: Stage) -> t.Iterator[list[Dependency]]:
    url = stage.postgresql().url()
    yield [database(url), replica(url)]


@situation
def redis_well(stage: Stage) -> t.Iterator[list[Dependency]]:
    with redis_server.running("plain") as server:
        yield [cache(server.url())]


@situation
def redis_odd_password(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(stage.redis().url())]


@situation
def redis_refused(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(of_cache("127.0.0.1", postgresql.free_port()))]


@situation
def redis_filtered(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with listener(full=True) as port:
        yield [cache(of_cache("127.0.0.1", port))]


@situation
def redis_silent(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with listener() as port:
        yield [cache(of_cache("127.0.0.1", port))]


@situation
def redis_no_such_name(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(of_cache("no-such-name.invalid", 6379))]


@situation
def redis_noauth(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(stage.redis().url(""))]


@situation
def redis_wrongpass(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(stage.redis().url("not" + CANARY))]


@situation
def redis_out_of_memory(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with redis_server.running(CANARY) as server:
        server.client().config_set("maxmemory", "1kb")
        yield [cache(server.url())]


FILLER = 8 << 20


def used_memory(server: RedisServer) -> int:
    return int(server.client().info("memory")["used_memory"])


@situation
def redis_memory_scarce(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with redis_server.running(CANARY) as server:
        # Of a larger whole the same share leaves more room for the buffers of the clients, which count as well.
        server.client().set("filler", bytes(FILLER))
        # The buffer in which it came counts as well, until it is given back.
        eventually(lambda: used_memory(server) < FILLER + FILLER // 2, 30)
        used = used_memory(server)
        server.client().config_set("maxmemory", str(used + (384 << 10)))
        yield [cache(server.url())]


@situation
def redis_replica(stage: Stage) -> t.Iterator[list[Dependency]]:
    with redis_server.running(CANARY, "--replicaof", "127.0.0.1", "1") as server:
        yield [cache(server.url())]


def _said(server: RedisServer, *words: str | int) -> str:
    return str(server.client().execute_command(*words))  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def cluster_node() -> t.Iterator[RedisServer]:
    """A node that has no slot, of a cluster whose other node has all: every key is another node's."""
    words = ["--cluster-enabled", "yes", "--cluster-port"]
    with (
        redis_server.running(CANARY, *words, str(postgresql.free_port())) as asked,
        redis_server.running(CANARY, *words, str(bus := postgresql.free_port())) as owner,
    ):
        _said(owner, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        _said(asked, "CLUSTER", "MEET", "127.0.0.1", owner.port, bus)
        eventually(lambda: "cluster_state:ok" in _said(asked, "CLUSTER", "INFO"), 30)
        yield asked


@situation
def redis_cluster(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with cluster_node() as server:
        yield [cache(server.url())]


@situation
def redis_cluster_hidden(_stage: Stage) -> t.Iterator[list[Dependency]]:
    """The user may not read INFO."""
    with cluster_node() as server:
        server.client().acl_setuser("blind", enabled=True, passwords=["+blind"], commands=["-info"],
                                    categories=["+@all"], keys=["*"])  # fmt: skip
        yield [cache(f"redis://blind:blind@127.0.0.1:{server.port}/0")]


@situation
def redis_no_permission(stage: Stage) -> t.Iterator[list[Dependency]]:
    stage.redis().client().acl_setuser("limited", enabled=True, passwords=["+limited"], categories=["+@connection"])
    yield [cache(f"redis://limited:limited@127.0.0.1:{stage.redis().port}/0")]


@situation
def redis_too_many_clients(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with redis_server.running(CANARY, "--maxclients", "1") as server, contextlib.ExitStack() as stack:
        # Whoever found out that the server runs may be the one client for a moment longer.
        answer = b"max number of clients"
        while b"max number of clients" in answer or not answer:
            held = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            held.sendall(b"PING\r\n")
            answer = held.recv(64)
        yield [cache(server.url())]


@situation
def redis_not_redis(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with web_server() as port:
        yield [cache(of_cache("127.0.0.1", port))]


@situation
def redis_slow(stage: Stage) -> t.Iterator[list[Dependency]]:
    server = stage.redis()
    with proxy(server.port, _slowly, freely) as port:
        yield [cache(server.url().replace(f":{server.port}/", f":{port}/"))]


@situation
def redis_without_tls(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(stage.redis().url().replace("redis://", "rediss://"))]


@situation
def redis_url_malformed(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(f"redis://:{CANARY}@127.0.0.1:6379/0?max_connections={CANARY}")]
