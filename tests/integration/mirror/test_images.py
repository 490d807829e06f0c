"""Docker pulls from a mirror with a private authority, and what goes wrong there is one sentence."""

from __future__ import annotations

import os
import tarfile
import uuid
from pathlib import Path

import pytest

from lab import pull, shell
from lab.progress import LabError
from tests.integration.mirror.conftest import Mirror, docker
from tests.mirror_server import Fault


def image(folder: Path) -> str:
    """A new image of one file that does not compress."""
    name = f"local/mirror-test:{uuid.uuid4().hex[:8]}"
    (folder / "content").write_bytes(os.urandom(1 << 20))
    with tarfile.open(folder / "root.tar", "w") as packed:
        packed.add(folder / "content", "content")
    docker("import", folder / "root.tar", name)
    return name


@pytest.fixture(scope="module")
def team(mirrored: Mirror, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Three images in the mirror: digests by name."""
    names = ["team/one:1", "team/two:1", "team/never-pulled:1"]
    for name in names:
        local = image(tmp_path_factory.mktemp("image"))
        mirrored.push(local, name)
        docker("image", "rm", local)
    return {name: mirrored.digests[f"docker.io/{name}"] for name in names}


def failure(reference: str) -> str:
    """The sentence that a pull ends with."""
    with pytest.raises(LabError) as caught:
        pull.ensure(reference)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_an_image_is_pulled_from_the_mirror_once(closed_network: Mirror, team: dict[str, str]) -> None:
    name = pull.ensure("team/one:1")
    assert name == f"{closed_network.server.url.removeprefix('https://')}/docker.io/team/one:1"
    assert docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", name).endswith(team["team/one:1"])
    asked = closed_network.server.paths()
    assert "v2/docker.io/team/one/manifests/1" in asked
    pull.ensure("team/one:1")
    assert closed_network.server.paths() == asked


def test_by_its_digest_it_is_the_one_that_was_meant(closed_network: Mirror, team: dict[str, str]) -> None:
    name = pull.ensure(f"team/one:1@{team['team/one:1']}")
    assert name.endswith(f"/team/one:1@{team['team/one:1']}")
    assert shell.capture(["docker", "image", "inspect", name]).returncode == 0


def test_an_unknown_authority_is_not_trusted(
    closed_network: Mirror, team: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAB_MIRROR_CA")
    said = failure("team/one:1")
    assert "Docker's engine does not trust the certificate of" in said
    assert "LAB_MIRROR_CA" in said
    assert not [path for path in closed_network.server.paths() if "/team/" in path]


def test_a_digest_that_nobody_has_is_named(closed_network: Mirror, team: dict[str, str]) -> None:
    said = failure("team/one:1@sha256:" + "0" * 64)
    assert "does not have it: make lab-mirror lists what a mirror must hold" in said


def test_a_mirror_that_sends_another_image_is_found_out(closed_network: Mirror, team: dict[str, str]) -> None:
    # Docker keeps the manifest of an image that was removed for a while, and would not ask for it again.
    name, other = "team/never-pulled", team["team/two:1"]
    digest = team[f"{name}:1"]
    swapped = closed_network.server.swapped
    swapped[f"v2/docker.io/{name}/manifests/{digest}"] = f"v2/docker.io/team/two/manifests/{other}"
    said = failure(f"{name}:1@{digest}")
    assert "sent something of another digest, which is not used" in said
    assert shell.capture(["docker", "image", "inspect", pull.name(f"{name}:1@{digest}")]).returncode != 0


def test_a_table_of_digests_pins_a_tag(
    closed_network: Mirror, team: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "releases.yml").write_text(f"team/one:1: {team['team/two:1']}\n")
    monkeypatch.setenv("LAB_RELEASES", str(tmp_path / "releases.yml"))
    assert "does not have it" in failure("team/one:1")
    (tmp_path / "releases.yml").write_text(f"team/one:1: {team['team/one:1']}\n")
    assert pull.ensure("team/one:1").endswith(f"/team/one:1@{team['team/one:1']}")


def test_a_mirror_that_asks_for_a_login_is_named(closed_network: Mirror, team: dict[str, str]) -> None:
    closed_network.server.faults["v2/docker.io/team/one/manifests/1"] = Fault("401")
    assert "asks for a login: the nodes have none" in failure("team/one:1")


def test_a_layer_that_breaks_off_is_continued(closed_network: Mirror, team: dict[str, str]) -> None:
    closed_network.server.faults["v2/docker.io/team/two/blobs/"] = Fault("cut", 300_000)
    name = pull.ensure("team/two:1")
    assert docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", name).endswith(team["team/two:1"])
    assert any(span.startswith("bytes=") for _, path, span in closed_network.server.asked if "/blobs/" in path)
