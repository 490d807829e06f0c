"""The result of a trial for a person who reads it aloud, and as JSON."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import collections
import dataclasses
import textwrap
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import FORM
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.judge import Line, verdict

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._contract.facts import Facts

Row = dict[str, t.Any]

KIND: t.Final = "image contract"
WIDTH = 150
_ORDER = ("right", "set", "wrong", "missing", "unknown")


def table(lines: t.Sequence[Line]) -> list[str]:
    """A line for each part: status, part, what was seen, and the value behind an arrow."""
    wide = max((len(line.part) for line in lines), default=0)
    made: list[str] = []
    for line in lines:
        value = f" -> {line.value}" if line.value else ""
        head = f"{line.status:<7}  {line.part:<{wide}}  "
        made += textwrap.wrap(
            head + line.words + value, WIDTH, subsequent_indent=" " * len(head), break_long_words=False
        )
    return made


def sentence(image: str, lines: t.Sequence[Line]) -> str:
    """The outcome in one sentence."""
    found = verdict(list(lines))
    if found == "kept":
        values = sorted({line.value for line in lines if line.status == "set" and line.value})
        by = f", with {len(values)} values that say otherwise than the defaults" if values else ""
        return f"The image {image} keeps the contract{by}."
    if found == "unknown":
        parts = [line.part for line in lines if line.status == "unknown"]
        return f"The image {image} keeps what could be tried; not tried: {', '.join(parts) or 'anything'}."
    parts = [line.part for line in lines if line.status in {"wrong", "missing"}]
    return f"The image {image} does not keep the contract: {', '.join(parts)}."


def report(facts: Facts, lines: t.Sequence[Line], seconds: float) -> Row:
    """The report of a trial: the head of the other reports, with `lines` in the place of findings."""
    counts: collections.Counter[str] = collections.Counter(line.status for line in lines)
    made: Row = {
        "form": FORM,
        "kind": KIND,
        "subject": facts.image,
        "verdict": verdict(list(lines)),
        "counts": {name: counts.get(name, 0) for name in _ORDER},
        "lines": [line.as_dict() for line in lines],
        "seconds": round(seconds, 1),
        "facts": dataclasses.asdict(facts),
    }
    return t.cast("Row", all_printable(made))


__all__ = ("KIND", "report", "sentence", "table")
