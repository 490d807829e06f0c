"""The gate of the types: it sees across files, and no file stands outside."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mypy.main
import pytest

from lab.paths import ROOT

OURS = "ansible_collections.ai_platform.agent.plugins.module_utils"
# Links into plugins, checked there.
LINKS = {path.relative_to(ROOT) for path in (ROOT / "chart/files").glob("*.py") if path.is_symlink()}


def files() -> set[Path]:
    """Python files of the checkout, without what was made or installed in it."""
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    made = {"build", "collections"}
    return {path.relative_to(ROOT) for folder in folders if folder.name not in made for path in folder.rglob("*.py")}


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("finding(42, words)", "arg-type"),
        ("finding(words, words, severtiy='fail')", "call-arg"),
        ("finding(words, words, severity='bad')", "arg-type"),
        ("finding(words, words).nothing", "attr-defined"),
        ("finding(words, words, severity='fail', table='t').message.upper()", None),
    ],
)
def test_a_call_into_another_file_has_to_fit(tmp_path: Path, call: str, complaint: str | None) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(f"from {OURS}._common.findings import finding\n\nwords = 'x'\n{call}\n")
    done = subprocess.run([ROOT / "dev" / "mypy.sh", file], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if "error:" in line]
    assert done.returncode == (1 if complaint else 0), done.stdout + done.stderr
    assert [line.endswith(f"[{complaint}]") for line in lines] == ([True] if complaint else [])
    assert all(":4: error:" in line for line in lines)


def test_every_file_is_checked_once_and_by_the_name_of_its_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    sources, _options = mypy.main.process_options([])
    paths = [Path(source.path).resolve().relative_to(ROOT) for source in sources if source.path]
    assert len(paths) == len(set(paths))
    assert set(paths) == files() - LINKS
    assert all((ROOT / path).is_symlink() for path in LINKS)
    for source, path in zip(sources, paths, strict=True):
        if path.parts[0] == "plugins":
            assert source.module == ".".join(("ansible_collections.ai_platform.agent", *path.with_suffix("").parts))
