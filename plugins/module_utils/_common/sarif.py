"""Reports as SARIF 2.1.0, which code hosts show beside the changed lines of a pull request.

Source: OASIS Static Analysis Results Interchange Format 2.1.0, sections 3.14 (run), 3.27 (result), 3.35 (suppression).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import typing as t
from urllib.parse import quote

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE
from ansible_collections.ai_platform.agent.plugins.module_utils._common.places import Place

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# `unknown` stops a production run as a failure does; SARIF has no level of its own for it.
_LEVELS: t.Final = {"fail": "error", "unknown": "warning", "warn": "warning", "info": "note", "skip": "note"}


def sarif(full: dict[str, t.Any], places: t.Sequence[Place]) -> str:
    """The report as a log of one run.

    :param full: the report of report.report
    :param places: one for each of its findings
    """
    ids = sorted({item["id"] for item in full["findings"]})
    driver = {
        "name": f"ai_platform.agent.{full['kind']}",
        "rules": [_rule(finding_id) for finding_id in ids],
    }
    run = {
        "tool": {"driver": driver},
        # Each environment's database has findings of its own for the same lines.
        "automationDetails": {"id": f"{full['kind']}/{full['subject']}/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, place, ids) for item, place in zip(full["findings"], places, strict=True)],
        "properties": {"verdict": full["verdict"]},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def fingerprint(item: dict[str, t.Any]) -> str:
    """What a finding is about, without figures that change from run to run."""
    about = [str(item.get(name, "")) for name in ("id", "revision", "statement", "table", "dependency")]
    return hashlib.sha256("\0".join(about).encode()).hexdigest()


def _rule(finding_id: str) -> dict[str, t.Any]:
    entry = CATALOGUE[finding_id]
    return {
        "id": finding_id,
        "shortDescription": {"text": finding_id.replace("-", " ").capitalize() + "."},
        "help": {"text": entry.hint},
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
    }


def _result(item: dict[str, t.Any], place: Place, ids: list[str]) -> dict[str, t.Any]:
    location = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": place.line},
        }
    }
    result: dict[str, t.Any] = {
        "ruleId": item["id"],
        "ruleIndex": ids.index(item["id"]),
        "level": _LEVELS[item["severity"]],
        "message": {"text": f"{item['message']} {item['hint']}"},
        "locations": [location],
        "partialFingerprints": {"finding/v1": fingerprint(item)},
    }
    if "accepted" in item:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": item["accepted"]}]
    return result


__all__ = ("SCHEMA", "fingerprint", "sarif")
