"""URLs and answers that the probe reads without a server: what is refused, in words that quote nothing secret."""

from __future__ import annotations

import gzip
import json
import typing as t
import urllib.parse
import zlib

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import (
    probe_model,
    probe_postgresql,
    probe_redis,
)

SECRET = "12345"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://u:{SECRET}@h:70000/d", "between 1 and 65535"),
        (f"postgresql://u:{SECRET}@h:0/d", "between 1 and 65535"),
        (f"postgresql://u:{SECRET}@h:5432,i:99999/d", "between 1 and 65535"),
        (f"postgresql://u:{SECRET}@h/d\n", "line break"),
        (f"postgresql://u:{SECRET}@bücher.example/d", "xn--"),
    ],
)
def test_a_url_of_postgresql_that_no_driver_can_use(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        probe_postgresql.libpq_parameters(url, {})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://u:p@/d?host=%2Fr%C3%A4ume", "postgresql://u:p@h:65535,i:/d"])
def test_a_url_of_postgresql_that_is_well(url: str) -> None:
    assert probe_postgresql.libpq_parameters(url, {})["user"] == "u"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"redis://user:{SECRET}#word@h:6379/0", "percent-encode"),
        (f"redis://:{SECRET}/word@h:6379/0", "percent-encode"),
        (f"redis://:{SECRET}?word@h:6379/0", "percent-encode"),
        (f"redis://u:x@{SECRET}/word@h/0", "percent-encode"),
        ("redis:///0", "names no host"),
        ("redis://:p@/0", "names no host"),
        ("redis+sentinel://h/0", "no redis:// URL"),
    ],
)
def test_a_url_of_redis_that_leads_elsewhere(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        probe_redis._settings(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["redis://u:p@ss@h/0?client_name=a@b", "redis://h", " redis://h:1/0\n", "unix:///r.sock?db=1"]
)
def test_a_url_of_redis_that_is_well(url: str) -> None:
    assert {"host", "path"} & set(probe_redis._settings(url))


@pytest.mark.parametrize(
    ("option", "words"),
    [("ssl=true", "its option ssl"), ("ssl_cert_reqs=none", "its option ssl_cert_reqs"), ("protocol=9", "protocol")],
)
def test_an_option_that_redis_py_does_not_take(option: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        probe_redis._client(f"redis://:{SECRET}@h/0?{option}", 1)


def test_a_url_cannot_change_the_times() -> None:
    client = probe_redis._client("redis://h/0?socket_timeout=300&socket_connect_timeout=300", 2)
    made = client.connection_pool.connection_kwargs
    assert (made["socket_timeout"], made["socket_connect_timeout"]) == (2, 2)


def test_a_query_behind_the_models_address() -> None:
    with pytest.raises(ValueError, match="query"):
        probe_model._place("https://h/openai?api-version=1")


@pytest.mark.parametrize(
    ("url", "path", "wanted"),
    [
        ("https://h/v1/", "/models", "/v1/models"),
        ("https://h/v1", "models", "/v1/models"),
        ("https://h", None, "/models"),
        ("https://h/v 1/ü", "/models", "/v%201/%C3%BC/models"),
        ("https://h/a%2Fb", "/models", "/a%2Fb/models"),
    ],
)
def test_the_path_of_the_list(url: str, path: str | None, wanted: str) -> None:
    assert probe_model._path(urllib.parse.urlsplit(url), {"path": path}) == wanted


def test_a_login_in_the_address_comes_before_the_key() -> None:
    place = urllib.parse.urlsplit("https://u:p%40@h/v1")
    assert probe_model._headers(place, "key", None)["Authorization"] == "Basic dTpwQA=="
    assert probe_model._headers(urllib.parse.urlsplit("https://h"), "key", None)["Authorization"] == "Bearer key"


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": 7}, "x"]}, ["a", "7"]),
        ({"object": "list", "data": None}, []),
        ([{"id": "a"}], ["a"]),
        ({"models": [{"name": "a"}]}, None),
        ({"data": "a"}, None),
        ({"data": None}, None),
        (42, None),
    ],
)
def test_lists_as_providers_write_them(answer: t.Any, wanted: list[str] | None) -> None:
    assert probe_model._names(answer) == wanted


LIST = json.dumps({"data": []}).encode()


@pytest.mark.parametrize(
    ("encoding", "body", "wanted"),
    [
        ("gzip", gzip.compress(LIST, mtime=0), LIST),
        ("GZIP ", gzip.compress(LIST, mtime=0), LIST),
        ("deflate", zlib.compress(LIST), LIST),
        ("identity", LIST, LIST),
        ("gzip", b"hello", b"hello"),
    ],
)
def test_a_body_that_a_gateway_packed(encoding: str, body: bytes, wanted: bytes) -> None:
    assert probe_model._unpacker(encoding)(body, 1000) == wanted


def test_what_unpacks_to_more_than_was_asked_for_is_not_held() -> None:
    assert len(probe_model._unpacker("gzip")(gzip.compress(bytes(1 << 24)), 1000)) == 1000
