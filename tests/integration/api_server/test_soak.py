"""A soak on a real API server: pods are read through it as a proxy, a worse version is found, and rolled back.

It has no nodes, so a test puts pods where a kubelet would, and answers for them on this machine's own address.
"""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import prometheus_client
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import soak_module

from dev.api_server import Server
from lab.paths import ROOT
from tests.integration.api_server.conftest import NAMESPACE
from tests.integration.api_server.test_lease import Place, account
from tests.integration.api_server.test_rollback import AGENT, Ready, asked, images, record

__all__ = ("account",)

Object = dict[str, t.Any]
# The proxy's right, for an account that may not exec.
PROXY = """
apiVersion: v1
kind: List
items:
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: soak, namespace: %(n)s}
    rules: [{apiGroups: [""], resources: [pods/proxy], verbs: [get]}]
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: soak, namespace: %(n)s}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: soak}
    subjects: [{kind: ServiceAccount, name: ai-agent-deployer, namespace: %(n)s}]
"""
PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    ai_agent_release_name: %s
    ai_agent_namespace: %s
    ai_agent_environment: dev
    ai_agent_kubeconfig: %s
    ai_agent_soak: 1s
    ai_agent_soak_thresholds: {requests: 50}
    __ai_agent_soak_before: {pods: %s}
  tasks:
    - ansible.builtin.include_role: {name: ai_platform.agent.ai_agent, tasks_from: soak.yml}
"""


class Pod:
    """A pod that is ready, and what it answers."""

    def __init__(self, api: Server, release: str, name: str) -> None:
        self.api, self.name = api, name
        self.registry = prometheus_client.CollectorRegistry()
        labels = ["route", "status"]
        self.requests = prometheus_client.Counter("agent_requests", "Requests", labels, registry=self.registry)
        self.seconds = prometheus_client.Histogram("agent_request_seconds", "Time", ["route"], registry=self.registry)
        registry = self.registry

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                there = self.path == "/metrics"
                text = prometheus_client.generate_latest(registry) if there else b"no"
                self.send_response(200 if there else 404)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_words: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Answers)  # noqa: S104 - asked from outside 127.0.0.1
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        port = self.server.server_address[1]
        labelled = {"app.kubernetes.io/instance": release, "app.kubernetes.io/component": "agent"}
        container = {"name": "agent", "image": "agent:1", "ports": [{"name": "http", "containerPort": port}]}
        metadata = {"name": name, "namespace": NAMESPACE, "labels": labelled}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
        api.apply(json.dumps(pod | {"spec": {"nodeName": "n1", "containers": [container]}}))
        self.says(restarts=0)

    def answers(self, status: int, number: int, seconds: float = 0.02) -> None:
        self.requests.labels("/v1/chat", status).inc(number)
        for _each in range(number):
            self.seconds.labels("/v1/chat").observe(seconds)

    def says(self, restarts: int) -> None:
        own = {"name": "agent", "image": "agent:1", "imageID": "x", "ready": True, "restartCount": restarts}
        status = {"phase": "Running", "podIP": address(), "podIPs": [{"ip": address()}], "containerStatuses": [own],
                  "conditions": [{"type": "Ready", "status": "True"}]}  # fmt: skip
        words = ("patch", "pod", self.name, "-n", NAMESPACE, "--subresource=status", "--type=merge")
        done = self.api.ask(*words, "-p", json.dumps({"status": status}))
        assert done.returncode == 0, done.stderr

    def end(self) -> None:
        self.server.shutdown()
        self.api.ask("delete", "pod", self.name, "-n", NAMESPACE, "--force", "--grace-period=0")


def address() -> str:
    """This machine's own, which is none of the loopback: the API server is a proxy to no such address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent.
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


@pytest.fixture
def release(account: Path, api: Server, tmp_path: Path) -> t.Iterator[Place]:
    """Two revisions with one schema."""
    api.apply(PROXY % {"n": NAMESPACE})
    chart = tmp_path / "agent"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: agent, version: 1.0.0}\n")
    (chart / "values.yaml").write_text("{image: 'agent:1', secret: given}\n")
    (chart / "templates" / "agent.yaml").write_text(AGENT)
    made = Place(account, tmp_path, f"s{abs(hash(tmp_path)) % 10**8}", chart)
    api.ask("create", "secret", "generic", "given", "-n", NAMESPACE, "--from-literal=key=x")
    for number in (1, 2):
        record(made, number, ["6"], [])
        assert made.helm(*made.install("--set", f"image=agent:{number}")).returncode == 0
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    made.helm("uninstall", made.name)


def soaked(place: Place, state: str, **more: t.Any) -> tuple[Object, str | None]:
    given = {name: option.get("default") for name, option in soak_module.ARGUMENTS.items()}
    given |= {"kubeconfig": str(place.kubeconfig), "release_name": place.name, "release_namespace": NAMESPACE}
    given |= {"state": state, "duration": "2", "interval": 1, "check_mode": False}
    return soak_module.execute(given | more)


def test_a_worse_version_is_found_and_rolled_back(release: Place, api: Server) -> None:
    old = Pod(api, release.name, f"{release.name}-old")
    pods = [old]
    try:
        old.answers(200, 500)
        before, problem = soaked(release, "captured")
        assert problem is None
        assert [(pod["name"], pod["problem"], pod["counts"]["requests"]) for pod in before["pods"]] == [
            (old.name, "", {"200": 500.0})
        ]
        # Nothing was replaced: there is no new version to watch.
        unchanged, problem = soaked(release, "watched", before=before["pods"])
        assert (unchanged["soaked"], unchanged["findings"], problem) == (False, [], None)
        assert unchanged["summary"][0].startswith("NOT SOAKED")

        new = Pod(api, release.name, f"{release.name}-new")
        pods.append(new)
        quiet, problem = soaked(release, "watched", before=before["pods"])
        assert (quiet["verdict"], [item["id"] for item in quiet["findings"]]) == ("unknown", ["soak-few"])
        assert problem is None
        _quiet, problem = soaked(release, "watched", before=before["pods"], fail_on="unknown")
        assert "soak-few" in str(problem)

        new.answers(200, 300)
        good, problem = soaked(release, "watched", before=before["pods"])
        assert (good["verdict"], good["findings"], problem) == ("safe", [], None)

        new.answers(500, 60, seconds=3.0)
        looked, problem = soaked(release, "watched", before=before["pods"], check_mode=True)
        assert (looked["soaked"], problem) == (False, None)
        # It does not wait for an hour when two looks agree.
        bad, problem = soaked(release, "watched", before=before["pods"], duration="1h")
        assert "60 of 360 requests to the new pods failed (16.67 %), 0 of 500 before" in str(problem)
        assert [item["id"] for item in bad["findings"]] == ["soak-errors", "soak-slow"]
        assert bad["breached"]

        # Its own account says so in the role, which leaves the release as it is unless it may roll back.
        said = played(release, before["pods"])
        assert f"Release {release.name} in namespace {NAMESPACE} did not pass its soak." in said
        assert "It stays deployed: Read the new pods' logs; playbooks/rollback.yml goes back" in said
        assert "See docs/runbook.md#soak-errors" in said

        # As the role goes back: to the revision that served before, and to no other.
        refused, problem = asked(release, None, check_mode=False, to=1)
        assert refused["error_id"] == "rollback-refused"
        assert images(release, api) == "agent:2"
        _process, told = release.controller()
        ready = Ready(api, release.name)
        ready.start()
        try:
            result, problem = asked(release, ["6"], check_mode=False, to=1, lease=told["folder"], helm_timeout="4m")
        finally:
            ready.done.set()
            ready.join()
        assert (result["chosen"], problem) == (1, None)
        assert images(release, api) == "agent:1"
    finally:
        for pod in pods:
            pod.end()


def played(place: Place, before: list[Object]) -> str:
    text = PLAY % (place.name, NAMESPACE, place.kubeconfig, json.dumps(before))
    (place.folder / "play.yml").write_text(text)
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-i",
        "localhost,",
        str(place.folder / "play.yml"),
    ]
    environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0, done.stdout
    return " ".join((done.stdout + done.stderr).split())


def test_a_pod_whose_metrics_are_elsewhere(release: Place, api: Server) -> None:
    pod = Pod(api, release.name, f"{release.name}-old")
    try:
        found, problem = soaked(release, "captured", metrics_path="/stats")
        assert problem is None
        [seen] = found["pods"]
        assert seen["counts"] is None
        assert "404" in seen["problem"]
    finally:
        pod.end()
