"""Rewrites of what people have written in the field: all of them in one history, beside the originals, on real servers.

Each case has a schema of its own, so that one judgement, one dump and one look at the rows do for all of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import typing as t
from pathlib import Path
from unittest import mock

import psycopg
import pytest
import sqlalchemy
from alembic import command, config
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_batch import escaped

from tests.integration.preflight.asking import BOTH_MODES, Verdict, ask, prepare
from tests.integration.preflight.conftest import CHOSEN, Prepared, Servers, copy_of
from tests.integration.preflight.field import CASES, COMMON
from tests.integration.preflight.test_rewrite import rows_of_schemas, schema_of, unsafe
from tests.unit.plugins.module_utils._in_pod.project import Project

# On the oldest and the newest of these a statement may be printed or understood otherwise.
MAJORS = tuple(sorted({15 if 15 in CHOSEN else CHOSEN[0], CHOSEN[-1]}))
# Statements that take as long as the table is large.
_LONG = re.compile(r"(?is)\bVALIDATE\b|^\s*(?:UPDATE|DELETE|CREATE (?:UNIQUE )?INDEX|REINDEX)\b")


def schema_name(name: str) -> str:
    return f"f{list(CASES).index(name) + 1:03}"


def statements_of(name: str) -> list[str]:
    return [text.replace("§", schema_name(name)) for text in CASES[name].statements]


def setup_of(name: str) -> str:
    return CASES[name].setup.replace("§", schema_name(name))


@dataclasses.dataclass
class Outcome:
    """What became of all cases on one server: texts by name of the case."""

    said: Verdict
    again: Verdict
    chosen: list[str]
    refused: dict[str, str] = dataclasses.field(default_factory=dict)
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    held: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    dumps: list[dict[str, str]] = dataclasses.field(default_factory=list)
    rows: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    files: tuple[dict[str, int], dict[str, int]] = ({}, {})

    def rewrite(self, name: str) -> dict[str, t.Any]:
        """What the module says of a case's revision."""
        found = [item for item in self.said.result["rewrites"] if item["revision"] == schema_name(name)]
        return found[0] if found else {"files": [], "cured": [], "uncured": []}


def history(folder: Path, chosen: t.Sequence[str]) -> Project:
    """A revision for each case, in a line."""
    project, down = Project(folder, BOTH_MODES).add("0001", None), "0001"
    for name in chosen:
        case, revision = CASES[name], schema_name(name)
        body = case.body.replace("§", revision)
        project.add(revision, down, *map(escaped, statements_of(name)), body=body)
        if body:
            path = project.versions / f"{revision}.py"
            path.write_text(path.read_text().replace("from alembic", "import sqlalchemy as sa\nfrom alembic", 1))
        down = revision
    return project


def by_schema(dump: str) -> dict[str, str]:
    """A dump's parts by the schema that their headings name."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"(?m)^--\n(?=-- Name: )", dump):
        heading = re.match(r"-- Name: .*; Type: [^;]*; Schema: ([^;]*);", part)
        found.setdefault(heading[1] if heading else "", []).append(part)
    return {schema: "\n".join(parts) for schema, parts in found.items()}


def files_of_tables(url: str) -> dict[str, int]:
    query = """SELECT oid::regclass::text, relfilenode FROM pg_class
               WHERE relkind IN ('r', 'm') AND relnamespace::regnamespace::text ~ '^f[0-9]{3}$'"""
    with psycopg.connect(url) as connection:
        return dict(connection.execute(query).fetchall())


def run_originals(url: str, chosen: t.Sequence[str]) -> dict[str, str]:
    """What the server refuses."""
    refused = {}
    for name in chosen:
        case = CASES[name]
        try:
            with psycopg.connect(url, autocommit=case.alone) as connection:
                for text in case.plain or case.statements:
                    connection.execute(text.replace("§", schema_name(name)))
        except psycopg.Error as error:
            refused[name] = str(error)
    return refused


@contextlib.contextmanager
def watched(held: list[str]) -> t.Iterator[None]:
    """Notes what others would wait for during a long statement."""
    query = """SELECT string_agg(relation::regclass || ' ' || mode, ', ')
               FROM pg_locks JOIN pg_class c ON c.oid = relation
               WHERE pid = pg_backend_pid() AND granted AND relnamespace::regnamespace::text ~ '^f[0-9]{3}$'
                 AND relkind IN ('r', 'p', 'm')
                 AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"""

    def look(connection: t.Any, _cursor: t.Any, statement: str, *_more: t.Any) -> None:
        if _LONG.search(statement) and "CONCURRENTLY" not in statement and "alembic_version" not in statement:
            [locks] = connection.connection.driver_connection.execute(query).fetchone()
            if locks:
                held.append(f"{locks} during {statement}")

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", look)


def run_rewritten(made: Project, url: str, chosen: t.Sequence[str], found: Outcome) -> None:
    options = config.Config(made.folder / "alembic.ini")
    with mock.patch.dict(os.environ, {"DATABASE_URL": url}):
        for name in chosen:
            held: list[str] = []
            try:
                with watched(held):
                    command.upgrade(options, schema_name(name))
            except Exception as error:
                found.failed[name] = f"{type(error).__name__}: {error}"
                command.stamp(options, schema_name(name), purge=True)
            found.held[name] = held


@pytest.fixture(scope="module", params=MAJORS, ids=str)
def outcome(request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return tried(servers(request.param), request.param, tmp_path_factory.mktemp("field"))


def tried(place: Prepared, major: int, folder: Path) -> Outcome:
    """All cases that this version takes, judged, rewritten and run."""
    chosen = [name for name, case in CASES.items() if case.since <= major]
    place.admin.execute("CREATE DATABASE field")
    setup = [
        f"CREATE SCHEMA {schema_name(name)}; SET search_path = {schema_name(name)};" + COMMON + setup_of(name)
        for name in chosen
    ]
    prepare(place.server.url("field"), *setup, "RESET search_path", "ANALYZE", revision="0001")
    original = history(folder / "original", chosen)
    out = folder / "out"
    out.mkdir()
    given: dict[str, t.Any] = {"thresholds": {"small_table_bytes": 0}, "environment": "dev"}
    given |= {"migrator_sets_lock_timeout": True, "statement_timeout_ms": 60000, "render_timeout": 3000}
    with copy_of(place, "field") as one, copy_of(place, "field") as other:
        said = ask(original.folder, other, rewrite_dir=str(out), **given)
        assert said.verdict, said.message
        made = history(folder / "made", chosen)
        for path in out.iterdir():
            (made.versions / path.name).write_text(path.read_text())
        again = ask(made.folder, other, **given)
        assert again.verdict, again.message
        found = Outcome(said, again, chosen)
        before = files_of_tables(other)
        found.refused = run_originals(one, chosen)
        run_rewritten(made, other, chosen, found)
        found.files = before, files_of_tables(other)
        found.dumps = [by_schema(schema_of(place, url)) for url in (one, other)]
        found.rows = [rows_of_schemas(url, "f%") for url in (one, other)]
    return found


@pytest.mark.parametrize("name", CASES)
def test_from_the_field(outcome: Outcome, name: str) -> None:
    if name not in outcome.chosen:
        return
    case, schema = CASES[name], schema_name(name)
    assert name not in outcome.refused, outcome.refused[name]
    rewrite = outcome.rewrite(name)
    if case.uncured is not None:
        assert not rewrite["files"], rewrite
        reasons = [item["reason"] for item in rewrite["uncured"]]
        assert any(case.uncured in reason for reason in reasons), reasons
        return
    assert bool(rewrite["files"]) == case.cured, rewrite
    if not case.cured:
        return
    assert name not in outcome.failed, outcome.failed[name]
    for before, after in zip(*(dump.get(schema, "").splitlines() for dump in outcome.dumps), strict=False):
        assert after == before
    assert outcome.dumps[1].get(schema) == outcome.dumps[0].get(schema)
    mine = [{table: rows for table, rows in found.items() if table.startswith(f"{schema}.")} for found in outcome.rows]
    if not case.volatile:
        assert mine[1] == mine[0]
    assert outcome.held[name] == []
    changed = {table for table, file in outcome.files[0].items() if outcome.files[1].get(table, file) != file}
    assert not {table for table in changed if table.startswith(f"{schema}.")}
    ours = [item for item in outcome.again.findings if str(item.get("revision", "")).startswith(schema)]
    assert unsafe(Verdict(None, ours, "", {})) == []
