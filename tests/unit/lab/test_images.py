from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab import images, shell
from lab.progress import LabError


@pytest.fixture(autouse=True)
def from_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """No question to the network: an image's name says what it was built on."""
    monkeypatch.setenv("LAB_SOURCE", "packages")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "images" / "agent").mkdir(parents=True)
    (tmp_path / "images" / "agent" / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setattr(images, "ROOT", tmp_path)
    return tmp_path


def test_a_tag_changes_with_what_the_image_is_built_from(root: Path) -> None:
    before = images.AGENT.reference
    assert before.startswith("ai-platform.local/agent:1.0.0-")
    (root / "images" / "agent" / "Dockerfile").write_text("FROM scratch\nUSER 1000\n")
    assert images.AGENT.reference != before


def test_the_two_agents_differ_though_their_folder_is_the_same(root: Path) -> None:
    assert images.AGENT.tag.partition("-")[2] != images.AGENT_NEXT.tag.partition("-")[2]


def test_an_image_on_a_public_base_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {recipe.reference for recipe in images.ALL}
    monkeypatch.setenv("LAB_SOURCE", "registries")
    assert own.isdisjoint(recipe.reference for recipe in images.ALL)


def test_publishing_asks_for_a_registry() -> None:
    with pytest.raises(LabError, match="REGISTRY="):
        images.publish("", own_base=False)


def test_only_what_this_checkout_made_is_remembered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "LAB", tmp_path)
    monkeypatch.setattr(images, "BUILT_IMAGES", tmp_path / "made")
    for name in ("a:1", "b:1", "a:1"):
        images.remember(name)
    assert (tmp_path / "made").read_text() == "a:1\nb:1\n"


@pytest.mark.parametrize(
    ("label", "code", "there"), [("abc", 0, True), ("old", 0, False), ("", 0, False), ("", 1, False)]
)
def test_an_image_made_of_something_else_is_not_the_one(
    monkeypatch: pytest.MonkeyPatch, label: str, code: int, there: bool
) -> None:
    done = subprocess.CompletedProcess([], code, stdout=f"{label}\n", stderr="")
    monkeypatch.setattr(shell, "capture", lambda _words: done)
    assert images.present("registry.k8s.io/etcd:3.6.5-0", "abc") is there
    assert images.present("registry.k8s.io/etcd:3.6.5-0") is (code == 0)
