"""What docs/architecture.md and CONTRIBUTING.md name is there, so that a newcomer finds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ONE_PAGE = 140
# A name is looked up from the top, or from where the text speaks of rooms and of their tests.
PLACES = (
    ROOT,
    ROOT / "plugins" / "module_utils",
    ROOT / "plugins" / "module_utils" / "_sql",
    ROOT / "plugins" / "module_utils" / "_in_pod",
    ROOT / "plugins" / "module_utils" / "_common",
    ROOT / "plugins" / "module_utils" / "_page",
    ROOT / "plugins" / "module_utils" / "_connectivity",
    ROOT / "plugins" / "module_utils" / "_preflight",
    ROOT / "plugins" / "module_utils" / "_release",
    ROOT / "plugins",
    ROOT / "roles" / "ai_agent",
    ROOT / "roles" / "ai_agent" / "tasks",
    ROOT / "roles" / "ai_agent" / "files",
    ROOT / "chart",
    ROOT / "chart" / "templates",
    ROOT / "tests" / "integration",
    ROOT / "tests" / "unit" / "plugins" / "module_utils",
    ROOT / "tests" / "unit" / "plugins" / "module_utils" / "_preflight",
    ROOT / "tests" / "unit" / "plugins" / "module_utils" / "_connectivity",
    ROOT / "tests" / "unit" / "plugins" / "module_utils" / "_release",
)
NAMED = sorted(
    {word for word in re.findall(r"`([^`\s]+)`", TEXT) if "/" in word or re.search(r"\.(py|yml|yaml|json)$", word)}
)
ROOMS = {path.name for path in (ROOT / "plugins" / "module_utils").iterdir() if path.is_dir()} - {"__pycache__"}
# CONTRIBUTING.md also names addresses and files made later: only names that begin with our folders are checked.
OURS = ROOMS | {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {"build"}
WORDS = re.findall(r"`([^`\s]+)`", CONTRIBUTING)
CONTRIBUTED = {word for word in WORDS if word.partition("/")[0] in OURS or word.endswith(".py")}


@pytest.mark.parametrize("name", sorted({*NAMED, *CONTRIBUTED}))
def test_every_file_named_is_there(name: str) -> None:
    pattern = re.sub(r"<\w+>", "*", name).rstrip("/")
    assert any(list(place.glob(pattern)) for place in PLACES)


def test_every_room_is_named() -> None:
    for document in (TEXT, (ROOT / "plugins" / "module_utils" / "README.md").read_text(encoding="utf-8")):
        assert {room for room in ROOMS if room in document} == ROOMS


def test_the_page_stays_one_page() -> None:
    assert len(TEXT.splitlines()) <= ONE_PAGE
