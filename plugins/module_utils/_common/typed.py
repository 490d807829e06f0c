"""Whether what was read from outside has the type that it is going to be used as."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import types
import typing as t

Test = t.Callable[[t.Any], bool]


def test_of(annotation: t.Any) -> Test:
    """A function that tests whether a JSON value has this type: TypedDicts, lists, dictionaries, unions, plain types.

    A TypedDict has all of its required keys and none beside its own; a whole number is no bool, and no float.
    """
    if t.is_typeddict(annotation):
        return functools.partial(_is_typed, _tests(annotation), annotation.__required_keys__)
    inner = [test_of(part) for part in t.get_args(annotation)]
    if isinstance(annotation, types.UnionType):
        return lambda value: any(test(value) for test in inner)
    if t.get_origin(annotation) is list:
        return lambda value: isinstance(value, list) and all(map(inner[0], value))
    if t.get_origin(annotation) is dict:
        return lambda value: isinstance(value, dict) and all(map(inner[1], value.values()))
    # In Python a bool is an int as well; no other JSON value is an instance of two types.
    return lambda value: isinstance(value, annotation) and (annotation is bool or not isinstance(value, bool))


@functools.cache
def _tests(annotation: t.Any) -> dict[str, Test]:
    return {name: test_of(hint) for name, hint in t.get_type_hints(annotation).items()}


def _is_typed(tests: dict[str, Test], required: frozenset[str], value: t.Any) -> bool:
    if not isinstance(value, dict) or not required <= value.keys() or not value.keys() <= tests.keys():
        return False
    return all(tests[name](item) for name, item in value.items())


__all__ = ("test_of",)
