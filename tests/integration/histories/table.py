"""What the tests of whole histories saw, as lines of one table: in a run's summary, in its report, in the benchmark."""

from __future__ import annotations

import dataclasses
import json
import typing as t

# The name of the property under which a test keeps a line in pytest's report.
PROPERTY: t.Final = "history"
_TITLES = (
    "project", "from", "revisions", "not known", "nor by a trace", "statements", "refused", "strong locks: claimed",
    "unclaimed", "false fails", "dumps equal",
)  # fmt: skip


@dataclasses.dataclass
class Line:
    """One upgrade of one project.

    :param start: the state from which it goes to the heads
    :param revisions: that are pending
    :param unknown: of these, those that are not known before they run, wholly or in part
    :param untraced: of these, those that are not known by a trace either
    :param statements: that the server took, of revisions that are known
    :param refused: that it did not take
    :param claimed: locks that block writes, taken on tables that were there before, as it was said
    :param unclaimed: locks, rewrites and scans of such tables that were not
    :param false_fails: of statements that the server took, those of which it was said that they fail
    :param equal: whether the whole database was the same before and after the judgement, and, from nothing, the schema
        is the one that Alembic itself makes
    """

    project: str
    start: str
    revisions: int = 0
    unknown: int = 0
    untraced: int = 0
    statements: int = 0
    refused: int = 0
    claimed: int = 0
    unclaimed: int = 0
    false_fails: int = 0
    equal: bool = False

    def text(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def of(cls, text: str) -> Line:
        """From what `text` returned."""
        return cls(**json.loads(text))


def share(lines: t.Iterable[Line]) -> tuple[int, int]:
    """Of the revisions of all lines, those that are not known before they run, and all."""
    kept = list(lines)
    return sum(line.unknown for line in kept), sum(line.revisions for line in kept)


def table(lines: t.Iterable[Line]) -> str:
    """The lines by project under their titles, and their sums; empty without lines."""
    kept = sorted(lines, key=lambda line: (line.project, line.start))
    if not kept:
        return ""
    rows = [_TITLES, *(_cells(line) for line in kept), _sums(kept)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(line: Line) -> tuple[str, ...]:
    numbers = (line.statements, line.refused, line.claimed, line.unclaimed, line.false_fails)
    known = [_part(number, line.revisions) for number in (line.unknown, line.untraced)]
    return (line.project, line.start, str(line.revisions), *known, *map(str, numbers), "yes" if line.equal else "NO")


def _sums(lines: t.Sequence[Line]) -> tuple[str, ...]:
    unknown, revisions = share(lines)
    whole = Line(f"{len({line.project for line in lines})} projects", "", revisions, unknown)
    for name in ("untraced", "statements", "refused", "claimed", "unclaimed", "false_fails"):
        setattr(whole, name, sum(getattr(line, name) for line in lines))
    whole.equal = all(line.equal for line in lines)
    return _cells(whole)


def _part(some: int, whole: int) -> str:
    return f"{some} ({some / max(1, whole):.0%})"
