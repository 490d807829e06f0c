"""Write the index at the top of docs/runbook.md from its headings: ``python -m dev.runbook_index``."""

from __future__ import annotations

import re
import sys

from dev.generated import between
from lab.paths import ROOT

RUNBOOK = ROOT / "docs" / "runbook.md"
BEGIN, END = "<!-- index: begin (python -m dev.runbook_index) -->", "<!-- index: end -->"
FOLDED = "<details>\n<summary>All sections, by part</summary>"
HEADING = re.compile(r"^(##|###) (.+)$", re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading: lower case, punctuation gone, spaces as hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def index(text: str) -> str:
    """The folded index: a line for each part with links to its sections; parts without sections share the first."""
    alone: list[str] = []
    parts: list[tuple[str, list[str]]] = []
    for level, heading in HEADING.findall(text):
        link = f"[{heading}](#{anchor(heading)})"
        if level == "###":
            parts[-1][1].append(link)
        else:
            parts.append((link, []))
    lines = []
    for link, sections in parts:
        if sections:
            lines.append(f"- {link}: {', '.join(sections)}")
        else:
            alone.append(link)
    # Folded, for whoever opens the page in the middle of an incident needs the first screen for what to do.
    return "\n".join([FOLDED, "", f"- {', '.join(alone)}", *lines, "", "</details>"])


def updated(text: str) -> str:
    """The runbook with its index as its headings are now."""
    return between(text, BEGIN, END, index(text.partition(END)[2]))


def main() -> int:
    """Write it; return the exit code."""
    RUNBOOK.write_text(updated(RUNBOOK.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
