"""A release on the lab that is asked without a pause while a playbook changes it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import typing as t
from pathlib import Path

from lab.cluster import kubectl
from lab.paths import BIN, KUBECONFIG
from lab.progress import LabError
from tests.integration.role.conftest import ROOT, Run, play

RELEASE = "agent-dev"
LOAD = (ROOT / "molecule/install/files/load.py").read_text(encoding="utf-8")
INVENTORY = ("-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password")


def applied(*objects: dict[str, t.Any]) -> None:
    """Create or change these objects."""
    text = "\n---\n".join(json.dumps(item) for item in objects)
    command: list[str | Path] = [BIN / "kubectl", "--kubeconfig", KUBECONFIG, "apply", "-f", "-"]
    subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


class LoadedRelease:
    """A release of inventories/dev in a namespace of its own, and a pod in it that asks the agent."""

    def __init__(self, lab: dict[str, t.Any], namespace: str, **variables: t.Any) -> None:
        """:param variables: of the role, beside those of the lab"""
        self.namespace = namespace
        self.variables = {**lab, "ai_agent_namespace": namespace, "ai_agent_create_namespace": True}
        self.variables |= {"ai_agent_kubeconfig": str(KUBECONFIG), "ai_agent_helm_binary": str(BIN / "helm")}
        self.variables |= variables
        self.image = f"{lab['ai_agent_images']['agent']['repository']}:{lab['ai_agent_images']['agent']['tag']}"

    def __enter__(self) -> t.Self:
        kubectl("delete", "namespace", self.namespace, "--ignore-not-found")
        kubectl("create", "namespace", self.namespace)
        self.prepare()
        deployed = self.play("site.yml")
        assert deployed.code == 0, deployed.output[-3000:]
        self.ask_all_the_time()
        return self

    def prepare(self) -> None:
        """What is to be in the namespace before the first deployment: nothing."""

    def __exit__(self, *_: object) -> None:
        kubectl("delete", "namespace", self.namespace, "--wait=false")

    def play(self, playbook: str, *words: str, **variables: t.Any) -> Run:
        """Run a playbook against it, with `variables` beside those of the lab."""
        return play(*INVENTORY, playbook, *words, **self.variables | variables)

    def ask_all_the_time(self) -> None:
        """A pod that asks the agent without a pause, each time on a connection of its own."""
        container = {
            "name": "load",
            "image": self.image,
            "command": ["python", "-uc", LOAD],
            "env": [{"name": "AGENT_URL", "value": f"http://{RELEASE}:8000"}],
        }
        spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "load", "namespace": self.namespace},
            "spec": spec,
        }
        applied(pod)
        assert self.counts(5)["failed"] == 0

    def counts(self, more: int) -> dict[str, t.Any]:
        """What the pod counted, after `more` further requests."""
        lines: list[str] = []
        wanted, end = 0, time.monotonic() + 120
        while True:
            with contextlib.suppress(LabError):  # the pod may not have begun
                lines = kubectl("-n", self.namespace, "logs", "load", "--tail=1").splitlines()
            found: dict[str, t.Any] = json.loads(lines[0]) if lines and lines[0].startswith("{") else {"requests": 0}
            wanted = wanted or found["requests"] + more
            if found["requests"] >= wanted:
                return found
            assert time.monotonic() < end, found
            time.sleep(1)


class ScheduledBackups:
    """The Jobs of a release's CronJob, begun by hand."""

    namespace: str

    def begin(self, job: str) -> None:
        """As the runbook says it."""
        kubectl("-n", self.namespace, "create", "job", f"--from=cronjob/{RELEASE}-backup", job)

    def wait(self, job: str, condition: str = "complete") -> None:
        """Until it ended."""
        kubectl(
            "-n", self.namespace, "wait", f"job/{job}", f"--for=condition={condition}", "--timeout=300s", timeout=310
        )

    def said(self, job: str) -> list[str]:
        """The lines of its program."""
        return kubectl("-n", self.namespace, "logs", f"job/{job}", "-c", "backup").splitlines()
