"""Write the table of docs/failures.md from tests/faults.yml: ``python -m dev.faults``."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import yaml

from dev.generated import between
from lab.paths import ROOT

Row = dict[str, t.Any]

PAGE, FAULTS = ROOT / "docs" / "failures.md", ROOT / "tests" / "faults.yml"
BEGIN, END = "<!-- faults: begin (python -m dev.faults) -->", "<!-- faults: end -->"


def read() -> list[Row]:
    """What the file says, in its order."""
    found: list[Row] = yaml.safe_load(FAULTS.read_text(encoding="utf-8"))["faults"]
    return found


def problems(faults: list[Row], runbook: str, code: Path) -> list[str]:
    """What is not there: a heading of the runbook, or the function that makes a fault; none where all is well.

    :param code: folder whose Python files hold the functions
    """
    headings = {line.lstrip("#").strip() for line in runbook.splitlines() if line.startswith("#")}
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(code.glob("in_*.py")))
    lost = [f"{row['key']}: no heading {row['finding']}" for row in faults if row["finding"] not in {"", *headings}]
    return lost + [f"{row['key']}: no function" for row in faults if f"\ndef {row['key']}(" not in source]


def table(faults: list[Row]) -> str:
    """The faults as Markdown."""
    lines = ["| fault | callers meanwhile | the role | the next run | seen |", "|---|---|---|---|---|"]
    for row in faults:
        callers = "503 with Retry-After" if row.get("away") else row.get("callers", "served by the old version")
        finding = row["finding"]
        told = f"names [{finding}](runbook.md#{finding})" if finding else "goes through it to its end"
        cells = (row["fault"], callers, told, row.get("next", "deploys"), str(row.get("seen", "not yet")))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def updated(text: str) -> str:
    """The page with the table as the file is now."""
    return between(text, BEGIN, END, table(read()))


def main() -> int:
    """Write it; return the exit code."""
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
