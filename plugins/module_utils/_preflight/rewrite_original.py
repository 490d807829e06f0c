"""What a rewritten revision keeps of the original's file: its downgrade, and whatever that needs."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import dataclasses
import typing as t

# What a rewrite says itself.
_IDENTIFIERS = {"revision", "down_revision", "branch_labels", "depends_on"}
_FUTURE = "__future__"


@dataclasses.dataclass(frozen=True)
class Original:
    """The texts of a file.

    :param doc: its docstring
    :param future: its imports from __future__
    :param imports: other imports that the downgrade needs
    :param helpers: what else it needs
    :param downgrade: the function, with its decorators; empty where there is none
    :param names: all that is bound at the top of what is kept
    :param identifiers: the values of down_revision, branch_labels and depends_on as the file writes them
    """

    doc: str
    future: str
    imports: str
    helpers: str
    downgrade: str
    names: frozenset[str]
    identifiers: dict[str, str]


def read(text: str) -> Original:
    """The parts of a revision's file.

    :raises SyntaxError: it is no Python
    """
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    body = [node for node in tree.body if not _is_doc(node, tree)]
    identifiers = {}
    for node in body:
        name = _assigned(node)
        if name in _IDENTIFIERS and (value := getattr(node, "value", None)) is not None:
            identifiers[name] = ast.get_source_segment(text, value) or "None"
    needed = _needed(body)
    future: list[str] = []
    imports: list[str] = []
    helpers: list[str] = []
    downgrade = ""
    names: set[str] = set()
    for node in body:
        bound = _bound(node)
        if isinstance(node, ast.ImportFrom) and node.module == _FUTURE:
            future.append(_text(node, lines))
        elif _assigned(node) in _IDENTIFIERS or "upgrade" in bound or not bound & needed:
            continue
        elif "downgrade" in bound:
            downgrade = _text(node, lines)
        else:
            names |= bound
            (imports if isinstance(node, (ast.Import, ast.ImportFrom)) else helpers).append(_text(node, lines))
    doc = ast.get_docstring(tree, clean=False) or ""
    kept = ("".join(imports), "\n\n".join(helpers), downgrade)
    return Original(doc, "".join(future), *kept, frozenset(names), identifiers)


def _is_doc(node: ast.stmt, tree: ast.Module) -> bool:
    return node is tree.body[0] and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _assigned(node: ast.stmt) -> str | None:
    """The one name to which a statement assigns."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    target = node.target if isinstance(node, ast.AnnAssign) else target
    return target.id if isinstance(target, ast.Name) else None


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement at the top of a file binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            found.add(part.id)
        elif isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            found.add(part.name)
        elif isinstance(part, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in part.names}
    return found


def _needed(body: t.Sequence[ast.stmt]) -> set[str]:
    """The names that the downgrade reads, and those that these read in turn."""
    needed, todo = {"downgrade"}, {"downgrade"}
    # A star may bind any name.
    needed |= {"*"} if any("*" in _bound(node) for node in body) else set()
    while todo:
        name = todo.pop()
        for node in body:
            if name in _bound(node) and "upgrade" not in _bound(node):
                read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                todo |= read - needed
                needed |= read
    return needed


def _text(node: ast.stmt, lines: t.Sequence[str]) -> str:
    """The lines of a statement, with its decorators and the comments right above it."""
    begin = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))]) - 1
    while begin and lines[begin - 1].lstrip().startswith("#") and not lines[begin - 1].startswith("#!"):
        begin -= 1
    text = "".join(lines[begin : node.end_lineno])
    return text if text.endswith("\n") else text + "\n"


__all__ = ("Original", "read")
