"""What a revision asks before it decides what to run: the database, the mode, the environment, the application.

From such a question on its SQL is only one of several. Questions are noticed while it runs, in helper modules as well,
and looked for in its text, where a branch was not taken.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import contextlib
import functools
import os
import re
import sys
import sysconfig
import tokenize
import typing as t
from pathlib import Path

from .executed_text import ends_transaction, refused, unbound
from .revision_code import of_postgresql, output_only_nodes, upgrading

# What a revision asks to learn about the database or about being rendered: from then on its SQL is only one of several.
INSPECTING = frozenset({"get_bind", "is_offline_mode", "as_sql", "bind", "connection"})
# What it asks to learn about the process in which it runs, which is another one when it migrates.
SURROUNDINGS = frozenset({"environ", "getenv"})
_PARAMETERS = "parameters of op.get_bind().execute()"
# Packages whose names say nothing about the application.
LIBRARIES = sys.stdlib_module_names | {
    "alembic", "sqlalchemy", "sqlmodel", "sqlalchemy_utils", "geoalchemy2", "packaging", "pgvector",
    "typing_extensions",
}  # fmt: skip
_OF_TABLE = re.compile(r"(?P<make>CREATE TABLE )|DROP TABLE [^;]*;")
# Methods of SQLAlchemy's objects that take a bind and need nothing of it but what there is offline.
_RENDERED = frozenset({"create", "drop", "create_all", "drop_all", "compile"})
IMPORTS = re.compile(r"^\s*(?:from|import)\s+(\w+)", re.MULTILINE)


def source_of(path: str) -> str:
    """A file's text as Python reads it, with whatever encoding it names, or a byte order mark."""
    with tokenize.open(path) as file:
        return file.read()


def inspects(path: str) -> str | None:
    """The first place, `downgrade` aside, that asks for database, mode, environment or application."""
    text = source_of(path)
    asking = not text.isascii() or any(name in text for name in INSPECTING | SURROUNDINGS)
    # In a package that is no library, a setting may decide. Outside of ASCII one name can be written in several ways.
    if not asking and not (
        re.search(r"\b(?:if|while|match|and|or)\b", text) and set(IMPORTS.findall(text)) - LIBRARIES
    ):
        return None
    tree = of_postgresql(ast.parse(text))
    parts = upgrading(tree)
    harmless = _rendered(tree) | output_only_nodes(tree)
    imported = _imported(tree)
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Attribute) and node.attr in INSPECTING | SURROUNDINGS and id(node) not in harmless:
                return f"{node.attr} in line {node.lineno}"
            if isinstance(node, ast.Name) and node.id in SURROUNDINGS:
                return f"{node.id} in line {node.lineno}"
            if imported and (name := _decides(node, imported)):
                return f"{name}, which the application decides, in line {getattr(node, 'lineno', 0)}"
    return None


def _imported(tree: ast.Module) -> frozenset[str]:
    """Names that the file takes from packages other than libraries."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").partition(".")[0] not in LIBRARIES):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            roots = (alias.asname or alias.name.partition(".")[0] for alias in node.names)
            found |= {root for root, alias in zip(roots, node.names, strict=True)
                      if alias.name.partition(".")[0] not in LIBRARIES}  # fmt: skip
    return frozenset(found)


def _decides(node: ast.AST, names: frozenset[str]) -> str | None:
    """The name among `names` that a condition reads; None where it reads none."""
    if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
        conditions: list[ast.AST] = [node.test]
    elif isinstance(node, ast.BoolOp):
        conditions = list(node.values)
    elif isinstance(node, ast.Match):
        conditions = [node.subject]
    else:
        return None
    read = (item.id for test in conditions for item in ast.walk(test) if isinstance(item, ast.Name))
    return next((name for name in read if name in names), None)


def _rendered(tree: ast.Module) -> set[int]:
    """Nodes `….get_bind`, by id(), of whose result nothing is used but what Alembic has offline as well.

    That is its dialect, the making and dropping of SQLAlchemy's own objects, and statements whose answers nobody reads.
    A name that holds the result is followed.
    """
    above = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found: set[int] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and node.attr == "get_bind"):
            continue
        call = above.get(id(node))
        if not isinstance(call, ast.Call):
            continue
        use = above.get(id(call))
        if _is_rendered(call, above):
            found.add(id(node))
        elif isinstance(use, ast.Assign) and len(use.targets) == 1 and isinstance(use.targets[0], ast.Name):
            scope: t.Any = use
            while not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                scope = above[id(scope)]
            name = use.targets[0].id
            uses = [item for item in ast.walk(scope) if isinstance(item, ast.Name) and item.id == name]
            loads = [item for item in uses if isinstance(item.ctx, ast.Load)]
            shared = any(isinstance(item, ast.Global | ast.Nonlocal) for item in ast.walk(scope))
            if not shared and all(_is_rendered(item, above) for item in loads):
                found.add(id(node))
    return found


def _is_rendered(value: ast.AST, above: dict[int, ast.AST]) -> bool:
    """Whether what is done with a bind is done offline as well: no answer of a database is read."""
    use = above.get(id(value))
    if isinstance(use, ast.keyword) and use.arg == "bind":
        call = above.get(id(use))
        return isinstance(call, ast.Call) and _is_ddl_method(call.func)
    if isinstance(use, ast.Call):
        return _is_ddl_method(use.func) and use.args[:1] == [value]
    if not (isinstance(use, ast.Attribute) and use.value is value):
        return False
    if use.attr == "execute":
        call = above.get(id(use))
        return isinstance(call, ast.Call) and call.func is use and isinstance(above.get(id(call)), ast.Expr)
    return use.attr == "dialect" or (use.attr == "engine" and _is_name_of(above.get(id(use)), use))


def _is_ddl_method(function: ast.expr) -> bool:
    """Whether it is called like a method of SQLAlchemy's objects that is rendered; `Bind` sees whose it is."""
    return isinstance(function, ast.Attribute) and function.attr in _RENDERED


def _is_name_of(use: ast.AST | None, engine: ast.Attribute) -> bool:
    return isinstance(use, ast.Attribute) and use.value is engine and use.attr in {"dialect", "name", "driver"}


@functools.cache
def _tree(path: str) -> ast.Module | None:
    """What of a file an upgrade of PostgreSQL runs; None where nobody can read it."""
    try:
        return of_postgresql(ast.parse(source_of(path)))
    except (OSError, ValueError, SyntaxError):
        return None


@functools.cache
def only_decides_output(path: str, line: int) -> bool:
    """Whether is_offline_mode(), called at this line, decides about nothing but what is printed."""
    tree = _tree(path)
    if tree is None:
        return False
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "is_offline_mode"]
    asking = {id(node) for node in nodes if node.lineno == line}
    return bool(asking) and asking <= output_only_nodes(tree)


@functools.cache
def renders_binds(path: str, line: int) -> bool:
    """Whether get_bind(), called at this line, and all others in the same function are there for what is rendered."""
    tree = _tree(path)
    if tree is None:
        return False
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    around = [node for node in functions if node.lineno <= line <= (node.end_lineno or 0)]
    part = max(around, key=lambda node: node.lineno, default=tree)
    asking = {id(node) for node in ast.walk(part) if isinstance(node, ast.Attribute) and node.attr == "get_bind"}
    # None is left where this line was thought to be another database's.
    return bool(asking) and asking <= _rendered(tree)


def has_body(path: str) -> bool:
    """Whether `upgrade` of this revision does more than to pass."""
    for node in ast.parse(source_of(path)).body:
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade":
            return not all(
                isinstance(item, ast.Pass)
                or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
                or (isinstance(item, ast.Return) and item.value is None)
                for item in node.body
            )
    return True


class Unread:
    """What Bind.execute() returns: None, as Alembic has it, but for the note that somebody wanted to read it."""

    def __init__(self, asked: list[str]) -> None:
        self._asked = asked

    def __bool__(self) -> bool:
        self._asked.append("the answer of op.get_bind().execute()")
        return False

    def __iter__(self) -> t.Iterator[t.Any]:
        self._asked.append("the rows of op.get_bind().execute()")
        raise TypeError("offline there are no rows")

    def __getattr__(self, name: str) -> t.Any:
        self._asked.append(f"op.get_bind().execute().{name}")
        raise AttributeError(f"offline there are no rows, of which {name!r} was asked")


class Bind:
    """What op.get_bind() returns while SQL is rendered: what Alembic renders is rendered, all else is noted.

    `checkfirst_spans`: (begin, end) offsets of the SQL that SQLAlchemy writes only after looking for the object
    (checkfirst=True).
    """

    def __init__(self, context: t.Any, asked: list[str], checkfirst_spans: list[tuple[int, int]]) -> None:
        self.dialect, self._asked, self._checkfirst_spans = context.dialect, asked, checkfirst_spans
        self.name, self.driver = self.dialect.name, self.dialect.driver
        # Past the properties of Watch, which would note it.
        self._real, self._buffer = vars(context)["connection"], context.impl.output_buffer

    @property
    def engine(self) -> Bind:
        return self

    def execute(self, statement: t.Any, parameters: t.Any = None, **_options: t.Any) -> Unread:
        if isinstance(statement, str):
            self._asked.append("a plain text in op.get_bind().execute(), which SQLAlchemy 2 refuses")
        if parameters:
            self._asked.append(_PARAMETERS)
        self._real.execute(statement, parameters)
        return Unread(self._asked)

    def _run_ddl_visitor(self, visitor: t.Any, element: t.Any, **options: t.Any) -> None:
        begin = self._buffer.tell()
        self._real._run_ddl_visitor(visitor, element, **options)
        looks, end = options.get("checkfirst"), self._buffer.tell()
        if looks and getattr(looks, "name", None) == "TYPES":
            # SQLAlchemy 2.1 looks for the types of a table alone, which it writes before the table, and drops after it.
            table = _OF_TABLE.search(self._buffer.getvalue(), begin, end)
            if table:
                begin, end = (begin, table.start()) if table["make"] else (table.end(), end)
        if looks:
            self._checkfirst_spans.append((begin, end))

    def __getattr__(self, name: str) -> t.Any:
        # Alembic offline has no connection either, so the attribute does not exist.
        self._asked.append(f"op.get_bind().{name}")
        raise AttributeError(f"offline there is no connection, which {name!r} was asked of")


def _caller() -> tuple[str, int]:
    """The file and the line from which the caller of this was called, and through it one of Alembic's functions."""
    frame: t.Any = sys._getframe(2)
    # `op` and `context` are modules whose functions Alembic makes from a text.
    while frame and frame.f_code.co_filename.startswith("<"):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("", 0)


class Watch:
    """Notes in `asked` what revisions ask while they run, from `with` to its end; `checkfirst_spans` are Bind's."""

    def __init__(self, driver: str | None = None) -> None:
        """Without a driver it is not known with which one env.py migrates."""
        self.asked: list[str] = []
        self.checkfirst_spans: list[tuple[int, int]] = []
        self.driver = driver
        # The file of the revision that runs.
        self.revision = ""
        self._undo = contextlib.ExitStack()
        paths = sysconfig.get_paths()
        self._libraries = tuple({paths["stdlib"], paths["platstdlib"]})
        self._packages = tuple({paths["purelib"], paths["platlib"]})

    def __enter__(self) -> Watch:
        from alembic.ddl.impl import DefaultImpl
        from alembic.operations import Operations
        from alembic.runtime.environment import EnvironmentContext
        from alembic.runtime.migration import MigrationContext
        from sqlalchemy.exc import CompileError, InvalidRequestError

        asked = self.asked
        is_offline_mode, execute = EnvironmentContext.is_offline_mode, DefaultImpl._exec

        def get_bind(operations: t.Any) -> t.Any:
            if not renders_binds(*_caller()):
                asked.append("op.get_bind()")
            return Bind(operations.migration_context, asked, self.checkfirst_spans)

        def offline(environment: t.Any) -> t.Any:
            if not only_decides_output(*_caller()):
                asked.append("context.is_offline_mode()")
            return is_offline_mode(environment)

        def _exec(impl: t.Any, construct: t.Any, *arguments: t.Any, **more: t.Any) -> t.Any:
            # Alembic's own COMMIT of autocommit_block() does not come by here. Other constructs than text end nothing.
            text = isinstance(construct, str) or construct.__class__.__name__ == "TextClause"
            if text and (word := ends_transaction(construct)):
                asked.append(f"{word} written by hand, after which drivers differ; autocommit_block() does it for all")
            if text and (refusal := refused(construct, self.driver)):
                asked.append(refusal)
            # Alembic's own connection drops the values that Bind.execute() was given.
            if text and asked[-1:] != [_PARAMETERS] and (name := unbound(construct)):
                words = (
                    f"a value is required for the parameter {name!r}; where no parameter is meant, write \\\\:{name}"
                )
                raise InvalidRequestError(words)
            try:
                return execute(impl, construct, *arguments, **more)
            except CompileError as error:
                if not impl.literal_binds or "has no name" in str(error):
                    raise
            # Without literal_binds, as env.py sets it up, the text shows the parameter's name.
            asked.append("a parameter whose value cannot be written into the text")
            impl.literal_binds = False
            try:
                return execute(impl, construct, *arguments, **more)
            finally:
                impl.literal_binds = True

        self._put(Operations, "get_bind", get_bind)
        self._put(EnvironmentContext, "is_offline_mode", offline)
        self._put(DefaultImpl, "_exec", _exec)
        for owner in (MigrationContext, DefaultImpl):
            for name in ("as_sql", "connection"):
                self._put(owner, name, self._attribute(name))
        self._put(type(os.environ), "__getitem__", self._variable(type(os.environ).__getitem__))
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def _put(self, owner: t.Any, name: str, value: t.Any) -> None:
        had, before = name in vars(owner), vars(owner).get(name)
        setattr(owner, name, value)
        self._undo.callback(setattr if had else lambda place, key, _none: delattr(place, key), owner, name, before)

    def _attribute(self, name: str) -> property:
        """An attribute of Alembic's objects that notes who else than Alembic reads it."""

        def read(owner: t.Any) -> t.Any:
            if self._foreign(sys._getframe(1).f_code.co_filename):
                self.asked.append(f"{name} in {self._place(sys._getframe(1))}")
            return owner.__dict__[name]

        return property(read, lambda owner, value: owner.__dict__.__setitem__(name, value))

    def _variable(self, original: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        """Reading of a variable of the process, by code of the application."""

        def read(environ: t.Any, name: t.Any) -> t.Any:
            frame: t.Any = sys._getframe(1)
            while frame and frame.f_globals.get("__name__") in {"os", "_collections_abc", "collections.abc"}:
                frame = frame.f_back
            if frame and self._foreign(frame.f_code.co_filename):
                self.asked.append(f"the variable {name} in {self._place(frame)}")
            return original(environ, name)

        return read

    def _place(self, frame: t.Any) -> str:
        file = frame.f_code.co_filename
        helper = "" if file == self.revision else f"{Path(file).name}, "
        return f"{helper}line {frame.f_lineno}"

    def _foreign(self, file: str) -> bool:
        """Whether a file is neither Python's, Alembic's nor SQLAlchemy's, nor this one."""
        if file.startswith(self._packages):
            return not re.search(r"[/\\](?:alembic|sqlalchemy|psycopg\w*|mako)[/\\]", file)
        return not file.startswith((*self._libraries, "<"))
