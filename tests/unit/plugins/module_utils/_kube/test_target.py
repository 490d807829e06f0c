"""Whether a cluster is the one that was meant."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.target import (
    assert_meant,
    contradictions,
    is_named,
)
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import (
    _create_auth_spec,
    _create_configuration,
    _create_headers,
)
from kubernetes.client import Configuration

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"


class FakeCluster:
    """`asked`: whether anything was sent to it."""

    def __init__(
        self, address: str = "https://Prod.example:6443", authority: str | None = None, *, verified: bool = True
    ) -> None:
        self.address, self.origin = address, "K8S_AUTH_HOST"
        configuration = types.SimpleNamespace(ssl_ca_cert=authority, verify_ssl=verified)
        self.api = types.SimpleNamespace(configuration=configuration)
        self.asked = False

    def get(self, _version: str, _plural: str, name: str) -> dict[str, t.Any]:
        self.asked = True
        return {"metadata": {"name": name, "uid": UID}}


def meant(cluster: FakeCluster, expected: str) -> bool:
    try:
        assert_meant(cluster, expected)  # type: ignore[arg-type]
    except FindingError as error:
        return not (error.id == "cluster-another" and cluster.address in error.message and expected in error.message)
    return True


@pytest.mark.parametrize(
    "expected", ["https://prod.example:6443", "https://prod.example:6443/", "HTTPS://PROD.example:6443"]
)
def test_the_address(expected: str) -> None:
    cluster = FakeCluster()
    assert meant(cluster, expected)
    assert not cluster.asked


@pytest.mark.parametrize(
    "expected",
    [
        "https://prod.example",
        "http://prod.example:6443",
        "https://prod.example:6443/k8s",
        "https://[::1",
        "https://x:y",
    ],
)
def test_another_address(expected: str) -> None:
    cluster = FakeCluster()
    assert not meant(cluster, expected)
    assert not cluster.asked


def test_a_port_that_is_not_written() -> None:
    assert meant(FakeCluster("https://prod.example"), "https://prod.example:443")


def test_the_authority(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    words: list[str | Path] = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=ca",
        "-out",
        file,
    ]
    subprocess.run(words, check=True, capture_output=True)
    digits = hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read_text())).hexdigest()
    cluster = FakeCluster(authority=str(file))
    colons = ":".join(digits[at : at + 2] for at in range(0, 64, 2)).upper()
    for expected in (digits, f"sha256:{digits}", colons):
        assert meant(cluster, expected)
        assert not meant(FakeCluster(), expected)
    assert not meant(cluster, "0" * 64)
    assert not cluster.asked
    # The file is the right one, and nobody compares what the server presents with it.
    for address, verified in (("https://evil.example", False), ("http://evil.example", True)):
        unproven = FakeCluster(address, str(file), verified=verified)
        with pytest.raises(FindingError, match="certificate is not verified") as caught:
            assert_meant(unproven, digits)  # type: ignore[arg-type]
        assert (caught.value.id, unproven.asked) == ("cluster-another", False)
    # The other forms name what is dialled, or ask.
    assert meant(FakeCluster(verified=False), "https://prod.example:6443")
    assert meant(FakeCluster(verified=False), UID)


def test_the_id() -> None:
    assert meant(FakeCluster(), UID)
    assert not meant(FakeCluster(), "another")


@pytest.fixture
def kubeconfigs(tmp_path: Path) -> dict[str, str]:
    """Paths: with one context, with another one, with two, with none that can be read."""
    for name, contexts in (("one", ["a"]), ("other", ["b"]), ("two", ["a", "b"])):
        entries = [{"name": context, "context": {"cluster": "k", "user": "u"}} for context in contexts]
        (tmp_path / name).write_text(json.dumps({"contexts": entries, "current-context": contexts[0]}))
    (tmp_path / "link").symlink_to(tmp_path / "two")
    (tmp_path / "broken").write_text("{")
    return {path.name: str(path) for path in tmp_path.iterdir()} | {"missing": str(tmp_path / "missing")}


INSIDE = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        ({}, {}, False),
        ({"context": "", "kubeconfig": None}, {}, False),
        ({"context": "c"}, {}, True),
        ({"context": "", "cluster": "https://h"}, {}, True),
        ({}, {"K8S_AUTH_CONTEXT": "c"}, True),
        ({}, {"K8S_AUTH_HOST": "https://h"}, True),
        ({}, {"K8S_AUTH_CONTEXT": ""}, False),
        # A kubeconfig names a cluster where it has one; of several, the current context is a shell's choice.
        ({"kubeconfig": "{one}"}, {}, True),
        ({"kubeconfig": "{two}"}, {}, False),
        ({"kubeconfig": "{link}"}, {}, False),
        ({"kubeconfig": "{two}", "context": "a"}, {}, True),
        ({"kubeconfig": "{two}"}, {"K8S_AUTH_CONTEXT": "a"}, True),
        ({"kubeconfig": "{two}", "cluster": "https://h"}, {}, True),
        ({}, {"K8S_AUTH_KUBECONFIG": "{one}"}, True),
        ({}, {"K8S_AUTH_KUBECONFIG": "{two}"}, False),
        ({}, {"K8S_AUTH_KUBECONFIG": "{one}:{other}"}, False),
        ({}, {"K8S_AUTH_KUBECONFIG": "{one}:{one}"}, True),
        # Whoever connects says what is wrong with it.
        ({"kubeconfig": "{missing}"}, {}, True),
        ({"kubeconfig": "{broken}"}, {}, True),
        # A pod's own account is one where nothing else could be meant.
        ({}, INSIDE | {"KUBECONFIG": "{missing}"}, True),
        ({}, INSIDE | {"KUBECONFIG": "{one}"}, False),
        ({}, INSIDE | {"KUBECONFIG": "{one}:{other}"}, False),
        ({}, INSIDE | {"KUBECONFIG": "{missing}:{other}"}, False),
        ({}, INSIDE | {"KUBECONFIG": "{missing}:{missing}"}, True),
        ({}, {"KUBECONFIG": "{one}"}, False),
    ],
)
def test_whether_a_cluster_is_named(
    kubeconfigs: dict[str, str], options: dict[str, str], environment: dict[str, str], *, expected: bool
) -> None:
    def placed(given: dict[str, str]) -> dict[str, str]:
        return {name: value and value.format(**kubeconfigs).replace(":", os.pathsep) for name, value in given.items()}

    named = {"kubeconfig": placed(options).get("kubeconfig")} if options.get("kubeconfig") else {}
    assert is_named(options | named, placed(environment)) is expected


def test_a_pod_with_a_default_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert is_named({}, INSIDE)
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text("{}")
    assert not is_named({}, INSIDE)


@pytest.mark.parametrize("option", sorted(AUTH_ARG_SPEC))
def test_what_contradicts_a_kubeconfig(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kubernetes.core itself says which variables change server, account or trust of a kubeconfig that is named."""
    value = {"validate_certs": "false", "proxy": "http://p:1"}.get(option, "x")
    name = f"K8S_AUTH_{option.upper()}"
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "a", "users": [{"name": "u", "user": {"token": "t"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://a"}}],
        "contexts": [{"name": "a", "context": {"cluster": "k", "user": "u"}}],
    }  # fmt: skip
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    named = {"kubeconfig": str(tmp_path / "kubeconfig"), "context": "a"}

    def answers() -> tuple[t.Any, ...]:
        monkeypatch.setattr(Configuration, "_default", None)
        made = _create_configuration(_create_auth_spec(**named))
        who = (made.api_key, made.username, made.password, made.cert_file, made.key_file)
        return made.host, made.verify_ssl, made.ssl_ca_cert, *who, _create_headers(**named)

    before = answers()
    monkeypatch.setenv(name, value)
    assert (answers() != before) is bool(contradictions({name: value}))


def test_no_contradiction_without_a_value() -> None:
    assert contradictions({"K8S_AUTH_HOST": "", "K8S_AUTH_KUBECONFIG": "/k", "PATH": "/bin"}) == []
    assert contradictions({"K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_HOST": "h"}) == [
        "K8S_AUTH_HOST",
        "K8S_AUTH_VERIFY_SSL",
    ]
