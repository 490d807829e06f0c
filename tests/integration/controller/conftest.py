"""A controller as AWX or CI has one: nothing that belongs to the project can be written, and no home folder either.

There is no cluster: a stand-in API server has a release of dev as it lives and refuses to write, which is how far a
deployment gets here (tests/integration/role/living.py). The cluster's own tests deploy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from dev import artefact
from tests.chart.cluster import Cluster
from tests.integration.role import living
from tests.integration.role.conftest import Run

ROOT = Path(__file__).resolve().parents[3]
CANARY = "c4n4ry!p4ss"
TOKEN = "t0ken-of-the-deployer"
PASSWORDS = dict.fromkeys(
    (f"ai_agent_{name}_password" for name in ("postgresql", "postgresql_admin", "replication", "redis")), CANARY
)


def bound_by_modes(words: list[str | Path]) -> list[str | Path]:
    """A command that may not write what a file's mode forbids; for root, modes are no obstacle."""
    return ["setpriv", "--bounding-set=-dac_override", *words] if os.geteuid() == 0 else words


def read_only(folder: Path) -> Path:
    """The folder, none of which can be written any more."""
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if not (path := Path(root, name)).is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
    folder.chmod(folder.stat().st_mode & ~0o222)
    return folder


def play(words: list[str | Path], folder: Path, environment: dict[str, str], program: Path | None = None) -> Run:
    """Run ansible-playbook in a folder with these variables and no others that say where or as whom to ask."""
    command = bound_by_modes([program or Path(sys.executable).with_name("ansible-playbook"), *words])
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBE", "XDG_", "HELM", "AI_AGENT_"))
    }
    # Without the checkout's ansible.cfg, modules are unpacked below the home folder that the system's users have.
    own = {"ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000", "ANSIBLE_REMOTE_TMP": "/tmp"}  # noqa: S108 - of mode 0700
    environment = inherited | own | environment
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return Run(done.returncode, done.stdout)


@pytest.fixture
def writable_again(tmp_path: Path) -> t.Iterator[None]:
    """What a test made read-only can be removed after it, also by pytest."""
    yield
    for root, folders, _files in os.walk(tmp_path):
        for name in folders:
            if not (path := Path(root, name)).is_symlink():
                path.chmod(0o755)


@pytest.fixture
def nowhere(tmp_path: Path, writable_again: None) -> Path:
    """A home folder in which nothing can be made."""
    (tmp_path / "home").mkdir()
    return read_only(tmp_path / "home")


@pytest.fixture
def checkout(tmp_path: Path, writable_again: None) -> Path:
    """A copy of the checkout's files, read-only."""
    root = tmp_path / "checkout"
    for name in artefact.tracked():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name, follow_symlinks=False)
    return read_only(root)


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, t.Any]]:
    return living.manifests(tmp_path_factory.mktemp("charts"))


@pytest.fixture
def cluster(manifests: list[dict[str, t.Any]], tmp_path: Path) -> t.Iterator[Cluster]:
    """A cluster with the release, which knows one account by its token."""
    (tmp_path / "cluster").mkdir()
    with living.release(manifests, CANARY, tmp_path / "cluster", TOKEN) as running:
        yield running


@pytest.fixture
def credential(cluster: Cluster) -> dict[str, str]:
    """What AWX's credential type "OpenShift or Kubernetes API Bearer Token" puts into a job's environment."""
    return {
        "K8S_AUTH_HOST": cluster.address,
        "K8S_AUTH_API_KEY": TOKEN,
        "K8S_AUTH_VERIFY_SSL": "True",
        "K8S_AUTH_SSL_CA_CERT": str(cluster.authority),
    }
