"""What ansible-core says of variables that do not fit their specification, in words without classes of Python."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

# The messages of ansible.module_utils.common.parameters and arg_spec, ansible-core 2.19 to 2.21.
_TYPE: t.Final = re.compile(
    r"^argument '(?P<name>[^']+)' is of type (?P<given>\w+)(?: found in '(?P<within>[^']+?)'\.?)?"
    r" and we were unable to convert to (?P<wanted>\w+): "
)
_UNKNOWN: t.Final = re.compile(r"^(?P<name>\S+)\. Supported parameters include: (?P<known>.*?)\.?$")
_TYPES: t.Final = {
    "NoneType": "null",
    "bool": "true or false",
    "dict": "a dictionary",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "path": "a text",
    "str": "a text",
}


def in_words(errors: t.Iterable[str]) -> list[str]:
    """The same messages for a person; one of another form stays as it is.

    :param errors: `argument_errors` of ansible.builtin.validate_argument_spec
    """
    return [_in_words(error) for error in errors]


def _in_words(error: str) -> str:
    if match := _TYPE.match(error):
        name = ".".join(part for part in (match["within"], match["name"]) if part)
        wanted, given = (_TYPES.get(match[group], match[group]) for group in ("wanted", "given"))
        return f"{name} must be {wanted}, and is {given}"
    if match := _UNKNOWN.match(error):
        return f"{match['name']} does not exist: there are {match['known']}"
    return error


__all__ = ("in_words",)
