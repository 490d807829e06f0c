"""What the short texts of all reports share, for a person who looks at them for ten seconds."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import textwrap
import typing as t

Row = dict[str, t.Any]

FINDINGS = 3
WIDTH = 150
HEIGHT = 15
_LISTED = ("fail", "unknown", "warn", "skip")


def wrapped(lines: t.Iterable[str]) -> list[str]:
    """Lines of at most WIDTH characters; what is longer goes on in the next one, for its end may be what matters.

    More than HEIGHT lines are not read in ten seconds, so those that come last are cut where there is no room.
    """
    given = list(lines)
    spare = max(0, HEIGHT - len(given))
    found: list[str] = []
    for line in given:
        indent = " " * (len(line) - len(line.lstrip()) + 5)
        parts = textwrap.wrap(line, WIDTH, subsequent_indent=indent, drop_whitespace=True) or [line]
        kept = parts[: 1 + spare]
        if len(kept) < len(parts):
            kept[-1] = f"{kept[-1][: WIDTH - 2].rstrip()} …"
        spare -= len(kept) - 1
        found += kept
    return found


def complaints(found: t.Sequence[Row], *, reported: bool = True) -> list[str]:
    """The worst that nobody accepted, with what to do; the others are counted, and named where no report has them."""
    listed = [item for item in found if item["severity"] in _LISTED and "accepted" not in item]
    # Worst first: what was skipped stands at the end, and is never shown in place of a complaint.
    shown = [item for item in listed[:FINDINGS] if item["severity"] != "skip"]
    lines = []
    for item in shown:
        where = f" ({item['revision']})" if "revision" in item else ""
        lines += [f"{item['severity']} {item['id']}{where}: {item['message']}", f"     do: {item['hint']}"]
    others = listed[len(shown) :]
    left = [item["severity"] for item in others]
    counts = [f"{left.count(name)} {name}" for name in _LISTED if name in left]
    accepted = sum("accepted" in item for item in found)
    counts += [f"{accepted} accepted"] if accepted else []
    if not counts:
        return lines
    elsewhere = "; in the report" if reported else ""
    named = f" ({', '.join(dict.fromkeys(item['id'] for item in others))})" if others and not reported else ""
    return [*lines, f"further: {', '.join(counts)}{named}{elsewhere}"]


__all__ = ("WIDTH", "complaints", "wrapped")
