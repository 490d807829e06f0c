"""A report of the preflight in at most fifteen lines, for a person who looks at it for ten seconds."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.table import complaints, wrapped
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import size
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode

Row = dict[str, t.Any]

REVISIONS = 5
_RISKS = ("none", "low", "unknown", "high")


def summary(full: Row, *, reported: bool = True) -> list[str]:
    """The lines of a report of report.report: verdict, pending revisions, worst findings.

    :param reported: the whole report was written somewhere, to which what is left out here can be referred
    """
    lines = [_head(full), *_revisions(full["pending"]), *complaints(full["findings"], reported=reported)]
    shown: list[str] = wrapped(lines)
    return shown


def _head(full: Row) -> str:
    live, target = (" ".join(full[name]) or "nothing" for name in ("live_revisions", "target_revisions"))
    pending = len(full["pending"])
    if because := full.get("pending_unknown"):
        stands = f"{full['state']} at {live}" if full["live_revisions"] else "database not asked"
        many = f"all {pending} revisions" if pending > 1 else "the one revision"
        what = f"pending at most {many} of the image" if pending else "what is pending is not known"
        return f"{full['verdict'].upper()}  {full['subject']}: {stands}, {what} ({because})"
    if not pending:
        # A state that was deduced comes without revisions.
        at = f" at {live}" if full["live_revisions"] else ""
        return f"{full['verdict'].upper()}  {full['subject']}: {full['state']}{at}, nothing to migrate"
    many = f"{pending} revisions" if pending > 1 else "1 revision"
    return f"{full['verdict'].upper()}  {full['subject']}: {full['state']}, {live} -> {target}, {many}"


def _revisions(pending: t.Sequence[Row]) -> list[str]:
    """The riskiest ones where there are too many, in their order; the others are counted."""
    kept = sorted(range(len(pending)), key=lambda at: (-_RISKS.index(pending[at]["risk"]), at))[:REVISIONS]
    rows = [
        (item["revision"], item["risk"], _largest(item), item["title"])
        for item in map(pending.__getitem__, sorted(kept))
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [
        "  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    ]
    if len(pending) > REVISIONS:
        left = [item["risk"] for at, item in enumerate(pending) if at not in kept]
        worst = max(left, key=_RISKS.index)
        lines.append(f"  and {len(left)} more, of risk {worst}" + (" at most" if worst != "none" else ""))
    return lines


def _largest(revision: Row) -> str:
    """The strongest lock on a table that exists, the largest table first, and what is done under it."""
    locks = [lock for item in revision["statements"] for lock in item["locks"] if "bytes" in lock]
    if not locks:
        return "no lock on a table that exists" if revision["statements"] else "no statement that could be read"
    lock = max(
        locks,
        key=lambda item: (item["rewrite"] or bool(item["scan"]), Mode.of_words(item["mode"]), item["total_bytes"]),
    )
    doing = ", rewrites it" if lock["rewrite"] else ", reads it" if lock["scan"] else ""
    return f"{lock['mode']} on {lock['table']} {size(max(lock['bytes'], lock['total_bytes']))}{doing}"


__all__ = ("summary",)
