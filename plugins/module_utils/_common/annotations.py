"""Reports as the annotations of GitHub and GitLab, for a pipeline that has no place for SARIF.

Sources: GitHub Actions, "Workflow commands for GitHub Actions" (their escapes: actions/toolkit, command.ts); GitLab,
"Code Quality", "Code Quality report format".
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.places import Place
from ansible_collections.ai_platform.agent.plugins.module_utils._common.sarif import fingerprint

HOSTS: t.Final[list[str]] = ["github", "gitlab"]

_COMMANDS: t.Final = {"fail": "error", "unknown": "warning", "warn": "warning", "info": "notice", "skip": "notice"}
_SEVERITIES: t.Final = {"fail": "critical", "unknown": "major", "warn": "minor", "info": "info", "skip": "info"}


def annotated(full: dict[str, t.Any], places: t.Sequence[Place], host: str) -> str:
    """What is not accepted, as lines that a step prints (github) or as a file that a job keeps (gitlab).

    :param full: the report of report.report
    :param places: one for each of its findings
    :param host: one of `HOSTS`
    """
    shown = [pair for pair in zip(full["findings"], places, strict=True) if "accepted" not in pair[0]]
    if host == "github":
        return "".join(_command(item, place) for item, place in shown)
    return json.dumps([_issue(item, place) for item, place in shown], indent=1) + "\n"


def _command(item: dict[str, t.Any], place: Place) -> str:
    properties = {"file": place.file, "line": str(place.line), "title": item["id"]}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[item['severity']]} {written}::{_data(_text(item))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _issue(item: dict[str, t.Any], place: Place) -> dict[str, t.Any]:
    return {
        "description": _text(item),
        "check_name": item["id"],
        "fingerprint": fingerprint(item),
        "severity": _SEVERITIES[item["severity"]],
        "location": {"path": place.file, "lines": {"begin": place.line}},
    }


def _text(item: dict[str, t.Any]) -> str:
    return f"{item['message']} {item['hint']}"


__all__ = ("HOSTS", "annotated")
