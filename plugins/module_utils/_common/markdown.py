"""The preflight's report as Markdown, for the comment of a pull request or the summary of a pipeline."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.places import Place

# A comment of GitHub holds 65,536 characters.
MOST_ROWS = 50
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&@])")


def markdown(full: dict[str, t.Any], places: t.Sequence[Place | None]) -> str:
    """Verdict, a table of what is not accepted, worst first, and what is accepted with its reasons.

    :param full: the report of report.report
    :param places: one for each of its findings, None where it is in no file of a repository
    """
    pairs = list(zip(full["findings"], places, strict=True))
    open_ = [(item, place) for item, place in pairs if "accepted" not in item]
    accepted = [item for item in full["findings"] if "accepted" in item]
    lines = [f"## Migration preflight: {full['verdict']}", "", _headline(full), ""]
    if open_:
        lines += ["| | Finding | Where | What | What to do |", "|---|---|---|---|---|"]
        lines += [_row(item, place) for item, place in open_[:MOST_ROWS]]
        lines.append("")
    if len(open_) > MOST_ROWS:
        lines += [f"{len(open_) - MOST_ROWS} more findings are in the report.", ""]
    if accepted:
        lines += ["Accepted:", "", *(f"- {_plain(item['id'])}: {_plain(item['accepted'])}" for item in accepted), ""]
    return "\n".join(lines)


def _headline(full: dict[str, t.Any]) -> str:
    counts = full["counts"]
    words = [f"{counts[name]} {name}" for name in ("fail", "warn", "skip", "pass") if counts[name]]
    pending = full.get("pending")
    before = f"{len(pending)} pending revisions on " if pending else ""
    return f"{before}{_plain(full['subject'])}: {', '.join(words) or 'nothing found'}."


def _row(item: dict[str, t.Any], place: Place | None) -> str:
    cells = [
        item["severity"],
        _plain(item["id"]),
        f"{_plain(place.file)}:{place.line}" if place else _plain(item.get("revision", "")),
        _plain(item["message"]),
        _plain(item["hint"]),
    ]
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    """The text in one line, without a character that Markdown or HTML would read as more than itself."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


__all__ = ("markdown",)
