"""The servers of others in examples/: which releases are tried, and the README's parts that say it.

``python -m dev.examples`` writes those parts from examples/servers.yml and from what the tests saw (examples/seen.yml).
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
import typing as t
from pathlib import Path

import yaml

from dev import environments
from dev.generated import between
from lab.paths import ROOT

Row = dict[str, t.Any]

FOLDER: t.Final = ROOT / "examples"
PINS, SEEN, README = FOLDER / "servers.yml", FOLDER / "seen.yml", FOLDER / "README.md"
TABLE = ("<!-- seen: begin (python -m dev.examples) -->", "<!-- seen: end -->")
BREAKS = ("<!-- breaks: begin (python -m dev.examples) -->", "<!-- breaks: end -->")
IMAGES = ("<!-- images: begin (python -m dev.examples) -->", "<!-- images: end -->")


@dataclasses.dataclass(frozen=True)
class Example:
    """One server, as servers.yml has it.

    :param name: of its folder
    :param older: the release whose database is upgraded
    :param newer: the release that its values deploy
    :param more: what else is installed
    :param scripts: Alembic's folder with env.py, a resource of the package
    :param breaks: parts of the contract that it does not keep, with what follows
    :param until: the day as of which everything else is taken, YYYY-MM-DD
    """

    name: str
    title: str
    package: str
    older: str
    newer: str
    more: tuple[str, ...]
    scripts: str
    until: str
    breaks: dict[str, str] = dataclasses.field(default_factory=dict)

    def requirements(self, version: str) -> tuple[str, ...]:
        """What pip installs for a release of it, the server first."""
        return (f"{self.package}=={version}", *self.more)

    @property
    def values(self) -> Row:
        """The values file."""
        return t.cast("Row", yaml.safe_load((FOLDER / self.name / "values.yaml").read_text(encoding="utf-8")))

    def environment(self, version: str) -> Path:
        """An environment with a release of it, made on first use and kept in the cache.

        :raises LabError: PyPI cannot be reached, or lacks a requirement
        """
        return environments.kept(self.requirements(version), self.until)


def read() -> dict[str, Example]:
    """All of them by name."""
    pins = yaml.safe_load(PINS.read_text(encoding="utf-8"))
    return {
        name: Example(
            name,
            row["title"],
            row["package"],
            str(row["older"]),
            str(row["newer"]),
            tuple(row["with"]),
            row["scripts"],
            pins["until"],
            row.get("breaks") or {},
        )
        for name, row in pins["servers"].items()
    }


def seen() -> dict[str, Row]:
    """What the tests saw, by the example's name."""
    return t.cast("dict[str, Row]", yaml.safe_load(SEEN.read_text(encoding="utf-8")) or {}) if SEEN.exists() else {}


def record(name: str, row: Row) -> None:
    """Write what was seen of one example into seen.yml, in the place of what was there."""
    rows = seen() | {name: row}
    whole = {each: rows[each] for each in read() if each in rows}
    head = "# What tests/integration/servers saw: EXAMPLES_RECORD=1 writes it, python -m dev.examples reads it.\n"
    SEEN.write_text(f"{head}{yaml.safe_dump(whole, sort_keys=False, width=120)}", encoding="utf-8")


def table(rows: dict[str, Row]) -> str:
    """What was run, as Markdown: a line for each example."""
    lines = [
        "| example | server | migration by | database of -> to | revisions | preflight | migrates | starts | ends |",
        f"|{'---|' * 9}",
    ]
    for example in read().values():
        row, values = rows[example.name], example.values["migration"]
        tool = "Alembic" if values.get("tool", "alembic") == "alembic" else " ".join(values["command"])
        span = f"{example.older} (`{row['from']}`) -> {example.newer} (`{row['to']}`)"
        cells = [
            f"[{example.name}]({example.name}/values.yaml)",
            f"{example.title}",
            tool if tool == "Alembic" else f"`{tool}`",
            span,
            str(row["revisions"]),
            _judged(row),
            *(f"{row['seconds'][name]:.0f} s" for name in ("migration", "start", "end")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def broken() -> str:
    """What a server does not keep, as Markdown."""
    found = [(each.name, part, words) for each in read().values() for part, words in each.breaks.items()]
    return "\n".join(f"- {name}, {part}: {words.strip()}" for name, part, words in found)


def _judged(row: Row) -> str:
    told = "; ".join(f"{severity}: {ids}" for severity, ids in row["findings"].items())
    return f"{row['verdict']}{f' ({told})' if told else ''}"


def dockerfiles() -> str:
    """The images' recipes, as Markdown."""
    blocks = []
    for example in read().values():
        words = shlex.join(example.requirements(example.newer))
        lines = [f"# {example.name}", "FROM python:3.13-slim-trixie", f"RUN pip install --no-cache-dir {words}"]
        blocks.append("\n".join(["```dockerfile", *lines, "USER 1000:1000", "WORKDIR /tmp", "```"]))
    return "\n\n".join(blocks)


def updated(text: str) -> str:
    """The README with its parts as they follow from the files."""
    parts = ((TABLE, table(seen())), (BREAKS, broken()), (IMAGES, dockerfiles()))
    for (begin, end), content in parts:
        text = between(text, begin, end, content)
    return text


def main() -> int:
    """Write the parts; return the exit code."""
    README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
