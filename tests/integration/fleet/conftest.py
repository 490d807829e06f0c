"""Fleets on a real API server without nodes, whose workloads become ready as Helm waits for them.

Without pods nobody can be asked by exec, so preflight and verification are left out by their tags; the lab has both.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from dev import api_server
from tests.integration.fleet.workloads import Workloads
from tests.integration.role import living
from tests.integration.role.conftest import ROOT, Run, play

WITHOUT_PODS = ["--skip-tags", "preflight,verify"]
# `ai_agent_values` of a host that the chart refuses.
REFUSED = {"ai_agent_values": {"agent": {"replicaCount": "many"}}}


@dataclass
class Fleet:
    """An inventory of hosts, each a release in a namespace of its own, and the cluster that all are in."""

    folder: Path
    cluster: api_server.Server
    workloads: Workloads
    hosts: dict[str, dict[str, t.Any]] = field(default_factory=dict)

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def run(self, *words: str, playbook: str = "playbooks/fleet.yml", **variables: t.Any) -> Run:
        """Run a playbook."""
        common: dict[str, t.Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "ai_agent_environment": "dev",
            "ai_agent_namespace": "{{ inventory_hostname }}",
            "ai_agent_create_namespace": True,
            "ai_agent_subcharts": "embedded",
            "ai_agent_kubeconfig": str(self.cluster.kubeconfig),
            "ai_agent_helm_binary": living.helm(),
            "ai_agent_chart_cache": str(self.folder / "charts"),
            "ai_agent_reports_dir": str(self.reports),
            "ai_agent_quiet": True,
        }
        common |= {f"ai_agent_{name}_password": f"pass-{name}" for name in
                   ("postgresql", "postgresql_admin", "replication", "redis")}  # fmt: skip
        inventory = {"fleet": {"hosts": self.hosts, "vars": common | variables}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(inventory))
        return play("-i", self.folder / "hosts.yml", ROOT / playbook, *WITHOUT_PODS, *words)

    @property
    def page(self) -> dict[str, t.Any]:
        """fleet.json."""
        found: dict[str, t.Any] = json.loads((self.reports / "fleet.json").read_text())
        return found

    @property
    def states(self) -> dict[str, str]:
        """By host."""
        return {one["host"]: one["state"] for one in self.page["releases"]}

    def revisions(self) -> dict[str, int]:
        """Helm's, by host that has a release."""
        words = [living.helm(), "list", "-A", "-o", "json", "--kubeconfig", str(self.cluster.kubeconfig)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return {one["name"]: int(one["revision"]) for one in json.loads(done.stdout) if one["name"] in self.hosts}


@pytest.fixture(scope="session")
def api() -> t.Iterator[api_server.Server]:
    """A Kubernetes without nodes."""
    with api_server.running() as server:
        yield server


@pytest.fixture
def fleet(api: api_server.Server, tmp_path: Path) -> t.Iterator[Fleet]:
    """A cluster whose workloads become ready."""
    with Workloads(api.kubeconfig) as workloads:
        yield Fleet(tmp_path, api, workloads)
