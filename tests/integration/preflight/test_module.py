"""The module as a user meets it: its own examples, in a playbook, against a server and the agent's migrations."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import psycopg
import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.execution import INLINE_LOCKS
from ansible_collections.ai_platform.agent.plugins.modules.migration_preflight import EXAMPLES

from tests.integration.preflight.conftest import Servers, copy_of
from tests.unit.plugins.module_utils._in_pod.project import Project

ROOT = Path(__file__).resolve().parents[3]
# `database_url` has to be hidden wherever it could show: at the highest verbosity the arguments are printed too.
VERBOSE = "-vvvv"
TASKS = {task["name"]: task for task in yaml.safe_load(EXAMPLES)}
URL = "{{ lookup('env', 'PREFLIGHT_DATABASE_URL') }}"
NAME = "ai_platform.agent.migration_preflight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the playbook lies, with the agent beside it as in the checkout."""
    shutil.copytree(ROOT / "images" / "agent", tmp_path / "images" / "agent")
    return tmp_path


@pytest.fixture
def url(servers: Servers, folder: Path) -> t.Iterator[str]:
    """A database at revision 0003 of the agent, as the examples expect."""
    with copy_of(servers(18), "template1") as made:
        words = [sys.executable, "-m", "alembic", "upgrade", "0003"]
        env = os.environ | {"DATABASE_URL": made}
        subprocess.run(words, cwd=folder / "images" / "agent", env=env, capture_output=True, check=True)
        yield made


def ansible(folder: Path, task: dict[str, t.Any], url: str, *options: str, callback: str = "ansible.posix.json") -> str:
    """Run one task as a playbook; what it printed."""
    head = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    given = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "url": URL}
    (folder / "play.yml").write_text(yaml.safe_dump([head | {"vars": given, "tasks": [task]}]))
    env = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_STDOUT_CALLBACK": callback,
        # A result then holds the arguments as well.
        "ANSIBLE_INJECT_INVOCATION": "true",
        "PREFLIGHT_DATABASE_URL": url,
    }
    words = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", str(folder / "play.yml"), *options]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def play(folder: Path, task: dict[str, t.Any], url: str, *options: str) -> dict[str, t.Any]:
    """Run one task as a playbook; the module's result."""
    output = ansible(folder, task, url, *options)
    assert output.startswith("{"), output
    document, _end = json.JSONDecoder().raw_decode(output)
    result: dict[str, t.Any] = document["plays"][0]["tasks"][0]["hosts"]["localhost"]
    return result


def state_of(url: str) -> list[t.Any]:
    """All that a migration could have changed, in short."""
    with psycopg.connect(url, autocommit=True) as connection:
        catalogue = "SELECT oid, relname, relfilenode, relnatts FROM pg_class ORDER BY oid"
        return [*connection.execute(catalogue).fetchall(), connection.execute("TABLE alembic_version").fetchall()]


def task(url: str, folder: Path, **arguments: t.Any) -> dict[str, t.Any]:
    given = {
        "alembic_dir": str(folder / "images" / "agent"),
        "database_url": URL,
    }
    return {"name": "preflight", NAME: given | arguments}


def test_the_first_example_fails_by_the_finding_that_nobody_accepted(folder: Path, url: str) -> None:
    before = state_of(url)
    result = play(folder, TASKS["Would these migrations hurt?"], url)
    assert (result["failed"], result["changed"], result["verdict"]) == (True, False, "unknown")
    assert result["msg"].startswith("The verdict is unknown: 1 finding reaches fail_on=unknown (revision-not-static)")
    assert [item["revision"] for item in result["pending"]] == ["0004", "0005", "0006"]
    assert [item["risk"] for item in result["pending"]] == ["low", "unknown", "low"]
    assert state_of(url) == before


def test_the_password_appears_nowhere(folder: Path, url: str) -> None:
    paths = {name: str(folder / name) for name in ("upgrade.sql", "report.json", "facts.json")}
    arguments = {
        "sql_path": paths["upgrade.sql"],
        "report_path": paths["report.json"],
        "facts_path": paths["facts.json"],
    }
    output = ansible(folder, task(url, folder, **arguments), url, VERBOSE, callback="default")
    assert "module_args" in output
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in output
    password = url.split(":")[2].partition("@")[0]
    assert password not in output
    assert not [path for path in folder.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]


@pytest.mark.parametrize("mode", ["", "--check"])
def test_the_second_example_passes_in_either_mode(folder: Path, url: str, mode: str) -> None:
    example = TASKS["In production, with one accepted finding and the SQL kept"]
    kept = folder / "upgrade.sql"
    assert example[NAME]["sql_path"] == "/tmp/upgrade.sql"  # noqa: S108 - the example's, not used here
    before = state_of(url)
    example = example | {NAME: example[NAME] | {"sql_path": str(kept)}}
    result = play(folder, example, url, *mode.split())
    assert not result.get("failed"), result
    assert (result["changed"], result["verdict"], result["counts"]["accepted"]) == (False, "warn", 1)
    assert (kept.stat().st_mode & 0o777, state_of(url)) == (0o600, before)


@pytest.mark.parametrize("mode", ["", "--check"])
def test_a_night_and_a_pull_request_in_either_mode(folder: Path, url: str, mode: str) -> None:
    night, later = (
        TASKS["Every night, where the database can be reached"],
        TASKS["In a pull request without a database"],
    )
    kept = folder / "facts.json"
    assert night[NAME]["facts_path"] == later[NAME]["facts"] == "/tmp/facts.json"  # noqa: S108 - the example's, not used here
    before = state_of(url)
    live = play(folder, night | {NAME: night[NAME] | {"facts_path": str(kept)}}, url, *mode.split())
    assert (live["changed"], kept.stat().st_mode & 0o777, state_of(url)) == (False, 0o600, before)
    result = play(
        folder, later | {NAME: later[NAME] | {"facts": str(kept)}}, "postgresql://u:p@127.0.0.1:1/d", *mode.split()
    )
    assert not result.get("failed"), result
    assert [item["revision"] for item in result["pending"]] == ["0004", "0005", "0006"]
    assert (result["verdict"], result["sql_sha256"]) == (live["verdict"], live["sql_sha256"])
    assert {item["id"] for item in result["findings"]} - {item["id"] for item in live["findings"]} == {
        "facts-age",
        "rows-unknown",
        "server-not-asked",
    }


@pytest.mark.parametrize(
    ("change", "error_id"),
    [
        ({"alembic_dir": "/nonexistent"}, "alembic-not-an-environment"),
        ({"alembic_dir": "{{ playbook_dir }}"}, "alembic-not-an-environment"),
        ({"alembic_dir": "{{ playbook_dir }}/raising"}, "alembic-env-failed"),
        ({"alembic_dir": "{{ playbook_dir }}/broken"}, "alembic-revision-broken"),
        ({"database_url": "mysql://u:hush-hush@h/d"}, "database-url-kind"),
        ({"database_url": "postgresql://u:hush-hush@127.0.0.1:1/d"}, "database-unreachable"),
        ({"database_url": "{{ url | regex_replace(':[0-9a-f]+@', ':hush-hush@') }}"}, "database-auth"),
        ({"lock_timeout_ms": 501}, "argument-invalid"),
    ],
)
def test_bad_input_is_one_sentence_with_an_id(folder: Path, url: str, change: dict[str, t.Any], error_id: str) -> None:
    Project(folder / "raising", "raise RuntimeError('no settings')").add("0001", None)
    Project(folder / "broken").add("0001", None, body="    def :")
    result = play(folder, task(url, folder, **change), url)
    assert (result["failed"], result["error_id"]) == (True, error_id)
    assert result["msg"].endswith(".")
    assert "\n" not in result["msg"]
    assert [item["runbook"] for item in result["findings"]] == [f"docs/runbook.md#{error_id}"]
    assert "hush-hush" not in json.dumps(result)


def test_a_large_upgrade_has_a_small_result_and_a_whole_report(folder: Path, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE event (id int) PARTITION BY RANGE (id)")
        for number in range(40):
            part = f"CREATE TABLE event_{number} PARTITION OF event FOR VALUES FROM ({number}) TO ({number + 1})"
            connection.execute(part)
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    project = Project(folder / "large").add("0001", None)
    for number in range(2, 102):
        project.add(f"{number:04}", f"{number - 1:04}", f"ALTER TABLE event ADD COLUMN c{number} int")
    report = folder / "report.json"
    given = {"alembic_dir": str(project.folder), "report_path": str(report), "fail_on": "never"}
    result = play(folder, task(url, folder, **given), url)
    assert (result["pending_count"], result["statements_omitted"]) == (100, 50)
    locks = result["pending"][0]["statements"][0]
    assert (len(locks["locks"]), locks["locks_omitted"]) == (INLINE_LOCKS, 41 - INLINE_LOCKS)
    assert len(json.dumps(result)) < 300_000
    whole = json.loads(report.read_text())
    assert sum(len(item["statements"]) for item in whole["pending"]) == 100
    assert len(whole["pending"][0]["statements"][0]["locks"]) == 41
