"""A release of the assembled chart with plain helm in a namespace of its own, and a load that notices every failure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import images, shell
from lab.paths import BIN, KUBECONFIG, ROOT, VARS

CHART = ROOT / "build" / "ai-agent-chart"
LOAD = (ROOT / "molecule" / "install" / "files" / "load.py").read_text()
LOCK_KEY = int.from_bytes(b"ai_agent", "big")
"""The migrator's advisory lock (chart/files/schema.py)."""

Values = dict[str, Any]


def merged(*parts: Values) -> Values:
    """The later parts win, map by map, as several ``-f`` files do."""
    result: Values = {}
    for part in parts:
        for key, value in part.items():
            old = result.get(key)
            result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


@dataclass
class Release:
    """One release and its namespace."""

    name: str
    namespace: str
    folder: Path
    environment: str = "dev"
    timeout: str = "120s"
    base: Values = field(default_factory=dict)

    def kubectl(self, *words: str, check: bool = True, timeout: float = 120) -> str:
        """Output of kubectl in the namespace."""
        done = shell.capture(
            [BIN / "kubectl", "--kubeconfig", KUBECONFIG, "-n", self.namespace, *words], timeout=timeout
        )
        assert not check or done.returncode == 0, f"kubectl {words}: {done.stderr}"
        return done.stdout

    def helm(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A finished helm."""
        command = [BIN / "helm", "--kubeconfig", KUBECONFIG, "-n", self.namespace, *words]
        return shell.capture(command, timeout=600)

    def words(self, values: Values) -> list[str]:
        """``helm upgrade --install`` with *values* over the environment's and the lab's images."""
        file = self.folder / f"values-{time.monotonic_ns()}.yaml"
        file.write_text(yaml.safe_dump(merged(self.base, values)))
        chosen = ["-f", str(CHART / f"values-{self.environment}.yaml"), "-f", str(file)]
        return [
            "upgrade",
            "--install",
            self.name,
            str(CHART),
            *chosen,
            "--wait",
            "--wait-for-jobs",
            "--timeout",
            self.timeout,
        ]

    def deploy(self, **values: Any) -> subprocess.CompletedProcess[str]:
        """Install or upgrade; the caller looks at the exit code."""
        return self.helm(*self.words(values))

    def deployed(self, **values: Any) -> str:
        """Install or upgrade, which has to succeed."""
        done = self.deploy(**values)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, **values: Any) -> subprocess.Popen[str]:
        """Begin an upgrade and return at once."""
        command = [str(BIN / "helm"), "--kubeconfig", str(KUBECONFIG), "-n", self.namespace, *self.words(values)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def get(self, kind: str, *names: str, selector: str = "") -> Any:
        """Objects as data."""
        words = ["get", kind, *names, "-o", "json", *(["-l", selector] if selector else [])]
        return json.loads(self.kubectl(*words))

    def status(self) -> str:
        """What helm says of the release."""
        return str(json.loads(self.helm("status", self.name, "-o", "json").stdout)["info"]["status"])

    def database(self, component: str = "primary") -> str:
        """Name of the first pod of PostgreSQL: the primary, or a copy (``read``)."""
        pods = self.get("pods", selector=f"app.kubernetes.io/name=postgresql,app.kubernetes.io/component={component}")
        return str(pods["items"][0]["metadata"]["name"])

    def psql(self, *statements: str, component: str = "primary") -> list[str]:
        """A command that runs statements one after the other in one session, as the superuser."""
        # Bitnami's charts give the password itself, the embedded ones a file.
        password = '${POSTGRES_POSTGRES_PASSWORD:-$(cat "$POSTGRES_POSTGRES_PASSWORD_FILE")}'
        script = f'PGPASSWORD="{password}" exec psql -h 127.0.0.1 -U postgres -d agent_db "$@"'
        options = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]
        words = [*options, *(word for statement in statements for word in ("-c", statement))]
        place = ["-n", self.namespace, "exec", self.database(component), "-c", "postgresql", "--"]
        return [str(BIN / "kubectl"), "--kubeconfig", str(KUBECONFIG), *place, "sh", "-c", script, "psql", *words]

    def sql(self, text: str) -> str:
        """What a statement gives, as the superuser in the release's PostgreSQL."""
        done = shell.capture(self.psql(text))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def active(self, part: str) -> list[int]:
        """Process ids of the sessions that run a statement with *part* in it."""
        rows = json.loads(self.sql("SELECT coalesce(json_agg(a), '[]') FROM pg_stat_activity a WHERE state = 'active'"))
        return [row["pid"] for row in rows if part in row["query"] and "json_agg" not in row["query"]]

    def revision(self) -> str:
        """The schema's revision."""
        return self.sql("SELECT version_num FROM alembic_version")

    def agents(self) -> dict[str, str]:
        """Image of each pod of the agent that is ready and stays, by its name."""
        found = self.get("pods", selector="app.kubernetes.io/component=agent")["items"]
        return {
            pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"]
            for pod in found
            if not pod["metadata"].get("deletionTimestamp")
            and any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
        }

    def migration_log(self) -> str:
        """What the migrations that are still to be seen have printed."""
        return self.kubectl("logs", "-l", f"app={self.name},job=migration", "--tail=100")

    def until(self, what: str, true: Callable[[], object], seconds: float = 90) -> None:
        """Wait for something."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
            time.sleep(0.5)

    def start_load(self) -> None:
        """A pod that asks the agent without a pause."""
        container = {
            "name": "script",
            "image": images.AGENT.reference,
            "command": ["python", "-c", LOAD],
            "env": [{"name": "AGENT_URL", "value": f"http://{self.name}:8000"}],
        }
        spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
        file = self.folder / "load.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "load"}, "spec": spec}))
        self.kubectl("apply", "-f", str(file))
        self.load(at_least=5)

    def load(self, at_least: int = 0) -> dict[str, Any]:
        """Its counts so far; waits for *at_least* more requests than it last told."""
        counts: dict[str, Any] = {}

        def told() -> bool:
            lines = self.kubectl("logs", "load", "--tail=1", check=False).splitlines()
            counts.update(json.loads(lines[0]) if lines else {})
            return bool(lines) and int(counts["requests"]) >= at_least

        self.until("the load asks", told)
        return counts

    def nothing_failed(self) -> None:
        """Every request of the load so far, and ten more, had its answer."""
        counts = self.load(at_least=int(self.load()["requests"]) + 10)
        print(f"\n{self.name}: {counts}")
        assert counts["failed"] == 0, counts


@pytest.fixture(scope="session")
def chart() -> Path:
    """The assembled chart, fresh; LAB_SUBCHARTS chooses its subcharts."""
    words = [sys.executable, "-m", "dev.assemble_chart", "--subcharts", os.environ.get("LAB_SUBCHARTS", "embedded")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return CHART


def lab_images(key: str = "ai_agent_images") -> Values:
    """Values that name the lab's images."""
    known = yaml.safe_load(VARS.read_text())[key]
    return {
        "agent": {"image": known["agent"]},
        "postgresql": {"image": known["postgresql"]},
        "redis": {"image": known["redis"]},
    }


NEXT: Values = {"agent": {"image": {"tag": images.AGENT_NEXT.tag}}}
"""The image one revision ahead."""


@pytest.fixture
def release(chart: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Release]:
    """A release that is not installed yet, in a fresh namespace under the restricted Pod Security Standard."""
    name = f"life-{abs(hash(request.node.name)) % 10000:04d}"
    made = Release(name, name, tmp_path, base=lab_images())
    made.kubectl("delete", "namespace", name, "--ignore-not-found")
    made.kubectl("create", "namespace", name)
    yield made
    shell.capture([BIN / "kubectl", "--kubeconfig", KUBECONFIG, "delete", "namespace", name, "--wait=false"])


def kill(process: subprocess.Popen[str]) -> None:
    """End a helm as a lost laptop does."""
    process.send_signal(signal.SIGKILL)
    process.wait()
