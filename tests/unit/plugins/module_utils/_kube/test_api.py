"""The cluster's answers, from a server that gives those of a real one, and the sentence for each."""

from __future__ import annotations

import http.server
import inspect
import json
import os
import socket
import threading
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import module as connectivity_test
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import module as contract_module
from ansible_collections.ai_platform.agent.plugins.module_utils._database import module as database_backup
from ansible_collections.ai_platform.agent.plugins.module_utils._database import move_module as database_move
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import api
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Forbidden, Refused, connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import may_exec
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import module as migration_preflight
from ansible_collections.ai_platform.agent.plugins.module_utils._release import evidence, info, soak_module
from ansible_collections.ai_platform.agent.plugins.module_utils._release import lease_module as release_lease
from ansible_collections.ai_platform.agent.plugins.module_utils._release import plan_module as release_plan
from ansible_collections.ai_platform.agent.plugins.module_utils._release import repair_module as release_repair
from ansible_collections.ai_platform.agent.plugins.module_utils._release import rollback_module as release_rollback
from ansible_collections.ai_platform.agent.plugins.module_utils._release import uninstall as release_uninstall
from ansible_collections.ai_platform.agent.plugins.module_utils._retention import module as data_retention
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import model_module as model_key_rotation
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import module as credentials_rotation
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import redis_module as redis_password_rotation
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import replication_module
from ansible_collections.ai_platform.agent.plugins.modules import release_info
from ansible_collections.kubernetes.core.plugins.module_utils.k8s import client as kubernetes_core
from kubernetes.client import Configuration

from tests.unit.plugins.module_utils._release.manifests import release

TOKEN = "canary-token-4711"
# The modules that ask a cluster: what they call, and their options.
MODULES: dict[str, tuple[t.Callable[[t.Any], t.Any], dict[str, t.Any]]] = {
    "release_info": (info.result, release_info.ARGUMENTS),
    "connectivity_test": (connectivity_test.execute, connectivity_test.ARGUMENTS),
    "migration_preflight": (migration_preflight.execute, migration_preflight.ARGUMENTS),
    "database_backup": (database_backup.execute, database_backup.ARGUMENTS),
    "database_move": (database_move.execute, database_move.ARGUMENTS),
    "credentials_rotation": (credentials_rotation.execute, credentials_rotation.ARGUMENTS),
    "redis_password_rotation": (redis_password_rotation.execute, redis_password_rotation.ARGUMENTS),
    "replication_password_rotation": (replication_module.execute, replication_module.ARGUMENTS),
    "model_key_rotation": (model_key_rotation.execute, model_key_rotation.ARGUMENTS),
    "data_retention": (data_retention.execute, data_retention.ARGUMENTS),
    "image_contract": (contract_module.execute, contract_module.ARGUMENTS),
    "release_evidence": (evidence.execute, evidence.ARGUMENTS),
    "release_lease": (release_lease.execute, release_lease.ARGUMENTS),
    "release_plan": (release_plan.execute, release_plan.ARGUMENTS),
    "release_repair": (release_repair.execute, release_repair.ARGUMENTS),
    "release_rollback": (release_rollback.execute, release_rollback.ARGUMENTS),
    "release_soak": (soak_module.execute, soak_module.ARGUMENTS),
    "release_uninstall": (release_uninstall.execute, release_uninstall.ARGUMENTS),
}


def status(code: int, message: str) -> tuple[int, dict[str, t.Any]]:
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}


FORBIDDEN = 'jobs.batch is forbidden: User "someone" cannot create resource "jobs" in API group "batch"'
QUOTA = 'jobs.batch "x" is forbidden: exceeded quota: few, requested: count/jobs.batch=1, used: 5, limited: 5'
WEBHOOK = 'admission webhook "policy.example.com" denied the request: no Jobs on Saturdays'


class Server(http.server.BaseHTTPRequestHandler):
    """Answers by path; what was asked is kept."""

    answers: t.ClassVar[dict[str, tuple[int, dict[str, t.Any] | bytes]]] = {}
    asked: t.ClassVar[list[tuple[str, str, dict[str, str], t.Any]]] = []

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.command, self.path, dict(self.headers), json.loads(body) if body else None))
        code, answer = self.answers.get(self.path.partition("?")[0], status(404, "the server could not find it"))
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def log_message(self, *_: t.Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> t.Iterator[str]:
    Server.answers, Server.asked = {}, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as found:
        threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


@pytest.fixture(autouse=True)
def _no_other_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "K8S_AUTH_KUBECONFIG", "K8S_AUTH_HOST", "K8S_AUTH_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    # What a kubeconfig says becomes the default of the process, and of the tests that follow in it.
    monkeypatch.setattr(Configuration, "_default", None)


@pytest.fixture
def cluster(server: str) -> Cluster:
    return connect({"host": server, "api_key": TOKEN})


def answer(path: str, code: int, body: dict[str, t.Any] | bytes) -> None:
    Server.answers[path] = (code, body)


def test_objects_go_in_and_out(cluster: Cluster) -> None:
    answer("/apis/apps/v1/namespaces/a/deployments", 200, {"items": [{"metadata": {"name": "x"}}]})
    answer("/api/v1/namespaces/a/secrets/s", 200, {"metadata": {"name": "s"}})
    answer("/apis/batch/v1/namespaces/a/jobs", 201, {"metadata": {"uid": "1"}})
    answer("/api/v1/namespaces/a/pods/p", 200, {"metadata": {"name": "p"}})
    assert cluster.list("apps/v1", "deployments", "a", labels="app=x", fields="b=c") == [{"metadata": {"name": "x"}}]
    assert cluster.get("v1", "secrets", "s", "a", metadata_only=True) == {"metadata": {"name": "s"}}
    assert cluster.get("v1", "secrets", "other", "a") is None
    assert cluster.create("batch/v1", "jobs", {"kind": "Job"}, "a")["metadata"]["uid"] == "1"
    cluster.patch("v1", "pods", "p", {"spec": None}, "a")
    cluster.delete("v1", "pods", "gone", "a")
    methods = [item[0] for item in Server.asked]
    assert methods == ["GET", "GET", "GET", "POST", "PATCH", "DELETE"]
    assert Server.asked[0][1].endswith("?labelSelector=app%3Dx&fieldSelector=b%3Dc")
    assert Server.asked[1][2]["Accept"] == api.METADATA_ONLY
    assert Server.asked[3][3] == {"kind": "Job"}
    assert Server.asked[4][2]["Content-Type"] == "application/merge-patch+json"
    assert {item[2]["authorization"] for item in Server.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("code", "message", "error_id", "words"),
    [
        (401, "Unauthorized", "cluster-auth", "credentials (option host and option api_key)"),
        (403, FORBIDDEN, "cluster-forbidden", "may not create jobs.batch in namespace a"),
        (403, QUOTA, "quota-exceeded", "exceeded quota: few"),
        (403, WEBHOOK, "cluster-refused", "no Jobs on Saturdays"),
        (422, "Job.batch is invalid: spec.x: Required value", "cluster-refused", "Required value"),
        (500, "etcdserver: leader changed", "cluster-refused", "leader changed"),
    ],
)
def test_a_refusal_is_one_sentence(cluster: Cluster, code: int, message: str, error_id: str, words: str) -> None:
    answer("/apis/batch/v1/namespaces/a/jobs", *status(code, message))
    with pytest.raises(FindingError) as caught:
        cluster.create("batch/v1", "jobs", {"kind": "Job"}, "a")
    assert caught.value.id == error_id
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert TOKEN not in caught.value.message
    if error_id == "cluster-forbidden":
        assert isinstance(caught.value, Forbidden)
        assert (caught.value.verb, caught.value.resource, caught.value.namespace) == ("create", "jobs.batch", "a")


def test_an_answer_that_is_not_kubernetes(cluster: Cluster) -> None:
    answer("/api/v1/namespaces/a/pods", 200, b"<html>login</html>")
    answer("/apis/apps/v1/namespaces/a/deployments", 502, b"<html>bad gateway</html>")
    for version, plural, error_id in (
        ("v1", "pods", "cluster-unreachable"),
        ("apps/v1", "deployments", "cluster-refused"),
    ):
        with pytest.raises(FindingError) as caught:
            cluster.list(version, plural, "a")
        assert caught.value.id == error_id
        assert "html" not in caught.value.message


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FindingError) as caught:
        connect({"host": f"https://127.0.0.1:{port}", "api_key": TOKEN}).list("v1", "pods", "a")
    assert caught.value.id == "cluster-unreachable"
    assert f"https://127.0.0.1:{port} refuses connections" in caught.value.message


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = connect({"host": f"http://127.0.0.1:{silent.getsockname()[1]}", "api_key": TOKEN})
        with pytest.raises(FindingError) as caught:
            found.list("v1", "pods", "a")
    assert caught.value.id == "cluster-unreachable"
    assert "in time" in caught.value.message


def test_rights_are_asked_as_they_are_spelled(cluster: Cluster) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer(path, 201, {"status": {"allowed": True}})
    assert cluster.may("create", "networkpolicies.networking.k8s.io", "a")
    assert may_exec(cluster, "a")
    asked = [item[3]["spec"]["resourceAttributes"] for item in Server.asked]
    expected = {"verb": "create", "resource": "networkpolicies", "group": "networking.k8s.io", "subresource": ""}
    assert asked[0] == expected | {"namespace": "a"}
    assert [(item["verb"], item["resource"], item["subresource"]) for item in asked[1:]] == [
        ("get", "pods", "exec"),
        ("create", "pods", "exec"),
    ]
    answer(path, 201, {"status": {"allowed": False}})
    assert not may_exec(cluster, "a")


def test_a_session_under_impersonation_would_be_somebody_elses(server: str) -> None:
    answer("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 201, {"status": {"allowed": True}})
    found = connect({"host": server, "api_key": TOKEN, "impersonate_user": "other"})
    assert not may_exec(found, "a")
    assert found.may("get", "pods", "a")
    assert Server.asked[-1][2]["Impersonate-User"] == "other"


def test_a_log_comes_in_lines(cluster: Cluster) -> None:
    answer("/api/v1/namespaces/a/pods/p/log", 200, "one\nzwei ü\nthree".encode())
    assert list(cluster.log("a", "p", "c", follow=True, limit_bytes=10, seconds=5)) == ["one", "zwei ü", "three"]
    assert Server.asked[-1][1].endswith("?container=c&limitBytes=10&follow=true")
    answer("/api/v1/namespaces/a/pods/q/log", *status(400, "container c is waiting to start: ContainerCreating"))
    with pytest.raises(Refused) as caught:
        cluster.log("a", "q", "c", limit_bytes=10, seconds=5)
    assert caught.value.status == 400


@pytest.mark.parametrize(("minor", "number"), [("34", 34), ("27+", 27), ("", 0)])
def test_the_version(cluster: Cluster, minor: str, number: int) -> None:
    answer("/version", 200, {"major": "1", "minor": minor})
    assert cluster.server_minor() == number


@pytest.mark.parametrize(("code", "known"), [(200, True), (404, False), (503, False)])
def test_whether_an_api_group_is_served(cluster: Cluster, code: int, known: bool) -> None:
    answer("/apis/metrics.k8s.io", *(status(code, "x") if code != 200 else (200, b"{}")))
    assert cluster.serves("metrics.k8s.io") is known


def test_an_api_group_that_may_not_be_asked_for_is_not_known(cluster: Cluster) -> None:
    answer("/apis/metrics.k8s.io", *status(403, 'is forbidden: User "x" cannot get path "/apis/metrics.k8s.io"'))
    assert cluster.serves("metrics.k8s.io") is None


def test_the_modules_own_accept_is_no_header(server: str) -> None:
    answer("/api/v1/namespaces/a/pods", 200, {"items": []})
    given = {"host": server, "api_key": TOKEN, "accept": [{"id": "destructive", "reason": "read"}]}
    assert connect(given).list("v1", "pods", "a") == []


def test_a_kubeconfig_is_found_as_kubernetes_core_finds_it(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": server}}], "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
    }  # fmt: skip
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(tmp_path / "kubeconfig"))
    assert connect({}).address == server
    monkeypatch.delenv("K8S_AUTH_KUBECONFIG")
    assert connect({"kubeconfig": config}).address == server
    for wrong in ({}, {"kubeconfig": str(tmp_path / "none")}, {"kubeconfig": config, "context": "other"}):
        with pytest.raises(FindingError) as caught:
            connect(wrong).list("v1", "pods", "a")
        assert caught.value.id == "cluster-unreachable"
        assert "\n" not in caught.value.message


def contexts(path: Path, servers: dict[str, str], current: str) -> str:
    """A kubeconfig with a context for each server."""
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": current,
        "clusters": [{"name": name, "cluster": {"server": place}} for name, place in servers.items()],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name in servers],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(config))
    return str(path)


def test_the_context_that_was_used_is_known(tmp_path: Path) -> None:
    servers = {"a": "https://a", "b": "https://b"}
    path = contexts(tmp_path / "kubeconfig", servers, "a")
    other = contexts(tmp_path / "other", {"c": "https://c"}, "c")
    # Of several files Python takes the last one's current context, and kubectl and helm the first one's.
    several = connect({"kubeconfig": f"{path}{os.pathsep}{other}"})
    assert servers.get(several.context, "https://c") == several.address
    for given, context in (
        ({"kubeconfig": path}, "a"),
        ({"kubeconfig": path, "context": "b"}, "b"),
        ({"kubeconfig": yaml.safe_load(Path(path).read_text())}, "a"),
    ):
        found = connect(given)
        assert (found.context, found.address) == (context, servers[context])
    assert connect({"host": "https://h", "api_key": TOKEN, "kubeconfig": path}).context == ""


@pytest.mark.parametrize("module", MODULES)
def test_no_module_asks_another_cluster_than_the_one_that_is_meant(server: str, tmp_path: Path, module: str) -> None:
    path = contexts(tmp_path / "kubeconfig", {"a": server}, "a")
    execute, specification = MODULES[module]
    params = {name: spec.get("default") for name, spec in specification.items()}
    params |= {"kubeconfig": path, "release_name": "demo", "release_namespace": "demo"}
    params |= {"manifests": yaml.safe_dump_all(release()), "cluster_expected": "https://prod.example:6443"}
    # A Helm that knows of one failed revision.
    helm = tmp_path / "helm"
    history = [{"revision": 1, "status": "failed", "chart": "ai-agent-1.0.0", "updated": "2026-11-01T00:00:00Z"}]
    helm.write_text(f"#!/bin/sh\necho '{json.dumps(history)}'\n")
    helm.chmod(0o700)
    params |= {"check_mode": True, "helm_binary": str(helm), "revision": 1}
    redis = {"redis-password": "cA==", "redis-url": "cmVkaXM6Ly9tOjYzNzkvMA=="}
    replication = {"replication-password": "cA=="}
    more: dict[str, dict[str, t.Any]] = {
        "release_rollback": {"state": "recorded"},
        "credentials_rotation": {"secret_name": "demo-secret", "secret_expected": {"password": "cA=="}},
        "redis_password_rotation": {"secret_name": "demo-secret", "secret_expected": redis, "wait_seconds": 1},
        "replication_password_rotation": {"secret_name": "demo-secret", "secret_expected": replication},
        "model_key_rotation": {"release_secret": "demo-secret", "secret_name": "model", "wanted": "key", "model": {}},
        "data_retention": {"older_than_days": 1},
        "image_contract": {"namespace": "check-image"},
        "release_plan": {"chart": "chart", "chart_version": "1.0.0", "values_file": "values.json"},
    }
    params |= more.get(module, {})
    assert _error(execute, params) == "cluster-another"
    assert Server.asked == []
    # The same question of the right one reaches it.
    assert _error(execute, params | {"cluster_expected": server}) != "cluster-another"
    assert Server.asked != []


def _error(execute: t.Callable[[t.Any], t.Any], params: dict[str, t.Any]) -> str:
    try:
        found = execute(params)
    except FindingError as error:
        return error.id
    return str(found.get("error_id")) if isinstance(found, dict) else ""


def test_each_module_that_asks_a_cluster_knows_which_is_meant() -> None:
    folder = Path(__file__).resolve().parents[5] / "plugins/modules"
    asking = {path.stem for path in folder.glob("*.py") if "k8s_auth_options" in path.read_text(encoding="utf-8")}
    assert set(MODULES) == asking
    assert all("cluster_expected" in specification for _execute, specification in MODULES.values())


@pytest.mark.parametrize(
    "user",
    [{"as": "admin"}, {"as-groups": ["g"]}, {"as-uid": "1"}, {"as-user-extra": {"reason": ["x"]}}],
    ids=lambda user: next(iter(user)),
)
@pytest.mark.parametrize("form", ["file", "content"])
def test_a_kubeconfig_that_acts_for_another_account_is_refused(
    server: str, tmp_path: Path, user: dict[str, t.Any], form: str
) -> None:
    path = contexts(tmp_path / "kubeconfig", {"a": server, "b": server}, "a")
    config = yaml.safe_load(Path(path).read_text())
    config["users"].append({"name": "v", "user": config["users"][0]["user"] | user})
    config["contexts"][1]["context"]["user"] = "v"
    Path(path).write_text(yaml.safe_dump(config))
    given = {"kubeconfig": path if form == "file" else config}
    assert connect(given).context == "a"
    with pytest.raises(FindingError, match=f"context b acts for another account .{next(iter(user))}; ") as caught:
        connect(given | {"context": "b"})
    assert caught.value.id == "cluster-auth"
    assert TOKEN not in caught.value.message


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("place", ["option", "variable", "token", "tokenFile", "exec"])
def test_a_token_with_a_line_break_is_named(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, end: str
) -> None:
    path = contexts(tmp_path / "kubeconfig", {"a": server}, "a")
    (tmp_path / "token").write_text(TOKEN + end, newline="")
    said = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": TOKEN + end}}
    (tmp_path / "said").write_text(json.dumps(said))
    program = {"apiVersion": said["apiVersion"], "command": "cat", "args": [str(tmp_path / "said")]}
    users = {"token": TOKEN + end, "tokenFile": str(tmp_path / "token"), "exec": program | {"interactiveMode": "Never"}}
    given: dict[str, t.Any] = {"kubeconfig": path}
    if place in users:
        config = yaml.safe_load(Path(path).read_text())
        config["users"][0]["user"] = {place: users[place]}
        Path(path).write_text(yaml.safe_dump(config))
    elif place == "variable":
        monkeypatch.setenv("K8S_AUTH_API_KEY", TOKEN + end)
        given = {"host": server}
    else:
        given = {"host": server, "api_key": TOKEN + end}
    with pytest.raises(FindingError, match="holds a line break") as caught:
        connect(given)
    named = {"option": "option api_key", "variable": "K8S_AUTH_API_KEY"}.get(place, path)
    assert named in caught.value.message
    assert TOKEN not in caught.value.message


@pytest.mark.parametrize("content", ["{", "[]", "text", "contexts: 1", ""])
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "kubeconfig").write_text(content)
    with pytest.raises(FindingError, match="No configuration of a cluster") as caught:
        connect({"kubeconfig": str(tmp_path / "kubeconfig")})
    assert str(tmp_path / "kubeconfig") in caught.value.message


def test_what_is_used_of_kubernetes_core_is_there() -> None:
    """No stable interface: a release of kubernetes.core that moves these must be noticed here."""
    assert "kwargs" in inspect.signature(kubernetes_core._create_auth_spec).parameters
    assert list(inspect.signature(kubernetes_core._create_configuration).parameters) == ["auth"]
    assert "kwargs" in inspect.signature(kubernetes_core._create_headers).parameters
    assert list(inspect.signature(kubernetes_core._set_header).parameters) == ["client", "header", "value"]
