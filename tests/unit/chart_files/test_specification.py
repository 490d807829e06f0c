"""docs/specification.md lists every key on which chart and specification differ, with both values as they are."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SPECIFIED = yaml.safe_load(Path(__file__).with_name("specification.yaml").read_text())


def flat(value: t.Any, path: str = "") -> t.Iterator[tuple[str, t.Any]]:
    """Every leaf below a value, with its dotted path."""
    items: t.Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value):
        items = ((item["name"], item) for item in value)
    else:
        yield path, value
    for key, item in items:
        yield from flat(item, f"{path}.{key}" if path else str(key))


def cell(value: t.Any) -> str:
    return "absent" if value is None else f"`{value if isinstance(value, str) and value else json.dumps(value)}`"


def differences(name: str) -> dict[str, tuple[str, str]]:
    own = dict(flat(yaml.safe_load((ROOT / "chart" / name).read_text())))
    return {
        f"`{name}`: `{path}`": (cell(value), cell(own.get(path)))
        for path, value in flat(SPECIFIED[name])
        if own.get(path) != value
    }


def listed() -> dict[str, tuple[str, str, str]]:
    section = (ROOT / "docs" / "specification.md").read_text().partition("## Values")[2].partition("\n## ")[0]
    rows = [[part.strip() for part in line.strip("|").split(" | ")] for line in section.splitlines()]
    return {row[0]: (row[1], row[2], row[3].strip(" |")) for row in rows if row[0].startswith("`")}


@pytest.mark.parametrize("name", SPECIFIED)
def test_every_difference_is_in_the_table_with_both_values(name: str) -> None:
    told = {key: row[:2] for key, row in listed().items() if key.startswith(f"`{name}`")}
    assert told == differences(name)


def test_every_difference_has_a_reason() -> None:
    assert listed()
    assert not [key for key, row in listed().items() if len(row[2]) < 8]
