# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""From the parameters of connectivity_test to its result."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils import (
    _collector,
    _connectivity_shape,
    _connectivity_table,
    _files,
    _judge_negatives,
    _policy,
    _report,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._errors import PreflightError
from ansible_collections.ai_platform.agent.plugins.module_utils._judge_connectivity import Limits, judge
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._findings import Finding

Row = dict[str, t.Any]
KIND = "connectivity_test"
# More is in report_path; a result must stay readable in AWX.
INLINE_SAMPLES = 20
PAUSE_SECONDS = 2.0
# Direct transport: the collector's own limit, besides the rounds.
DIRECT_SECONDS = 60
_LIMITS = {"p95_ms": 100.0, "p99_ms": 500.0, "dns_ms": 1000.0, "connections_left": 5}

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    **AUTH_ARG_SPEC,
    "release_name": {"type": "str"},
    "release_namespace": {"type": "str"},
    "database_url": {"type": "str", "no_log": True},
    "redis_url": {"type": "str", "no_log": True},
    "version_table": {"type": "str"},
    "pods": {"type": "str", "choices": ["auto", "agent", "probe"], "default": "auto"},
    "max_pods": {"type": "int", "default": 10},
    "rounds": {"type": "int", "default": 10},
    "timeout": {"type": "int", "default": 5},
    "negative": {"type": "bool", "default": True},
    "other_namespace": {"type": "str"},
    "job_timeout": {"type": "int", "default": 60},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
    "run_in_check_mode": {"type": "bool", "default": True},
    "fail_on": {"type": "str", "choices": ["never", "fail", "unknown", "warn"], "default": "unknown"},
    "thresholds": {
        "type": "dict",
        "default": {},
        "options": {
            "p95_ms": {"type": "float", "default": _LIMITS["p95_ms"]},
            "p99_ms": {"type": "float", "default": _LIMITS["p99_ms"]},
            "dns_ms": {"type": "float", "default": _LIMITS["dns_ms"]},
            "connections_left": {"type": "int", "default": _LIMITS["connections_left"]},
        },
    },
    "report_path": {"type": "path"},
    "junit_path": {"type": "path"},
}

# Which of them go together: arguments of AnsibleModule.
CONSTRAINTS: t.Final[dict[str, t.Any]] = {
    "required_one_of": [["release_name", "database_url", "redis_url"]],
    "required_together": [["release_name", "release_namespace"]],
    "mutually_exclusive": [["release_name", "database_url"], ["release_name", "redis_url"]],
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails under its policy (None: it does not).

    Raises PreflightError where there is no verdict, which is then all that the reports say.
    """
    _check(params)
    try:
        full, failing = _patiently(params)
    except PreflightError as error:
        subject = f"{params['release_namespace']}/{params['release_name']}" if params["release_name"] else "direct"
        _files.write_error(params, KIND, subject, error)
        raise
    _files.write_reports(params, full)
    result = _bounded(_report.inline(full)) | {"summary": _connectivity_table.summary(full)}
    return result, _policy.problem(full["verdict"], failing, params["fail_on"])


def _patiently(params: Row) -> tuple[Row, list[Finding]]:
    """The report and what in it fails, tried again while something does and time is left. Raises PreflightError."""
    end = time.monotonic() + (params["wait_timeout"] if params["wait"] else 0)
    attempts = 0
    while True:
        attempts += 1
        try:
            full, findings = _once(params)
        except PreflightError:
            if time.monotonic() + PAUSE_SECONDS > end:
                raise
        else:
            failing = _policy.failing(findings, params["fail_on"])
            if not failing or time.monotonic() + PAUSE_SECONDS > end:
                return full | {"attempts": attempts}, failing
        time.sleep(PAUSE_SECONDS)


def _once(params: Row) -> tuple[Row, list[Finding]]:
    facts, found = _on_cluster(params) if params["release_name"] else (_direct(params), [])
    entries, reached = _judge_negatives.negatives(facts)
    limits = _LIMITS | (params["thresholds"] or {})
    findings = [*judge(facts, Limits(**limits)), *reached, *found]
    details = {**_connectivity_shape.details(facts, entries), "thresholds": limits}
    return _report.report(KIND, _subject(params, facts), findings, details), findings


def _on_cluster(params: Row) -> tuple[Row, list[Finding]]:
    from ansible_collections.ai_platform.agent.plugins.module_utils import _dependencies

    _dependencies.assert_libraries({"kubernetes": _dependencies.CLUSTER["kubernetes"]})
    from ansible_collections.ai_platform.agent.plugins.module_utils import _connectivity_cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._cluster import connect

    options = _connectivity_cluster.Options(
        release=params["release_name"],
        namespace=params["release_namespace"],
        **{
            name: params[name]
            for name in ("pods", "max_pods", "rounds", "timeout", "negative", "other_namespace", "job_timeout")
        },
    )
    found: tuple[Row, list[Finding]] = _connectivity_cluster.collect(connect(params), options)
    return found


def _direct(params: Row) -> Row:
    dependencies = []
    if params["database_url"]:
        table = {"version_table": params["version_table"]}
        dependencies.append({"name": "postgresql", "kind": "postgresql", "url": params["database_url"], **table})
    if params["redis_url"]:
        dependencies.append({"name": "redis", "kind": "redis", "url": params["redis_url"]})
    request = {name: params[name] for name in ("timeout", "rounds")}
    request |= {"deadline": DIRECT_SECONDS + 3 * params["rounds"], "dependencies": dependencies}
    return {"observations": [_collector.run_here(request)], "release": None, "untested": []}


def _subject(params: Row, facts: Row) -> str:
    """The release, or the places that were asked."""
    if params["release_name"]:
        return f"{params['release_namespace']}/{params['release_name']}"
    asked = [record["facts"].get("asked", ()) for record in facts["observations"][0]["records"] if "facts" in record]
    return " ".join(dict.fromkeys(place for places in asked for place in places)) or "direct"


def _check(params: Row) -> None:
    """Raise PreflightError `argument-invalid` for the first value out of its range."""
    least = {"max_pods": 1, "rounds": 0, "timeout": 1, "job_timeout": 1, "wait_timeout": 0}
    given = {name: params[name] for name in least} | (params["thresholds"] or {})
    for name, value in given.items():
        if value < least.get(name, 0):
            raise PreflightError("argument-invalid", f"{name} must be at least {least.get(name, 0)}.")


def _bounded(result: Row) -> Row:
    """Of each dependency's samples as many as a person looks at; percentiles are of all."""
    short = []
    for item in result["dependencies"]:
        rounds = item.get("rounds")
        kept = rounds and rounds | {"samples_ms": rounds["samples_ms"][:INLINE_SAMPLES]}
        short.append(item | ({"rounds": kept} if kept else {}))
    return result | {"dependencies": short}


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
