"""The release on which every fault is tried: deployed by the role, asked all the time, set back after each fault."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from lab import cluster, shell
from lab.paths import LAB, ROOT, VARS
from tests.integration.release.asked import LoadPod
from tests.integration.release.conftest import Release, merged
from tests.integration.role.conftest import VENV, Run, play

NAME = "faults"
KEPT = LAB / "faults-home"
"""Helm's revision of the old version, between sessions with FAULTS_KEEP."""
OLD, NEW = "0006", "0007"
"""Revisions of the schema before the upgrade and after it."""
HOME, OTHER, AWAY = cluster.NODES
"""Nodes: of the servers and the load; of agents; and one that the old version never uses, so that it may be lost."""

Values = dict[str, t.Any]
_AT_HOME = {"nodeSelector": {"kubernetes.io/hostname": HOME}}
VALUES: Values = {
    "agent": {"replicaCount": 2, "progressDeadlineSeconds": 300},
    "migration": {"timeout": 100, "startTimeout": 120},
    "postgresql": {"primary": _AT_HOME},
    "redis": {"master": _AT_HOME},
}
INVENTORY: list[str | Path] = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password", "-e", f"@{VARS}"]
STEPS = "guard,preflight,credentials,release,soak"
"""The connectivity test has scenarios of its own; here it would only take time."""


class Stage:
    """The release, its load, and the runs of the role against it."""

    def __init__(self, folder: Path) -> None:
        """Nothing is deployed yet."""
        self.there = Release(NAME, NAME, folder)
        self.home = 0
        """Helm's revision of the old version."""
        self.asked: LoadPod
        self.runs = 0

    @contextlib.contextmanager
    def deployed(self) -> Iterator[t.Self]:
        """Deploy the old version twice, so that the role knows what schema it works with; ask it; remove it at the end.

        With FAULTS_KEEP it stays, and the next session goes on with it.
        """
        keep = bool(os.environ.get("FAULTS_KEEP"))
        try:
            if keep and KEPT.is_file():
                self.home = int(KEPT.read_text(encoding="utf-8"))
                self.there.kubectl("delete", "pod", "asking", "--ignore-not-found")
            else:
                self._deploy()
            self.asked = LoadPod(self.there, askers=2, node=HOME, address=self._address())
            yield self
        finally:
            if not keep:
                KEPT.unlink(missing_ok=True)
                self.there.kubectl("delete", "namespace", NAME, "--ignore-not-found", "--wait=false", check=False)

    def _deploy(self) -> None:
        self.there.kubectl("delete", "namespace", NAME, "--ignore-not-found", timeout=240)
        with cordoned(AWAY):
            for greeting in ("first", "second"):
                run = self.run(**self.variables(new=False, agent={"env": {"GREETING": greeting}}))
                assert run.code == 0, run.output[-4000:]
        self.set_home()

    def _address(self) -> str:
        """The Service by its number: the load itself asks no name service."""
        service = self.there.get("service", NAME)["spec"]
        return f"http://{service['clusterIP']}:8000"

    def set_home(self) -> None:
        """Remember what is deployed now as the old version."""
        self.home = int(json.loads(self.there.helm("history", NAME, "-o", "json").stdout)[-1]["revision"])
        KEPT.write_text(f"{self.home}\n", encoding="utf-8")

    def variables(self, *, new: bool = True, **values: t.Any) -> Values:
        """Of one run: the old or the new version, with values beside those of the scenario."""
        known = yaml.safe_load(VARS.read_text(encoding="utf-8"))
        images = known["lab_next_images" if new else "ai_agent_images"]
        same = {"agent": {"env": {"GREETING": "second"}}}
        return {
            "ai_agent_namespace": NAME,
            "ai_agent_release_name": NAME,
            "ai_agent_timeout": "15m",
            "ai_agent_progress": 5,
            "ai_agent_images": images,
            "ai_agent_values": merged(VALUES, same, values),
        }

    def run(self, *words: str, playbook: str = "site.yml", tags: str = STEPS, **given: t.Any) -> Run:
        """A run of the role to its end, of the new version where nothing else is given."""
        chosen = [] if playbook != "site.yml" else ["--tags", tags]
        return play(*INVENTORY, playbook, *chosen, *words, **self.variables() | given)

    def begin(self, tags: str = STEPS, **given: t.Any) -> Running:
        """A run of the role that goes on by itself."""
        self.runs += 1
        log = self.there.folder / f"run-{self.runs}.log"
        command = [str(VENV / "ansible-playbook"), *map(str, INVENTORY), "site.yml", "--tags", tags]
        return Running([*command, "-e", json.dumps(self.variables() | given)], log)

    def hook(self) -> str:
        """Phase of the newest pod of the migration's hook, empty where there is none."""
        pods = self.there.get("pods", selector=f"app={NAME},job=migration")["items"]
        hooks = [pod for pod in pods if "pre-upgrade" in pod["metadata"]["name"]]
        newest = sorted(hooks, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        return str(newest[-1]["status"]["phase"]) if newest else ""

    def no_hook(self) -> None:
        """Remove the Jobs of hooks before, so that the next one is seen."""
        jobs = self.there.kubectl("get", "jobs", "-o", "name").split()
        if old := [job for job in jobs if "pre-upgrade" in job]:
            self.there.kubectl("delete", *old, "--wait=false")

    def versions(self) -> set[str]:
        """Versions of the images of the agents that are ready and stay."""
        return {image.rpartition(":")[2].partition("-")[0] for image in self.there.agents().values()}

    def set_back(self) -> None:
        """The old version on the old schema, by plain helm, on other nodes than :data:`AWAY`."""
        self.no_hook()
        with cordoned(AWAY):
            back = self.there.helm("rollback", NAME, str(self.home), "--wait", "--timeout", "180s")
            assert back.returncode == 0, back.stderr
        self.set_home()
        self.there.sql("DROP TABLE IF EXISTS message_feedback; UPDATE alembic_version SET version_num = '0006'")
        self.there.until(
            "the old version alone", lambda: self.versions() == {"1.0.0"} and len(self.there.agents()) == 2
        )


class Running:
    """A playbook at work in a process group of its own, as at a terminal."""

    def __init__(self, command: list[str], log: Path) -> None:
        """Start it."""
        self.log = log
        environment = {**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"}
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=file, stderr=file, process_group=0
            )

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, what: str, true: Callable[[], object], seconds: float = 300) -> None:
        """Wait for something while it is at work; return also when it ended before."""
        deadline = time.monotonic() + seconds
        while not true() and self.process.poll() is None:
            assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s\n{self.output[-2000:]}"
            time.sleep(0.3)

    def until_task(self, name: str) -> None:
        """Wait until a task of this name began."""
        self.until(name, lambda: f": {name}]" in self.output or f"[{name}]" in self.output)

    def kill(self) -> str:
        """End it and its children as a lost terminal does, but at once; what it printed."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return self.output

    def end(self, seconds: float = 420) -> Run:
        """Wait for its end."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return Run(self.process.returncode, self.output)


@contextlib.contextmanager
def cordoned(*nodes: str) -> Iterator[None]:
    """No new pod on these nodes meanwhile."""
    cluster.kubectl("cordon", *nodes)
    try:
        yield
    finally:
        cluster.kubectl("uncordon", *nodes)


def docker(*words: str, seconds: float = 60) -> str:
    """What Docker's client prints."""
    done = shell.capture(["docker", *words], timeout=seconds)
    assert done.returncode == 0, done.stderr
    return done.stdout
