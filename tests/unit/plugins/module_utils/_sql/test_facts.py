"""The facts that were recorded on real servers have the types of _sql/facts.py: no key more, none less."""

from __future__ import annotations

import json
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import (
    NO_FACTS,
    DatabaseFacts,
    ServerFacts,
    SlotRow,
    TableFacts,
)

RECORDED = sorted((Path(__file__).parent / "facts").glob("*.json"))


def unlike(value: t.Any, annotation: t.Any, where: str = "") -> list[str]:
    """Where a value is not of a type, which consists of TypedDicts, lists, dictionaries, unions and plain types."""
    parts = t.get_args(annotation)
    if isinstance(annotation, types.UnionType):
        complaints = [unlike(value, part, where) for part in parts]
        return [] if [] in complaints else complaints[0]
    if t.is_typeddict(annotation):
        if not isinstance(value, dict):
            return [f"{where} is {value!r}"]
        hints = t.get_type_hints(annotation)
        found = [f"{where}.{key} is missing" for key in sorted(annotation.__required_keys__ - value.keys())]
        found += [f"{where}.{key} has no type" for key in sorted(value.keys() - hints.keys())]
        known = sorted(value.keys() & hints.keys())
        return found + [line for key in known for line in unlike(value[key], hints[key], f"{where}.{key}")]
    if t.get_origin(annotation) is list and isinstance(value, list):
        return [line for number, item in enumerate(value) for line in unlike(item, parts[0], f"{where}[{number}]")]
    if t.get_origin(annotation) is dict and isinstance(value, dict):
        return [line for key, item in value.items() for line in unlike(item, parts[1], f"{where}.{key}")]
    fits = (
        annotation is t.Any or type(value) is annotation or (t.get_origin(annotation) is t.Literal and value in parts)
    )
    return [] if fits else [f"{where} is {value!r}"]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_facts(path: Path) -> None:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    assert unlike(recorded.pop("server"), ServerFacts) == []
    assert unlike(recorded, TableFacts) == []


def test_the_facts_of_no_database() -> None:
    assert unlike(NO_FACTS, DatabaseFacts) == []


def test_the_majors_are_recorded() -> None:
    assert [path.stem for path in RECORDED] == ["14", "15", "16", "17", "18"]


@pytest.mark.parametrize(
    ("slot", "complaints"),
    [
        ({"name": "a", "active": True, "kept_bytes": None}, []),
        ({"name": "a", "active": True, "kept_bytes": 1.5}, []),
        ({"name": "a", "active": True}, ["s.kept_bytes is missing"]),
        ({"name": "a", "active": 1, "kept_bytes": "x", "more": 1},
         ["s.more has no type", "s.active is 1", "s.kept_bytes is 'x'"]),
        (None, ["s is None"]),
    ],
)  # fmt: skip
def test_a_wrong_row_is_seen(slot: t.Any, complaints: list[str]) -> None:
    assert unlike(slot, SlotRow, "s") == complaints
