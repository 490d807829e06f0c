"""What of a revision's text an upgrade of PostgreSQL runs.

Who supports several databases writes `if bind.dialect.name == "mysql":`, and helpers for what only one of them needs;
what is asked of the database there is asked of none of ours.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import typing as t

DIALECT = "postgresql"
# Calls of Alembic whose result has a dialect, the names under which Alembic is called, and what leads to the same one.
_HAVING_DIALECT = frozenset({"get_bind", "get_context"})
_ALEMBIC = frozenset({"op", "context", "batch_op"})
_SAME_DIALECT = frozenset({"bind", "connection", "engine"})
# By these a function may be called though nobody writes its name.
_BY_NAME = frozenset({"globals", "locals", "vars", "getattr", "eval", "exec", "import_module"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def upgrading(tree: ast.Module) -> list[ast.stmt]:
    """The parts that an upgrade runs: without `downgrade`, and without functions that none of the others names.

    A file without `upgrade` is a helper, of which others may name any function.
    """
    functions = {part.name: part for part in tree.body if isinstance(part, _FUNCTIONS)}
    rest = [part for part in tree.body if not isinstance(part, _FUNCTIONS)]
    if "upgrade" not in functions or _BY_NAME & _names(tree.body):
        return [part for part in tree.body if not (isinstance(part, _FUNCTIONS) and part.name == "downgrade")]
    # A decorator may hand a function to whoever calls it later.
    kept = {name for name, part in functions.items() if name == "upgrade" or part.decorator_list}
    todo: list[ast.stmt] = [*rest, *(functions[name] for name in kept)]
    while todo:
        found = _names([todo.pop()]) & functions.keys() - kept - {"downgrade"}
        kept |= found
        todo += [functions[name] for name in found]
    return [part for part in tree.body if not isinstance(part, _FUNCTIONS) or part.name in kept]


def output_only_nodes(tree: ast.Module) -> set[int]:
    """Nodes `….is_offline_mode`, by id(), of conditions that decide about nothing but what is printed."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and not node.orelse and all(map(_prints, node.body)):
            asked = node.test.func if isinstance(node.test, ast.Call) else None
            if isinstance(asked, ast.Attribute) and asked.attr == "is_offline_mode":
                found.add(id(asked))
    return found


def _prints(part: ast.stmt) -> bool:
    call = part.value if isinstance(part, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"


def _names(parts: t.Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
    return found


def of_postgresql(tree: ast.Module) -> ast.Module:
    """The same tree, from which the branches are taken that another dialect would go."""
    return t.cast("ast.Module", _Pruning().visit(tree))


class _Pruning(ast.NodeTransformer):
    """Takes out branches whose condition compares the dialect's name with a text, and what stands behind an end."""

    def __init__(self) -> None:
        # What names stand for, of a function and of those around it.
        self._scopes: list[dict[str, ast.expr | None]] = []

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            part = getattr(node, field, None)
            if isinstance(part, list):
                ends = [place for place, item in enumerate(part) if isinstance(item, (ast.Return, ast.Raise))]
                del part[ends[0] + 1 if ends else len(part) :]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._scopes.append(_assigned(node))
        self.generic_visit(node)
        self._scopes.pop()
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        truth = self._truth(node.test)
        if truth is None:
            return node
        # The condition is asked whatever comes of it.
        return [ast.copy_location(ast.Expr(node.test), node), *(node.body if truth else node.orelse)]

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        truth = self._truth(node.test)
        if truth is not None:
            taken = "orelse" if truth else "body"
            setattr(node, taken, ast.copy_location(ast.Constant(None), node))
        return node

    def _truth(self, test: ast.expr) -> bool | None:
        """Whether a condition holds on PostgreSQL; None where it is about something else as well."""
        test = self._value(test)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self._truth(test.operand)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            decisive = isinstance(test.op, ast.Or)
            parts = [self._truth(part) for part in test.values]
            return decisive if decisive in parts else None if None in parts else not decisive
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1):
            return None
        left, operator, right = test.left, test.ops[0], test.comparators[0]
        if isinstance(operator, (ast.Eq, ast.NotEq)):
            other = right if self._is_name(left) else left if self._is_name(right) else None
            texts = _texts(ast.List([other])) if other is not None else None
        elif isinstance(operator, (ast.In, ast.NotIn)) and self._is_name(left):
            texts = _texts(right)
        else:
            return None
        return None if texts is None else (DIALECT in texts) == isinstance(operator, (ast.Eq, ast.In))

    def _value(self, node: ast.expr) -> ast.expr:
        """What a name stands for, where that is known."""
        for _step in range(5):
            if not isinstance(node, ast.Name):
                break
            scope = next((scope for scope in reversed(self._scopes) if node.id in scope), {})
            value = scope.get(node.id)
            if value is None:
                break
            node = value
        return node

    def _is_name(self, node: ast.expr) -> bool:
        """Whether it is the name of the dialect of the connection that is migrated."""
        node = self._value(node)
        if not (isinstance(node, ast.Attribute) and node.attr == "name"):
            return False
        owner = self._value(node.value)
        if not (isinstance(owner, ast.Attribute) and owner.attr in {"dialect", "engine"}):
            return False
        base = self._value(owner.value)
        while isinstance(base, ast.Attribute) and base.attr in _SAME_DIALECT:
            base = self._value(base.value)
        if not (isinstance(base, ast.Call) and isinstance(base.func, ast.Attribute)):
            return False
        module = base.func.value
        name = module.id if isinstance(module, ast.Name) else module.attr if isinstance(module, ast.Attribute) else None
        return base.func.attr in _HAVING_DIALECT and name in _ALEMBIC


def _assigned(function: ast.FunctionDef) -> dict[str, ast.expr | None]:
    """The value of each name to which a function assigns always the same; None of all others that it binds."""
    bound: dict[str, int] = {}
    values: dict[str, list[ast.expr]] = {}
    given_by_callers: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound[node.id] = bound.get(node.id, 0) + 1
        elif isinstance(node, ast.arg):
            given_by_callers.add(node.arg)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            values.setdefault(node.targets[0].id, []).append(node.value)
    found: dict[str, ast.expr | None] = dict.fromkeys(given_by_callers)
    for name, times in bound.items():
        given = values.get(name, [])
        same = name not in given_by_callers and len(given) == times and len({ast.dump(value) for value in given}) == 1
        found[name] = given[0] if same else None
    return found


def _texts(node: ast.expr) -> list[str] | None:
    """The texts of a list, a tuple or a set that consists of nothing else."""
    if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return None
    values = [item.value if isinstance(item, ast.Constant) else None for item in node.elts]
    return t.cast("list[str]", values) if all(isinstance(value, str) for value in values) else None
