"""A file of facts is read as it was written, and anything else is refused with one sentence."""

from __future__ import annotations

import datetime
import json
import os
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import whole_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import facts_file, facts_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.facts_asker import FactsAsker
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source_facts import answer
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request

from tests.unit.plugins.module_utils._sql.claims import parsed
from tests.unit.plugins.module_utils._sql.test_facts import unlike

NOW = datetime.datetime(2026, 11, 29, 10, 30, tzinfo=datetime.UTC)


def sample(annotation: t.Any) -> t.Any:
    """A value of a type, the simplest there is."""
    if t.is_typeddict(annotation):
        return {name: sample(hint) for name, hint in t.get_type_hints(annotation).items()}
    if isinstance(annotation, types.UnionType):
        return sample(t.get_args(annotation)[0])
    if t.get_origin(annotation) is list:
        return [sample(t.get_args(annotation)[0])]
    return {int: 7, str: "name", bool: True, float: 0.5}[annotation] if annotation in {int, str, bool, float} else {}


def collected() -> dict[str, t.Any]:
    """As whole_facts.collect answers, with one row in each table."""
    head: dict[str, t.Any] = sample(facts_file._Head)
    return head | {"tables": {name: [sample(kind)] for name, kind in facts_file.TABLES.items()}}


@pytest.fixture
def text() -> str:
    return facts_file.text_of(collected(), NOW)


def refused(path: Path) -> str:
    with pytest.raises(FindingError) as caught:
        facts_file.read(str(path))
    assert caught.value.id == "facts-unreadable"
    message: str = caught.value.message
    assert message.endswith(".")
    assert "\n" not in message
    assert str(path) in message
    return message


def signed(content: dict[str, t.Any]) -> str:
    """A file whose checksum fits, whatever it holds."""
    content = {name: value for name, value in content.items() if name != "sha256"}
    return json.dumps(content | {"sha256": facts_file._digest(content)})


def test_what_was_written_is_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text, encoding="utf-8")
    read = facts_file.read(str(path))
    given = collected()
    assert (read.time, read.database, read.search_path) == (NOW, "name", ("name",))
    assert (read.server, read.version_table) == (given["server"], given["version_table"])
    kept = given["tables"] | {
        "constraints": [given["tables"]["constraints"][0] | {"expression": None}],
        "triggers": [given["tables"]["triggers"][0] | {"source": None}],
    }
    assert read.tables == kept


def test_the_same_facts_make_the_same_text_and_another_setting_of_it_is_read(text: str, tmp_path: Path) -> None:
    reversed_rows = collected()
    for rows in reversed_rows["tables"].values():
        rows.reverse()
    assert facts_file.text_of(reversed_rows, NOW) == text
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(json.loads(text), indent=4, sort_keys=True), encoding="utf-8")
    assert facts_file.read(str(path)).time == NOW


def test_every_table_of_the_collector_has_a_type_and_a_query_answers_from_it(text: str, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text, encoding="utf-8")
    about = whole_facts.ABOUT_NAMES | whole_facts.ABOUT_NOTHING | whole_facts.ABOUT_RELATIONS
    about |= whole_facts.ABOUT_UNLOCKED_RELATIONS
    assert about.keys() | {"classes", "constraints", "enums", "named", "dependents"} == facts_file.TABLES.keys()
    asker = FactsAsker(facts_file.read(str(path)))
    request = facts_request([parsed("ALTER TABLE name ADD x int")])
    got: t.Any = answer(asker, request)
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts

    assert unlike(got, DatabaseFacts) == []
    assert [row["oid"] for row in got["classes"]] == [7]


def test_what_was_dropped_while_it_was_read_is_left_out(tmp_path: Path) -> None:
    facts = collected()
    facts["tables"]["classes"].append(sample(facts_file.TABLES["classes"]) | {"oid": 8, "may_reference": None})
    facts["tables"]["bounds"] = [sample(facts_file.TABLES["bounds"]) | {"bound": None}]
    path = tmp_path / "facts.json"
    path.write_text(facts_file.text_of(facts, NOW), encoding="utf-8")
    read = facts_file.read(str(path))
    assert ([row["oid"] for row in read.tables["classes"]], read.tables["bounds"]) == ([7], [])


# What is done to the text of a file, and what is said of it.
DAMAGES: dict[str, tuple[t.Callable[[str], str | bytes], str]] = {
    "empty": (lambda _text: "", "is no JSON, or ends too early"),
    "truncated": (lambda text: text[: len(text) // 2], "is no JSON, or ends too early"),
    "last byte gone": (lambda text: text.rstrip()[:-1], "is no JSON, or ends too early"),
    "not UTF-8": (lambda text: text.encode().replace(b"name", b"n\xffme"), "is no JSON, or ends too early"),
    "deep": (lambda _text: "[" * 200_000, "is no JSON, or ends too early"),
    "a number of many digits": (lambda _text: "9" * 10_000, "is no JSON, or ends too early"),
    "a program": (lambda _text: b"\x7fELF" + bytes(100), "is no JSON, or ends too early"),
    "a list": (lambda _text: "[]", "is no file that facts_path wrote"),
    "a word": (lambda _text: '"facts"', "is no file that facts_path wrote"),
    "another document": (lambda _text: '{"form": "ai_platform.agent/report/1"}', "is no file that facts_path wrote"),
    "a form that is no text": (lambda _text: '{"form": 1}', "is no file that facts_path wrote"),
    "a later form": (lambda text: text.replace("facts/3", "facts/4"), "has the form ai_platform.agent/facts/4"),
    "no version": (lambda text: text.replace("facts/3", "facts"), "is no file that facts_path wrote"),
    "a changed digit": (lambda text: text.replace("[7,", "[8,", 1), "was damaged or changed"),
    "no checksum": (lambda text: text.replace("sha256", "sha255"), "was damaged or changed"),
    "half a character": (lambda text: text.replace('"name"', '"\\ud800"'), "was damaged or changed"),
    "deep under a form": (
        lambda _text: '{"form": "ai_platform.agent/facts/3", "tables": ' + "[" * 9000 + "]" * 9000 + "}",
        "",
    ),
    "NaN": (lambda text: text.replace("7", "NaN"), "was damaged or changed"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file(name: str, text: str, tmp_path: Path) -> None:
    damage, words = DAMAGES[name]
    path, damaged = tmp_path / "facts.json", damage(text)
    path.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    assert words in refused(path)


def changed(content: dict[str, t.Any], where: tuple[t.Any, ...], value: t.Any) -> dict[str, t.Any]:
    place: t.Any = content
    for key in where[:-1]:
        place = place[key]
    if value is ...:
        del place[where[-1]]
    else:
        place[where[-1]] = value
    return content


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("time",), "yesterday"),
        (("time",), "2026-11-29T10:30:00"),
        (("time",), 7),
        (("database",), None),
        (("search_path",), "public"),
        (("server",), ...),
        (("server", "version"), "18"),
        (("server", "timeouts"), {"statement_timeout": "5s"}),
        (("version_table", "rows"), [1]),
        (("more",), 1),
        (("tables",), []),
        (("tables", "classes"), ...),
        (("tables", "classes"), []),
        (("tables", "others"), {"columns": [], "rows": []}),
        (("tables", "classes", "columns"), ["oid"]),
        (("tables", "classes", "rows"), {}),
        (("tables", "classes", "rows", 0), 1),
        (("tables", "classes", "rows", 0, 0), "7"),
        (("tables", "classes", "rows", 0, 0), None),
        (("tables", "classes", "rows", 0, 0), ...),
        (("tables", "enums", "rows", 0, 1), [[]]),
    ],
)
def test_content_of_another_kind_under_a_checksum_that_fits(
    where: tuple[t.Any, ...], value: t.Any, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "facts.json"
    path.write_text(signed(changed(json.loads(text), where, value)), encoding="utf-8")
    assert "has not the content that facts_path writes" in refused(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in refused(tmp_path / "nothing")
    assert "is no ordinary file" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is no ordinary file" in refused(tmp_path / "pipe")
    assert "is no ordinary file" in refused(Path("/dev/zero"))
    assert "cannot be read" in refused(tmp_path / ("x" * 300))
    with pytest.raises(FindingError, match="its name is none"):
        facts_file.read("a\0b")


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(facts_file.MOST_BYTES + 1)
    assert "is larger than 64 MiB" in refused(path)


def test_more_than_can_be_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_file, "MOST_BYTES", 1000)
    with pytest.raises(FindingError) as caught:
        facts_file.text_of(collected(), NOW)
    assert caught.value.id == "argument-invalid"


@pytest.mark.parametrize(
    ("hours", "severity", "words"),
    [
        (0, "info", "10:30 UTC, 0 h old; what changed since is not known."),
        (36, "info", "36 h old"),
        (36.1, "warn", "36 h old; more than 36 h are too old"),
        (24 * 400, "warn", "9600 h old"),
        (-0.1, "info", "0 h old"),
        (-1, "warn", "which is still to come"),
    ],
)
def test_age(hours: float, severity: str, words: str) -> None:
    found = facts_findings.age(NOW, NOW + datetime.timedelta(hours=hours), 36)
    assert (found.id, found.severity) == ("facts-age", severity)
    assert words in found.message


def test_a_file_does_not_say_that_there_are_no_statistics_objects() -> None:
    for text in ("CREATE STATISTICS s ON a, b FROM t", "DROP STATISTICS s", "ALTER STATISTICS s RENAME TO r"):
        said = [item.message for item in facts_findings.not_asked(facts_request([parsed(text)]))]
        assert any("statistics object" in words and "was not asked" in words for words in said), said
    said = [item.message for item in facts_findings.not_asked(facts_request([parsed("DROP INDEX s")]))]
    assert not any("statistics object" in words for words in said), said


def test_what_was_not_asked_is_counted() -> None:
    texts = ["SELECT 1", "INSERT INTO a VALUES (1)", "SET work_mem = '1MB'"]
    texts.append("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    found = [parsed(text, number=number) for number, text in enumerate(texts, 1)]
    said = [item.message for item in facts_findings.not_asked(facts_request(found))]
    assert said[0].startswith("Sessions, locks, prepared transactions")
    assert "takes 2 statements, 1 function body and 1 setting was not asked" in said[1]
    assert "the constants of 1 write fulfil" in said[2]
    assert len(facts_findings.not_asked(facts_request([parsed("ALTER TABLE a ADD b int")]))) == 1
