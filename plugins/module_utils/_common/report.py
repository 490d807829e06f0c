"""The JSON form of a report, the same for every module that checks something."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import collections
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding

FORM = "ai_platform.agent/report/1"
# AWX keeps a job's events in its database and shows them in a browser: a result stays below this.
INLINE_FINDINGS = 100
_ORDER = {"fail": 0, "unknown": 1, "warn": 2, "skip": 3, "info": 4}

Verdict = t.Literal["safe", "warn", "unknown", "unsafe"]


def verdict_of(findings: t.Iterable[Finding]) -> Verdict:
    """The verdict: the worst finding that was not accepted decides, unsafe > unknown > warn > safe."""
    severities = {item.severity for item in findings if item.accepted is None}
    if "fail" in severities:
        return "unsafe"
    if "unknown" in severities:
        return "unknown"
    return "warn" if severities & {"warn", "skip"} else "safe"


def report(kind: str, subject: str, findings: t.Sequence[Finding], details: dict[str, t.Any]) -> dict[str, t.Any]:
    """A report of `kind` about `subject`: verdict, counts, findings (worst first), then what the module adds.

    Whatever a pod or a server said in it is made printable: results are shown on terminals.
    """
    ordered = sorted(findings, key=lambda item: (item.accepted is not None, _ORDER[item.severity]))
    counts = collections.Counter(item.status for item in findings)
    made: dict[str, t.Any] = {
        "form": FORM,
        "kind": kind,
        "subject": subject,
        "verdict": verdict_of(findings),
        "counts": {name: counts.get(name, 0) for name in ("pass", "warn", "fail", "skip")}
        | {"accepted": sum(item.accepted is not None for item in findings)},
        "findings": [item.as_dict() for item in ordered],
        **details,
    }
    return t.cast("dict[str, t.Any]", all_printable(made))


def without_verdict(kind: str, subject: str, error: dict[str, t.Any]) -> dict[str, t.Any]:
    """The report of a run that ended with `error`, a finding's JSON form, before it could judge."""
    counts = {name: int(name == error["status"]) for name in ("pass", "warn", "fail", "skip")} | {"accepted": 0}
    return {"form": FORM, "kind": kind, "subject": subject, "verdict": "none", "counts": counts, "findings": [error]}


def inline(full: dict[str, t.Any], limit: int = INLINE_FINDINGS) -> dict[str, t.Any]:
    """The same report with at most `limit` findings; `findings_omitted` says how many are missing."""
    findings = full["findings"]
    return full | {"findings": findings[:limit], "findings_omitted": max(0, len(findings) - limit)}


__all__ = ("FORM", "Verdict", "inline", "report", "verdict_of", "without_verdict")
