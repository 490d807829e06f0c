"""The README lists everything that the collection includes, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "module": "plugins/modules/*.py",
    "filter": "plugins/filter/*.py",
    "lookup": "plugins/lookup/*.py",
    "callback": "plugins/callback/*.py",
    "rulebook": "extensions/eda/rulebooks/*.yml",
    "playbook": "playbooks/*.yml",
    "role": "roles/*",
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_the_list_is_what_the_folders_hold(kind: str) -> None:
    section = (ROOT / "README.md").read_text().partition("## What is included")[2].partition("\n## ")[0]
    listed = re.findall(rf"^\| {kind} \[?`(?:ai_platform\.agent\.)?(\w+)`", section, re.MULTILINE)
    there = [path.stem for path in ROOT.glob(FOLDERS[kind])]
    assert there
    assert sorted(listed) == sorted(there)
