"""Write the tables of values in chart/README.md from the annotated values.yaml: ``python -m dev.chart_readme``."""

from __future__ import annotations

import json
import re
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import yaml

from lab.paths import ROOT

CHART = ROOT / "chart"
BEGIN, END = "<!-- values: begin (python -m dev.chart_readme) -->", "<!-- values: end -->"
KEY = re.compile(r"^( *)([\w.-]+):")
COMMENT = re.compile(r"^ *#( -- | ?)(.*)$")


class ReadmeError(Exception):
    """A value without a description; the text names it."""


class Value(t.NamedTuple):
    """One value: its path, what it is for, what it is unless set."""

    path: str
    description: str
    default: t.Any


def described(text: str) -> Iterator[Value]:
    """Yield every annotated value of a values file; one annotation on a map speaks for all that is in it.

    :raises ReadmeError: a value that no annotation speaks for
    """
    values = yaml.safe_load(text)
    parents: list[tuple[int, str]] = []
    comment: list[str] | None = None
    spoken_for = -1
    for line in text.splitlines():
        if found := COMMENT.match(line):
            if found[1] == " -- ":
                comment = [found[2]]
            elif comment is not None:
                comment.append(found[2])
            continue
        key = KEY.match(line)
        if not key:
            comment = None
            continue
        depth = len(key[1])
        if spoken_for >= 0 and depth > spoken_for:
            continue
        spoken_for = -1
        parents = [parent for parent in parents if parent[0] < depth]
        parents.append((depth, key[2]))
        path = ".".join(name for _, name in parents)
        default = values
        for _, name in parents:
            default = default[name]
        if comment is not None:
            yield Value(path, " ".join(comment), default)
            spoken_for = depth
        elif not isinstance(default, dict) or not default:
            raise ReadmeError(f"chart/values.yaml: {path} has no description: write one above it, after `# -- `.")
        comment = None


def tables(text: str) -> str:
    """Return one Markdown table for each group of values."""
    groups: dict[str, list[Value]] = {}
    for value in described(text):
        group = value.path.partition(".")[0] if "." in value.path else "release"
        groups.setdefault(group, []).append(value)
    parts = []
    for group, members in groups.items():
        rows = [f"| `{value.path}` | {cell(value.description)} | {default(value.default)} |" for value in members]
        parts.append("\n".join([f"### {group}", "", "| key | what it is for | default |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def cell(text: str) -> str:
    """Return a text as a table's cell takes it."""
    return text.replace("|", "\\|")


def default(value: t.Any) -> str:
    """Return a value as code; nothing for an empty one, and where to look for one that no cell of a table can hold."""
    if value in ("", [], {}):
        return ""
    if isinstance(value, str) and "\n" in value:
        return "lines in values.yaml"
    return f"`{cell(value if isinstance(value, str) else json.dumps(value))}`"


def updated(readme: str, values: str) -> str:
    """Return the README with its tables made anew."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{tables(values)}\n\n{END}{tail}"


def main(chart: Path = CHART) -> int:
    """Write the README; return the exit code."""
    file = chart / "README.md"
    try:
        text = updated(file.read_text(encoding="utf-8"), (chart / "values.yaml").read_text(encoding="utf-8"))
    except ReadmeError as error:
        print(error, file=sys.stderr)
        return 1
    file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
