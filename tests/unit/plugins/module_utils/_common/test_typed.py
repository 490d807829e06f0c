"""Whether a value has a type is told for each form of type that facts have."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.typed import test_of as typed


class Base(t.TypedDict):
    oid: int
    names: list[str | None]


class Row(Base, total=False):
    more: dict[str, int]


@pytest.mark.parametrize(
    ("value", "annotation", "fits"),
    [
        ({"oid": 1, "names": ["a", None]}, Row, True),
        ({"oid": 1, "names": [], "more": {"a": 1}}, Row, True),
        ({"oid": 1, "names": [], "more": {"a": "1"}}, Row, False),
        ({"oid": 1, "names": [], "other": 1}, Row, False),
        ({"oid": 1}, Row, False),
        ({"oid": True, "names": []}, Row, False),
        ({"oid": 1, "names": "ab"}, Row, False),
        ([], Row, False),
        (None, Row, False),
        (1, float, False),
        (1.5, float | None, True),
        (None, float | None, True),
        ("x", float | None, False),
    ],
)
def test_fits(value: t.Any, annotation: t.Any, fits: bool) -> None:
    assert typed(annotation)(value) is fits
