from __future__ import annotations

from pathlib import Path

import pytest

from lab import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_a_digest_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b").write_text("2")
        (tmp_path / name / "a").write_text("1")
    first = cache.digest([tmp_path / "one"])
    (tmp_path / "one" / "a").chmod(0o755)
    (tmp_path / "one" / "__pycache__").mkdir()
    (tmp_path / "one" / "__pycache__" / "a.pyc").write_text("x")
    assert cache.digest([tmp_path / "one"]) == first == cache.digest([tmp_path / "two"])
    (tmp_path / "two" / "a").write_text("other")
    assert cache.digest([tmp_path / "two"]) != first
    (tmp_path / "one" / "a").rename(tmp_path / "one" / "c")
    assert cache.digest([tmp_path / "one"]) != first


def test_parts_of_a_digest_do_not_run_into_each_other() -> None:
    assert cache.digest(["ab", "c"]) != cache.digest(["a", "bc"])


def test_what_is_built_once_is_not_built_again(own_cache: Path) -> None:
    calls: list[Path] = []

    def build(folder: Path) -> None:
        calls.append(folder)
        (folder / "result").write_text("done")

    first = cache.cached("tool", "1", build)
    assert (first / "result").read_text() == "done"
    assert first == cache.cached("tool", "1", build) == own_cache / "tool-1"
    assert len(calls) == 1
    assert cache.cached("tool", "2", build) != first


def test_an_interrupted_build_leaves_nothing_that_looks_finished(own_cache: Path) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.cached("tool", "1", interrupted)
    assert [path.name for path in own_cache.iterdir()] == [".tool.lock"]
    assert (cache.cached("tool", "1", lambda folder: (folder / "whole").touch()) / "whole").exists()
