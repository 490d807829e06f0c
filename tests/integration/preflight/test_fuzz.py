"""The real module on directories, databases and URLs that nobody would write: each run ends with an answer."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.preflight.asking import BOTH_MODES, ask
from tests.integration.preflight.conftest import CHOSEN, Servers, copy_of
from tests.unit.plugins.module_utils._in_pod.project import ENV, Project
from tests.unit.plugins.module_utils._sql import fuzz

# A run of the module takes about a second.
RUNS = settings(
    max_examples=max(8, fuzz.EXAMPLES // 50),
    deadline=None,
    derandomize=fuzz.EXAMPLES < 1000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# What may stand before, in the middle of, or behind an env.py that works.
LINES = (
    "raise SystemExit('enough')",
    "raise KeyboardInterrupt",
    "raise BaseException",
    "raise Exception('a\\nb %s \\udc80')",
    "print('x' * 100000)",
    "import os; os.close(1)",
    "import os; os.write(2, b'\\xff')",
    "import sys; sys.exit(0)",
    "import sys; sys.stdin.close()",
    "import os; os.chdir('/')",
    "import os; os.environ.clear()",
    "import logging; logging.shutdown()",
    "import builtins; builtins.open = None",
    "import json; json.dumps = None",
    "import sys; sys.modules.clear()",
    "import warnings; warnings.simplefilter('error')",
    "import threading; threading.Thread(target=print).start()",
    "context.configure(dialect_name='sqlite')",
    "context.configure(dialect_name='nothing')",
    "context.configure(url='%')",
    "context.run_migrations()",
    "context.run_migrations(x=1)",
    "context.is_offline_mode = lambda: 1 / 0",
    "context.config.print_stdout('%')",
    "context.config.set_main_option('sqlalchemy.url', 'a%b')",
    "context.config.get_main_option('nothing').x",
    "context.script.version_locations = ['/none']",
    "context.script.dir = '/none'",
    "context.get_x_argument(as_dictionary=True)['a']",
    "del context",
    "from alembic import nothing",
    "def",
    "\\t x = (",
    "yield",
    "await x",
    "from __future__ import annotations",
    "import os; os.kill(os.getpid(), 15)",
    "import os; os._exit(3)",
    "import gc; gc.enable()",
    "import sys; sys.setrecursionlimit(60)",
    "globals().clear()",
    "1 / 0",
)
# What may be in the way of a version table, or in it; the table is made by nobody else.
TABLES = (
    "",
    "CREATE TABLE {v} (version_num varchar(32) PRIMARY KEY)",
    "CREATE TABLE {v} (version_num varchar(32)); INSERT INTO {v} VALUES (NULL), ('0001'), ('0001')",
    "CREATE TABLE {v} (version_num text); INSERT INTO {v} SELECT repeat('x', 100000)",
    "CREATE TABLE {v} (version_num text); INSERT INTO {v} SELECT n FROM generate_series(1, 20000) n",
    "CREATE TABLE {v} (version_num int); INSERT INTO {v} VALUES (1)",
    "CREATE TABLE {v} (version_num bytea); INSERT INTO {v} VALUES ('\\\\x00ff')",
    "CREATE TABLE {v} (version_num text[]); INSERT INTO {v} VALUES ('{0001,NULL}')",
    "CREATE TABLE alembic_version (other text)",
    "CREATE TABLE alembic_version ()",
    "CREATE VIEW {v} AS SELECT '0001'::text AS version_num",
    "CREATE SEQUENCE alembic_version",
    "CREATE VIEW {v} AS SELECT (1 / (random() * 0)::int)::text AS version_num",
    "CREATE VIEW {v} AS SELECT pg_sleep(60)::text AS version_num",
    "CREATE TABLE {v} (version_num text); ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY",
    "CREATE TABLE t (version_num text); CREATE INDEX alembic_version ON t (version_num)",
    "CREATE TYPE alembic_version AS (version_num text)",
    "CREATE TABLE {v} (version_num json); INSERT INTO {v} VALUES ('{\"a\": null}')",
    "CREATE TABLE {v} (version_num text) PARTITION BY LIST (version_num)",
    "CREATE SCHEMA x; DROP SCHEMA public",
    "CREATE TABLE {v} (version_num text); INSERT INTO {v} VALUES (E'\\n\\x7f\u2028 %s {{ x }}')",
)
PARTS = (
    "%",
    "%zz",
    "@",
    ":",
    "/",
    "?",
    "#",
    "[",
    "]",
    "::1",
    " ",
    "\n",
    "\x00",
    "ü",
    "?sslmode=maybe",
    "?options=-c%20x%3D1",
    "?port=70000",
    "?host=/none",
    "postgresql+x://",
    "?connect_timeout=x",
    "-1",
    "?a=b&a=c",
    "\ufeff",
    "?service=x",
)


@st.composite
def environments(draw: st.DrawFn) -> str:
    """An env.py that works, with at most two lines more."""
    lines = draw(st.sampled_from((ENV, BOTH_MODES))).splitlines()
    for text in draw(st.lists(st.sampled_from(LINES), max_size=2)):
        place = draw(st.integers(0, len(lines)))
        indent = len(lines[place]) - len(lines[place].lstrip()) if place < len(lines) else 0
        lines.insert(place, " " * indent + text)
    return "\n".join(lines)


@st.composite
def urls(draw: st.DrawFn, good: str) -> str:
    """A URL with something put into it."""
    place = draw(st.integers(0, len(good)))
    return good[:place] + draw(st.sampled_from(PARTS)) + good[place:]


@pytest.fixture(scope="module")
def place(servers: Servers) -> t.Iterator[str]:
    with copy_of(servers(CHOSEN[-1]), "template1") as url:
        yield url


@RUNS
@given(st.data())
def test_every_run_ends_with_an_answer(place: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(fuzz.statements(), max_size=3))
    env = data.draw(st.one_of(st.just(ENV), environments()))
    table = data.draw(st.sampled_from(TABLES))
    url = data.draw(st.one_of(st.just(place), st.just(place), urls(place)))
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS public, x CASCADE; CREATE SCHEMA public")
        connection.execute(table.replace("{v}", "alembic_version").encode())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "app"
        project = Project(folder, env).add("0001", None).add("0002", "0001", *texts)
        answer = ask(project.folder, url, render_timeout=20, statement_timeout_ms=2000)
    assert answer.verdict or answer.message
    assert answer.ids <= CATALOGUE.keys()
