"""docs/faults.md: every fault has its line, and every test that a line names is there."""

from __future__ import annotations

import ast
import re

import pytest

from lab import shell
from lab.paths import ROOT

TEXT = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)
FAULTS = [*(f"S{number}" for number in range(1, 18)), *(f"L{number}" for number in range(1, 14))]
FAULTS += [
    "04",
    "08",
    *(str(number) for number in (16, 21, *range(23, 32))),
    *(f"G{number}" for number in range(1, 17)),
]


def rows() -> list[list[str]]:
    """The cells of the table."""
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def test_every_fault_has_its_line_with_a_test() -> None:
    told = [fault for row in rows() for fault in row[0].split(", ")]
    assert set(told) == set(FAULTS)
    for row in rows():
        assert len(row) == 4, row[0]
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", row[2]), row[0]
        assert re.fullmatch(r"`[0-9a-f]{7}`(, `[0-9a-f]{7}`)*", row[3]), row[0]


def test_every_commit_is_in_the_history() -> None:
    """A clone that is shallow, or a copy without its history, knows none of them."""
    told = shell.capture(["git", "-C", ROOT, "rev-parse", "--is-shallow-repository"])
    if told.stdout.strip() != "false":
        return
    for commit in sorted({commit for row in rows() for commit in re.findall(r"[0-9a-f]{7}", row[3])}):
        there = shell.capture(["git", "-C", ROOT, "merge-base", "--is-ancestor", commit, "HEAD"])
        assert there.returncode == 0, f"{commit}: {there.stderr}"


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_the_test_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_that_the_reference_agent_authenticates_nobody_is_said() -> None:
    assert "The reference agent authenticates nobody" in (ROOT / "docs/agent-image.md").read_text(encoding="utf-8")


def test_the_clean_up_names_every_kind_that_hooks_leave() -> None:
    """What a hook keeps after it succeeded is no part of the release, and helm uninstall leaves it."""
    left = set()
    for file in (ROOT / "chart/templates").rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        if (
            "helm.sh/hook" in text
            and 'hook-succeeded"' not in text.replace('"hook-failed"', "")
            and 'before-hook-creation"' in text
        ):
            left |= {kind.lower() for kind in re.findall(r"^kind: (\w+)$", text, re.MULTILINE)}
    library = (ROOT / "subcharts/platform-library/templates/_migration.tpl").read_text(encoding="utf-8")
    if '"helm.sh/hook-delete-policy" "before-hook-creation"' in library:
        left |= {kind.lower() for kind in re.findall(r"^kind: (\w+)$", library, re.MULTILINE)}
    [line] = re.findall(
        r"kubectl delete ([\w,]+) -n \w+ -l app=my-agent", (ROOT / "chart/README.md").read_text(encoding="utf-8")
    )
    assert {"pod", "job"} <= left <= set(line.split(","))
