"""Assembling the chart: what counts as content, what the result holds, what happens side by side and when it fails."""

from __future__ import annotations

import shutil
import stat
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import chart as chart_module
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import (
    Assembled,
    ChartError,
    assemble,
    chart_version,
    content_digest,
    export,
)


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(
        "name: ai-agent\nversion: 1.0.0\ndependencies:\n  - name: postgresql\n    version: 12.x.x\n"
        "    repository: oci://registry.example.org/charts\n"
    )
    (folder / "Chart.lock").write_text("dependencies: []\n")
    (folder / "templates" / "a.yaml").write_text("a: 1\n")
    return folder


@pytest.fixture
def subcharts(tmp_path: Path) -> Path:
    folder = tmp_path / "subcharts"
    for name, version in (("postgresql", "12.12.10+embedded"), ("redis", "17.17.1+embedded")):
        (folder / name / "templates").mkdir(parents=True)
        (folder / name / "Chart.yaml").write_text(f"name: {name}\nversion: {version}\n")
    return folder


@pytest.fixture
def helm(tmp_path: Path) -> t.Callable[[str], str]:
    """Write a stand-in for helm that runs a shell script in the chart's folder, its last argument."""

    def write(script: str) -> str:
        file = tmp_path / "helm"
        file.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\ncd "$3" || exit 9\n{script}\n')
        file.chmod(0o755)
        return str(file)

    return write


@pytest.fixture
def embedded(chart: Path, subcharts: Path, tmp_path: Path) -> t.Callable[[], Assembled]:
    return lambda: assemble(chart, "embedded", subcharts_dir=subcharts, cache=tmp_path / "cache")


def test_digest_depends_on_names_and_contents_only(chart: Path, tmp_path: Path) -> None:
    first = content_digest(chart)
    copy = tmp_path / "copy"
    shutil.copytree(chart, copy)
    (copy / "templates" / "a.yaml").chmod(0o600)
    for noise in (
        "templates/__pycache__/a.pyc",
        "templates/.mypy_cache/a.db",
        "templates/a.yaml~",
        "charts/redis-17.17.1.tgz",
        ".DS_Store",
    ):
        (copy / noise).parent.mkdir(exist_ok=True)
        (copy / noise).write_text("noise")
    assert content_digest(copy) == first
    (copy / "templates" / "a.yaml").rename(copy / "templates" / "b.yaml")
    assert content_digest(copy) != first


def test_digest_tells_where_a_file_is_from(tmp_path: Path) -> None:
    for name in ("one", "two", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "f").write_text("1")
    (tmp_path / "two" / "f").write_text("2")
    one, two, empty = tmp_path / "one", tmp_path / "two", tmp_path / "empty"
    digests = {content_digest(*folders) for folders in ([one, two], [two, one], [one, empty, two], [one], [empty, one])}
    assert len(digests) == 5


def test_embedded_chart_is_complete(embedded: t.Callable[[], Assembled], tmp_path: Path) -> None:
    made = embedded()
    assert made.path.is_relative_to(tmp_path / "cache")
    assert made.path.name == "ai-agent"
    assert made.version == f"1.0.0+{made.digest[:8]}"
    assert chart_version(made.path) == made.version
    assert (made.path / "Chart.yaml").read_text().count("version:") == 2
    assert made.subcharts == {"postgresql": "12.12.10+embedded", "redis": "17.17.1+embedded"}
    assert (made.path / "charts" / "redis" / "Chart.yaml").is_file()
    assert not (made.path / "Chart.lock").exists()


def test_sources_are_never_written_to(
    embedded: t.Callable[[], Assembled], chart: Path, subcharts: Path, helm: t.Callable[[str], str], tmp_path: Path
) -> None:
    before = content_digest(tmp_path)
    files = {file: file.stat().st_mtime_ns for folder in (chart, subcharts) for file in folder.rglob("*")}
    made = embedded()
    assemble(
        chart,
        "bitnami",
        cache=tmp_path / "cache",
        helm=helm("mkdir charts; touch charts/postgresql-1.tgz charts/redis-2.tgz"),
    )
    assert files == {file: file.stat().st_mtime_ns for folder in (chart, subcharts) for file in folder.rglob("*")}
    assert content_digest(tmp_path) != before
    assert made.path.exists()


def test_read_only_sources_make_a_writable_copy(embedded: t.Callable[[], Assembled], chart: Path) -> None:
    (chart / "templates" / "a.yaml").chmod(0o444)
    (chart / "templates").chmod(0o555)
    try:
        made = embedded()
    finally:
        (chart / "templates").chmod(0o755)
    assert stat.S_IMODE((made.path / "templates").stat().st_mode) == 0o755
    assert (made.path / "templates" / "a.yaml").stat().st_mode & stat.S_IWUSR


def test_same_content_is_assembled_once(embedded: t.Callable[[], Assembled], monkeypatch: pytest.MonkeyPatch) -> None:
    first = embedded()
    monkeypatch.setattr(chart_module, "_build", lambda *_arguments: pytest.fail("assembled again"))
    assert embedded() == first


@pytest.mark.parametrize("change", ["gone", "other", "more", "seal"])
def test_what_is_not_whole_in_the_cache_is_assembled_anew(embedded: t.Callable[[], Assembled], change: str) -> None:
    """Cleaners of /tmp delete single files, and a full disk or a person leaves others."""
    made = embedded()
    whole = {path: path.read_bytes() for path in made.path.rglob("*") if path.is_file()}
    for file in sorted(whole):
        if change == "gone":
            file.unlink()
        elif change == "other":
            file.write_bytes(b"edited")
        elif change == "more":
            file.with_name("one-more.yaml").write_text("a: b")
        else:
            (made.path.parent / "content.sha256").unlink(missing_ok=True)
        again = embedded()
        assert again == made
        assert {path: path.read_bytes() for path in made.path.rglob("*") if path.is_file()} == whole, file


@pytest.mark.parametrize("file", ["chart/templates/a.yaml", "subcharts/redis/Chart.yaml", "subcharts/postgresql/new"])
def test_every_change_makes_another_version(embedded: t.Callable[[], Assembled], tmp_path: Path, file: str) -> None:
    first = embedded()
    with (tmp_path / file).open("a") as stream:
        stream.write("# changed\n")
    second = embedded()
    assert second.version != first.version
    assert second.path != first.path
    assert first.path.exists()


def test_runs_at_once_agree(embedded: t.Callable[[], Assembled], tmp_path: Path) -> None:
    made: list[Assembled] = []
    barrier = threading.Barrier(6)

    def work() -> None:
        barrier.wait()
        made.append(embedded())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len({one.path for one in made}) == 1
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [made[0].path.parent.name]


def test_bitnami_keeps_the_lock_and_what_helm_fetched(
    chart: Path, tmp_path: Path, helm: t.Callable[[str], str]
) -> None:
    program = helm("mkdir charts && touch charts/postgresql-12.12.10.tgz charts/redis-17.17.1.tgz")
    made = assemble(chart, "bitnami", cache=tmp_path / "cache", helm=program)
    assert made.subcharts == {"postgresql": "12.12.10", "redis": "17.17.1"}
    assert (made.path / "Chart.lock").is_file()
    assert chart_version(made.path) == made.version
    again = assemble(chart, "bitnami", cache=tmp_path / "cache", helm=program)
    assert again == made
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_choices_differ_in_version(chart: Path, subcharts: Path, tmp_path: Path, helm: t.Callable[[str], str]) -> None:
    program = helm("mkdir charts && touch charts/postgresql-12.12.10.tgz charts/redis-17.17.1.tgz")
    bitnami = assemble(chart, "bitnami", cache=tmp_path / "cache", helm=program)
    embedded = assemble(chart, "embedded", subcharts_dir=subcharts, cache=tmp_path / "cache")
    assert bitnami.version != embedded.version


def test_registry_out_of_reach_is_one_sentence(chart: Path, tmp_path: Path, helm: t.Callable[[str], str]) -> None:
    program = helm("echo 'Getting updates...'; echo 'Error: could not download x: no such host' >&2; exit 1")
    with pytest.raises(ChartError) as failed:
        assemble(chart, "bitnami", cache=tmp_path / "cache", helm=program)
    assert str(failed.value) == (
        "Helm could not fetch Bitnami's subcharts from oci://registry.example.org/charts: could not download x: "
        "no such host; let this machine reach that registry, or choose the embedded subcharts."
    )
    assert list((tmp_path / "cache").iterdir()) == []


def test_registry_that_never_answers(
    chart: Path, tmp_path: Path, helm: t.Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chart_module, "FETCH_SECONDS", 0.2)
    with pytest.raises(ChartError, match="no answer within"):
        assemble(chart, "bitnami", cache=tmp_path / "cache", helm=helm("exec sleep 30"))


def test_missing_helm_is_named(chart: Path, tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="There is no program /nowhere/helm"):
        assemble(chart, "bitnami", cache=tmp_path / "cache", helm="/nowhere/helm")


def test_helm_that_fetched_nothing_is_noticed(chart: Path, tmp_path: Path, helm: t.Callable[[str], str]) -> None:
    with pytest.raises(ChartError, match="holds 0 packages of the subchart postgresql"):
        assemble(chart, "bitnami", cache=tmp_path / "cache", helm=helm("true"))
    # Another helm may fetch it: the cache keeps nothing of this one.
    program = helm("mkdir charts && touch charts/postgresql-12.12.10.tgz charts/redis-17.17.1.tgz")
    assert assemble(chart, "bitnami", cache=tmp_path / "cache", helm=program).path.is_dir()


def test_unknown_choice_is_refused(chart: Path, tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="'other' is no choice of subcharts: use bitnami or embedded"):
        assemble(chart, "other", cache=tmp_path)


def test_embedded_needs_its_folder(chart: Path, tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="set subcharts_dir"):
        assemble(chart, "embedded", cache=tmp_path)
    with pytest.raises(ChartError, match=r"nowhere/postgresql/Chart.yaml cannot be read \(No such file or directory\)"):
        assemble(chart, "embedded", subcharts_dir=tmp_path / "nowhere", cache=tmp_path)


def test_version_must_be_there_once(chart: Path) -> None:
    (chart / "Chart.yaml").write_text("name: ai-agent\n")
    with pytest.raises(ChartError, match="has 0 lines `version:`"):
        chart_version(chart)


def test_cache_that_cannot_be_written_is_one_sentence(chart: Path, subcharts: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ChartError, match=r"cannot be assembled in .*/file/cache \(Not a directory: .*choose another cache"
    ):
        assemble(chart, "embedded", subcharts_dir=subcharts, cache=tmp_path / "file" / "cache")


def test_a_user_without_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", none)
    with pytest.raises(chart_module.ChartError, match=r"no home folder .* set HOME or XDG_CACHE_HOME"):
        chart_module.default_cache()


def test_default_cache_follows_the_xdg_specification(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert chart_module.default_cache() == tmp_path / "ai_platform.agent" / "charts"
    for unusable in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert chart_module.default_cache() == tmp_path / "home" / ".cache" / "ai_platform.agent" / "charts"


def test_export_replaces_what_is_there(embedded: t.Callable[[], Assembled], tmp_path: Path) -> None:
    target = tmp_path / "build" / "ai-agent-chart"
    target.mkdir(parents=True)
    (target / "stale").write_text("")
    made = embedded()
    export(made, target)
    export(made, target)
    assert content_digest(target) == content_digest(made.path)
    assert [path.name for path in target.parent.iterdir()] == ["ai-agent-chart"]


def test_export_that_cannot_write_is_one_sentence(embedded: t.Callable[[], Assembled], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ChartError, match="cannot be written to"):
        export(embedded(), tmp_path / "file" / "chart")


# The library, which Chart.yaml names by its path


@pytest.fixture
def with_library(chart: Path, subcharts: Path) -> Path:
    file = chart / "Chart.yaml"
    file.write_text(
        file.read_text()
        + "  - name: platform-library\n    version: 1.x.x\n    repository: file://../subcharts/platform-library\n"
    )
    (subcharts / "platform-library" / "templates").mkdir(parents=True)
    (subcharts / "platform-library" / "Chart.yaml").write_text("name: platform-library\nversion: 1.0.0\n")
    (subcharts / "platform-library" / "templates" / "_a.tpl").write_text("a")
    return chart


def test_library_is_put_in_once(with_library: Path, subcharts: Path, tmp_path: Path) -> None:
    made = assemble(with_library, "embedded", subcharts_dir=subcharts, cache=tmp_path / "cache")
    assert [file.parent.name for file in made.path.rglob("Chart.yaml") if "library" in file.parent.name] == [
        "platform-library"
    ]
    assert (made.path / "charts" / "platform-library" / "templates" / "_a.tpl").is_file()
    assert set(made.subcharts) == {"postgresql", "redis"}


@pytest.mark.parametrize("choice", ["embedded", "bitnami"])
def test_library_counts_as_content(
    with_library: Path, subcharts: Path, tmp_path: Path, helm: t.Callable[[str], str], choice: str
) -> None:
    program = helm("mkdir charts; touch charts/postgresql-1.tgz charts/redis-2.tgz")

    def version() -> str:
        return assemble(with_library, choice, subcharts_dir=subcharts, cache=tmp_path / "cache", helm=program).version

    first = version()
    (subcharts / "platform-library" / "templates" / "_a.tpl").write_text("b")
    assert version() != first


def test_with_bitnami_helm_finds_the_library_beside_and_no_package_with_a_time_stays(
    with_library: Path, tmp_path: Path, helm: t.Callable[[str], str]
) -> None:
    script = (
        "test -f ../subcharts/platform-library/Chart.yaml || exit 7\n"
        "mkdir charts; touch charts/postgresql-1.tgz charts/redis-2.tgz; date > charts/platform-library-1.0.0.tgz"
    )
    made = assemble(with_library, "bitnami", cache=tmp_path / "cache", helm=helm(script))
    assert sorted(file.name for file in (made.path / "charts").iterdir()) == [
        *("platform-library", "postgresql-1.tgz", "redis-2.tgz"),
    ]
    assert [folder.name for folder in made.path.parent.iterdir() if folder.is_dir()] == ["ai-agent"]


def test_library_that_is_not_there_is_one_sentence(with_library: Path, subcharts: Path, tmp_path: Path) -> None:
    shutil.rmtree(subcharts / "platform-library")
    with pytest.raises(
        ChartError, match=r"depends on platform-library, which must lie in \S*subcharts/platform-library"
    ):
        assemble(with_library, "embedded", subcharts_dir=subcharts, cache=tmp_path / "cache")
