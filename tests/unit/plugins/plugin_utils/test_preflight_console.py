"""The preflight as a program: its options, what it says, and how it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.options import OPTIONS
from ansible_collections.ai_platform.agent.plugins.plugin_utils import preflight_console
from ansible_collections.ai_platform.agent.plugins.plugin_utils.preflight_console import WITHOUT, main

from tests.unit.plugins.module_utils._in_pod.project import Project

SECRET = "hunter2"
NOBODY = f"postgresql://agent:{SECRET}@127.0.0.1:1/agent"


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


def test_every_option_of_the_module_has_a_flag_with_a_sentence_or_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert set(OPTIONS) > WITHOUT
    for name in OPTIONS:
        flag = f"--{name.replace('_', '-')}"
        assert (f"{flag} " in text or f"{flag}]" in text) == (name not in WITHOUT | {"database_url"}), name
    assert "C(" not in text
    assert "V(" not in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Set DATABASE_URL to the database's URL, or give --facts"),
        (["--facts", "nosuch.json"], "nosuch.json"),
        (["--facts", "f.json", "--rewrite-dir", "x"], "facts|rewrite_dir"),
        (["--facts", "f.json", "--render-timeout", "soon"], "render_timeout"),
        (["--facts", "f.json", "--thresholds", "nosuch=1"], "nosuch"),
        (["--facts", "f.json", "--only-changed", "nosuch"], "only_changed"),
        (["--facts", "f.json", "--annotations", "github"], "annotations_path"),
    ],
)
def test_no_verdict_is_one_line_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    project = Project(tmp_path / "app").add("0001", None)
    assert main(["--alembic-dir", str(project.folder), *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert said.err.startswith("no verdict: ")
    assert said.err.count("\n") == 1


def test_a_mistyped_flag_is_2_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--alembic-environment", "NAME"])
    assert left.value.code == 2
    assert "write NAME=VALUE" in capsys.readouterr().err


def test_a_database_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path / "app").add("0001", None)
    monkeypatch.setenv("OTHER_URL", NOBODY)
    assert main(["--alembic-dir", str(project.folder), "--database-url-from", "OTHER_URL"]) == 2
    said = capsys.readouterr()
    assert "database-unreachable" in said.err
    assert SECRET not in said.out + said.err


def test_what_is_given_reaches_the_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def execute(params: dict[str, object]) -> tuple[dict[str, object], str | None]:
        seen.update(params)
        return {"summary": ["SAFE"], "findings": []}, None

    monkeypatch.setattr(preflight_console, "execute", execute)
    words = ["--facts", "f.json", "--alembic-environment", "A=1", "--alembic-environment", "B=2=3"]
    words += ["--alembic-x", "tenant=a", "--alembic-x", "b", "--trace", "--thresholds", "backup_hours=3"]
    monkeypatch.setenv("DATABASE_URL", NOBODY)
    assert main(words) == 0
    assert seen["alembic_environment"] == {"A": "1", "B": "2=3"}
    assert seen["alembic_x"] == ["tenant=a", "b"]
    assert seen["trace"] is True
    assert seen["fail_on"] == "unknown"
    assert seen["database_url"] is None
    thresholds = seen["thresholds"]
    assert isinstance(thresholds, dict)
    assert (thresholds["backup_hours"], thresholds["connections_left"]) == (3, 5)


@pytest.mark.parametrize(
    "words",
    [
        ["--database-url", NOBODY],
        [f"--database-url={NOBODY}"],
        ["--database-ur", NOBODY],
        ["--database-url-from", NOBODY],
        ["--database-url-from", f"password={SECRET}"],
        ["--db", NOBODY],
        [f"--trace={NOBODY}"],
        ["--fail-on", SECRET],
        [NOBODY],
        [SECRET],
        ["--facts", NOBODY],
        ["--facts", f"host=h password={SECRET}"],
        ["--facts", "f.json", "--render-timeout", NOBODY],
        ["--facts", "f.json", "--render-timeout", SECRET],
        ["--facts", "f.json", "--thresholds", f"{NOBODY}=1"],
        ["--facts", "f.json", "--thresholds", f"backup_hours={SECRET}"],
        ["--facts", "f.json", "--alembic-dir", NOBODY],
        ["--facts", "f.json", "--alembic-ini", NOBODY],
        ["--facts", "f.json", "--alembic-python", NOBODY],
        ["--facts", "f.json", "--alembic-environment", NOBODY],
        ["--facts", "f.json", "--target", NOBODY],
        ["--facts", "f.json", "--only-changed", NOBODY],
        ["--facts", "f.json", "--last-verified-backup", NOBODY],
        ["--facts", "f.json", "--report-path", NOBODY],
        ["--facts", "f.json", "--annotations", SECRET],
        ["--facts", "f.json", "--facts-path", NOBODY],
        ["--facts", NOBODY, "--rewrite-dir", NOBODY],
    ],
)
def test_what_stands_in_a_wrong_place_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    project = Project(tmp_path / "app").add("0001", None)
    try:
        code: object = main(["--alembic-dir", str(project.folder), *words])
    except SystemExit as left:
        code = left.code
    said = capsys.readouterr()
    assert code == 2
    assert SECRET not in said.out + said.err
    assert said.err


def test_an_option_for_the_url_says_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--database-url", NOBODY])
    assert "set DATABASE_URL, or name another environment variable" in capsys.readouterr().err
    assert main(["--database-url-from", NOBODY]) == 2
    assert "wants the name of an environment variable" in capsys.readouterr().err


def test_what_an_application_writes_of_its_environment_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = "import os\nraise ValueError('cannot use ' + os.environ['API_KEY'] + ' of ' + os.environ['QUEUE'])"
    project = Project(tmp_path / "app", env).add("0001", None)
    (project.folder / "facts.json").write_text("{}")
    words = ["--facts", str(project.folder / "facts.json"), "--alembic-environment", f"API_KEY={SECRET}"]
    words += ["--alembic-environment", f"QUEUE=amqp//me:{SECRET}x@h"]
    main(["--alembic-dir", str(project.folder), *words])
    assert SECRET not in capsys.readouterr().err
