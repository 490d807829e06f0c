"""One style of docstrings: sentences first, then fields, as CONTRIBUTING.md says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.paths import ROOT

FIELD = re.compile(r":(?:param (?P<name>\w+)|return|raises [\w.]+): \S(?:.*[^.\s])?", re.DOTALL)
KINDS = ("param", "return", "raises")
# How other styles write the same: "Raises ValueError where …", "Args:", and "`name`: …" of a parameter.
ERROR_IN_PROSE = re.compile(r"\b[Rr]aises? (?:an? )?[A-Z]\w+")
HEADING = re.compile(r"^ *(?:Args|Arguments|Attributes|Parameters|Returns?|Yields|Raises):", re.MULTILINE)

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def python_files() -> list[Path]:
    """Those of the checkout; a link is checked where it leads."""
    made = {"build", "collections"}
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "." and path.name not in made]
    return sorted(path for folder in folders for path in folder.rglob("*.py") if not path.is_symlink())


def documented(text: str) -> Iterator[Documented]:
    """Each function and class with a docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Documented) and ast.get_docstring(node):
            yield node


def names(node: Documented) -> set[str]:
    """What a field may describe: parameters of a function, attributes of a class."""
    if isinstance(node, ast.ClassDef):
        targets = [item.target for item in node.body if isinstance(item, ast.AnnAssign)]
        return {target.id for target in targets if isinstance(target, ast.Name)}
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument}


def faults(node: Documented) -> list[str]:
    """What is of another style in a docstring."""
    prose, *fields = re.split(r"(?:^|\n)(?=:[a-z]+(?: [\w.]+)?: )", ast.get_docstring(node) or "")
    found = [f"no field: {field}" for field in fields if not FIELD.fullmatch(field)]
    described = [match["name"] for field in fields if (match := FIELD.fullmatch(field)) and match["name"]]
    found += [f"no parameter: {name}" for name in described if name not in names(node)]
    kinds = [re.split(r"[ :]", field)[1] for field in fields]
    if not found and kinds != sorted(kinds, key=KINDS.index):
        found.append(f"not in this order: {', '.join(KINDS)}")
    if fields and prose and not prose.endswith("\n"):
        found.append("no empty line before the fields")
    if fields and not prose and not node.name.startswith("_"):
        found.append("no sentence before the fields")
    found += [f"in a sentence: {error}" for error in ERROR_IN_PROSE.findall(prose)]
    found += [f"heading: {heading}" for heading in HEADING.findall(prose)]
    return found + [
        f"in a sentence: {name}" for name in names(node) if re.search(rf"(?:^|\n|[.;] )`?{name}`?: ", prose)
    ]


def test_the_sentence_of_a_class_is_that_of_its_making() -> None:
    (node,) = documented('class A:\n    def __init__(self, a):\n        """:param a: text"""\n')
    assert faults(node) == []


@pytest.mark.parametrize(
    ("docstring", "fault"),
    [
        ("Do it.\n\n    :param a: text. More of it\n    :return: text\n    :raises ValueError: text\n    ", None),
        (":param a: text", "no sentence before the fields"),
        ("A sentence: with a colon.", None),
        ("Do it. Raises ValueError.", "in a sentence: Raises ValueError"),
        ("Do it; raise ValueError where it fails.", "in a sentence: raise ValueError"),
        ("Do it.\n\n    a: text.\n    ", "in a sentence: a"),
        ("Do it. `a`: text.", "in a sentence: a"),
        ("Do it.\n\n    Args:\n        b: text.\n    ", "heading: Args:"),
        ("Do it.\n\n    :param b: text\n    ", "no parameter: b"),
        ("Do it.\n\n    :returns: text\n    ", "no field: :returns: text"),
        ("Do it.\n\n    :param a: text.\n    ", "no field: :param a: text."),
        ("Do it.\n    :param a: text\n    ", "no empty line before the fields"),
        (
            "Do it.\n\n    :raises ValueError: text\n    :param a: text\n    ",
            "not in this order: param, return, raises",
        ),
    ],
)
def test_another_style_is_seen(docstring: str, fault: str | None) -> None:
    (node,) = documented(f'def do(a):\n    """{docstring}"""\n')
    assert faults(node) == ([fault] if fault else [])


def test_every_docstring_has_the_one_style() -> None:
    paths = python_files()
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {fault}"
        for path in paths
        for node in documented(path.read_text(encoding="utf-8"))
        for fault in faults(node)
    ]
    assert len(paths) > 400
    assert not found, "\n".join(found)
