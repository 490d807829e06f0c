"""The examples' versions stand in one place; values files, records and the README's parts follow it."""

from __future__ import annotations

import pytest

from dev import examples
from dev.examples import FOLDER, README, Example

EXAMPLES = examples.read()
ON_EACH = pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))


def test_every_folder_with_values_is_named_there() -> None:
    folders = {file.parent.name for file in FOLDER.glob("*/values.yaml") if not (file.parent / "Chart.yaml").exists()}
    assert folders == set(EXAMPLES)


@ON_EACH
def test_its_values_deploy_the_newer_release(example: Example) -> None:
    assert example.values["agent"]["image"]["tag"] == example.newer
    first = (FOLDER / example.name / "values.yaml").read_text().partition("agent:")[0]
    assert f"{example.package} {example.newer} of PyPI" in first


@ON_EACH
def test_what_was_seen_is_of_these_releases(example: Example) -> None:
    row = examples.seen()[example.name]
    assert (row["older"], row["newer"]) == (example.older, example.newer)
    assert row["from"] != row["to"]
    kept = {part for part, status in row["contract"].items() if status in {"right", "set"}}
    assert set(row["contract"]) - kept == set(example.breaks)


def test_the_readme_shows_it() -> None:
    text = README.read_text(encoding="utf-8")
    assert examples.updated(text) == text, "run python -m dev.examples"
