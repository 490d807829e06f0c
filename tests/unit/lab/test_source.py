"""Where the lab gets its parts: registries, packages or a mirror."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import released, source, tools
from lab.progress import LabError


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LAB", tmp_path)
    monkeypatch.setattr(source, "CHOICE", tmp_path / "source")
    for name in ("LAB_SOURCE", "LAB_HELM", "LAB_MIRROR", "LAB_MIRROR_IMAGES"):
        monkeypatch.delenv(name, raising=False)


def test_one_unreachable_server_switches_to_packages() -> None:
    assert source.decide(lambda _url: True) == source.REGISTRIES
    for silent in source.PROBES:
        others = set(source.PROBES) - {silent}
        assert source.decide(others.__contains__) == source.PACKAGES


def test_the_decision_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def silence(url: str) -> bool:
        asked.append(url)
        return False

    monkeypatch.setattr(source, "answers", silence)
    assert source.chosen() == source.chosen() == source.PACKAGES
    assert len(asked) == 1
    source.forget()
    source.chosen()
    assert len(asked) == 2


@pytest.mark.parametrize(("answer", "found"), [(True, source.REGISTRIES), (False, source.PACKAGES)])
def test_without_a_wish_registries_count_where_they_answer(
    answer: bool, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "answers", lambda _url: answer)
    assert source.chosen() == found
    source.forget()
    monkeypatch.setenv("LAB_SOURCE", "auto")
    assert source.chosen() == found


def test_a_variable_decides_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "answers", lambda _url: pytest.fail("asked"))
    monkeypatch.setenv("LAB_SOURCE", "registries")
    assert source.chosen() == source.REGISTRIES
    monkeypatch.setenv("LAB_SOURCE", "moon")
    with pytest.raises(LabError, match="LAB_SOURCE=moon is unknown: choose registries, packages or auto"):
        source.chosen()


def test_naming_a_mirror_selects_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "answers", lambda _url: pytest.fail("asked"))
    monkeypatch.setenv("LAB_MIRROR", "https://mirror.example.com/lab")
    assert source.chosen() == source.REGISTRIES
    said = source.describe(source.REGISTRIES)
    assert "from the mirror https://mirror.example.com/lab, images from mirror.example.com" in said
    monkeypatch.setenv("LAB_SOURCE", "packages")
    assert source.chosen() == source.PACKAGES


def test_a_server_that_is_not_there_does_not_answer() -> None:
    assert not source.answers("http://127.0.0.1:9/")


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_addresses_of_the_releases(arch: str) -> None:
    found = [released.helm("4", arch), released.helm("3", arch), released.kind(arch), released.kubectl(arch)]
    assert [one.url for one in found] == [
        f"https://get.helm.sh/helm-v4.3.1-linux-{arch}.tar.gz",
        f"https://get.helm.sh/helm-v3.22.0-linux-{arch}.tar.gz",
        f"https://github.com/kubernetes-sigs/kind/releases/download/v0.33.0/kind-linux-{arch}",
        f"https://dl.k8s.io/release/v1.37.0/bin/linux/{arch}/kubectl",
    ]
    assert all(one.sha256_url.startswith(one.url) for one in found)
    assert len(released.calico().sha256) == 64


@pytest.mark.parametrize(
    "text", ["{0}", "{0}\n", "{0}  tool.tar.gz\n", "{0} *tool.tar.gz", "f" * 64 + "  other\n{0}  tool.tar.gz\n"]
)
def test_a_publishers_checksum_file_is_read(text: str) -> None:
    assert released.published(text.format("a" * 64), "https://x/tool.tar.gz") == "a" * 64


@pytest.mark.parametrize("text", ["", "<html>not found</html>", "a" * 64 + "  other.tar.gz", "a" * 63])
def test_a_checksum_file_without_the_checksum_is_no_checksum(text: str) -> None:
    with pytest.raises(LabError, match="names no SHA-256"):
        released.published(text, "https://x/tool.tar.gz")


def test_helm_is_chosen_by_its_version_or_its_major_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tools.helm_major() == "4"
    for wish, major in {"3": "3", "3.22.0": "3", "4": "4", "4.3.1": "4"}.items():
        monkeypatch.setenv("LAB_HELM", wish)
        assert tools.helm_major() == major
    monkeypatch.setenv("LAB_HELM", "2")
    with pytest.raises(LabError, match="LAB_HELM=2 is unknown: choose 4 or 3"):
        tools.helm_major()
