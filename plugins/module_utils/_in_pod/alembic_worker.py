"""Runs env.py and the revisions, which are the user's code, in a process of its own that holds no credentials.

Its `main` reads one JSON request a line on stdin and writes one JSON answer a line. It imports nothing of this
collection but its neighbours in _in_pod, with which it is packed. Requests: {"graph": {"ini", "target"}} and then
{"render": {"heads"}}, whose answer comes in parts, all but the last with "more": true, so that the caller can read
one part while the next is rendered. An error is {"error": {"id", "message"}}.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import sys
import traceback
import typing as t
import warnings
from pathlib import Path

from .alembic_online import DECISIVE, observe
from .alembic_url import put, scheme_of
from .alembic_watch import Watch, has_body, inspects
from .files_read import FilesRead
from .kept_off_disk import kept_off_disk
from .revision_problems import ended, explained, repeated
from .source_lines import LONE_SURROGATE, LinedBuffer, without_lone_surrogates
from .untyped_literals import rendered

# How many revisions one part of the answer holds.
PART = 50
# The end of SQLAlchemy's error for postgres://, and what it means.
_POSTGRES = "sqlalchemy.dialects:postgres"
_POSTGRES_SCHEME = "env.py hands on a URL that begins with postgres://, and SQLAlchemy knows postgresql:// only"


class AlembicError(Exception):
    """A problem in the Alembic folder, with the id of its finding."""

    def __init__(self, error_id: str, message: str) -> None:
        super().__init__(message)
        self.id = error_id


def described(error: BaseException, root: str) -> str:
    """The error's type, first line and the innermost place below `root`, without the caller's own folders."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(root)]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: {error.msg}"
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: {text}" if frames else text


def configuration(request: dict[str, t.Any], buffer: io.StringIO) -> t.Any:
    """Alembic's configuration as its own command line makes it.

    :raises AlembicError: there is no file for it
    """
    from alembic.config import CommandLine, Config

    ini, words = str(request["ini"]), ["upgrade", request["target"], "--sql"]
    for value in request.get("x") or ():
        words = ["-x", value, *words]
    # From Alembic 1.16 on: what alembic.ini does not say may stand in [tool.alembic], where nothing else has to be.
    knows_toml = hasattr(Config, "toml_alembic_config")
    toml = Path(ini if Path(ini).name == "pyproject.toml" else "pyproject.toml")
    if toml == Path(ini):
        ini = "alembic.ini"
    more = {"toml_file": str(toml.absolute())} if knows_toml and toml.is_file() else {}
    options = CommandLine(prog="alembic").parser.parse_args(["-c", ini, *words])
    config = Config(ini, output_buffer=buffer, stdout=io.StringIO(), cmd_opts=options, **more)  # type: ignore[arg-type]
    if not Path(ini).is_file():
        try:
            found = more and config.toml_alembic_config
        except Exception as error:
            unread = f"{toml.name} cannot be read: {described(error, '')}"
            raise AlembicError("alembic-not-an-environment", unread) from error
        if not found:
            raise AlembicError("alembic-not-an-environment", f"{Path(ini).name} is not in the folder alembic_dir")
    return config


class Worker:
    """One Alembic directory, loaded once; the working directory is the one where `alembic` would be called."""

    def __init__(self, request: dict[str, t.Any]) -> None:
        """:param request: `ini`, relative or not; `target`; `x`, the values of -x; `flask`: env.py runs in its
        application; `elsewhere`: the migration will not run with this Python; `reads`: below which folder it is of
        interest what is read
        """
        from alembic.script import ScriptDirectory

        self.root = str(Path.cwd())
        self.read = FilesRead(request.get("reads"))
        self.target: str = request["target"]
        self.buffer = LinedBuffer()
        self.sent = 0
        self.loaded: list[t.Any] | None = None
        # What env.py configures with --sql, and what alembic_online saw of it.
        self.offline: dict[str, t.Any] | None = None
        self.online: dict[str, t.Any] | None = None
        self.flask: bool = request.get("flask", False)
        self.elsewhere: bool = request.get("elsewhere", False)
        name = Path(request["ini"]).name
        self.config = configuration(request, self.buffer)
        self.scheme = scheme_of(self.config)
        try:
            put(self.config, "postgresql")
            self._script_beside_env(Path(request["ini"]))
            # Alembic's own folder for what env.py imports, prepend_sys_path, is set here.
            self.script = ScriptDirectory.from_config(self.config)
        except Exception as error:
            raise AlembicError(
                "alembic-not-an-environment", f"{name} names no script folder: {described(error, self.root)}"
            ) from error
        if not (Path(self.script.dir) / "env.py").is_file():
            raise AlembicError("alembic-not-an-environment", f"the script folder that {name} names has no env.py")

    def _script_beside_env(self, ini: Path) -> None:
        """Flask-Migrate's alembic.ini names no folder: it lies in it."""
        if self.flask and self.config.get_main_option("script_location") is None and (ini.parent / "env.py").is_file():
            self.config.set_main_option("script_location", str(ini.parent).replace("%", "%%"))

    def load(self) -> list[t.Any]:
        """The revisions, from the folders that are configured now: env.py may have named others."""
        if self.loaded is None:
            try:
                with warnings.catch_warnings(record=True) as noted, self.read.by_revisions():
                    warnings.simplefilter("always")
                    self.loaded = list(self.script.walk_revisions())
            except SyntaxError as error:
                raise AlembicError(
                    "alembic-revision-broken", f"a revision file has a syntax error: {described(error, self.root)}"
                ) from error
            except SystemExit as error:
                words = f"a revision file ends the process when it is loaded, with exit code {error.code}"
                raise AlembicError("alembic-revision-broken", f"{words} ({described(error, self.root)})") from error
            except Exception as error:
                words = explained(error, [str(item.message) for item in noted]) or described(error, self.root)
                raise AlembicError("alembic-revision-broken", f"the revisions cannot be loaded: {words}") from error
            if twice := repeated([str(item.message) for item in noted], map(str, self.script._version_locations)):
                raise AlembicError("alembic-revision-broken", twice)
        return self.loaded

    def revisions(self) -> dict[str, t.Any]:
        """The revisions and what the target resolves to; env.py is not run."""
        loaded = self.load()
        try:
            targets = [item.revision for item in self.script.get_revisions(self.target) if item is not None]
        except Exception as error:
            words = f"target {self.target!r} is ambiguous or unknown: {described(error, self.root)}"
            raise AlembicError("alembic-target-unknown", words) from error
        nodes = {
            item.revision: {
                "down": list(item._versioned_down_revisions),
                "depends": list(item._resolved_dependencies),
                "labels": sorted(item.branch_labels),
                "title": (item.doc or "").splitlines()[0] if item.doc else "",
            }
            for item in loaded
        }
        return {"nodes": nodes, "heads": list(self.script.get_heads()), "targets": targets}

    def graph(self) -> dict[str, t.Any]:
        """The revisions, the version table that env.py configures, and how it goes online."""
        table: dict[str, t.Any] = {}
        calls = 0

        def look(_heads: t.Any, context: t.Any) -> list[t.Any]:
            nonlocal calls
            calls += 1
            table.update(name=context.version_table, schema=context.version_table_schema, dialect=context.dialect.name)
            return []

        # Offline first, which nothing interrupts: an import that is broken off leaves half a package behind.
        self.run(look, None)
        if not table:
            raise AlembicError("alembic-env-failed", "env.py never calls context.run_migrations() offline")
        self.online = self.observed() | {"offline": self.offline}
        if self.online["problem"] is None:
            decided = self.online["options"]
            table.update(name=decided["version_table"], schema=decided["version_table_schema"])
        elif self.online["problem"].endswith(_POSTGRES):
            raise AlembicError("alembic-env-failed", _POSTGRES_SCHEME)
        if max(calls, self.online["runs"]) > 1:
            often = f"{max(calls, self.online['runs'])} times {'offline' if calls > 1 else 'online'}"
            words = f"env.py runs the migrations {often}, for several databases or schemas"
            raise AlembicError("alembic-several-databases", words)
        if table["dialect"] != "postgresql":
            raise AlembicError(
                "database-url-kind",
                f"env.py configures the dialect {table['dialect']} offline; only PostgreSQL is judged",
            )
        return self.revisions() | {"version_table": table, "online": self.online}

    def observed(self) -> dict[str, t.Any]:
        """env.py as it goes online (alembic_online), with the file's driver, or without a URL where it names none."""
        # Some env.py make a URL of their own only without one. What needs one has it the second time.
        for scheme in dict.fromkeys((self.scheme, "postgresql")):
            put(self.config, scheme)
            try:
                found = self._observed()
            finally:
                put(self.config, "postgresql")
            if found["problem"] is None:
                break
        return found

    def _observed(self) -> dict[str, t.Any]:
        from alembic.runtime.environment import EnvironmentContext

        environment = EnvironmentContext(self.config, self.script, fn=lambda *_: [], destination_rev=self.target)
        options = self.config.cmd_opts
        sql = getattr(options, "sql", None)

        def go() -> None:
            with environment, contextlib.redirect_stdout(sys.stderr), kept_off_disk(), self._application():
                self.script.run_env()

        if options:
            options.sql = False
        try:
            return observe(environment, go, drivers=self.elsewhere)
        finally:
            if options:
                options.sql = sql

    def _application(self) -> contextlib.AbstractContextManager[t.Any]:
        """The context of a Flask application, as `flask db` runs env.py in it."""
        if not self.flask:
            return contextlib.nullcontext()
        # Only the application's own Python has it.
        command_line = importlib.import_module("flask.cli")
        context: contextlib.AbstractContextManager[t.Any] = command_line.ScriptInfo().load_app().app_context()
        return context

    def run(self, function: t.Callable[..., t.Any], heads: list[str] | None) -> None:
        """Run env.py offline with `function` choosing the steps; what it prints goes to stderr."""
        from alembic.runtime.environment import EnvironmentContext

        environment = EnvironmentContext(
            self.config, self.script, fn=function, as_sql=True, starting_rev=heads or None, destination_rev=self.target
        )
        configure = environment.configure

        def configure_for_rendering(*arguments: t.Any, **options: t.Any) -> None:
            """Whatever buffer or file env.py chooses, the SQL comes here; what decides on it is as it is online."""
            options.pop("output_buffer", None)
            options.setdefault("literal_binds", True)
            # With another paramstyle SQLAlchemy doubles each % of a text, which online goes to the server as it is
            # (https://github.com/sqlalchemy/alembic/issues/562).
            options["dialect_opts"] = {"paramstyle": "named"} | (options.get("dialect_opts") or {})
            if self.offline is None:
                self.offline = {name: options.get(name, value) for name, value in DECISIVE.items()}
            if self.online and self.online["problem"] is None:
                options |= self.online["options"]
            configure(*arguments, **options)

        environment.configure = configure_for_rendering  # type: ignore[method-assign]
        try:
            with environment, contextlib.redirect_stdout(sys.stderr), kept_off_disk(), self._application():
                self.script.run_env()
        except SystemExit as error:
            raise AlembicError("alembic-env-failed", f"env.py ends the process{ended(error)}") from error
        except Exception as error:
            scheme = str(error).endswith(_POSTGRES)
            words = _POSTGRES_SCHEME if scheme else f"env.py fails offline: {self.explained(error)}"
            raise AlembicError("alembic-env-failed", words) from error

    def explained(self, error: Exception) -> str:
        """What `described` says, and for one error that only some passwords bring, what it means."""
        words = described(error, self.root)
        # pydantic names the settings that are missing in lines of their own, beside their values.
        with contextlib.suppress(Exception):
            names = [".".join(map(str, item["loc"])) for item in error.errors()]  # type: ignore[attr-defined]
            words = f"{words.rstrip('.')} ({', '.join(names)}); alembic_environment gives what is missing"
        if isinstance(error, ValueError) and "interpolation syntax" in str(error):
            words = (
                f"{words.partition(': ')[0]}: set_main_option takes the % of a percent-encoded URL for the beginning of"
                " a variable, so that the migration fails with the first password that has a special character; write"
                " url.replace('%', '%%')"
            )
        return words

    def render(self, heads: list[str], emit: t.Callable[[dict[str, t.Any]], None]) -> dict[str, t.Any]:
        """The SQL of the upgrade in order, cut by revision; a revision that fails keeps what it wrote until then.

        `emit` gets every part but the last, which is returned.
        """
        segments: list[dict[str, t.Any]] = []
        watch = Watch(self.online["driver"] if self.online else None)

        def steps(_heads: t.Any, _context: t.Any) -> list[t.Any]:
            planned = self.script._upgrade_revs(self.target, tuple(heads) or None)  # type: ignore[arg-type]
            for step in planned:
                paths.append(step.revision.path)
                step.migration_fn = self.watched(step, segments, watch, emit)
            return planned

        self.buffer.seek(0)
        self.buffer.truncate()
        self.sent = 0
        paths: list[str] = []
        with watch, rendered():
            self.run(steps, heads)
        places = [self.script.dir, *self.script._version_locations]
        return self.part(segments) | {"read": self.read.told(paths) | {"places": list(map(str, places))}}

    def part(self, segments: list[dict[str, t.Any]]) -> dict[str, t.Any]:
        """What was written since the part before, and its revisions; positions count from the beginning of all SQL."""
        self.buffer.seek(self.sent)
        sql = self.buffer.read()
        for found in LONE_SURROGATE.finditer(sql):
            inside = (one for one in segments if one["start"] <= self.sent + found.start() < one["end"])
            for segment in inside:
                segment["error"] = segment["error"] or "it writes half of a character, which no database takes"
        answer = {"sql": sql, "segments": list(segments)}
        self.sent = self.buffer.tell()
        segments.clear()
        return answer

    def below_root(self, path: str) -> str | None:
        """`path` as seen from the working directory, with slashes; None where it lies elsewhere."""
        real, root = Path(path).resolve(), Path(self.root).resolve()
        return real.relative_to(root).as_posix() if real.is_relative_to(root) else None

    def watched(
        self,
        step: t.Any,
        segments: list[dict[str, t.Any]],
        watch: Watch,
        emit: t.Callable[[dict[str, t.Any]], None],
    ) -> t.Callable[..., None]:
        original, revision = step.migration_fn, step.revision

        def migrate(**arguments: t.Any) -> None:
            watch.asked.clear()
            watch.checkfirst_spans.clear()
            watch.revision = revision.path
            segment: dict[str, t.Any] = {"revision": revision.revision, "start": self.buffer.tell(), "error": None}
            segment["doc"] = revision.module.__doc__ or ""
            segment["path"] = Path(revision.path).name
            segment["source"] = self.below_root(revision.path)
            self.buffer.begin(revision.path)
            try:
                with self.read.by_revisions():
                    original(**arguments)
            except (Exception, SystemExit) as error:
                segment["error"] = described(error, self.root)
            segment["end"] = self.buffer.tell()
            segment["lines"] = self.buffer.end()
            segment["checkfirst_spans"] = list(watch.checkfirst_spans)
            segment["inspects"] = watch.asked[0] if watch.asked else inspects(revision.path)
            if not segment["inspects"] and segment["start"] == segment["end"] and has_body(revision.path):
                segment["inspects"] = "upgrade() has a body and wrote no SQL"
            segments.append(segment)
            if len(segments) == PART:
                emit(self.part(segments) | {"more": True})

        migrate.__name__ = original.__name__  # Alembic writes it into the SQL
        return migrate


def main(request: dict[str, t.Any]) -> None:
    """Answer requests until stdin ends.

    :param request: `answers`, the file descriptor for them: foreign code may print
    """
    # This process lives for seconds and keeps what it loads: garbage collection would only cost a tenth of its time.
    gc.disable()
    sys.argv = ["alembic"]
    answers = os.fdopen(request["answers"], "w", encoding="utf-8")

    def send(answer: dict[str, t.Any]) -> None:
        text = json.dumps(answer)
        answers.write((json.dumps(without_lone_surrogates(answer)) if "\\ud" in text else text) + "\n")
        answers.flush()

    worker: Worker | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if worker is None:
                worker = Worker(asked["graph"])
                answer = worker.graph()
            else:
                answer = worker.render(asked["render"]["heads"], send)
        except AlembicError as error:
            answer = {"error": {"id": error.id, "message": str(error)}}
        except (Exception, SystemExit) as error:
            answer = {
                "error": {"id": "alembic-env-failed", "message": f"Alembic fails: {described(error, str(Path.cwd()))}"}
            }
        send(answer)
