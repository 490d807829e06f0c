"""What docs/architecture.md and CONTRIBUTING.md name is there, so that a newcomer finds it."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ONE_PAGE = 160
PROSE, _, TABLE = TEXT.partition("| what asks for it |\n")
# In prose a name is looked up from the top, or from where the text speaks of rooms and of the role's steps.
PLACES = (
    ROOT,
    ROOT / "plugins" / "module_utils",
    ROOT / "plugins" / "module_utils" / "_sql",
    ROOT / "plugins" / "module_utils" / "_in_pod",
    ROOT / "plugins" / "module_utils" / "_connectivity",
    ROOT / "plugins" / "module_utils" / "_preflight",
    ROOT / "plugins",
    ROOT / "roles" / "ai_agent",
    ROOT / "roles" / "ai_agent" / "tasks",
    ROOT / "tests" / "unit" / "plugins" / "module_utils",
    ROOT / "tests" / "unit" / "plugins" / "module_utils" / "_preflight",
)
FILE = re.compile(r"[\w*.<>-]+\.(?:py|tpl|yml|yaml|json|css|j2|md)|[\w*.<>/-]*/[\w*.<>/-]*")
NAMED = {word for word in re.findall(r"`([^`\s]+)`", PROSE) if FILE.fullmatch(word)}
# In the table that says where to add what, names are exact.
ROWS = [line.strip("|").split("|") for line in TABLE.splitlines()[1:]]
ROOMS = {path.name for path in (ROOT / "plugins" / "module_utils").iterdir() if path.is_dir()} - {"__pycache__"}
# CONTRIBUTING.md also names addresses and files made later: only names that begin with our folders are checked.
OURS = ROOMS | {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {"build"}
WORDS = re.findall(r"`([^`\s]+)`", CONTRIBUTING)
CONTRIBUTED = {word for word in WORDS if word.partition("/")[0] in OURS or word.endswith(".py")}


@pytest.mark.parametrize("name", sorted({*NAMED, *CONTRIBUTED}))
def test_every_file_named_is_there(name: str) -> None:
    pattern = re.sub(r"<\w+>", "*", name).rstrip("/")
    assert any(list(place.glob(pattern)) for place in PLACES)


def _files(cell: str, rooms: Path) -> t.Iterator[tuple[str, list[Path]]]:
    """Each file that a cell names, with what is there; a name without a folder has that of the name before it.

    :param rooms: where a path that begins with a room begins
    """
    folder = None
    for word in re.findall(r"`([^`\s]+)`", cell):
        if not FILE.fullmatch(word):
            continue
        pattern = re.sub(r"<\w+>", "*", word)
        if "/" in word:
            pattern = f"{rooms}/{pattern}" if word.partition("/")[0] in ROOMS else pattern
            folder = pattern.rpartition("/")[0]
        else:
            pattern = f"{folder}/{pattern}"
        yield word, list(ROOT.glob(pattern.rstrip("/")))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip()[:40])
def test_a_row_says_where_its_files_are_and_what_is_in_them(row: list[str]) -> None:
    what, where, tests = row
    code, units = Path("plugins/module_utils"), Path("tests/unit/plugins/module_utils")
    for cell, rooms in ((what, code), (where, code), (tests, units)):
        found = dict(_files(cell, rooms))
        assert [name for name, paths in found.items() if not paths] == []
        # `file` (`function`, …): what stands in brackets behind a file is a name in it.
        for name, inside in re.findall(r"`([^`\s]+)` \(([^()]*)\)", cell):
            for word in re.findall(r"`([^`\s]+)`", inside):
                if name in found and word not in found:
                    texts = [path.read_text(encoding="utf-8") for path in found[name] if path.is_file()]
                    assert any(word in text for text in texts), f"{name} has no {word}"


def test_every_room_is_named() -> None:
    for document in (TEXT, (ROOT / "plugins" / "module_utils" / "README.md").read_text(encoding="utf-8")):
        assert {room for room in ROOMS if room in document} == ROOMS


def test_the_page_stays_one_page() -> None:
    assert len(TEXT.splitlines()) <= ONE_PAGE
