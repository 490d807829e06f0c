"""Which proxy leads to an address: as httpx itself decides, which is asked beside it."""

from __future__ import annotations

import itertools
import os
import urllib.parse

import httpx
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_proxy import PORTS, ProxyError, proxy

ENTRIES = (
    "", "*", "10.0.0.0/8", "127.0.0.1", "::1", "fd00::1", "localhost", "example.com", ".example.com", "*.example.com",
    "EXAMPLE.com", "notexample.com", "example.com:8443", "example.com:443", "http://example.com",
    "https://a.example.com", "all://example.com", "http://example.com:8443", "a.example.com, 10.0.0.1",
    "fd00::/8", "127.0.0.1,::/0", "[::1]", "example.com:x",
)  # fmt: skip
ADDRESSES = (
    "http://example.com/v1", "https://example.com/v1", "https://a.example.com:8443/v1", "https://example.com:8443/v1",
    "https://notexample.com/v1", "http://127.0.0.1:80/v1", "http://10.0.0.7/v1", "https://10.0.0.0/v1",
    "http://[::1]:99/v1", "http://[fd00::1]/v1", "http://localhost:1/v1", "http://a.localhost/v1",
)  # fmt: skip


def environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def of_httpx(url: str) -> bool | None:
    """Whether httpx goes by a proxy; None where it cannot begin."""
    try:
        client = httpx.Client()
    except httpx.InvalidURL:
        return None
    with client:
        return client._transport_for_url(httpx.URL(url)) is not client._transport


def of_the_probe(url: str) -> bool | None:
    place = urllib.parse.urlsplit(url)
    try:
        return proxy(place.scheme, str(place.hostname), place.port or PORTS[place.scheme]) is not None
    except ProxyError:
        return None


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_proxy_is_read_as_httpx_reads_it(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    both = {"HTTP_PROXY": "http://proxy.example:1", "HTTPS_PROXY": "proxy.example:2"}
    environment(monkeypatch, **both, NO_PROXY=entry)
    assert {url: of_the_probe(url) for url in ADDRESSES} == {url: of_httpx(url) for url in ADDRESSES}


@pytest.mark.parametrize(
    ("name", "url"), [*itertools.product(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"), ADDRESSES[:2])]
)
def test_each_variable_leads_as_with_httpx(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    environment(monkeypatch, **{name: "http://proxy.example:1"})
    assert of_the_probe(url) == of_httpx(url)


@pytest.mark.parametrize(
    "value", ["http://u:canary@h:80a", "http://u:can/ary@h:80", "http://u:12#ary@h", "socks5://h:1"]
)
def test_an_address_that_cannot_be_used_is_not_quoted(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    environment(monkeypatch, HTTP_PROXY=value)
    with pytest.raises(ProxyError) as caught:
        proxy("http", "example.com", 80)
    assert [part for part in ("canary", "ary@", "can/", "u:12") if part in str(caught.value)] == []


def test_the_entry_with_which_no_client_begins_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, NO_PROXY="127.0.0.1,fd00::/8")
    with pytest.raises(ProxyError, match="NO_PROXY has fd00::/8"):
        proxy("https", "example.com", 443)
