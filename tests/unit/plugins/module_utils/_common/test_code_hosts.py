"""The forms that code hosts show: SARIF, annotations, Markdown, and the places that they name."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.annotations import annotated
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.markdown import MOST_ROWS, markdown
from ansible_collections.ai_platform.agent.plugins.module_utils._common.places import Place, places, repository
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._common.sarif import sarif

HERE = Place("services/agent/versions/0002.py", 14)
RENAME = finding("rename", "Renames public.messages.", revision="0002", statement=1, table="public.messages")
ACCEPTED = finding("type-change", "Changes a type.", revision="0002", statement=2, accepted="read by two people")
HOSTILE = finding("destructive", "Drops 100%:\n::error::x | <b>,`a`", revision="0002", statement=3)


def full(*findings: Finding) -> dict[str, t.Any]:
    return report("migration_preflight", "db:5432/agent", findings, {})


def the_run(text: str) -> t.Any:
    return json.loads(text)["runs"][0]


def test_each_result_names_its_rule_level_and_place() -> None:
    run = the_run(sarif(full(RENAME), [HERE]))
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("rename", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "rename"
    where = result["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == HERE.file
    assert where["region"] == {"startLine": 14}


def test_what_is_accepted_is_suppressed_and_not_annotated() -> None:
    made = full(ACCEPTED)
    (result,) = the_run(sarif(made, [HERE]))["results"]
    assert result["suppressions"][0]["justification"] == "read by two people"
    assert annotated(made, [HERE], "github") == ""
    assert json.loads(annotated(made, [HERE], "gitlab")) == []
    assert "read by two people" in markdown(made, [HERE])


def test_a_path_is_written_as_a_uri() -> None:
    (result,) = the_run(sarif(full(RENAME), [Place("a b/ü#.py")]))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%C3%BC%23.py"


def test_the_fingerprint_stays_when_figures_change() -> None:
    grown = finding("rename", "Renames public.messages (3 GiB).", revision="0002", statement=1, table="public.messages")
    marks = [the_run(sarif(full(one), [HERE]))["results"][0]["partialFingerprints"] for one in (RENAME, grown, HOSTILE)]
    assert marks[0] == marks[1] != marks[2]


def test_a_message_cannot_write_a_second_command() -> None:
    lines = annotated(full(HOSTILE), [Place("a,b:c.py", 3)], "github").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("::error file=a%2Cb%3Ac.py,line=3,title=destructive::Drops 100%25:%0A::error::x")


def test_code_quality_has_its_five_keys() -> None:
    (issue,) = json.loads(annotated(full(RENAME), [HERE], "gitlab"))
    assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
    assert issue["location"] == {"path": HERE.file, "lines": {"begin": 14}}
    assert issue["severity"] == "critical"


def test_markdown_holds_one_row_for_each_finding_whatever_it_says() -> None:
    text = markdown(full(HOSTILE, RENAME), [HERE, None])
    rows = [line for line in text.splitlines() if line.startswith("| fail")]
    assert len(rows) == 2
    assert "\\<b\\>" in text
    assert "<b>" not in text
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)


def test_markdown_says_how_many_rows_it_leaves_out() -> None:
    many = [finding("rename", f"Renames {number}.", statement=number) for number in range(MOST_ROWS + 3)]
    text = markdown(full(*many), [HERE] * len(many))
    assert text.count("| fail |") == MOST_ROWS
    assert "3 more findings are in the report." in text


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "services" / "agent"
    (folder / "versions").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    return folder


def pending(source: str | None) -> list[dict[str, t.Any]]:
    statements = [{"statement": 1, "line": 14}, {"statement": 2}]
    return [{"revision": "0002", "file": "0002.py", "source": source, "statements": statements}]


def test_a_place_is_relative_to_the_work_tree(checkout: Path) -> None:
    about = [RENAME, finding("type-change", "x", revision="0002", statement=2), finding("disk-headroom", "x")]
    made = report("migration_preflight", "db", about, {"pending": pending("versions/0002.py")})
    found = dict(zip((item["id"] for item in made["findings"]), places(made, checkout, "alembic.ini"), strict=True))
    assert found["rename"] == HERE
    assert found["type-change"] == Place(HERE.file, 1)
    assert found["disk-headroom"] == Place("services/agent/alembic.ini")


def test_a_revision_of_a_package_is_shown_at_the_configuration(checkout: Path) -> None:
    made = report("migration_preflight", "db", [RENAME], {"pending": pending(None)})
    assert places(made, checkout, "alembic.ini") == [Place("services/agent/alembic.ini")]


def test_without_a_work_tree_paths_are_relative_to_the_folder(tmp_path: Path) -> None:
    if repository(tmp_path) != tmp_path.resolve():
        pytest.fail(f"{tmp_path} lies in a git work tree")
    made = report("migration_preflight", "db", [RENAME], {"pending": pending("versions/0002.py")})
    assert places(made, tmp_path, "alembic.ini") == [Place("versions/0002.py", 14)]
