"""What release_info tells of a release, and what it keeps to itself."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden
from ansible_collections.ai_platform.agent.plugins.module_utils._release.info import (
    _KNOWN_TO_HELM,
    look,
    result,
    unknown_to_helm,
)
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from ansible_collections.kubernetes.core.plugins.module_utils.helm_args_common import HELM_AUTH_ARG_SPEC

from tests.unit.plugins.module_utils._kube.fake_cluster import FakeCluster, Object

WANTED: Object = {
    "release_name": "demo", "release_namespace": "demo", "secret_name": "demo-secret", "secret_expected": {},
    "secret_shown": ["rotation-id"], "manifests": None, "cluster_expected": None,
}  # fmt: skip
CANARY = "c4nary"
NO_REDIS_ROTATION = {"since": "", "began": "", "before": ""}
NO_REPLICATION_ROTATION = {"since": "", "began": ""}
NO_MODEL_KEY = {"since": "", "before": "", "until": ""}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    labels = {"app.kubernetes.io/instance": "demo", "helm.sh/chart": "redis-17.11.3_embedded"}
    containers = [{"name": "redis", "image": "redis:7", "env": [{"name": "PASSWORD", "value": CANARY}]}]
    server = {
        "kind": "StatefulSet",
        "metadata": {"name": "demo-redis-master", "labels": labels},
        "spec": {"template": {"spec": {"containers": containers}}},
    }
    secret = {
        "kind": "Secret",
        "metadata": {"name": "demo-secret", "labels": {"app": "demo"}},
        "data": {"password": encoded(CANARY), "rotation-id": encoded("abc")},
    }
    return FakeCluster(tmp_path, [{"kind": "Namespace", "metadata": {"name": "demo"}}, server, secret])


def test_a_release(cluster: FakeCluster) -> None:
    expected = {"password": encoded("another"), "redis-password": encoded("one"), "rotation-id": encoded("abc")}
    found = look(cluster, WANTED | {"secret_expected": expected})  # type: ignore[arg-type]
    assert found["namespace_exists"] is True
    [server] = found["statefulsets"]
    assert (server["name"], server["containers"]) == ("demo-redis-master", [{"name": "redis", "image": "redis:7"}])
    assert server["labels"]["helm.sh/chart"] == "redis-17.11.3_embedded"
    assert found["secret"] == {
        "exists": True,
        "labels": {"app": "demo"},
        "owner": "",
        "login": {},
        "model_key": NO_MODEL_KEY,
        "redis_rotation": NO_REDIS_ROTATION,
        "replication_rotation": NO_REPLICATION_ROTATION,
        "ages_days": {},
        "age_days": None,
        "data_keys": ["password", "rotation-id"],
        "missing": ["redis-password"],
        "differing": ["password"],
        "shown": {"rotation-id": "abc"},
    }
    assert CANARY not in str(found)
    assert encoded(CANARY) not in str(found)


@pytest.mark.parametrize("named", ["demo-secret", None])
def test_nothing_is_there_yet(cluster: FakeCluster, named: str | None) -> None:
    cluster.kept.clear()
    expected = {"password": encoded("x")}
    found = look(cluster, WANTED | {"secret_name": named, "secret_expected": expected})  # type: ignore[arg-type]
    assert (found["namespace_exists"], found["statefulsets"]) == (False, [])
    assert found["secret"] == {
        "exists": False, "labels": {}, "owner": "", "login": {}, "age_days": None, "data_keys": [],
        "model_key": NO_MODEL_KEY,
        "redis_rotation": NO_REDIS_ROTATION,
        "replication_rotation": NO_REPLICATION_ROTATION,
        "ages_days": {},
        "missing": ["password"], "differing": [], "shown": {},
    }  # fmt: skip
    assert [plural for _verb, plural, _name in cluster.history] == ["namespaces"]


def test_an_account_that_may_not_look_at_namespaces(cluster: FakeCluster) -> None:
    cluster.denied.add(("get", "namespaces"))
    found = look(cluster, WANTED)  # type: ignore[arg-type]
    assert found["namespace_exists"] is None
    assert found["secret"]["exists"]


@pytest.mark.parametrize("right", [("get", "secrets"), ("list", "statefulsets.apps")])
def test_what_the_account_lacks_is_named(cluster: FakeCluster, right: tuple[str, str]) -> None:
    cluster.denied.add(right)
    with pytest.raises(Forbidden, match=f"may not {right[0]} {right[1]}"):
        look(cluster, WANTED)  # type: ignore[arg-type]


def test_a_shown_key_that_is_no_text(cluster: FakeCluster) -> None:
    secret: t.Any = cluster.kept["secrets", "demo-secret"]
    secret["data"]["rotation-id"] = base64.b64encode(b"\xff").decode()
    with pytest.raises(FindingError, match="rotation-id of the Secret holds no text"):
        look(cluster, WANTED)  # type: ignore[arg-type]


def test_what_only_other_modules_read_of_the_authentication() -> None:
    known = {
        "K8S_AUTH_KUBECONFIG": "k",
        "K8S_AUTH_API_KEY": "t",
        "K8S_AUTH_VERIFY_SSL": "no",
        "K8S_AUTH_SSL_CA_CERT": "c",
    }
    unknown = ["K8S_AUTH_CA_CERT", "K8S_AUTH_IMPERSONATE_USER", "K8S_AUTH_NO_PROXY", "K8S_AUTH_PASSWORD",
               "K8S_AUTH_PROXY", "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH"]  # fmt: skip
    assert unknown_to_helm(known | dict.fromkeys(unknown, "x") | {"K8S_AUTH_USERNAME": ""}) == unknown


def test_what_kubernetes_core_helm_reads() -> None:
    """A release of kubernetes.core that knows more must be noticed here."""
    options = {name: spec["fallback"][1][0] for name, spec in HELM_AUTH_ARG_SPEC.items() if "fallback" in spec}
    assert {f"K8S_AUTH_{name.upper()}" for name in _KNOWN_TO_HELM - {"persist_config"}} == set(options.values())


def test_without_a_configuration_the_helm_is_told_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\necho v4.3.1\n")
    helm.chmod(0o755)
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(tmp_path / "none"))
    params = dict.fromkeys(AUTH_ARG_SPEC) | WANTED | {"helm_binary": str(helm), "helm_timeout": 5}
    found = result(params | {"context": "elsewhere"})
    assert (found["helm"]["version"], found["cluster"]["address"]) == ("4.3.1", "")
    assert found["helm"]["problem"] == found["msg"]
    assert "context elsewhere" in found["msg"]
    assert str(tmp_path / "none") in found["msg"]


def test_nothing_is_told_of_another_cluster(tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
    }  # fmt: skip
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    params = dict.fromkeys(AUTH_ARG_SPEC) | WANTED | {"helm_binary": "/nowhere/helm", "helm_timeout": 5}
    given = {"kubeconfig": str(tmp_path / "kubeconfig"), "cluster_expected": "https://prod.example:6443"}
    found = result(params | given)
    # Nothing listens there: whoever had asked would say that.
    assert found["error_id"] == "cluster-another"
    assert (found["cluster"]["address"], found["cluster"]["context"]) == ("https://127.0.0.1:1", "c")


@pytest.mark.parametrize("package", ["yaml", "kubernetes"])
def test_a_python_without_a_package_is_told(package: str, tmp_path: Path) -> None:
    params = dict.fromkeys(AUTH_ARG_SPEC) | WANTED | {"helm_binary": None, "helm_timeout": 5}
    program = (
        "import json, sys\n"
        f"sys.modules[{package!r}] = None\n"
        "from ansible_collections.ai_platform.agent.plugins.module_utils._release.info import result\n"
        "print(json.dumps(result(json.load(sys.stdin))))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": str(tmp_path)}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, input=json.dumps(params), env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["error_id"] == "library-missing"
    assert f"package {package} is missing" in found["msg"]
