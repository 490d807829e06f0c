"""``make up`` in a closed network: everything that is released comes from the mirror, the agent answers, and all goes.

The lab is a second one, in a copy of the checkout with a cluster, a cache and an engine's images of its own names, so
that it neither finds nor leaves anything in a person's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab import calico, released, shell
from lab.paths import RELEASED_KUBERNETES, ROOT
from tests.integration.mirror import artefacts
from tests.integration.mirror.conftest import Mirror, docker, forget
from tests.mirror_server import Fault

NAME = "ai-agent-mirror"
NODES = ("control-plane", "worker", "worker2")
NODE = f"docker.io/kindest/node:v{RELEASED_KUBERNETES}"


@dataclass
class ClosedLab:
    """The copy of the checkout, and how its user calls make."""

    checkout: Path
    cache: Path
    table: Path
    env: dict[str, str] = field(repr=False)

    def make(self, target: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run ``make target``; output and errors together."""
        return subprocess.run(
            ["make", target],
            cwd=self.checkout,
            env={**self.env, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1500,
            check=False,
        )

    def refused(self, **more: str) -> str:
        """What ``make lab-up`` that has to fail says as its error."""
        done = self.make("lab-up", **more)
        assert done.returncode != 0, done.stdout
        said = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
        assert len(said) == 1, done.stdout
        assert "Traceback" not in done.stdout
        return said[0]

    def kubectl(self, *words: str) -> str:
        """Output of a kubectl command on its cluster."""
        folder = self.checkout / ".lab"
        done = shell.capture([folder / "bin" / "kubectl", "--kubeconfig", folder / "kubeconfig", *words])
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def lab(mirrored: Mirror, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClosedLab]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LAB_MIRROR", "LAB_MIRROR_IMAGES", "LAB_MIRROR_CA", "LAB_RELEASES", "LAB_HELM"):
            patch.delenv(name, raising=False)
        # What the publishers release is built here.
        patch.setenv("LAB_SOURCE", "packages")
        artefacts.fill(mirrored)
    folder = tmp_path_factory.mktemp("closed")
    checkout = folder / "checkout"
    _copy(checkout)
    # Another content is another name: the images are built here and not found from the user's own lab.
    (checkout / "images" / "agent" / "mirror").write_text(str(time.time()))
    for name in ("postgresql", "redis"):
        (checkout / "images" / name / "mirror").write_text(str(time.time()))
    (checkout / ".venv").symlink_to((ROOT / ".venv").resolve())
    table = folder / "releases.yml"
    table.write_text(artefacts.table(mirrored))
    env = {name: value for name, value in os.environ.items() if not name.startswith("LAB_")}
    env |= {"LAB_SOURCE": "registries", **mirrored.variables(), "LAB_RELEASES": str(table)}
    env |= {"LAB_CLUSTER": NAME, "XDG_CACHE_HOME": str(folder / "cache")}
    made = ClosedLab(checkout, folder / "cache" / "ai-platform-agent-lab", table, env)
    try:
        yield made
    finally:
        # The link first: what it leads to is not this copy's to remove.
        (checkout / ".venv").unlink()
        subprocess.run([sys.executable, "-m", "lab", "clean"], cwd=checkout, env=env, check=False)
        forget(mirrored)


def _copy(checkout: Path) -> None:
    listed = shell.capture(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    assert listed.returncode == 0, listed.stderr
    for name in listed.stdout.split("\0"):
        source, target = ROOT / name, checkout / name
        if name and (source.is_symlink() or source.is_file()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def test_an_authority_that_nobody_named_is_one_sentence(lab: ClosedLab) -> None:
    said = lab.refused(LAB_MIRROR_CA="")
    # The engine and the lab's own downloads begin side by side: either may be the first to refuse.
    assert "is not trusted" in said or "does not trust" in said
    assert "LAB_MIRROR_CA" in said


def test_a_broken_download_is_one_sentence(lab: ClosedLab, mirrored: Mirror) -> None:
    kubectl = released.kubectl(released.architecture()).url.removeprefix("https://")
    mirrored.server.faults[f"lab/{kubectl}"] = Fault("cut", 5_000_000)
    assert "kubectl broke off before its end: run the same command again, it goes on there" in lab.refused()


def test_another_digest_of_the_node_image_is_one_sentence(lab: ClosedLab, tmp_path: Path) -> None:
    other = tmp_path / "releases.yml"
    other.write_text(f"{NODE}: sha256:{'0' * 64}\n")
    said = lab.refused(LAB_RELEASES=str(other))
    assert f"/{NODE}@sha256:{'0' * 64} was not pulled, " in said
    assert "does not have it: make lab-mirror lists what a mirror must hold" in said


def test_the_whole_way(lab: ClosedLab, mirrored: Mirror) -> None:
    done = lab.make("up")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^    agent  \S", done.stdout, re.MULTILINE), done.stdout
    assert f"from the mirror {lab.env['LAB_MIRROR']}" in done.stdout
    kubectl = released.kubectl(released.architecture()).url.removeprefix("https://")
    spans = [span for _, path, span in mirrored.server.asked if path == f"lab/{kubectl}"]
    assert len(spans) == 2
    assert int(spans[1].removeprefix("bytes=").removesuffix("-")) > 0


def test_nothing_was_compiled(lab: ClosedLab) -> None:
    kept = [path.name for path in lab.cache.iterdir() if path.is_dir()]
    assert sorted(re.sub(r"-\d.*", "", name) for name in kept) == [
        "released-calico-vxlan.yaml",
        "released-helm",
        "released-kind",
        "released-kubectl",
    ]


def test_the_cluster_is_what_was_released(lab: ClosedLab, mirrored: Mirror) -> None:
    nodes = json.loads(lab.kubectl("get", "nodes", "-o", "json"))["items"]
    assert len(nodes) == 3
    image = docker("container", "inspect", "--format", "{{.Config.Image}}", f"{NAME}-control-plane")
    assert image.endswith(f"/{NODE}@{mirrored.digests[NODE]}")
    # kind's own network was left out; its place is taken by Calico's released manifest.
    listed = json.loads(lab.kubectl("get", "configmaps", "-n", "default", "-o", "json"))["items"]
    assert artefacts.UNWANTED not in [item["metadata"]["name"] for item in listed]


def test_the_nodes_pulled_calico_from_the_mirror(lab: ClosedLab, mirrored: Mirror) -> None:
    pods = json.loads(lab.kubectl("get", "pods", "-n", "kube-system", "-o", "json"))["items"]
    used = {one["image"] for pod in pods for one in pod["spec"]["containers"] if "calico" in one["image"]}
    pinned, _, controllers = calico.PUBLIC_IMAGES
    assert used == {f"{pinned}@{mirrored.digests[pinned]}", controllers}
    words = ("--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}")
    addresses = set(docker("container", "inspect", *words, *(f"{NAME}-{one}" for one in NODES)).split())
    asked = {path for client, path, _ in mirrored.server.asked if client in addresses}
    assert {name.partition("/manifests/")[0] for name in asked if "/manifests/" in name} == {
        f"v2/{name.rpartition(':')[0]}" for name in calico.PUBLIC_IMAGES
    }


def test_policies_are_enforced(lab: ClosedLab) -> None:
    policies = json.loads(lab.kubectl("get", "networkpolicies", "-n", "dev", "-o", "json"))["items"]
    assert policies
    script = "import socket; socket.create_connection(('agent-dev-postgresql.dev', 5432), 3)"
    image = lab.kubectl("get", "deployment", "-n", "dev", "agent-dev", "-o", "jsonpath={..containers[0].image}")
    words = ["run", "stranger", "-n", "default", "--image", image, "--restart=Never", "--attach", "--rm", "--quiet"]
    folder = lab.checkout / ".lab"
    done = shell.capture(
        [folder / "bin" / "kubectl", "--kubeconfig", folder / "kubeconfig", *words, "--", "python", "-c", script]
    )
    assert done.returncode != 0
    assert "timed out" in done.stdout + done.stderr


def test_a_second_run_asks_the_mirror_for_nothing(lab: ClosedLab, mirrored: Mirror) -> None:
    mirrored.server.asked.clear()
    done = lab.make("up")
    assert done.returncode == 0, done.stdout
    assert "making it anew" not in done.stdout
    assert mirrored.server.asked == []


def test_down_leaves_no_container(lab: ClosedLab) -> None:
    assert lab.make("down").returncode == 0
    assert docker("ps", "--all", "--format", "{{.Names}}", "--filter", f"name={NAME}") == ""
