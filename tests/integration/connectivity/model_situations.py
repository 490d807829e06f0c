"""The situations of the model's endpoint, of certificates and of large messages; situations.py has the others."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import typing as t

from dev import postgresql
from tests.integration.connectivity.model_server import model_server, proxy_server
from tests.integration.connectivity.situations import (
    Dependency,
    Stage,
    database,
    freely,
    listener,
    mail_server,
    proxy,
    situation,
)
from tests.mirror_server import Authority

# Looked for in everything that comes out.
KEY = "sk-canary-of-the-model"
DAY = datetime.timedelta(days=1)
YEAR = 365 * DAY


def model(url: str, **more: t.Any) -> Dependency:
    return {"name": "model", "kind": "model", "url": url, "key": KEY, **more}


@contextlib.contextmanager
def environment(**values: str) -> t.Iterator[None]:
    """With these variables, which the probe's process inherits."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def endpoint(
    stage: Stage, folder: str, ends: datetime.timedelta = YEAR, *, name: str = "127.0.0.1", **more: t.Any
) -> t.Iterator[list[Dependency]]:
    """An endpoint with a certificate for `name` that ends so much later, whose authority the probe knows."""
    authority = Authority(stage.folder)
    with model_server(authority.server(name, ends, YEAR)) as (port, _seen):
        yield [model(f"https://127.0.0.1:{port}/{folder}/v1", ca_file=str(authority.file), **more)]


@situation
def model_well(stage: Stage) -> t.Iterator[list[Dependency]]:
    with endpoint(stage, "well", model_env="THE_MODEL") as asked, environment(THE_MODEL="small"):
        yield asked


@situation
def model_without_tls(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with model_server() as (port, _seen):
        yield [model(f"http://127.0.0.1:{port}/well/v1/")]


def _answered(
    name: str, answer: str | int, ends: datetime.timedelta = YEAR, *, of: str = "127.0.0.1", **more: t.Any
) -> None:
    """Register a situation in which an endpoint with a certificate of `of` gives this answer."""

    def asked(stage: Stage) -> t.Iterator[list[Dependency]]:
        with endpoint(stage, str(answer), ends, name=of, **more) as dependencies:
            yield dependencies

    asked.__name__ = f"model_{name}"
    situation(asked)


for _number in (400, 401, 403, 404, 429, 500, 503):
    _answered(str(_number), _number)
_answered("401_without_key", 401, key="")
_answered("moved", "moved")
_answered("endless", "endless")
_answered("huge", "huge")
_answered("login_page", "login")
_answered("certificate_ends_soon", "well", 5 * DAY)
_answered("certificate_expired", "well", -DAY)
_answered("tls_other_name", "well", of="127.0.0.2")


@situation
def model_not_listed(stage: Stage) -> t.Iterator[list[Dependency]]:
    with endpoint(stage, "well", model_env="THE_MODEL") as asked, environment(THE_MODEL="smal"):
        yield asked


@situation
def model_tls_unknown_authority(stage: Stage) -> t.Iterator[list[Dependency]]:
    with endpoint(stage, "well") as asked:
        yield [{name: value for name, value in asked[0].items() if name != "ca_file"}]


@situation
def model_tls_authority_missing(stage: Stage) -> t.Iterator[list[Dependency]]:
    with endpoint(stage, "well") as asked:
        yield [asked[0] | {"ca_file": "/no/such/file"}]


@situation
def model_plain_http_where_tls_is_expected(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with model_server() as (port, _seen):
        yield [model(f"https://127.0.0.1:{port}/well/v1")]


@situation
def model_tls_where_plain_http_is_expected(stage: Stage) -> t.Iterator[list[Dependency]]:
    with endpoint(stage, "well") as asked:
        yield [asked[0] | {"url": asked[0]["url"].replace("https", "http")}]


@situation
def model_not_http(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with mail_server() as port:
        yield [model(f"http://127.0.0.1:{port}/v1")]


@situation
def model_refused(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [model(f"http://127.0.0.1:{postgresql.free_port()}/v1")]


@situation
def model_filtered(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with listener(full=True) as port:
        yield [model(f"http://127.0.0.1:{port}/v1")]


@situation
def model_silent(_stage: Stage) -> t.Iterator[list[Dependency]]:
    with listener() as port:
        yield [model(f"https://127.0.0.1:{port}/v1")]


@situation
def model_no_such_name(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [model("https://no-such-name.invalid/v1")]


@situation
def model_url_malformed(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [model(f"https://user:{KEY}/1@host/v1")]


@situation
def model_key_malformed(_stage: Stage) -> t.Iterator[list[Dependency]]:
    yield [model("https://127.0.0.1/v1", key=f"{KEY}\nX-Other: 1")]


@situation
def model_through_proxy(stage: Stage) -> t.Iterator[list[Dependency]]:
    with (
        endpoint(stage, "well") as asked,
        proxy_server() as (port, _seen),
        environment(HTTPS_PROXY=f"http://user:{KEY}@127.0.0.1:{port}"),
    ):
        yield asked


@situation
def model_proxy_refuses(stage: Stage) -> t.Iterator[list[Dependency]]:
    with (
        endpoint(stage, "well") as asked,
        proxy_server(b"403 Forbidden") as (port, _seen),
        environment(HTTPS_PROXY=f"127.0.0.1:{port}"),
    ):
        yield asked


@situation
def model_proxy_away(stage: Stage) -> t.Iterator[list[Dependency]]:
    with endpoint(stage, "well") as asked, environment(HTTPS_PROXY=f"http://127.0.0.1:{postgresql.free_port()}"):
        yield asked


@situation
def model_proxy_of_another_kind(stage: Stage) -> t.Iterator[list[Dependency]]:
    with endpoint(stage, "well") as asked, environment(ALL_PROXY="socks5://127.0.0.1:1"):
        yield asked


@situation
def model_spared_by_no_proxy(stage: Stage) -> t.Iterator[list[Dependency]]:
    away = f"http://127.0.0.1:{postgresql.free_port()}"
    with endpoint(stage, "well") as asked, environment(HTTPS_PROXY=away, NO_PROXY="localhost,127.0.0.1"):
        yield asked


@situation
def postgresql_certificate_expired(stage: Stage) -> t.Iterator[list[Dependency]]:
    """Nobody verifies it, so the connection is had all the same."""
    Authority(stage.folder).server("127.0.0.1", -DAY, YEAR)
    file = stage.folder / "server-127.0.0.1.pem"
    for path in (stage.folder, file):
        if os.geteuid() == 0:
            shutil.chown(path, postgresql.UNPRIVILEGED)
    with postgresql.running(stage.major, ssl="on", ssl_key_file=str(file), ssl_cert_file=str(file)) as server:
        yield [database(f"{server.url()}?sslmode=require")]


def _small(data: bytes) -> bool:
    return len(data) < 1400


@situation
def postgresql_large_lost(stage: Stage) -> t.Iterator[list[Dependency]]:
    """As where a tunnel takes smaller packets than the pod sends: the first full one, and all after it, are lost."""
    server = stage.postgresql()
    with proxy(server.port, freely, _small) as port:
        yield [database(server.url().replace(f":{server.port}/", f":{port}/"))]


@situation
def redis_large_lost(stage: Stage) -> t.Iterator[list[Dependency]]:
    server = stage.redis()
    with proxy(server.port, freely, _small) as port:
        yield [{"name": "redis", "kind": "redis", "url": server.url().replace(f":{server.port}/", f":{port}/")}]
