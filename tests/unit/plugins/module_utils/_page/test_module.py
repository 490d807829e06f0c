"""The module deployment_report: its files, its arguments, its documentation."""

from __future__ import annotations

import json
import stat
import time
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import inline, report
from ansible_collections.ai_platform.agent.plugins.module_utils._page.module import (
    ARGUMENTS,
    execute,
)
from ansible_collections.ai_platform.agent.plugins.modules import deployment_report

from tests.unit.plugins.module_utils._page.runs import NOON, connectivity, preflight, run

Json = dict[str, t.Any]
FILES = ["junit.xml", "report.html", "report.json"]


def _arguments(folder: Path, **changed: t.Any) -> Json:
    reports = [
        {"kind": "migration_preflight", "result": preflight(), "path": None, "fail_on": "fail"},
        {"kind": "connectivity_test", "result": connectivity(), "path": None, "fail_on": "unknown"},
    ]
    return {"folder": str(folder), "run": run(), "reports": reports, "runbook_url": "https://e.example/r"} | changed


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run ends a second after the one before."""
    times = iter(NOON + 60 + number for number in range(100))
    monkeypatch.setattr(time, "time", lambda: next(times))


def test_three_files_for_their_owner(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "agent-prod"
    result = execute(_arguments(folder), check_mode=False)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (result["changed"], result["path"]) == (True, str(folder / "report.html"))
    assert result["place"] == f"Report: {folder}/report.html"
    full = json.loads((folder / "report.json").read_text())
    assert full["outcome"] == {name: result[name] for name in ("word", "level", "sentence")}
    assert full["reports"]["migration_preflight"]["findings"] == preflight()["findings"]


def test_without_a_folder_there_is_an_outcome_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = execute(_arguments(tmp_path) | {"folder": None}, check_mode=False)
    assert (result["changed"], result["path"], result["place"], result["files"]) == (False, "", "", [])
    assert result["word"]
    assert result["sentence"]
    assert list(tmp_path.iterdir()) == []


def test_the_second_run_changes_nothing_but_the_times(tmp_path: Path) -> None:
    assert execute(_arguments(tmp_path), check_mode=False)["changed"]
    before = json.loads((tmp_path / "report.json").read_text())
    assert not execute(_arguments(tmp_path), check_mode=False)["changed"]
    after = json.loads((tmp_path / "report.json").read_text())
    assert after["run"]["ended"] > before["run"]["ended"]
    assert execute(_arguments(tmp_path, run=run(changed=False)), check_mode=False)["changed"]


def test_check_mode_writes_nothing_and_says_what_would_change(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert execute(_arguments(folder), check_mode=True)["changed"]
    assert not folder.exists()
    execute(_arguments(folder), check_mode=False)
    kept = {path.name: path.read_text() for path in folder.iterdir()}
    result = execute(_arguments(folder), check_mode=True)
    # Nothing was deployed by the rehearsal, which is another report than the deployment's.
    assert (result["changed"], result["word"]) == (True, "Rehearsed")
    assert {path.name: path.read_text() for path in folder.iterdir()} == kept


@pytest.mark.parametrize("lost", FILES)
def test_a_lost_file_is_a_change(tmp_path: Path, lost: str) -> None:
    execute(_arguments(tmp_path), check_mode=False)
    (tmp_path / lost).unlink()
    assert execute(_arguments(tmp_path), check_mode=False)["changed"]
    assert (tmp_path / lost).exists()


def test_a_spoilt_file_is_a_change(tmp_path: Path) -> None:
    execute(_arguments(tmp_path), check_mode=False)
    (tmp_path / "report.json").write_text("[1")
    assert execute(_arguments(tmp_path), check_mode=False)["changed"]
    assert json.loads((tmp_path / "report.json").read_text())["form"] == "ai_platform.agent/deployment/1"


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    (tmp_path / "report.html").symlink_to(other)
    execute(_arguments(tmp_path), check_mode=False)
    assert other.read_text() == "other"
    assert not (tmp_path / "report.html").is_symlink()


@pytest.mark.parametrize("below", ["file", "file/below", "folder", "../../../proc/none"])
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder/report.html").mkdir(parents=True)
    folder = Path("/proc/none") if "proc" in below else tmp_path / below
    with pytest.raises(FindingError, match=r"^/\S+ cannot be (made|written): [^\n]*\.$") as error:
        execute(_arguments(folder), check_mode=False)
    assert str(folder) in str(error.value)
    assert list(tmp_path.rglob(".*")) == []


def test_a_time_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FindingError, match=r"^run\.steps must say when each step began"):
        execute(_arguments(tmp_path, run=run(steps={"guard": "noon"})), check_mode=False)


def test_the_whole_report_is_read_where_the_result_leaves_something_out(tmp_path: Path) -> None:
    found = [finding("rename", f"Number {number}.") for number in range(130)]
    whole = report("migration_preflight", "h:5432/d", found, {"pending": [], "state": "behind"})
    path = tmp_path / "preflight.json"
    path.write_text(json.dumps(whole))
    given = [{"kind": "migration_preflight", "result": inline(whole), "path": str(path), "fail_on": "fail"}]
    execute(_arguments(tmp_path, reports=given), check_mode=False)
    full = json.loads((tmp_path / "report.json").read_text())
    assert len(full["reports"]["migration_preflight"]["findings"]) == 130
    assert "Number 129." in (tmp_path / "report.html").read_text()


def test_junit_counts_steps_and_findings(tmp_path: Path) -> None:
    failure = {"task": "t", "message": "The release has failed & nothing serves."}
    steps = {"guard": NOON, "release": NOON + 2}
    execute(_arguments(tmp_path, run=run(steps=steps, failure=failure)), check_mode=False)
    root = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - made one line before
    suites = {suite.get("name", "").split()[0]: suite for suite in root}
    assert list(suites) == ["deployment", "migration_preflight", "connectivity_test"]
    cases = {case.get("name"): case for case in suites["deployment"]}
    assert cases["guard"].get("time") == "2"
    assert len(cases["guard"]) == 1
    assert failure["message"] in (cases["release"].findtext("failure") or "")
    assert {name for name, case in cases.items() if case.find("skipped") is not None} == {
        "preflight", "credentials", "verify",
    }  # fmt: skip
    for name in ("tests", "failures", "skipped", "errors"):
        assert int(root.get(name, "")) == sum(int(suite.get(name, "")) for suite in root)
    assert int(root.get("failures", "")) == len(root.findall(".//failure")) > 1


def _described(options: Json) -> Json:
    """Options of a documentation as an argument specification."""
    spec = {}
    for name, option in options.items():
        assert option["description"]
        kept = {key: value for key, value in option.items() if key not in {"description", "suboptions"}}
        if "suboptions" in option:
            kept["options"] = _described(option["suboptions"])
        spec[name] = kept
    return spec


def test_documentation_and_arguments_are_the_same() -> None:
    assert _described(yaml.safe_load(deployment_report.DOCUMENTATION)["options"]) == ARGUMENTS


def test_examples_use_the_options_there_are() -> None:
    tasks = yaml.safe_load(deployment_report.EXAMPLES)
    [used] = [
        task["ai_platform.agent.deployment_report"] for task in tasks if "ai_platform.agent.deployment_report" in task
    ]
    assert set(used) <= set(ARGUMENTS)
    assert set(used["run"]) <= set(ARGUMENTS["run"]["options"])
    assert set(used["reports"][0]) <= set(ARGUMENTS["reports"]["options"])


def test_return_values_are_documented(tmp_path: Path) -> None:
    result = execute(_arguments(tmp_path), check_mode=False)
    assert set(yaml.safe_load(deployment_report.RETURN)) == set(result) - {"changed"}


def test_without_a_verdict_no_policy_lets_pass(tmp_path: Path) -> None:
    one = finding("database-auth", "Wrong password.").as_dict()
    given = [
        {
            "kind": "migration_preflight",
            "result": {"msg": "Wrong password.", "findings": [one]},
            "path": None,
            "fail_on": "never",
        }
    ]
    execute(_arguments(tmp_path, reports=given), check_mode=False)
    root = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - made one line before
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None] == ["database-auth"]
