"""meta/report.schema.json is what the modules really report, and refuses what they never would."""

from __future__ import annotations

import copy
import dataclasses
import json
import typing as t
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common import report
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE, Finding, finding

from tests.unit.plugins.module_utils._page import runs

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "meta/report.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
Json = dict[str, t.Any]
REPORTS: dict[str, t.Callable[[], Json]] = {
    "preflight, unsafe": runs.preflight,
    "preflight, safe": lambda: runs.preflight("safe"),
    "connectivity": runs.connectivity,
    "no verdict": lambda: report.without_verdict(
        "migration_preflight", "prod/x", finding("database-unreachable", "No answer.").as_dict()
    ),
}


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA["properties"]["form"]["const"] == report.FORM


@pytest.mark.parametrize("name", REPORTS)
def test_a_real_report_fits(name: str) -> None:
    VALIDATOR.validate(REPORTS[name]())


def test_every_field_of_a_finding_is_described() -> None:
    fields = {field.name for field in dataclasses.fields(Finding)}
    assert set(SCHEMA["$defs"]["finding"]["properties"]) == fields | {"status", "hint", "runbook"}
    for name in CATALOGUE:
        found = finding(name, "Said.").as_dict()
        jsonschema.validate(found, SCHEMA["$defs"]["finding"])


CHANGES: dict[str, t.Callable[[Json], object]] = {
    "another form": lambda found: found.update(form="ai_platform.agent/report/2"),
    "a verdict that does not exist": lambda found: found.update(verdict="fine"),
    "no findings": lambda found: found.pop("findings"),
    "a severity that does not exist": lambda found: found["findings"][0].update(severity="bad"),
    "pending that is no list": lambda found: found.update(pending={}),
    "a state that does not exist": lambda found: found.update(state="away"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_no_module_reports_is_refused(name: str) -> None:
    found = copy.deepcopy(runs.preflight())
    CHANGES[name](found)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(found)


def test_the_guide_names_every_verdict_and_severity() -> None:
    guide = (ROOT / "docs/agents.md").read_text()
    words = [*SCHEMA["properties"]["verdict"]["enum"], *SCHEMA["$defs"]["finding"]["properties"]["severity"]["enum"]]
    assert [word for word in words if f"`{word}`" not in guide] == []
