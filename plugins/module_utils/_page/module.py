"""deployment_report: what the tasks of a run returned becomes report.html, report.json and junit.xml."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.files import write
from ansible_collections.ai_platform.agent.plugins.module_utils._common.junit import junit_of_run
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import FAIL_ON
from ansible_collections.ai_platform.agent.plugins.module_utils._page.changes import changes
from ansible_collections.ai_platform.agent.plugins.module_utils._page.outcome import MODULE_OF
from ansible_collections.ai_platform.agent.plugins.module_utils._page.page import page
from ansible_collections.ai_platform.agent.plugins.module_utils._page.run import (
    document,
    report_of,
    same_but_for_times,
)

RUNBOOK_URL = "https://github.com/ai-platform/agent/blob/main/docs/runbook.md"

# The role's step in which each module runs.
_STEPS: t.Final = {module: step for step, module in MODULE_OF.items()}
# What the page of a fleet says of each release.
_RETURNED: t.Final = ("release", "namespace", "environment", "cluster", "chart", "images", "revision", "changed")
_BEFORE_AND_AFTER: t.Final[dict[str, t.Any]] = {"before": {"type": "str"}, "after": {"type": "str"}}

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    "folder": {"type": "path"},
    "run": {
        "type": "dict",
        "required": True,
        "options": {
            "host": {"type": "str", "required": True},
            "release": {"type": "str"},
            "namespace": {"type": "str"},
            "environment": {"type": "str"},
            "cluster": {"type": "str"},
            "chart": {"type": "dict", "options": _BEFORE_AND_AFTER},
            "images": {"type": "dict", "options": {"before": {"type": "dict"}, "after": {"type": "dict"}}},
            "revision": {"type": "dict", "options": {"before": {"type": "int"}, "after": {"type": "int"}}},
            "changed": {"type": "bool", "default": False},
            "steps": {"type": "dict", "default": {}},
            "failure": {"type": "dict", "options": {"task": {"type": "str"}, "message": {"type": "str"}}},
        },
    },
    "registered": {
        "type": "dict",
        "options": {name: {"type": "dict"} for name in ("found", "chart", "credentials", "release", "rollback")},
    },
    "reports": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "kind": {"type": "str", "required": True, "choices": list(_STEPS)},
            "result": {"type": "dict", "required": True},
            "path": {"type": "path"},
            "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "unknown"},
        },
    },
    "runbook_url": {"type": "str", "default": RUNBOOK_URL},
}


def execute(params: dict[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    """The module's result, after report.json, junit.xml and report.html are written (not in check mode).

    Without a folder nothing is written, and the result is the outcome alone.

    :raises FindingError: an argument is of no use, or the folder cannot be written
    """
    run = params["run"] | {"steps": _times(params["run"]["steps"] or {})}
    given_reports = params["reports"]
    if params.get("registered"):
        given_reports = [item for item in given_reports if _STEPS[item["kind"]] in run["steps"]]
        results = {item["kind"]: item["result"] for item in given_reports}
        registered = params["registered"] | {"preflight": results.get("migration_preflight")}
        run |= changes(registered, run["steps"])
    reports, policies = {}, {}
    for given in given_reports:
        found = report_of(given["kind"], given["result"], _whole(given["path"]))
        if found is not None:
            reports[given["kind"]], policies[given["kind"]] = found, given["fail_on"]
    full = document(run, reports, ended=round(time.time(), 3), check_mode=check_mode)
    about = {name: full["run"][name] for name in _RETURNED if name in full["run"]}
    if not params["folder"]:
        return {"changed": False, "path": "", "place": "", "files": [], "run": about, **full["outcome"]}
    folder = Path(params["folder"])
    files = {
        "report.json": json.dumps(full, indent=1, ensure_ascii=False) + "\n",
        "junit.xml": junit_of_run(full, policies),
        "report.html": page(full, params["runbook_url"]),
    }
    changed = _differs(folder, full, files)
    if not check_mode:
        _write(folder, files)
    return {
        "changed": changed,
        "path": str(folder / "report.html"),
        "place": "Check mode writes no report." if check_mode else f"Report: {folder / 'report.html'}",
        "files": [str(folder / name) for name in files],
        "run": about,
        **full["outcome"],
    }


def _times(steps: dict[str, t.Any]) -> dict[str, float]:
    try:
        return {name: float(began) for name, began in steps.items()}
    except (TypeError, ValueError):
        words = "run.steps must say when each step began, in seconds since 1970, as `now().timestamp()` does."
        raise FindingError("argument-invalid", words) from None


def _whole(path: str | None) -> dict[str, t.Any] | None:
    """What a module wrote to its report_path; None where there is no such file, or it is of no use."""
    if not path:
        return None
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _differs(folder: Path, full: dict[str, t.Any], files: t.Iterable[str]) -> bool:
    if not all((folder / name).is_file() for name in files):
        return True
    return not same_but_for_times(_whole(str(folder / "report.json")), json.loads(json.dumps(full)))


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        words = f"{folder} cannot be made: {error.strerror}; name a folder that can be written."
        raise FindingError("argument-invalid", words) from None
    for name, text in files.items():
        write(str(folder / name), text)


__all__ = ("ARGUMENTS", "RUNBOOK_URL", "execute")
