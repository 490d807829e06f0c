"""What schema.py decides without a database: where a schema stands, what may be printed, what Alembic is given."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import types
import typing as t
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

import schema
import schema_revisions
import schema_runner
import schema_url
from schema_revisions import State

LINE = {"1": [], "2": ["1"], "3": ["2"]}
FORK = {"1": [], "2a": ["1"], "2b": ["1"], "3": ["2a", "2b"]}


@pytest.mark.parametrize(
    ("parents", "heads", "live", "state"),
    [
        (LINE, {"3"}, set(), State.ABSENT),
        (LINE, {"3"}, {"1"}, State.BEHIND),
        (LINE, {"3"}, {"3"}, State.CURRENT),
        (LINE, {"3"}, {"4"}, State.UNKNOWN),
        (LINE, {"3"}, {"3", "x"}, State.AHEAD),
        (LINE, {"3"}, {"2", "x"}, State.DIVERGED),
        (LINE, {"3"}, {"x", "y"}, State.UNKNOWN),
        (FORK, {"3"}, {"2a", "2b"}, State.BEHIND),
        (FORK, {"3"}, {"2a"}, State.BEHIND),
        (FORK, {"3"}, {"3", "2a"}, State.CURRENT),
        ({}, set(), set(), State.CURRENT),
        ({}, set(), {"x"}, State.UNKNOWN),
    ],
)
def test_state(parents: dict[str, list[str]], heads: set[str], live: set[str], state: State) -> None:
    closed = schema_revisions.close_over(parents)
    assert schema_revisions.judge(frozenset(live), frozenset(heads), closed) is state


def test_only_what_is_missing_something_has_to_wait() -> None:
    waiting = {state for state in State if not state.serves}
    assert waiting == {State.ABSENT, State.BEHIND, State.DIVERGED}


@pytest.mark.parametrize(("version", "names"), [(160004, 2), (170002, 3)])
def test_only_time_outs_that_the_server_knows_are_lifted(version: int, names: int) -> None:
    connection: t.Any = types.SimpleNamespace(info=types.SimpleNamespace(server_version=version))
    options = dict(schema.lifted_timeouts(connection))
    assert set(options.values()) == {"0"}
    assert len(options) == names
    assert ("transaction_timeout" in options) == (version >= 170000)


def test_ancestors_include_the_revision_and_everything_before() -> None:
    assert schema_revisions.close_over(FORK)["3"] == {"1", "2a", "2b", "3"}
    assert schema_revisions.close_over(FORK)["2a"] == {"1", "2a"}


def test_missing_revisions_are_counted() -> None:
    graph = schema_revisions.Graph(frozenset({"3"}), schema_revisions.close_over(FORK))
    assert [graph.missing(frozenset(live)) for live in ((), ("1",), ("2a",), ("2a", "2b"), ("3",))] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    "settings",
    [
        {"alembic.ini": "[alembic]\nscript_location = %(here)s/migrations\n"},
        {
            "alembic.ini": "[loggers]\nkeys = root\n",
            "pyproject.toml": '[tool.alembic]\nscript_location = "%(here)s/migrations"\n',
        },
    ],
    ids=["alembic.ini", "pyproject.toml"],
)
def test_graph_follows_merges_and_dependencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    for name, text in settings.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "migrations" / "env.py").write_text("")
    rows = [("1", None, None), ("2a", "1", None), ("2b", "1", "2a"), ("3", ("2a", "2b"), None)]
    for revision, down, depends in rows:
        text = f"revision = {revision!r}\ndown_revision = {down!r}\ndepends_on = {depends!r}\n"
        (versions / f"r{revision}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    graph = schema_revisions.read_graph("alembic.ini")
    assert graph.heads == {"3"}
    assert graph.ancestors["2b"] == {"1", "2a", "2b"}
    assert graph.ancestors["3"] == {"1", "2a", "2b", "3"}


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_driver_in_the_scheme_is_dropped(scheme: str) -> None:
    assert schema_url.plain_url(f"{scheme}://u:p@h:5432/d") == "postgresql://u:p@h:5432/d"


@pytest.mark.parametrize("url", ["", "mysql://h/d", "host=h", "postgresql:/h"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not a postgresql:// URL"):
        schema_url.plain_url(url)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<*>"), min_size=1))
def test_no_form_of_a_password_survives(password: str) -> None:
    encoded = quote(password, safe="")
    url = f"postgresql://u:{encoded}@h/d"
    secrets = schema_url.secrets_of(url)
    assert {password, encoded} <= secrets
    assert schema_url.redact(f"<{password}><{encoded}>", secrets) == "<***><***>"


def test_password_as_a_parameter_is_a_secret() -> None:
    assert schema_url.secrets_of("postgresql://h/d?user=u&password=hunter2") == {"hunter2"}


def test_url_that_cannot_be_parsed_is_a_secret_as_a_whole() -> None:
    url = "postgresql://u:p@[h/d"
    assert schema_url.redact(f"bad: {url}", schema_url.secrets_of(url)) == "bad: ***"


def test_url_without_a_password_has_no_secret() -> None:
    assert schema_url.secrets_of("postgresql://u@h/d") == frozenset()


def test_session_options_go_before_those_of_the_user() -> None:
    environ = {"DATABASE_URL": "postgresql://u:p@h/d", "PGOPTIONS": "-c lock_timeout=9s"}
    result = schema_url.child_environment(environ, [("lock_timeout", "2s"), ("a", "b")])
    assert result["PGOPTIONS"] == "-c lock_timeout=2s -c a=b -c lock_timeout=9s"
    assert result["DATABASE_URL"] == environ["DATABASE_URL"]


def test_options_in_the_url_are_extended_there() -> None:
    url = "postgresql+psycopg://u:p%2B@h:1/d?sslmode=require&options=-c%20search_path%3Down"
    result = schema_url.child_environment({"DATABASE_URL": url}, [("lock_timeout", "2s")])
    assert "PGOPTIONS" not in result
    parts = urlsplit(result["DATABASE_URL"])
    assert parts.netloc == "u:p%2B@h:1"
    assert parse_qs(parts.query)["options"] == ["-c lock_timeout=2s -c search_path=own"]
    libpq = conninfo_to_dict(schema_url.plain_url(result["DATABASE_URL"]))
    assert libpq["options"] == "-c lock_timeout=2s -c search_path=own"
    assert libpq["sslmode"] == "require"


SQLALCHEMY = """Traceback (most recent call last):
  File "x.py", line 1, in <module>
psycopg.errors.LockNotAvailable: canceling statement due to lock timeout

The above exception was the direct cause of the following exception:

sqlalchemy.exc.OperationalError: (psycopg.errors.LockNotAvailable) canceling statement due to lock timeout
DETAIL:  something else: of no interest
[SQL: ALTER TABLE item ADD COLUMN note text]
(Background on this error at: https://sqlalche.me/e/20/e3q8)
"""


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (
            SQLALCHEMY,
            SQLALCHEMY.splitlines()[6],
        ),
        ("INFO  [alembic] Context\n  FAILED: Can't locate '9'.\n", "FAILED: Can't locate '9'"),
        ("one\nKilled\n\n", "Killed"),
        ("", "it printed nothing"),
    ],
)
def test_cause_of_a_failed_program(output: str, cause: str) -> None:
    assert schema.cause_of(output.splitlines()) == cause


def test_lock_timeout_is_recognised_in_every_language() -> None:
    assert schema.LOST_AGAINST_LOCK.search("(psycopg.errors.LockNotAvailable) Anweisung wird abgebrochen")
    assert schema.LOST_AGAINST_LOCK.search(SQLALCHEMY)
    assert not schema.LOST_AGAINST_LOCK.search('relation "nowhere" does not exist')


@pytest.mark.parametrize(
    ("said", "explained"),
    [
        ("connection timeout expired", True),
        ('connection to server at "h", port 1 failed: Connection timed out', True),
        ('connection to server at "h", port 1 failed: Connection refused', False),
        ('FATAL:  database "a" does not exist', False),
    ],
)
def test_a_time_out_says_why_and_how(said: str, explained: bool) -> None:
    words = schema.why_unreachable(psycopg.OperationalError(said))
    assert words.startswith(said)
    assert ("networkPolicy.database.to" in words and "-db-client" in words) == explained
    assert "\n" not in words


def test_brief_takes_the_line_with_the_cause() -> None:
    text = 'connection to server at "h", port 1 failed: Connection refused\n\tIs the server running on that host?'
    assert schema.brief(psycopg.OperationalError(text)) == text.splitlines()[0]
    several = "Multiple connection attempts failed. All failures were:\n- host: 'a': timeout expired\n- host: 'b': no"
    assert schema.brief(psycopg.OperationalError(several)) == "host: 'a': timeout expired"
    assert schema.brief(psycopg.OperationalError()) == "OperationalError"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "sqlite://"}, "not a postgresql:// URL"),
        (
            {"DATABASE_URL": "postgresql://h/d", "SCHEMA_LOCK_TIMEOUT": "2s -c x=y"},
            "SCHEMA_LOCK_TIMEOUT is '2s -c x=y'",
        ),
        ({"DATABASE_URL": "postgresql://h/d", "SCHEMA_LOCK_TIMEOUT": "0s"}, "write a number"),
    ],
)
def test_wrong_settings_are_one_sentence(
    environ: dict[str, str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schema.main(["wait"], environ) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1


def test_defaults_of_the_settings() -> None:
    settings = schema.Settings.read({"DATABASE_URL": "postgresql://h/d"})
    assert (settings.config_file, settings.version_table, settings.lock_timeout) == (
        "alembic.ini",
        ("alembic_version",),
        "2s",
    )


def test_unknown_command_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as stopped:
        schema.main(["downgrade"])
    assert stopped.value.code == 2


def test_a_text_is_repeated_only_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    reminder = schema.Reminder(schema.Settings.read({"DATABASE_URL": "postgresql://u:hunter2@h/d"}))
    for later, text in [(0, "a hunter2"), (1, "a hunter2"), (1, "b"), (20, "b")]:
        now[0] += later
        reminder.say(text)
    assert capsys.readouterr().out == "a ***\nb\nb\n"


@pytest.fixture
def runner() -> t.Iterator[schema_runner.Runner]:
    before = signal.getsignal(signal.SIGTERM)
    yield schema_runner.Runner()
    signal.signal(signal.SIGTERM, before)


def test_runner_passes_output_on_and_keeps_its_end(runner: schema_runner.Runner) -> None:
    said: list[str] = []
    program = (
        "import sys; [print(n) for n in range(100)]; print('\\udcff'.encode('utf-8', 'surrogateescape')); sys.exit(7)"
    )
    code, tail = runner.run([sys.executable, "-c", program], {}, said.append, lambda: True)
    assert code == 7
    assert len(said) == 101
    assert tail == said[-schema_runner.TAIL_LINES :]


def test_runner_stops_the_program_when_the_lock_is_gone(
    runner: schema_runner.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_runner, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(schema_runner, "POLL_SECONDS", 0.1)
    program = "import time; time.sleep(60)"
    with pytest.raises(schema_runner.SchemaError, match="connection with the lock broke"):
        runner.run([sys.executable, "-c", program], {}, lambda _line: None, lambda: False)


def test_what_is_over_time_is_told_apart_by_the_job() -> None:
    template = Path(schema.__file__).parents[2] / "subcharts/platform-library/templates/_migration.tpl"
    assert f'"failAt" {schema_runner.TIME_IS_OVER})' in template.read_text(encoding="utf-8")


@pytest.mark.parametrize("environ", [{}, {"PYTHONSAFEPATH": "1"}])
def test_runs_from_the_links_of_a_mounted_configmap(tmp_path: Path, environ: dict[str, str]) -> None:
    shutil.copytree(Path(schema.__file__).parent, tmp_path / "..2026_11_21")
    (tmp_path / "..data").symlink_to("..2026_11_21")
    for pattern in ("libpq_url.py", "schema*.py"):
        for file in (tmp_path / "..data").glob(pattern):
            (tmp_path / file.name).symlink_to(f"..data/{file.name}")
    command = [sys.executable, str(tmp_path / "schema.py"), "wait"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "DATABASE_URL is not set: the chart takes it from the release's Secret.\n",
    )
