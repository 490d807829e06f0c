"""Write the tables of values in a chart's README.md from its annotated values.yaml: ``python -m dev.chart_readme``.

A library has another table, of its templates, from the comments above them.
"""

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
CHARTS = (CHART, ROOT / "subcharts" / "platform-library")
TEMPLATES_BEGIN, TEMPLATES_END = "<!-- templates: begin (python -m dev.chart_readme) -->", "<!-- templates: end -->"
TEMPLATE = re.compile(r'(?:\{\{/\*((?:(?!\*/).)*)\*/\}\}\n)?\{\{- define "([^"]+)" -\}\}', re.DOTALL)
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
            raise ReadmeError(f"values.yaml: {path} has no description: write one above it, after `# -- `.")
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


def templates(chart: Path) -> str:
    """Return one Markdown table for each file of a library's templates.

    :raises ReadmeError: a template that no comment stands above
    """
    parts = []
    for file in sorted(chart.glob("templates/_*.tpl")):
        rows = []
        for comment, name in TEMPLATE.findall(file.read_text(encoding="utf-8")):
            if not comment.strip():
                raise ReadmeError(f"{file.name}: {name} has no comment: write one above it, with its argument.")
            rows.append(f"| `{name}` | {cell(' '.join(comment.split()))} |")
        head = ["| template | what it renders, and its argument |", "|---|---|"]
        parts.append("\n".join([f"### {file.stem.removeprefix('_')}", "", *head, *rows]))
    return "\n\n".join(parts)


def updated(readme: str, values: str, templates: str = "") -> str:
    """Return the README with its tables made anew."""
    marks = [(BEGIN, END, tables(values)), (TEMPLATES_BEGIN, TEMPLATES_END, templates)]
    for begin, end, text in marks:
        if begin in readme:
            head, _, rest = readme.partition(begin)
            _, _, tail = rest.partition(end)
            readme = f"{head}{begin}\n\n{text}\n\n{end}{tail}"
    return readme


def main(*charts: Path) -> int:
    """Write the READMEs; return the exit code."""
    for chart in charts or CHARTS:
        file = chart / "README.md"
        try:
            values = (chart / "values.yaml").read_text(encoding="utf-8")
            readme = file.read_text(encoding="utf-8")
            text = updated(readme, values, templates(chart) if TEMPLATES_BEGIN in readme else "")
        except ReadmeError as error:
            print(error, file=sys.stderr)
            return 1
        file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
