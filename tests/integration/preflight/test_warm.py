"""A run in a fork (warm.py) and one in a process that begins with nothing answer the same."""

from __future__ import annotations

import typing as t
from pathlib import Path

import psycopg
import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, ask_cold, migrate, migrate_cold, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

INDEX = ("ALTER TABLE ledger ADD COLUMN extra int", "CREATE INDEX amounts ON ledger (amount)")
PROJECTS: dict[str, tuple[str, t.Callable[[Project], object]]] = {
    "nothing to migrate": (BOTH_MODES, lambda project: project.add("0001", None)),
    "an index": (BOTH_MODES, lambda project: project.add("0001", None).add("0002", "0001", *INDEX)),
    "a revision that asks": (
        BOTH_MODES,
        lambda project: project.add("0001", None).add("0002", "0001", body="    op.get_bind().exec_driver_sql('x')"),
    ),
    "what env.py sees": (
        "import os, sys\nraise RuntimeError(sorted(os.environ), sys.argv, sys.path[:1], os.getcwd()[-4:])",
        lambda project: project.add("0001", None),
    ),
    "env.py that leaves": ("raise SystemExit(3)", lambda project: project.add("0001", None)),
    "env.py that ends its process": ("import os\nos._exit(0)", lambda project: project.add("0001", None)),
    "env.py that prints and reads": (
        "import sys\nprint(sys.stdin.read(0), file=sys.stderr)\n" + BOTH_MODES,
        lambda project: project.add("0001", None).add("0002", "0001", *INDEX),
    ),
    "no graph": (BOTH_MODES, lambda project: project.add("0002", "0001")),
}


# An interpreter adds to an environment that names no locale, as a bare Debian's does.
@pytest.mark.parametrize("lang", ["C.UTF-8", None], ids=["a locale", "no locale"])
@pytest.mark.parametrize("name", PROJECTS)
def test_both_ways_answer_the_same(
    name: str, lang: str | None, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env, build = PROJECTS[name]
    build(project := Project(tmp_path / "app", env))
    prepare(database, "CREATE TABLE ledger (id int PRIMARY KEY, amount int)", revision="0001")
    monkeypatch.setenv("PGAPPNAME", "told")
    for variable in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    if lang:
        monkeypatch.setenv("LANG", lang)
    assert ask(project.folder, database).result == ask_cold(project.folder, database).result


SEES = "    import os, sys\n    raise SystemExit(str((sys.argv, sys.path[:1], sorted(os.environ))))"
MIGRATIONS = PROJECTS | {
    "a statement that fails": (
        BOTH_MODES,
        lambda project: project.add("0001", None).add("0002", "0001", "ALTER TABLE nowhere ADD COLUMN extra int"),
    ),
    "what a revision sees": (
        BOTH_MODES,
        lambda project: project.add("0001", None).add(
            "0002",
            "0001",
            body="    import os, sys\n    raise SystemExit(str((sys.argv[1:], sys.path[:1], sorted(os.environ))))",
        ),
    ),
}


@pytest.mark.parametrize("name", MIGRATIONS)
def test_both_ways_migrate_the_same(name: str, database: str, tmp_path: Path) -> None:
    env, build = MIGRATIONS[name]
    build(project := Project(tmp_path / "app", env))
    said = []
    for way in (migrate, migrate_cold):
        prepare(database, "DROP TABLE IF EXISTS ledger, alembic_version")
        prepare(database, "CREATE TABLE ledger (id int PRIMARY KEY, amount int)", revision="0001")
        last = way(project.folder, database).splitlines()[-1:]
        said.append((last, columns(database)))
    assert said[0] == said[1]


def columns(url: str) -> list[t.Any]:
    """Of all tables, and the revision."""
    with psycopg.connect(url) as connection:
        query = (
            "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relnamespace = 'public'::regnamespace AND attnum > 0 ORDER BY 1, 2"
        )
        return [connection.execute(query).fetchall(), connection.execute("TABLE alembic_version").fetchall()]
