"""Write tests/sanity/ignore-*.txt from one list, a reason for each line: ``python -m dev.ignores``.

ansible-test reads the file of its own minor version alone, so the same exceptions have to stand in each.
"""

from __future__ import annotations

import fnmatch
import sys
import typing as t
from pathlib import Path

from dev.artefact import tracked
from dev.sanity import CORES
from lab.paths import ROOT


class Ignored(t.NamedTuple):
    """Files (patterns in which `*` takes in folders) that one sanity test is not asked about, and why."""

    patterns: tuple[str, ...]
    test: str
    reason: str


IGNORED = [
    Ignored(
        ("chart/templates/*.yaml", "examples/*/templates/*.yaml", "subcharts/*/templates/*.yaml"),
        "yamllint!skip",
        "a Go template is no YAML",
    ),
]


def text(files: list[Path]) -> str:
    """The text of an ignore file: one line for each file and exception, sorted."""
    lines = [
        f"{file.as_posix()} {one.test}  # {one.reason}"
        for one in IGNORED
        for file in files
        if any(fnmatch.fnmatchcase(file.as_posix(), pattern) for pattern in one.patterns)
    ]
    return "".join(f"{line}\n" for line in sorted(lines))


def files(root: Path = ROOT) -> list[Path]:
    """The ignore files that there must be, one for each ansible-core."""
    return [root / "tests" / "sanity" / f"ignore-{core}.txt" for core in CORES]


def main() -> int:
    """Write them; return the exit code."""
    wanted = text(tracked())
    for file in files():
        file.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
