"""The table at the end of the scenario: fault, heading, requests and failed ones, seconds to heal, the role's words."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import asdict, dataclass, field

from lab.paths import LAB
from tests.integration.role.conftest import Run

KEPT = LAB / "reports" / "faults.json"
_WIDEST = 110


def sentence(run: Run) -> str:
    """The last error of a run, or its last word where nothing failed."""
    found: list[str] = re.findall(r"\[ERROR\]: (?:Task failed: )?(?:Action failed: )?(.*)", run.output)
    said = found or [line for line in run.output.splitlines() if "msg" in line] or [f"exit code {run.code}"]
    return " ".join(said[-1].split())


@dataclass
class Row:
    """What one fault came to."""

    fault: str
    finding: str
    said: str
    requests: int = 0
    later: int = 0
    failed: int = 0
    first_failed: str = ""
    seconds: float = 0
    heal_seconds: float = 0
    healed: bool = False


@dataclass
class Table:
    """All rows."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Keep one, also in a file."""
        self.rows.append(row)
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps([asdict(each) for each in self.rows], indent=1), encoding="utf-8")

    def print(self) -> None:
        """Print it for people."""
        head = ("fault", "finding", "requests", "503", "failed", "took", "heals", "the role said")
        lines: list[tuple[t.Any, ...]] = [head]
        for row in self.rows:
            heals = f"{row.heal_seconds:.0f} s" if row.healed else "NO"
            numbers = (row.requests, row.later, row.failed, f"{row.seconds:.0f} s", heals)
            lines.append((row.fault, row.finding, *numbers, row.said[:_WIDEST]))
        widths = [max(len(str(line[column])) for line in lines) for column in range(len(head))]
        print()
        for line in lines:
            print(" | ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        well = sum(row.healed for row in self.rows)
        print(f"{well} of {len(self.rows)} faults healed, {sum(row.failed for row in self.rows)} requests failed")
