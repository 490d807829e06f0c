"""report.json: one run of the role with the reports of its checks. Pure functions, no file is touched here."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_logins
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable
from ansible_collections.ai_platform.agent.plugins.module_utils._page.outcome import Step, outcome, steps_of

FORM = "ai_platform.agent/deployment/1"

# What Ansible and the modules put into a result and no reader of a report looks for; `invocation` holds arguments.
_NOT_REPORTED = frozenset({
    "ansible_facts", "changed", "deprecations", "exception", "failed", "failed_when_result", "invocation", "msg",
    "skip_reason", "skipped", "stderr", "stdout", "summary", "warnings",
})  # fmt: skip
_IDENTITY = ("form", "kind", "subject", "verdict", "counts")
_TIMES = frozenset({"began", "ended", "seconds", "ms", "p50", "p95", "p99", "worst", "samples_ms"})
_TIME_IN_WORDS = re.compile(r"\b\d[\d.,]*\s?(?:µs|ms|s|seconds?|min|minutes?|h|hours?)\b")


def report_of(kind: str, result: dict[str, t.Any], whole: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
    """The report in a module's `result`, or None where the module did not run.

    `whole` is what the module wrote to its report_path, if anything: it is taken where the result leaves something
    out and both are about the same, so that a file of an earlier run is never mistaken for this one's.
    """
    if result.get("skipped") or not ({"findings", "verdict", "msg"} & result.keys()):
        return None
    if whole is not None and all(result.get(name) == whole.get(name) for name in _IDENTITY):
        result = result | whole | {name: 0 for name in ("findings_omitted", "statements_omitted") if name in result}
    kept = {name: value for name, value in result.items() if name not in _NOT_REPORTED and not name.startswith("_")}
    kept = {"kind": kind, "subject": "", "verdict": "none", "findings": []} | kept
    if result.get("msg"):
        kept["message"] = result["msg"]
    return kept


def document(
    run: dict[str, t.Any], reports: dict[str, dict[str, t.Any]], *, ended: float, check_mode: bool
) -> dict[str, t.Any]:
    """The whole of report.json.

    :param run: the module's argument of that name
    :param reports: by kind
    :param ended: seconds
    """
    run, reports = _printable(run), _printable(reports)
    steps = steps_of(run.get("steps") or {}, ended, failed=run.get("failure") is not None)
    said = outcome(run, steps, reports, check_mode=check_mode)
    began = min((step.began for step in steps if step.began is not None), default=ended)
    about = {name: value for name, value in run.items() if name != "steps" and value is not None}
    return {
        "form": FORM,
        "outcome": dataclasses.asdict(said),
        "run": about | {"check_mode": check_mode, "began": began, "ended": ended, "seconds": round(ended - began, 3)},
        "steps": [_step(step) for step in steps],
        "reports": reports,
    }


def _step(step: Step) -> dict[str, t.Any]:
    return {name: value for name, value in dataclasses.asdict(step).items() if value is not None}


def same_but_for_times(one: t.Any, other: t.Any) -> bool:
    """Whether two documents say the same; times and what was measured in them are not compared."""
    return bool(_without_times(one) == _without_times(other))


def _without_times(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _without_times(item) for name, item in value.items() if name not in _TIMES}
    if isinstance(value, list):
        return [_without_times(item) for item in value]
    return _TIME_IN_WORDS.sub("…", value) if isinstance(value, str) else value


def _printable(value: t.Any) -> t.Any:
    """Plain JSON without characters that break a page, and without the password of a URL that a message quotes."""
    if isinstance(value, dict):
        return {str(_printable(str(name))): _printable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    if isinstance(value, str):
        return without_logins(printable(str(value)))
    return value if value is None or isinstance(value, (bool, int, float)) else _printable(str(value))


__all__ = ("FORM", "document", "report_of", "same_but_for_times")
