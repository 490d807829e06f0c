"""A rollback with the real helm and a real API server: the table, the choice, the refusals, and what is left alone."""

from __future__ import annotations

import json
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import rollback_module

from dev.api_server import Server
from lab import tools
from tests.integration.api_server.conftest import NAMESPACE
from tests.integration.api_server.test_lease import Place, account

__all__ = ("account",)

Object = dict[str, t.Any]
AGENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: &labels {app.kubernetes.io/instance: {{ .Release.Name }}, app.kubernetes.io/component: agent}
spec:
  selector: {matchLabels: *labels}
  template:
    metadata: {labels: *labels}
    spec:
      containers:
        - name: agent
          image: {{ .Values.image }}
          env: [{name: KEY, valueFrom: {secretKeyRef: {name: {{ .Values.secret }}, key: key}}}]
"""


class Ready(threading.Thread):
    """What nodes and controllers do to a Deployment: it becomes ready."""

    def __init__(self, api: Server, name: str) -> None:
        super().__init__(daemon=True)
        self.api, self.name, self.done = api, name, threading.Event()

    def run(self) -> None:
        while not self.done.wait(1):
            found = self.api.ask("get", "deployment", self.name, "-n", NAMESPACE, "-o", "json")
            if found.returncode:
                continue
            item = json.loads(found.stdout)
            counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
            # As the controller of Deployments words it; helm reads the reason.
            reasons = {"Available": "MinimumReplicasAvailable", "Progressing": "NewReplicaSetAvailable"}
            conditions = [{"type": name, "status": "True", "reason": reason} for name, reason in reasons.items()]
            status = {"observedGeneration": item["metadata"]["generation"], "conditions": conditions} | counts
            words = ("patch", "deployment", self.name, "-n", NAMESPACE, "--subresource=status", "--type=merge")
            self.api.ask(*words, "-p", json.dumps({"status": status}))


@pytest.fixture
def release(account: Path, api: Server, tmp_path: Path) -> t.Iterator[Place]:
    """Three revisions; the second adds to the schema, the third takes away from it and never comes to work."""
    chart = tmp_path / "agent"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: agent, version: 1.0.0}\n")
    (chart / "values.yaml").write_text("{image: 'agent:1', secret: given}\n")
    (chart / "templates" / "agent.yaml").write_text(AGENT)
    made = Place(account, tmp_path, f"b{abs(hash(tmp_path)) % 10**8}", chart)
    api.ask("create", "secret", "generic", "given", "-n", NAMESPACE, "--from-literal=key=x")
    record(made, 1, ["5"], [])
    assert made.helm(*made.install()).returncode == 0
    record(made, 2, ["6"], [])
    assert made.helm(*made.install("--set", "image=agent:2")).returncode == 0
    broken = [{"id": "contract-phase", "severity": "warn", "table": "public.messages", "revision": "7"}]
    record(made, 3, ["7"], broken)
    assert made.helm(*made.install("--set", "image=agent:3")).returncode == 0
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    made.helm("uninstall", made.name)


def params(place: Place, **more: t.Any) -> Object:
    given = {name: option.get("default") for name, option in rollback_module.ARGUMENTS.items()}
    given |= {"kubeconfig": str(place.kubeconfig), "release_name": place.name, "release_namespace": NAMESPACE}
    return given | {"helm_binary": str(tools.helm()), "check_mode": True} | more


def record(place: Place, revision: int, heads: list[str], findings: list[Object]) -> None:
    words = [str(tools.helm()), "template", place.name, str(place.chart), "--set", f"image=agent:{revision}"]
    manifests = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    preflight = {"verdict": "safe", "target_revisions": heads, "pending_count": 1, "findings": findings}
    given = {"state": "recorded", "revision": revision, "manifests": manifests, "preflight": preflight}
    result, problem = rollback_module.execute(params(place, check_mode=False, **given))
    assert (result, problem) == ({"changed": True}, None)
    assert rollback_module.execute(params(place, check_mode=False, **given)) == ({"changed": False}, None)


def asked(place: Place, live: list[str] | None, **more: t.Any) -> tuple[Object, str | None]:
    preflight = {"verdict": "safe", "live_revisions": live} if live is not None else {}
    return rollback_module.execute(params(place, preflight=preflight, **more))


def images(place: Place, api: Server) -> str:
    path = "{.spec.template.spec.containers[0].image}"
    return api.ask("get", "deployment", place.name, "-n", NAMESPACE, "-o", f"jsonpath={path}").stdout


def test_the_table_the_choice_and_the_rollback(release: Place, api: Server) -> None:
    # The migration of revision 3 failed before it did anything.
    looked, problem = asked(release, ["6"])
    assert problem is None
    assert looked["chosen"] == 2
    assert [(each["revision"], each["verdict"], each["image"]) for each in looked["revisions"]] == [
        (2, "safe", "agent:2"),
        (1, "safe", "agent:1"),
    ]
    assert len(release.history()) == 3

    # It did its work: what it took away is missing to both.
    refused, problem = asked(release, ["7"], check_mode=False)
    assert refused["error_id"] == "rollback-refused"
    assert "contract-phase on public.messages by revision 7" in str(problem)
    assert {each["verdict"] for each in refused["revisions"]} == {"unsafe"}

    # Nobody knows.
    unknown, problem = asked(release, None, check_mode=False, to=1)
    assert unknown["error_id"] == "rollback-refused"
    assert "ai_agent_rollback_accept" in str(problem)

    # A key of its Secret is gone.
    api.ask("delete", "secret", "given", "-n", NAMESPACE)
    _lacking, problem = asked(release, ["6"], check_mode=False)
    assert "Secret dev/given" in str(problem)
    api.ask("create", "secret", "generic", "given", "-n", NAMESPACE, "--from-literal=key=x")

    # Nothing of this touched anything.
    assert len(release.history()) == 3
    assert images(release, api) == "agent:3"

    _process, told = release.controller()
    ready = Ready(api, release.name)
    ready.start()
    try:
        result, problem = asked(release, ["6"], check_mode=False, lease=told["folder"], helm_timeout="4m")
    finally:
        ready.done.set()
        ready.join()
    assert problem is None
    assert result["chosen"] == 2
    assert images(release, api) == "agent:2"
    assert release.history() == ["superseded", "superseded", "superseded", "deployed"]
    # Of what came of it the same is known as of what it was.
    again, problem = asked(release, ["6"])
    assert problem is None
    assert again["chosen"] == 2
