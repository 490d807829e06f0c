"""Whether a cluster is the one that was meant."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.target import assert_meant, is_named

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"


class FakeCluster:
    """`asked`: whether anything was sent to it."""

    def __init__(self, address: str = "https://Prod.example:6443", authority: str | None = None) -> None:
        self.address = address
        self.api = types.SimpleNamespace(configuration=types.SimpleNamespace(ssl_ca_cert=authority))
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


def test_the_id() -> None:
    assert meant(FakeCluster(), UID)
    assert not meant(FakeCluster(), "another")


NAMES = [{"K8S_AUTH_CONTEXT": "c"}, {"K8S_AUTH_KUBECONFIG": "f"}, {"K8S_AUTH_HOST": "https://h"}]


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        ({}, {}, False),
        ({"context": "", "kubeconfig": None}, {}, False),
        ({"context": "c"}, {}, True),
        ({"context": "", "cluster": "https://h"}, {}, True),
        *(({}, variables, True) for variables in NAMES),
        ({}, {"K8S_AUTH_CONTEXT": ""}, False),
        # A pod's own account is one where nothing else could be meant.
        ({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": "/nowhere"}, True),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": __file__}, False),
        ({}, {"KUBECONFIG": __file__}, False),
    ],
)
def test_whether_a_cluster_is_named(options: dict[str, str], environment: dict[str, str], *, expected: bool) -> None:
    assert is_named(options, environment) is expected
