"""Whole histories of real projects, judged and run: nothing of them is unseen, and no strong lock is unclaimed."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.alembic_url import PLACEHOLDER_URL
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import (
    PASSED_ON,
    AlembicProcess,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import statements

from tests.integration.histories.conftest import Database
from tests.integration.histories.projects import PROJECTS, Project
from tests.integration.histories.table import Line
from tests.integration.histories.walk import walk
from tests.integration.preflight.asking import ask
from tests.integration.preflight.walk import UNKNOWN

# What differs from one rendering to the next: identifiers and times that a revision makes up.
MADE_UP = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*")
ON_EACH = pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
# `alembic upgrade heads --sql`, but into a file: Airflow's revisions print beside their SQL.
RENDERING = """
import sys
from alembic import command, config
with open(sys.argv[2], "w") as file:
    command.upgrade(config.Config(sys.argv[1], output_buffer=file), "heads", sql=True)
"""
# Seconds for one run of env.py and all revisions, on a busy machine.
PATIENCE = 600


def surroundings(project: Project, url: str) -> dict[str, str]:
    """The environment of a process of the project: nothing of this one's but what the preflight hands on."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "DATABASE_URL": project.url(url)} | project.environment(url)


def run(project: Project, ini: Path, url: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The project's own Python, beside its alembic.ini."""
    return subprocess.run(
        [project.python, *words],
        cwd=ini.parent,
        env=surroundings(project, url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def alembic(project: Project, ini: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The real command line of Alembic, in the project's own Python."""
    return run(project, ini, url, "-m", "alembic", "-c", ini, *words)


def offline(project: Project, ini: Path, url: str) -> tuple[str, int, str]:
    """What Alembic itself renders of the whole history, apart from what revisions print; exit code and errors."""
    path = ini.with_name("rendered.sql")
    done = run(project, ini, url, "-c", RENDERING, ini, path)
    return path.read_text(), done.returncode, done.stderr


def begin(project: Project, folder: Path, url: str) -> None:
    """Do in an empty database what the project does before its first revision."""
    if project.before:
        words = [str(project.python), "-c", project.before, project.url(url)]
        environment = surroundings(project, url)
        subprocess.run(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=True)


def migrate(project: Project, ini: Path, url: str, target: str) -> None:
    """Have Alembic bring an empty database to a revision."""
    done = alembic(project, ini, url, "upgrade", target)
    assert done.returncode == 0, done.stderr[-2000:]


def rendered(project: Project, ini: Path, url: str) -> Rendered:
    """What the preflight's process renders of the whole history."""
    more: dict[str, t.Any] = {"environment": project.environment(url), "python": str(project.python)}
    with AlembicProcess(ini, "heads", PATIENCE, scheme=project.scheme, **more) as process:
        process.graph()
        return process.render([])


def listed(sql: str) -> list[str]:
    """Its statements without BEGIN and COMMIT, and without what differs each time.

    Alembic doubles each % where env.py sets no paramstyle, which the server never sees.
    """
    whole = Rendered(sql, [Segment("all", 0, len(sql), doc="", path="", error=None, inspects=None)])
    return [MADE_UP.sub("<made up>", item.sql).replace("%%", "%") for item in statements(whole)]


def in_order(sql: list[str]) -> list[str]:
    """The indexes of a new table by name: SQLAlchemy keeps them in a set of objects, ordered by their address."""
    groups = itertools.groupby(sql, lambda item: item.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")))
    return [item for indexes, group in groups for item in (sorted(group) if indexes else group)]


@ON_EACH
def test_what_alembic_renders_is_rendered(project: Project, tmp_path: Path) -> None:
    """All of it where Alembic comes to the end, and all before the revision at which it gives up where it does not."""
    ini = project.ini(tmp_path, PLACEHOLDER_URL)
    sql, failed, errors = offline(project, ini, PLACEHOLDER_URL)
    theirs, ours = listed(sql), listed(rendered(project, ini, PLACEHOLDER_URL).sql)
    assert theirs, errors[-2000:]
    assert in_order(ours[: len(theirs)]) == in_order(theirs)
    assert failed or len(ours) == len(theirs)


@ON_EACH
@pytest.mark.parametrize("start", ["nothing", "the middle"])
def test_its_upgrade_is_judged_as_it_runs(
    project: Project, start: str, databases: tuple[Database, Database], tmp_path: Path, told: list[Line]
) -> None:
    """No strong lock on a live table is unclaimed, nothing that works is said to fail, and judging changes nothing."""
    database, another = databases
    url, folder = database.url, tmp_path / "app"
    folder.mkdir()
    ini = project.ini(folder, url)

    def upgrade(target: str) -> bool:
        return not alembic(project, ini, url, "upgrade", target).returncode

    begin(project, folder, url)
    if start == "the middle":
        segments = rendered(project, ini, url).segments
        migrate(project, ini, url, segments[len(segments) // 2].revision)
    line = Line(project.name, start)
    told.append(line)
    before = database.dumped()
    whole = tmp_path / "report.json"
    more: dict[str, t.Any] = {"alembic_python": str(project.python), "render_timeout": PATIENCE}
    more |= {"alembic_environment": project.environment(url), "report_path": str(whole)}
    answer = ask(folder, url, **more)
    assert answer.verdict, answer.message
    report = json.loads(whole.read_text())
    line.equal = database.dumped() == before
    line.revisions, line.unknown = len(report["pending"]), len(not_known(report))
    traced = ask(folder, url, trace=True, trace_postgresql=str(database.programs), **more)
    told_of = [item["message"] for item in traced.findings if item["id"].startswith("trace")]
    assert traced.result["trace"].get("revisions"), told_of
    line.untraced = len(not_known(json.loads(whole.read_text())))
    line.equal &= database.dumped() == before
    more = {"environment": project.environment(url), "python": str(project.python), "scheme": project.scheme}
    walked = walk(folder, url, report, upgrade, **more)
    line.statements, line.refused, line.claimed = walked.run, len(walked.refused), walked.claimed
    line.unclaimed, line.false_fails = len(walked.unclaimed), len(walked.false)
    assert line.equal
    assert not walked.unclaimed
    assert not walked.false
    assert walked.run or walked.unseen
    if walked.failed:
        return
    assert not walked.refused
    if start == "nothing":
        begin(project, folder, another.url)
        migrate(project, project.ini(folder, another.url), another.url, "heads")
        line.equal = database.dumped("--schema-only") == another.dumped("--schema-only")
        assert line.equal


def not_known(report: dict[str, t.Any]) -> set[str]:
    """The pending revisions of which something is not known before it runs."""
    said = {item["revision"] for item in report["findings"] if item["id"] in UNKNOWN and "revision" in item}
    return said | {revision["revision"] for revision in report["pending"] if not revision["static"]}
