"""Sequences as a statement leaves them: their bounds, where they stand, and what PostgreSQL refuses of the options.

Source: init_params in src/backend/commands/sequence.c, setval and nextval_internal beside it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name

# By the internal name of the type, the greatest number of it; the least is one further from zero.
MOST: t.Final = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1}
# Options that say nothing of the numbers.
_OTHER: t.Final = {"owned_by", "logged", "generated", "sequence_name"}


@dataclasses.dataclass(frozen=True)
class Sequence:
    """A sequence.

    :param kind: the internal name of its type
    :param last: pg_sequence.last_value of its row, None where it is not known
    :param called: that number was given, so that the next one follows it
    """

    kind: str = "int8"
    least: int = 1
    most: int = MOST["int8"]
    start: int = 1
    increment: int = 1
    cycles: bool = False
    last: int | None = None
    called: bool | None = None

    def next_number(self) -> int | None:
        """The number that the next INSERT takes; None where it is not known, or where there is none any more."""
        if self.last is None or self.called is None:
            return None
        if not self.called:
            return self.last
        number = self.last + self.increment
        if self.least <= number <= self.most:
            return number
        return (self.least if self.increment > 0 else self.most) if self.cycles else None

    def comes_to(self, value: int) -> bool:
        """Whether it gives this number some time, before it begins again."""
        number = self.next_number()
        if number is None or not self.least <= value <= self.most:
            return False
        return (value - number) * self.increment >= 0 and (value - number) % self.increment == 0

    def is_used_up(self) -> bool:
        """Whether nextval() fails from now on."""
        return self.last is not None and self.called is not None and self.next_number() is None

    def numbers_left(self) -> int | None:
        """How many it still gives before it begins again or ends; None where that is not known."""
        number = self.next_number()
        if number is None:
            return 0 if self.is_used_up() else None
        end = self.most if self.increment > 0 else self.least
        return (end - number) // self.increment + 1


def altered(
    before: Sequence | None, options: t.Iterable[t.Any], kind: str | None = None
) -> tuple[Sequence, str | None]:
    """What options make of a sequence, and why the server refuses them, as a sentence without its full stop.

    :param before: None where it is made
    :param options: DefElem nodes
    :param kind: of a new one, the type of its column
    """
    given = {str(option.defname): option.arg for option in options}
    old = before or Sequence(kind=kind or "int8")
    new_kind = old.kind
    if "as" in given:
        new_kind = qualified_name(given["as"].names or ())[1]
    if new_kind not in MOST:
        return old, f"A sequence is of type smallint, integer or bigint, and not {new_kind}"
    increment = _number(given.get("increment"), old.increment)
    if increment == 0:
        return old, "INCREMENT is 0, and must not be"
    cycles = bool(given["cycle"].boolval) if given.get("cycle") is not None else old.cycles
    if "cache" in given and _number(given["cache"], 1) < 1:
        return old, f"CACHE is {_number(given['cache'], 1)}, and must be greater than 0"
    new, greatest, smallest = before is None, MOST[new_kind], -MOST[new_kind] - 1
    # Where the bounds are those of the old type, they become those of the new one.
    other_kind = not new and "as" in given
    widest, deepest = other_kind and old.most == MOST[old.kind], other_kind and old.least == -MOST[old.kind] - 1
    most, least = old.most, old.least
    if given.get("maxvalue") is not None:
        most = _number(given["maxvalue"], 0)
    elif new or "maxvalue" in given or widest:
        most = greatest if increment > 0 or widest else -1
    if given.get("minvalue") is not None:
        least = _number(given["minvalue"], 0)
    elif new or "minvalue" in given or deepest:
        least = smallest if increment < 0 or deepest else 1
    for name, value in (("MAXVALUE", most), ("MINVALUE", least)):
        if not smallest <= value <= greatest:
            return old, f"{name} is {value}, which the sequence's type ({new_kind}) does not hold"
    if least >= most:
        return old, f"MINVALUE is {least}, and must be less than MAXVALUE, {most}"
    start = (least if increment > 0 else most) if new else old.start
    start = _number(given.get("start"), start)
    last, called = (start, False) if new else (old.last, old.called)
    if "restart" in given:
        last, called = _number(given["restart"], start), False
    made = Sequence(new_kind, least, most, start, increment, cycles, last, called)
    return made, _out_of_bounds(made)


def with_kind(before: Sequence, kind: str) -> Sequence:
    """The sequence with another type; bounds that were those of the old type become those of the new one."""
    most = MOST[kind] if before.most == MOST[before.kind] else before.most
    least = -MOST[kind] - 1 if before.least == -MOST[before.kind] - 1 else before.least
    return dataclasses.replace(before, kind=kind, most=most, least=least)


def _out_of_bounds(made: Sequence) -> str | None:
    numbers = [("it would start", made.start)] + ([("it stands", made.last)] if made.last is not None else [])
    for words, number in numbers:
        if number < made.least:
            return f"MINVALUE is {made.least}, and {words} at {number}"
        if number > made.most:
            return f"MAXVALUE is {made.most}, and {words} at {number}"
    return None


def changes_numbers(options: t.Iterable[t.Any]) -> bool:
    """Whether an option is about the numbers at all."""
    return any(option.defname not in _OTHER for option in options)


def _number(node: t.Any, otherwise: int) -> int:
    """The value of an option: an Integer, or of great ones a Float; as a text where a driver quoted it."""
    if node is None:
        return otherwise
    if isinstance(node, ast.Integer):
        return node.ival or 0
    try:
        return int(str(node.fval if isinstance(node, ast.Float) else node.sval))
    except (AttributeError, ValueError):
        return otherwise


__all__ = ("MOST", "Sequence", "altered", "changes_numbers", "with_kind")
