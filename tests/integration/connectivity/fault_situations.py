"""What poolers, services in clouds and mistakes in URLs do to the agent; situations.py has the plain faults."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import tempfile
import time
import typing as t
from pathlib import Path
from urllib.parse import quote

import psycopg

from dev import postgresql, redis_server
from tests.integration.connectivity.model_server import answering
from tests.integration.connectivity.model_situations import KEY, environment, model
from tests.integration.connectivity.situations import (
    CANARY,
    Dependency,
    Stage,
    cache,
    database,
    freely,
    listener,
    mail_server,
    of_cache,
    of_database,
    proxy,
    situation,
)
from tests.integration.waiting import eventually
from tests.mirror_server import Authority

ODD = quote(CANARY, safe="")


def _odd(stage: Stage, name: str, *texts: str, setup: str = "") -> str:
    """The URL of a database of its own for the role `odd`, in which `texts` were run."""
    server = stage.postgresql()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {setup}".encode())
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        for text in texts:
            connection.execute(text.encode())
    return server.url(name, user="odd", password=ODD)


@situation
def postgresql_no_right_to_connect(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(_odd(stage, "unwelcome", "REVOKE CONNECT ON DATABASE unwelcome FROM PUBLIC"))]


@situation
def postgresql_position_hidden(stage: Stage) -> t.Iterator[list[Dependency]]:
    """As at Amazon Aurora, which has no such position, and for a role that may not ask."""
    yield [database(_odd(stage, "hidden", "REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn() FROM PUBLIC"))]


@situation
def postgresql_latin(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(_odd(stage, "latin", setup="ENCODING 'LATIN1' TEMPLATE template0"))]


@situation
def postgresql_line_break(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(stage.postgresql().url() + "\n")]


@situation
def postgresql_port_beyond(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(of_database("127.0.0.1", 70000))]


@situation
def postgresql_mode_misspelt(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [database(stage.postgresql().url() + "?sslmode=required")]


@situation
def postgresql_standby_where_a_primary_is_wanted(stage: Stage) -> t.Iterator[list[Dependency]]:
    with postgresql.running(stage.major, standby=True) as server:
        yield [database(server.url() + "?target_session_attrs=primary")]


@situation
def postgresql_tls_wanted(stage: Stage) -> t.Iterator[list[Dependency]]:
    """As at Amazon RDS with rds.force_ssl: pg_hba.conf has lines for connections with TLS alone."""
    with postgresql.with_certificate(stage.major, stage.folder, "IP:127.0.0.1") as (server, _authority):
        file = server.folder / "data" / "pg_hba.conf"
        file.write_text("hostssl all all all scram-sha-256\n")
        server.restart(signal.SIGINT)
        url = f"{server.url()}?sslmode=disable"
        eventually(lambda: "no pg_hba.conf entry" in _said(url), 30)
        yield [database(url)]


def _said(url: str) -> str:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


@situation
def postgresql_root_certificate_of_the_home(stage: Stage) -> t.Iterator[list[Dependency]]:
    with (
        postgresql.with_certificate(stage.major, stage.folder, "IP:127.0.0.1") as (server, authority),
        tempfile.TemporaryDirectory() as home,
        environment(HOME=home),
    ):
        (Path(home) / ".postgresql").mkdir()
        shutil.copy(authority, Path(home) / ".postgresql" / "root.crt")
        yield [database(f"{server.url()}?sslmode=verify-full")]


@situation
def postgresql_silent_at_the_question_for_tls(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with listener() as port:
        yield [database(of_database("127.0.0.1", port) + "?sslmode=require")]


@situation
def postgresql_something_else_at_the_question_for_tls(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with mail_server() as port:
        yield [database(of_database("127.0.0.1", port) + "?sslmode=require")]


@situation
def redis_password_not_encoded(_stage: Stage) -> t.Iterator[list[Dependency]]:
    """What is before the hash would be host and port."""
    yield [cache("redis://user:7788#canary@127.0.0.1:6379/0")]


@situation
def redis_option_unknown(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(stage.redis().url() + "?ssl_cert_reqs=none")]


@situation
def redis_silent_with_times_of_its_own(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with listener() as port:
        yield [cache(of_cache("127.0.0.1", port) + "?socket_timeout=300")]


@situation
def redis_database_beyond(stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [cache(stage.redis().url().replace("/0", "/99"))]


@situation
def redis_keys_of_the_agent_alone(stage: Stage) -> t.Iterator[list[Dependency]]:
    stage.redis().client().acl_setuser("keys", enabled=True, reset=True, passwords=["+keys"], categories=["+@all"],
                                       keys=["reply:*"])  # fmt: skip
    yield [cache(f"redis://keys:keys@127.0.0.1:{stage.redis().port}/0")]


@situation
def redis_no_right_to_delete(_stage: Stage) -> t.Iterator[list[Dependency]]:
    """The key stays until it expires: on a server of its own."""
    rights = ["+get", "+set", "+ping", "+info", "+hello", "+client"]
    with redis_server.running(CANARY) as server:
        server.client().acl_setuser("few", enabled=True, passwords=["+few"], commands=rights, keys=["*"])
        yield [cache(f"redis://few:few@127.0.0.1:{server.port}/0")]


def _asked(server: redis_server.RedisServer, *words: str | int) -> str:
    return str(server.client().execute_command(*words))  # type: ignore[no-untyped-call]


@situation
def redis_cluster_of_one(_stage: Stage) -> t.Iterator[list[Dependency]]:
    """It takes every key, as a service in a cloud that is a cluster by name does."""
    words = ["--cluster-enabled", "yes", "--cluster-port", str(postgresql.free_port())]
    with redis_server.running(CANARY, *words) as server:
        _asked(server, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: "cluster_state:ok" in _asked(server, "CLUSTER", "INFO"), 30)
        yield [cache(server.url())]


@situation
def redis_sentinel(stage: Stage) -> t.Iterator[list[Dependency]]:
    file = stage.folder / "sentinel.conf"
    file.touch()
    with redis_server.running_sentinel(file) as port:
        yield [cache(f"redis://127.0.0.1:{port}/0")]


@situation
def redis_with_tls_alone(stage: Stage) -> t.Iterator[list[Dependency]]:
    """redis:// where rediss:// is meant."""
    Authority(stage.folder).server("127.0.0.1")
    own = str(stage.folder / "server-127.0.0.1.pem")
    port = postgresql.free_port()
    words = ["--tls-port", str(port), "--tls-cert-file", own, "--tls-key-file", own, "--tls-auth-clients", "no"]
    with redis_server.running(CANARY, *words, "--tls-ca-cert-file", str(stage.folder / "ca.crt"), reads=True):
        yield [cache(of_cache("127.0.0.1", port))]


LIST = json.dumps({"object": "list", "data": [{"id": "small"}]}).encode()


@situation
def model_query_in_the_address(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [model("https://127.0.0.1/openai?api-version=2024-10-21")]


@situation
def model_login_in_the_address(_stage: Stage) -> t.Iterator[list[Dependency]]:
    """httpx sends it in place of the key."""
    with answering(LIST, login="Basic dTpwQA==") as port:
        yield [model(f"http://u:p%40@127.0.0.1:{port}/v1")]


@situation
def model_packed(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with answering(gzip.compress(LIST), login=f"Bearer {KEY}", Content_Encoding="gzip") as port:
        yield [model(f"http://127.0.0.1:{port}/v1")]


@situation
def model_bare_list(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with answering(b'[{"id": "small"}]', login=f"Bearer {KEY}") as port:
        yield [model(f"http://127.0.0.1:{port}/v1")]


@situation
def model_no_proxy_unfit(_stage: Stage) -> t.Iterator[list[Dependency]]:
    """No client of httpx begins with it."""
    with environment(NO_PROXY="127.0.0.1,fd00::/8"):
        yield [model("http://127.0.0.1:1/v1")]


@situation
def model_proxy_malformed(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with environment(HTTP_PROXY=f"http://user:{KEY}/1@127.0.0.1:3128"):
        yield [model("http://127.0.0.2:1/v1")]


def _narrow(data: bytes) -> bool:
    """Some KiB in a second; what is small passes at once."""
    time.sleep(0.2 if len(data) > 1024 else 0)
    return True


@situation
def postgresql_large_slow(stage: Stage) -> t.Iterator[list[Dependency]]:
    server = stage.postgresql()
    with proxy(server.port, _narrow, freely, piece=4096) as port:
        yield [database(server.url().replace(f":{server.port}/", f":{port}/"))]


@situation
def redis_large_slow(stage: Stage) -> t.Iterator[list[Dependency]]:
    """No pause between two pieces is as long as the limit of a phase."""
    server = stage.redis()
    with proxy(server.port, _narrow, freely, piece=4096) as port:
        yield [cache(server.url().replace(f":{server.port}/", f":{port}/"))]
