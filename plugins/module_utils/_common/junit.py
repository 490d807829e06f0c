"""Reports as JUnit XML: a test suite each, each finding a case, failed where it fails the module under its policy."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import FAIL_ON

Row = dict[str, t.Any]

_COUNTS = ("tests", "errors", "failures", "skipped")
# Characters that XML 1.0 has no way to write.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(full: Row, fail_on: str) -> str:
    """The report of report.report as a document of one suite."""
    return junit_document([findings_suite(full, fail_on)])


def junit_of_run(run: Row, policies: dict[str, str]) -> str:
    """The document of run.document: a suite of its steps, then one of each report under its policy."""
    suites = [_steps_suite(run)]
    for kind, report in run["reports"].items():
        # A run without a verdict fails under every policy.
        suites.append(findings_suite(report, "fail" if report["verdict"] == "none" else policies[kind]))
    return junit_document(suites)


def junit_document(suites: t.Sequence[ET.Element]) -> str:
    """Suites as text, counted together as well."""
    totals = {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in _COUNTS}
    root = ET.Element("testsuites", totals)
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def findings_suite(full: Row, fail_on: str) -> ET.Element:
    """Each finding a case; the verdict is a case too, so no suite is empty."""
    cases = [_case(full["kind"], "verdict", full["verdict"])]
    for item in full["findings"]:
        where = [str(item[name]) for name in ("revision", "statement", "table", "dependency") if name in item]
        case = _case(full["kind"], " ".join([item["id"], *where]), item["message"])
        text = f"{item['message']}\n{item['hint']}\n{item['runbook']}"
        if item["severity"] in FAIL_ON[fail_on] and "accepted" not in item:
            _add(case, "failure", text, message=item["message"], type=item["severity"])
        elif item["severity"] == "skip":
            _add(case, "skipped", None, message=item["message"])
        cases.append(case)
    return _suite(f"{full['kind']} {full['subject']}", cases)


def _steps_suite(run: Row) -> ET.Element:
    """Each step of the role a case with its time; one that was never begun is skipped."""
    cases = []
    for step in run["steps"]:
        case = _case("steps", step["name"], step["state"], step.get("seconds", 0))
        if step["state"] == "failed":
            _add(case, "failure", run["outcome"]["sentence"], message=run["outcome"]["sentence"], type="failed")
        elif step["state"] != "done":
            _add(case, "skipped", None, message=step["state"])
        cases.append(case)
    return _suite(f"deployment {run['run']['host']}", cases)


def _suite(name: str, cases: list[ET.Element]) -> ET.Element:
    counted = {
        name: sum(case.find(tag) is not None for case in cases)
        for name, tag in (("failures", "failure"), ("skipped", "skipped"))
    }
    totals = {"tests": len(cases), "errors": 0, **counted}
    suite = ET.Element("testsuite", {name: str(value) for name, value in totals.items()} | {"name": _clean(name)})
    suite.extend(cases)
    return suite


def _case(kind: str, name: str, text: str | None, seconds: float = 0) -> ET.Element:
    case = ET.Element("testcase", {"classname": kind, "name": _clean(name), "time": f"{seconds:g}"})
    _add(case, "system-out", text)
    return case


def _add(case: ET.Element, tag: str, text: str | None, **attributes: str) -> None:
    element = ET.Element(tag, {name: _clean(value) for name, value in attributes.items()})
    element.text = _clean(text) if text else None
    # The schema wants the outcome before what was printed.
    case.insert(0, element)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


__all__ = ("findings_suite", "junit", "junit_document", "junit_of_run")
