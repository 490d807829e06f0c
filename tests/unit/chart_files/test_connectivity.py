"""What connectivity_test sends into pods is what the chart's test pod runs, and needs what every image has."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from connectivity_wire import Log, described

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "chart" / "files").glob("connectivity*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_both_copies_are_one_text(file: Path) -> None:
    copy = ROOT / "plugins" / "module_utils" / f"_{file.name}"
    assert copy.read_text() == file.read_text(), f"cp {copy.relative_to(ROOT)} {file.relative_to(ROOT)}"


def test_there_is_nothing_else_to_ship() -> None:
    assert [file.name for file in FILES] == [
        "connectivity.py",
        "connectivity_postgresql.py",
        "connectivity_redis.py",
        "connectivity_wire.py",
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_the_standard_library_and_the_two_drivers(file: Path) -> None:
    known = sys.stdlib_module_names | {"psycopg", "redis"} | {item.stem for item in FILES}
    named = set()
    for node in ast.walk(ast.parse(file.read_text(), feature_version=(3, 10))):
        if isinstance(node, ast.Import):
            named |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add(str(node.module).partition(".")[0])
    assert named - known == set()


PASSWORD = 'p@:/%+ü"x'
FORMS = {
    "raw": PASSWORD,
    "encoded": "p%40%3A%2F%25%2B%C3%BC%22x",
    "lower": "p%40%3a%2f%25%2b%c3%bc%22x",
    "repr": repr(PASSWORD)[1:-1],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_no_form_of_the_password_is_written(form: str) -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide(f"postgresql://user:{FORMS['encoded']}@host/db", PASSWORD)
    log.put(record="phase", error={"text": f"failed for {form} at host"}, facts={"deep": [{"er": form}]})
    assert json.loads(lines[0]) == {
        "record": "phase",
        "error": {"text": "failed for *** at host"},
        "facts": {"deep": [{"er": "***"}]},
    }


def test_a_url_that_nobody_told_of_loses_its_login() -> None:
    lines: list[str] = []
    Log(lines.append).put(error={"text": "cannot parse redis://:secret@host/0"})
    assert "secret" not in lines[0]
    assert "//***@host/0" in lines[0]


def test_a_password_that_is_a_word_of_the_message_does_not_hide_the_cause() -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide("postgresql://user:password@host/db", "password")
    log.put(error=described(OSError("FATAL:  password authentication failed")))
    said = json.loads(lines[0])["error"]
    assert said["text"] == "FATAL:  *** authentication failed"
    assert said["cause"] == "password"


def test_own_words_of_a_record_stay_what_they_are() -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide("redis://:p@host/0", "p")
    log.put(record="phase", phase="tcp", dependency="postgresql")
    assert json.loads(lines[0]) == {"record": "phase", "phase": "tcp", "dependency": "postgresql"}
