"""Runs env.py and the revisions, which are foreign code, in a process of its own that holds no credentials.

A program: one JSON request a line on stdin, one JSON answer a line on stdout. It imports nothing of this collection,
so it can be handed as text to another interpreter. Requests: {"graph": {"ini", "target"}} and then
{"render": {"heads"}}, whose answer comes in parts, all but the last with "more": true, so that the caller can read
one part while the next is rendered. An error is {"error": {"id", "message"}}.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import builtins
import contextlib
import gc
import io
import json
import os
import re
import sys
import traceback
import typing as t
from pathlib import Path

# What a revision asks to learn about the database or about being rendered: from then on its SQL is only one of several.
INSPECTING = frozenset({"get_bind", "is_offline_mode", "as_sql", "bind", "connection"})
# What it asks to learn about the process in which it runs, which is another one when it migrates.
SURROUNDINGS = frozenset({"environ", "getenv"})
# The end of a transaction as a statement of its own; what stands in quotes was taken out before.
ENDS_TRANSACTION = re.compile(
    r"(?:^|;)\s*(commit|rollback|abort)(?:\s+(?:work|transaction))?(?:\s+and\s+(?:no\s+)?chain)?\s*(?:;|$)",
    re.IGNORECASE,
)
QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
# Revisions in one part of the answer.
PART = 50
PLACEHOLDER_URL = "postgresql://preflight@preflight.invalid/preflight"


class Broken(Exception):
    """What the directory has wrong, with its id."""

    def __init__(self, error_id: str, message: str) -> None:
        super().__init__(message)
        self.id = error_id


def said(error: BaseException, root: str) -> str:
    """The error's type, first line and the innermost place below `root`, without the caller's own folders."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(root)]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: {error.msg}"
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: {text}" if frames else text


def inspects(path: str) -> str | None:
    """The first place, `downgrade` aside, that asks for database, mode or environment, by Python's own parser."""
    text = Path(path).read_text(encoding="utf-8")
    # Most revisions name none of it; outside of ASCII one name can be written in several ways.
    if text.isascii() and not any(name in text for name in INSPECTING | SURROUNDINGS):
        return None
    tree = ast.parse(text)
    parts = [part for part in tree.body if not (isinstance(part, ast.FunctionDef) and part.name == "downgrade")]
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Attribute) and node.attr in INSPECTING | SURROUNDINGS:
                return f"{node.attr} in line {node.lineno}"
            if isinstance(node, ast.Name) and node.id in SURROUNDINGS:
                return f"{node.id} in line {node.lineno}"
    return None


def has_body(path: str) -> bool:
    """Whether `upgrade` of this revision does more than to pass."""
    for node in ast.parse(Path(path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade":
            return not all(
                isinstance(item, ast.Pass)
                or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
                or (isinstance(item, ast.Return) and item.value is None)
                for item in node.body
            )
    return True


def ends_transaction(construct: t.Any) -> str | None:
    """The word by which a statement ends the transaction that Alembic opened; what follows depends on the driver."""
    found = ENDS_TRANSACTION.search(QUOTED.sub(" ", str(construct)).strip())
    return found.group(1).upper() if found else None


@contextlib.contextmanager
def kept_off_disk() -> t.Iterator[None]:
    """What env.py or a revision writes into files goes nowhere: a preflight changes nothing."""
    original = builtins.open

    def nowhere(file: t.Any, mode: str = "r", *arguments: t.Any, **more: t.Any) -> t.Any:
        if set(mode) & set("wax+") and not isinstance(file, int):
            return original(os.devnull, mode.replace("x", "w"), *arguments, **more)
        return original(file, mode, *arguments, **more)

    builtins.open = io.open = nowhere
    try:
        yield
    finally:
        builtins.open = io.open = original


class Worker:
    """One Alembic directory, loaded once."""

    def __init__(self, request: dict[str, t.Any]) -> None:
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        ini = Path(request["ini"])
        self.root = str(ini.parent)
        self.target: str = request["target"]
        self.buffer = io.StringIO()
        self.sent = 0
        if not ini.is_file():
            raise Broken("alembic-not-an-environment", f"{ini.name} is not in the folder alembic_dir")
        # As Alembic's own command line, from 1.16 on: what alembic.ini does not say may stand in [tool.alembic].
        toml = ini.parent / "pyproject.toml"
        more = {"toml_file": str(toml)} if toml.is_file() and hasattr(Config, "toml_alembic_config") else {}
        self.config = Config(str(ini), output_buffer=self.buffer, stdout=io.StringIO(), **more)  # type: ignore[arg-type]
        try:
            self.config.set_main_option("sqlalchemy.url", PLACEHOLDER_URL)
            self.script = ScriptDirectory.from_config(self.config)
        except Exception as error:
            raise Broken(
                "alembic-not-an-environment", f"{ini.name} names no script folder: {said(error, self.root)}"
            ) from error
        if not (Path(self.script.dir) / "env.py").is_file():
            raise Broken("alembic-not-an-environment", f"the script folder that {ini.name} names has no env.py")
        try:
            self.loaded = list(self.script.walk_revisions())
        except SyntaxError as error:
            raise Broken(
                "alembic-revision-broken", f"a revision file has a syntax error: {said(error, self.root)}"
            ) from error
        except Exception as error:
            raise Broken(
                "alembic-revision-broken", f"the revisions cannot be loaded: {said(error, self.root)}"
            ) from error

    def revisions(self) -> dict[str, t.Any]:
        """The revisions and what the target resolves to; env.py is not run."""
        try:
            targets = [item.revision for item in self.script.get_revisions(self.target) if item is not None]
        except Exception as error:
            raise Broken(
                "alembic-target-unknown", f"target {self.target!r} is ambiguous or unknown: {said(error, self.root)}"
            ) from error
        nodes = {
            item.revision: {
                "down": list(item._versioned_down_revisions),
                "depends": list(item._resolved_dependencies),
                "labels": sorted(item.branch_labels),
                "title": (item.doc or "").splitlines()[0] if item.doc else "",
            }
            for item in self.loaded
        }
        return {"nodes": nodes, "heads": list(self.script.get_heads()), "targets": targets}

    def graph(self) -> dict[str, t.Any]:
        """The revisions, and the version table that env.py configures."""
        answer = self.revisions()
        table: dict[str, t.Any] = {}
        calls = 0

        def look(_heads: t.Any, context: t.Any) -> list[t.Any]:
            nonlocal calls
            calls += 1
            table.update(name=context.version_table, schema=context.version_table_schema, dialect=context.dialect.name)
            return []

        self.run(look, None)
        if not table:
            raise Broken("alembic-env-failed", "env.py never calls context.run_migrations() offline")
        if calls > 1:
            words = f"env.py runs the migrations {calls} times offline, for several databases or schemas"
            raise Broken("alembic-several-databases", words)
        if table["dialect"] != "postgresql":
            raise Broken(
                "database-url-kind",
                f"env.py configures the dialect {table['dialect']} offline; only PostgreSQL is judged",
            )
        return answer | {"version_table": table}

    def run(self, function: t.Callable[..., t.Any], heads: list[str] | None) -> None:
        """Run env.py offline with `function` choosing the steps; what it prints is kept off the protocol."""
        from alembic.runtime.environment import EnvironmentContext

        environment = EnvironmentContext(
            self.config, self.script, fn=function, as_sql=True, starting_rev=heads or None, destination_rev=self.target
        )
        configure = environment.configure

        def judged(*arguments: t.Any, **options: t.Any) -> None:
            """Whatever buffer or file env.py chooses, the SQL comes here."""
            options.pop("output_buffer", None)
            configure(*arguments, **options)

        environment.configure = judged  # type: ignore[method-assign]
        try:
            with environment, contextlib.redirect_stdout(sys.stderr), kept_off_disk():
                self.script.run_env()
        except SystemExit as error:
            raise Broken("alembic-env-failed", f"env.py ends the process with exit code {error.code}") from error
        except Exception as error:
            raise Broken("alembic-env-failed", f"env.py fails offline: {said(error, self.root)}") from error

    def render(self, heads: list[str], emit: t.Callable[[dict[str, t.Any]], None]) -> dict[str, t.Any]:
        """The SQL of the upgrade in order, cut by revision; a revision that fails keeps what it wrote until then.

        `emit` gets every part but the last, which is returned.
        """
        segments: list[dict[str, t.Any]] = []
        asked: list[str] = []
        restore = watch(asked)

        def steps(_heads: t.Any, _context: t.Any) -> list[t.Any]:
            planned = self.script._upgrade_revs(self.target, tuple(heads) or None)  # type: ignore[arg-type]
            for step in planned:
                step.migration_fn = self.watched(step, segments, asked, emit)
            return planned

        self.buffer.seek(0)
        self.buffer.truncate()
        self.sent = 0
        try:
            self.run(steps, heads)
        finally:
            restore()
        return self.part(segments)

    def part(self, segments: list[dict[str, t.Any]]) -> dict[str, t.Any]:
        """What was written since the part before, and its revisions; positions count from the beginning of all SQL."""
        self.buffer.seek(self.sent)
        answer = {"sql": self.buffer.read(), "segments": list(segments)}
        self.sent = self.buffer.tell()
        segments.clear()
        return answer

    def watched(
        self,
        step: t.Any,
        segments: list[dict[str, t.Any]],
        asked: list[str],
        emit: t.Callable[[dict[str, t.Any]], None],
    ) -> t.Callable[..., None]:
        original, revision = step.migration_fn, step.revision

        def migrate(**arguments: t.Any) -> None:
            asked.clear()
            segment: dict[str, t.Any] = {"revision": revision.revision, "start": self.buffer.tell(), "error": None}
            segment["doc"] = revision.module.__doc__ or ""
            segment["path"] = Path(revision.path).name
            try:
                original(**arguments)
            except Exception as error:
                segment["error"] = said(error, self.root)
            segment["end"] = self.buffer.tell()
            segment["inspects"] = asked[0] if asked else inspects(revision.path)
            if not segment["inspects"] and segment["start"] == segment["end"] and has_body(revision.path):
                segment["inspects"] = "upgrade() has a body and wrote no SQL"
            segments.append(segment)
            if len(segments) == PART:
                emit(self.part(segments) | {"more": True})

        migrate.__name__ = original.__name__  # Alembic writes it into the SQL
        return migrate


def watch(asked: list[str]) -> t.Callable[[], None]:
    """Note each question for the database or the mode while revisions run; gives back what undoes it."""
    from alembic.ddl.impl import DefaultImpl
    from alembic.operations import Operations
    from alembic.runtime.environment import EnvironmentContext

    originals = (Operations.get_bind, EnvironmentContext.is_offline_mode, DefaultImpl._exec)

    def get_bind(self: t.Any) -> t.Any:
        asked.append("op.get_bind()")
        return originals[0](self)

    def is_offline_mode(self: t.Any) -> t.Any:
        asked.append("context.is_offline_mode()")
        return originals[1](self)

    def _exec(self: t.Any, construct: t.Any, *arguments: t.Any, **more: t.Any) -> t.Any:
        # Alembic's own COMMIT of autocommit_block() does not come by here. Other constructs than text end nothing.
        text = isinstance(construct, str) or construct.__class__.__name__ == "TextClause"
        if text and (word := ends_transaction(construct)):
            asked.append(f"{word} written by hand, after which drivers differ; autocommit_block() does it for all")
        return originals[2](self, construct, *arguments, **more)

    def put(*methods: t.Any) -> None:
        Operations.get_bind, EnvironmentContext.is_offline_mode, DefaultImpl._exec = methods  # type: ignore[method-assign]

    put(get_bind, is_offline_mode, _exec)

    def restore() -> None:
        put(*originals)

    return restore


def main() -> None:
    """Answer requests until stdin ends. File descriptor 1 is moved away first: foreign code may print."""
    # A process of seconds that keeps what it loads: collecting costs a tenth of its time and frees nothing.
    gc.disable()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")

    def send(answer: dict[str, t.Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    os.dup2(2, 1)
    worker: Worker | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if worker is None:
                worker = Worker(request["graph"])
                answer = worker.graph()
            else:
                answer = worker.render(request["render"]["heads"], send)
        except Broken as error:
            answer = {"error": {"id": error.id, "message": str(error)}}
        except Exception as error:
            answer = {
                "error": {"id": "alembic-env-failed", "message": f"Alembic fails: {said(error, str(Path.cwd()))}"}
            }
        send(answer)


if __name__ == "__main__":
    main()
