"""Write the README's table of what is tested where from tests/matrix.yml: ``python -m dev.matrix``."""

from __future__ import annotations

import ast
import sys
import typing as t
from pathlib import Path

import yaml

from dev.generated import between
from lab.paths import ROOT

Row = dict[str, t.Any]

README, MATRIX = ROOT / "README.md", ROOT / "tests" / "matrix.yml"
BEGIN, END = "<!-- matrix: begin (python -m dev.matrix) -->", "<!-- matrix: end -->"
# Keys of a row that are no columns.
_ABOUT = frozenset({"name", "stage"})


def read() -> Row:
    """What the file says: `columns`, and `rows` with their tests by column."""
    found: Row = yaml.safe_load(MATRIX.read_text(encoding="utf-8"))
    return found


def problems(matrix: Row) -> list[str]:
    """What in it is not there: a column, a file, a folder, a test; none where all is well."""
    found = []
    for row in matrix["rows"]:
        found += [f"{row['name']}: no column {name}" for name in row.keys() - _ABOUT - set(matrix["columns"])]
        found += [f"{row['name']}: no test {each}" for each in _tests(row, matrix["columns"]) if not exists(each)]
    return found


def exists(test: str) -> bool:
    """Whether there is such a file, such a folder of a scenario, or such a function in such a file."""
    place, _colons, name = test.partition("::")
    path = ROOT / place
    if not name:
        return path.is_file() or (path / "molecule.yml").is_file()
    if not path.is_file():
        return False
    return any(isinstance(each, ast.FunctionDef) and each.name == name for each in ast.parse(path.read_text()).body)


def _tests(row: Row, columns: t.Iterable[str]) -> list[str]:
    return [test for column in columns for test in row.get(column) or ()]


def table(matrix: Row) -> str:
    """The matrix as Markdown: a cell names the files or scenarios, and is empty where nothing is tested."""
    head = ["combination", *matrix["columns"]]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in matrix["rows"]:
        cells = [", ".join(dict.fromkeys(_word(test) for test in row.get(name) or ())) for name in matrix["columns"]]
        about = row["name"] + (f" (stage {row['stage']})" if "stage" in row else "")
        lines.append(f"| {' | '.join([about, *cells])} |")
    return "\n".join(lines)


def _word(test: str) -> str:
    """A link to the file, in a short word."""
    path = test.partition("::")[0]
    return f"[{Path(path).stem.removeprefix('test_')}]({path})"


def updated(text: str) -> str:
    """The README with the table as the matrix is now."""
    return between(text, BEGIN, END, table(read()))


def main() -> int:
    """Write it; return the exit code."""
    README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
