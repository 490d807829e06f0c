"""``make lab-up`` killed in the middle of each of its steps and started again; a cluster damaged from outside.

Works on a lab of its own (another cluster name and another cache), so that nothing of a person's lab is lost. Only what
takes seconds is built anew: compiled programs are taken from the user's cache, except the smallest, which is compiled.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab import shell
from lab.paths import CACHE, ROOT

NAME = "ai-agent-interrupted"
REBUILT = ("pause-", "debian-bookworm-")
"""Entries of the cache that are left out, so that these steps have something to be killed in."""


@dataclass
class Lab:
    """A second lab in a copy of the checkout."""

    checkout: Path
    env: dict[str, str] = field(repr=False)

    def start(self) -> subprocess.Popen[str]:
        """Begin ``python -m lab lab-up`` in a process group of its own, as a shell does."""
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "lab", "lab-up"],
            cwd=self.checkout,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def up(self) -> str:
        """Run it to its end; what it said."""
        process = self.start()
        said, _ = process.communicate(timeout=900)
        assert process.returncode == 0, said
        return said

    def kill_in(self, title: str, after: float) -> bool:
        """Kill it with SIGKILL *after* seconds in the step of that title; whether it was still in that step."""
        process = self.start()
        step = re.compile(rf"\]\s+{re.escape(title)}")
        seen = threading.Event()
        lines: list[str] = []

        def read() -> None:
            for line in process.stdout or ():
                lines.append(line)
                if step.search(line) and "done in" not in line:
                    seen.set()
            seen.set()

        reader = threading.Thread(target=read)
        reader.start()
        seen.wait(600)
        time.sleep(after)
        within = process.poll() is None and not any(step.search(line) and "done in" in line for line in lines)
        # Only the lab itself: what it started has to end because it did.
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert any(step.search(line) for line in lines), "".join(lines)
        return within

    def nodes_ready(self) -> int:
        """Nodes that Kubernetes calls ready."""
        kubectl = [self.checkout / ".lab" / "bin" / "kubectl", "--kubeconfig", self.checkout / ".lab" / "kubeconfig"]
        listed = shell.capture([*kubectl, "get", "nodes", "-o", "json"])
        assert listed.returncode == 0, listed.stderr
        conditions = [one for item in json.loads(listed.stdout)["items"] for one in item["status"]["conditions"]]
        return sum(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    checkout = folder / "checkout"
    checkout.mkdir()
    for name in ("lab", "images"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    # Another content is another digest: the images are built here and not found from the user's own lab.
    (checkout / "images" / "agent" / "interrupted").write_text(str(time.time()))
    with (checkout / "lab" / "node" / "node.Dockerfile").open("a") as stream:
        stream.write(f"LABEL interrupted={time.time()}\n")
    cache = folder / "cache" / CACHE.name
    cache.mkdir(parents=True)
    for entry in CACHE.iterdir():
        if entry.is_dir() and not entry.name.startswith((".", *REBUILT)):
            (cache / entry.name).symlink_to(entry)
    go_cache = shell.capture(["go", "env", "GOCACHE"]).stdout.strip() or str(Path.home() / ".cache" / "go-build")
    env = {**os.environ, "LAB_CLUSTER": NAME, "XDG_CACHE_HOME": str(folder / "cache"), "GOCACHE": go_cache}
    env.pop("LAB_API_PORT", None)
    try:
        yield Lab(checkout, env)
    finally:
        for command in ("down", "clean"):
            subprocess.run([sys.executable, "-m", "lab", command], cwd=checkout, env=env, check=False)


@pytest.mark.parametrize(
    ("title", "after"),
    [
        ("CoreDNS and the storage provisioner", 0.3),
        ("the images: agent, PostgreSQL, Redis", 1.0),
        ("the nodes' operating system", 1.0),
        ("what the node image consists of", 3.0),
        ("the node image", 4.0),
        ("the node image", 12.0),
        ("the registry, with the images in it", 1.0),
        ("the cluster", 8.0),
        ("the cluster", 30.0),
    ],
)
def test_killed_in_a_step(lab: Lab, title: str, after: float) -> None:
    assert lab.kill_in(title, after), f"the step had ended after {after:.0f} s, so nothing was killed in it"


def test_started_again_it_comes_up_whole(lab: Lab) -> None:
    said = lab.up()
    assert lab.nodes_ready() == 3
    left = shell.capture(["docker", "ps", "-a", "--format", "{{.Names}}", "--filter", f"name={NAME}-preload"]).stdout
    assert left == "", said


def test_stopped_nodes_are_started_again(lab: Lab) -> None:
    for name in (f"{NAME}-worker", f"{NAME}-control-plane"):
        shell.run(["docker", "stop", name], log="test", what=f"stopping {name}")
    said = lab.up()
    assert f"stopped: {NAME}-control-plane, {NAME}-worker; started again" in said
    assert lab.nodes_ready() == 3


def test_a_lost_node_means_a_new_cluster(lab: Lab) -> None:
    shell.run(["docker", "rm", "-f", f"{NAME}-worker2"], log="test", what="removing a worker")
    said = lab.up()
    assert f"the cluster has lost {NAME}-worker2: making it anew" in said
    assert lab.nodes_ready() == 3


def test_a_cluster_that_does_not_answer_is_made_anew(lab: Lab) -> None:
    broken = "rm -rf /etc/kubernetes/manifests/kube-apiserver.yaml"
    shell.run(["docker", "exec", f"{NAME}-control-plane", "sh", "-c", broken], log="test", what="breaking the API")
    time.sleep(5)
    said = lab.up()
    assert "the cluster does not answer: making it anew" in said
    assert lab.nodes_ready() == 3


def test_with_everything_in_place_nothing_is_done(lab: Lab) -> None:
    said = lab.up()
    assert "making it anew" not in said
    assert "pushed" not in said
    assert "building" not in said
