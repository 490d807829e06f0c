"""The kubeconfig for helm says what kubernetes.core's options say, each of them, or refuses it by name."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.kubeconfig import kubeconfig
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from kubernetes import config
from kubernetes.client import Configuration

Row = dict[str, t.Any]
HERE: Row = {"host": "https://cluster:6443", "api_key": "t0ken"}

# Options (or K8S_AUTH_* variables), and what of the kubeconfig says so.
CASES: dict[str, tuple[Row, Row, Row]] = {
    "host": (HERE, {"server": "https://cluster:6443"}, {}),
    "api_key": (HERE, {}, {"token": "t0ken"}),
    "validate_certs": (HERE | {"validate_certs": False, "ca_cert": "/ca"}, {"insecure-skip-tls-verify": True}, {}),
    "ca_cert": (HERE | {"ca_cert": "/ca"}, {"certificate-authority": "/ca"}, {}),
    "client_cert": (
        HERE | {"client_cert": "/c", "client_key": "/k"},
        {},
        {"client-certificate": "/c", "client-key": "/k"},
    ),
    "client_key": (
        {"host": "https://x", "client_cert": "/c", "client_key": "/k"},
        {},
        {"client-certificate": "/c", "client-key": "/k"},
    ),
    "username": ({"host": "https://x", "username": "u", "password": "p"}, {}, {"username": "u", "password": "p"}),
    "password": ({"host": "https://x", "username": "u", "password": "p"}, {}, {"username": "u", "password": "p"}),
    "proxy": (HERE | {"proxy": "http://proxy:3128"}, {"proxy-url": "http://proxy:3128"}, {}),
    "no_proxy": (HERE | {"proxy": "http://proxy:3128", "no_proxy": "cluster"}, {"server": "https://cluster:6443"}, {}),
    "impersonate_user": (HERE | {"impersonate_user": "jane"}, {}, {"token": "t0ken", "as": "jane"}),
    "impersonate_groups": (
        HERE | {"impersonate_user": "jane", "impersonate_groups": ["a", "b"]},
        {},
        {"as": "jane", "as-groups": ["a", "b"]},
    ),
    # Only says whether Python writes a renewed token back.
    "persist_config": (HERE | {"persist_config": True}, {}, {"token": "t0ken"}),
}
ELSEWHERE = {"kubeconfig", "context", "proxy_headers"}


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Configuration, "_default", None)


def parts(params: Row) -> tuple[Row, Row]:
    """The cluster and the user of the kubeconfig."""
    content = kubeconfig(connect(params))
    return content["clusters"][0]["cluster"], content["users"][0]["user"]


def test_every_option_has_its_case() -> None:
    assert {*CASES, *ELSEWHERE} == set(AUTH_ARG_SPEC)


@pytest.mark.parametrize("by", ["option", "variable"])
@pytest.mark.parametrize("name", CASES)
def test_what_is_said_arrives(name: str, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, server, account = CASES[name]
    if by == "variable":
        for option, value in given.items():
            words = ",".join(value) if isinstance(value, list) else str(value)
            monkeypatch.setenv(f"K8S_AUTH_{option.upper()}", words)
    found = parts(given if by == "option" else {})
    assert found[0] | server == found[0]
    assert found[1] | account == found[1]
    assert "certificate-authority" not in found[0] or "insecure-skip-tls-verify" not in found[0]
    assert ("proxy-url" in found[0]) is (name == "proxy")


def test_proxy_headers_are_refused_by_name() -> None:
    with pytest.raises(FindingError, match="proxy_headers"):
        parts(HERE | {"proxy": "http://proxy", "proxy_headers": {"proxy_basic_auth": "u:p"}})


def test_a_kubeconfig_and_its_context(tmp_path: Path) -> None:
    """Whatever a kubeconfig says, Python's own reader finds the same in what is written for helm."""
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [
            {"name": "a", "cluster": {"server": "https://a", "tls-server-name": "inner", "proxy-url": "http://p:1"}},
            {"name": "b", "cluster": {"server": "https://b", "insecure-skip-tls-verify": True}},
        ],
        "users": [{"name": "t", "user": {"token": "t0ken"}}, {"name": "p", "user": {"username": "u", "password": "p"}}],
        "contexts": [
            {"name": "a", "context": {"cluster": "a", "user": "t"}},
            {"name": "b", "context": {"cluster": "b", "user": "p"}},
        ],
    }  # fmt: skip
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    for context in ("a", "b"):
        cluster = connect({"kubeconfig": str(path), "context": context})
        again = Configuration()
        config.load_kube_config_from_dict(kubeconfig(cluster), client_configuration=again)
        ours = cluster.api.configuration
        for name in ("host", "verify_ssl", "tls_server_name", "proxy", "ssl_ca_cert"):
            assert getattr(again, name) == getattr(ours, name), name
        assert again.auth_settings() == ours.auth_settings()
    assert parts({"kubeconfig": str(path), "context": "b"})[1] == {"username": "u", "password": "p"}
    # One that was passed as a dictionary, too.
    assert parts({"kubeconfig": content})[1] == {"token": "t0ken"}


def test_one_connection_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "users": [{"name": "u", "user": {"token": "first"}}],
        "clusters": [{"name": "a", "cluster": {"server": "https://a", "tls-server-name": "inner"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "u"}}],
    }  # fmt: skip
    connect({"kubeconfig": content})
    assert parts(HERE)[0] == {"server": "https://cluster:6443"}
