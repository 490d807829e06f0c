# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""A report as JUnit XML: one test suite, each finding a case, failed where it fails the module under its policy."""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.ai_platform.agent.plugins.module_utils._policy import FAIL_ON

Row = dict[str, t.Any]

# Characters that XML 1.0 has no way to write.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(full: Row, fail_on: str) -> str:
    """The report of _report.report as a document; the verdict is a case too, so no suite is empty."""
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
    counted = {
        name: sum(case.find(tag) is not None for case in cases)
        for name, tag in (("failures", "failure"), ("skipped", "skipped"))
    }
    totals = {"tests": len(cases), "errors": 0, **counted}
    root = ET.Element("testsuites", {name: str(value) for name, value in totals.items()})
    suite = ET.SubElement(root, "testsuite", root.attrib | {"name": _clean(f"{full['kind']} {full['subject']}")})
    suite.extend(cases)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(kind: str, name: str, text: str) -> ET.Element:
    case = ET.Element("testcase", {"classname": kind, "name": _clean(name), "time": "0"})
    _add(case, "system-out", text)
    return case


def _add(case: ET.Element, tag: str, text: str | None, **attributes: str) -> None:
    element = ET.Element(tag, {name: _clean(value) for name, value in attributes.items()})
    element.text = _clean(text) if text else None
    # The schema wants the outcome before what was printed.
    case.insert(0, element)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


__all__ = ("junit",)
