"""While helm waits, lines say for what; after it gave up, the cause and its evidence: on a real API server.

It has no nodes. What kubelets and controllers would write is written by hand: states of pods, and events.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release import evidence, watch

from dev.api_server import Server
from lab import tools
from lab.paths import ROOT
from tests.integration.api_server.conftest import NAMESPACE
from tests.integration.api_server.test_lease import account

__all__ = ("account",)

Object = dict[str, t.Any]
CANARY = "kanarienvogel-4711"
LABELS = {"app.kubernetes.io/instance": "waits", "app": "waits"}
OBJECTS: list[Object] = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "waits-secret"}, "stringData": {"password": CANARY}},
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "waits", "labels": LABELS},
        "spec": {
            "selector": {"matchLabels": {"app": "waits"}},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {
                    "containers": [
                        {
                            "name": "agent",
                            "image": "agent:1",
                            "env": [
                                {
                                    "name": "KEY",
                                    "valueFrom": {"secretKeyRef": {"name": "waits-secret", "key": "password"}},
                                }
                            ],
                        }
                    ]
                },
            },
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "waits-1", "labels": LABELS},
        "spec": {"nodeName": "n1", "containers": [{"name": "agent", "image": "agent:1"}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "waits-1.a"},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "waits-1", "namespace": NAMESPACE},
        "reason": "FailedMount",
        "message": f'volume "ca" not found, password {CANARY}',
        "type": "Warning",
        "lastTimestamp": "2026-11-29T18:00:00Z",
    },
]
CREATING = {
    "phase": "Pending",
    "containerStatuses": [
        {
            "name": "agent", "image": "agent:1", "imageID": "", "ready": False, "restartCount": 0,
            "state": {"waiting": {"reason": "ContainerCreating"}},
        }
    ],
}  # fmt: skip
PLAY = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - ai_platform.agent.release_deploy:
        release_name: waits
        release_namespace: %s
        kubeconfig: "%s"
        binary_path: "%s"
        chart_ref: "%s"
        wait: true
        timeout: 15s
        progress: 1
      register: told
      ignore_errors: true
    - ansible.builtin.debug: {msg: "{{ told.msg }}"}
"""


@pytest.fixture(scope="module")
def kubeconfig(api: Server, account: Path) -> t.Iterator[Path]:
    """Of the account that deploys, where a release is that will never be ready."""
    for item in OBJECTS:
        api.apply(json.dumps(item | {"metadata": item["metadata"] | {"namespace": NAMESPACE}}))
    words = ("patch", "pod", "waits-1", "-n", NAMESPACE, "--subresource=status", "--type=merge")
    assert api.ask(*words, "-p", json.dumps({"status": CREATING})).returncode == 0
    yield account
    for item in OBJECTS:
        api.ask("delete", item["kind"], item["metadata"]["name"], "-n", NAMESPACE, "--force")


def test_a_line_says_what_is_waited_for_without_a_secret(kubeconfig: Path) -> None:
    cluster = connect({"kubeconfig": str(kubeconfig)})
    line = watch.Watch(cluster, "waits", NAMESPACE, 600).line()
    assert "Deployment waits: its controller has not seen the change yet" in line
    assert CANARY not in line
    there = watch.scene(cluster, "waits", NAMESPACE)
    assert {item["kind"] for item in there.workloads} == {"Deployment"}
    assert [item["reason"] for item in there.events] == ["FailedMount"]


def test_the_cause_and_its_evidence(kubeconfig: Path, tmp_path: Path) -> None:
    given: Object = {name: option.get("default") for name, option in evidence.ARGUMENTS.items()}
    given |= {"kubeconfig": str(kubeconfig), "release_name": "waits", "release_namespace": NAMESPACE}
    given |= {"helm_binary": str(tools.helm()), "helm_error": "Error: timed out waiting for the condition"}
    file = tmp_path / "evidence.txt"
    result, problem = evidence.execute(given | {"path": str(file)})
    assert problem is None
    assert (result["cause"], result["path"]) == ("not_ready", str(file))
    assert "container agent: FailedMount: volume" in result["sentence"]
    text = file.read_text()
    for words in ("== Pods", "== Events", "waits-1: Pending on n1", "FailedMount", "Deployment waits: wants 1"):
        assert words in text
    assert CANARY not in text + json.dumps(result)
    assert file.stat().st_mode & 0o077 == 0

    evidence.execute(given | {"path": str(file), "max_bytes": 300})
    assert file.stat().st_size < 400
    assert "(cut at 300 bytes)" in file.read_text()


def test_a_task_says_it_while_helm_waits(api: Server, account: Path, tmp_path: Path) -> None:
    chart = tmp_path / "waits"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: waits, version: 1.0.0}\n")
    deployment = next(item for item in OBJECTS if item["kind"] == "Deployment")
    (chart / "templates" / "all.yaml").write_text(json.dumps(deployment))
    api.ask("delete", "deployment", "waits", "-n", NAMESPACE)
    (tmp_path / "play.yml").write_text(PLAY % (NAMESPACE, account, tools.helm(), chart))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(tmp_path / "play.yml")]
    environment = os.environ | {"ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("localhost: [")]
    assert lines, done.stdout
    assert "of 15 s] waits for Deployment waits: its controller has not seen the change yet" in lines[-1]
    # What helm alone has to say of it is what kubernetes.core.helm returns.
    assert "Failure when executing Helm command" in done.stdout
