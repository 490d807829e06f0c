"""execution-environment.yml by the real ansible-builder, as far as it goes without pulling a base image."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dev import artefact, environments
from lab.cache import cached

from .conftest import ROOT

BUILDER = "ansible-builder==3.2.0"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an engine would build: a Dockerfile and the files beside it."""

    def build(folder: Path) -> None:
        environments.fill(folder / "venv", BUILDER)

    program = cached("builder", f"{BUILDER.partition('==')[2]}-{environments.python()}", build) / "venv/bin"
    folder = tmp_path_factory.mktemp("builder")
    shutil.copyfile(ROOT / "execution-environment.yml", folder / "execution-environment.yml")
    archive = artefact.build(folder / "work")
    (folder / "build").mkdir()
    shutil.copyfile(archive, folder / "build" / archive.name)
    words: list[str | Path] = [program / "ansible-builder", "create", "--context", folder / "context"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "context"


def test_the_artefact_is_where_galaxy_looks_for_it(context: Path) -> None:
    wanted = yaml.safe_load((context / "_build/requirements.yml").read_text())["collections"]
    recipe = (context / "Dockerfile").read_text()
    assert "COPY _build /build\n" in recipe
    [file] = [Path(item["name"]) for item in wanted if item.get("type") == "file"]
    assert (context / "_build" / file.relative_to("/build")).is_file()
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    assert file.name == f"ai_platform-agent-{version}.tar.gz"


def test_versions_are_those_of_the_collection(context: Path) -> None:
    recipe = (context / "Dockerfile").read_text()
    [needed] = [
        item["version"]
        for item in yaml.safe_load((context / "_build/requirements.yml").read_text())["collections"]
        if item["name"] == "kubernetes.core"
    ]
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert needed == galaxy["dependencies"]["kubernetes.core"]
    assert 'PYCMD="/usr/bin/python3.12"' in recipe
    # helm is verified before it is unpacked.
    assert recipe.index("sha256sum --check") < recipe.index("tar --extract")
    assert recipe.rstrip().splitlines()[-3] == "USER 1000"
