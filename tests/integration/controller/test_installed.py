"""The artefact, installed into a read-only place: it deploys from a folder of the user's own, on each ansible-core.

Without this checkout's ansible.cfg, and as far as a stand-in API server lets it: up to the first thing written.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from dev import artefact, controllers, sanity
from tests.integration.role import living

from .conftest import CANARY, PASSWORDS, play, read_only


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artefact.build(tmp_path_factory.mktemp("artefact") / "work")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of the user's."""
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def install(archive: Path, where: Path, programs: Path) -> Path:
    """As the README says; returns the collection's folder."""
    words: list[str | Path] = [
        programs / "bin/ansible-galaxy",
        "collection",
        "install",
        "--offline",
        "--no-deps",
        "-p",
        where,
        archive,
    ]
    done = subprocess.run(
        words,
        cwd=where.parent,
        env=os.environ | {"ANSIBLE_HOME": str(where.parent / "galaxy")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return where / "ansible_collections" / "ai_platform" / "agent"


def inventory(collection: Path, folder: Path, programs: Path) -> list[str | Path]:
    """A copy of the one for dev that is in the artefact, with a vault of the user's own; the words that name both."""
    shutil.copytree(collection / "inventories/dev", folder / "inventory")
    vault, password = folder / "inventory/group_vars/all/vault.yml", folder / "password"
    vault.write_text("".join(f"vault_{name}: {json.dumps(value)}\n" for name, value in PASSWORDS.items()))
    password.write_text("of-the-vault\n")
    words: list[str | Path] = [programs / "bin/ansible-vault", "encrypt", "--vault-id", f"dev@{password}", vault]
    environment = os.environ | {"ANSIBLE_HOME": str(folder / ".ansible")}
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)
    return ["-i", folder / "inventory", "--vault-id", f"dev@{password}"]


@pytest.mark.usefixtures("writable_again")
@pytest.mark.parametrize("core", sanity.CORES)
def test_it_deploys_from_a_folder_of_the_users(
    core: str, archive: Path, mine: Path, tmp_path: Path, credential: dict[str, str]
) -> None:
    programs = controllers.environment(core)
    collection = install(archive, tmp_path / "collections", programs)
    words = inventory(collection, mine, programs)
    read_only(tmp_path / "collections")
    given: dict[str, t.Any] = {"ai_agent_subcharts": "embedded", "ai_agent_helm_binary": living.helm()}
    words += ["ai_platform.agent.deploy", "--tags", "guard,credentials", "-e", json.dumps(given)]
    path = os.pathsep.join(map(str, (tmp_path / "collections", programs / "collections")))
    environment = credential | {"HOME": str(mine), "ANSIBLE_COLLECTIONS_PATH": path}
    run = play(words, mine, environment, programs / "bin/ansible-playbook")
    assert "Traceback" not in run.output
    assert len(run.errors) == 1, run.output
    # Everything before it went well: the vault, the guard, the chart and the cluster's answers.
    assert "Secret dev/agent-dev-secret could not be written" in run.errors[0], run.output
    assert str(collection) in run.output, "another copy of the role ran"
    assert CANARY not in run.output
