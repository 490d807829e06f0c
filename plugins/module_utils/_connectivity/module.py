"""From the parameters of connectivity_test to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import files, policy, report
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import (
    last_report,
    latency,
    negatives,
    probe_answers,
    records,
    table,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.agent_process import MODEL_VARIABLES
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import Thresholds, judge
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.kubeconfig import kubeconfig
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.target import assert_the_same
from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm_test
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import Facts

Row = dict[str, t.Any]
KIND = "connectivity_test"
# More is in report_path; a result must stay readable in AWX.
INLINE_SAMPLES = 20
PAUSE_SECONDS = 2.0
# Options of kubernetes.core that say as whom to ask, besides a kubeconfig.
_ACCOUNT = ("api_key", "username", "password", "client_cert", "client_key", "impersonate_user", "impersonate_groups")
# Direct transport: the probe's own limit, besides the rounds.
DIRECT_SECONDS = 60
_LIMITS = dataclasses.asdict(Thresholds())

CLUSTER_OPTIONS = (
    "pods", "max_pods", "rounds", "timeout", "negative", "other_namespace", "outside", "job_timeout", "pull_timeout",
)  # fmt: skip

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str"},
    "release_namespace": {"type": "str"},
    "database_url": {"type": "str", "no_log": True},
    "redis_url": {"type": "str", "no_log": True},
    "model_url": {"type": "str", "no_log": True},
    "model_key": {"type": "str", "no_log": True},
    "version_table": {"type": "str"},
    "pods": {"type": "str", "choices": ["auto", "agent", "probe"], "default": "auto"},
    "max_pods": {"type": "int", "default": 10},
    "rounds": {"type": "int", "default": 10},
    "timeout": {"type": "int", "default": 5},
    "negative": {"type": "bool", "default": True},
    "other_namespace": {"type": "str"},
    "outside": {"type": "str", "default": "1.1.1.1:443"},
    "model": {
        "type": "dict",
        "default": {},
        "options": {
            "ask": {"type": "bool", "default": True},
            # Names of variables, and no secrets.
            **{name: {"type": "str", "default": value, "no_log": False} for name, value in MODEL_VARIABLES.items()},
            "ca_file": {"type": "str"},
            "path": {"type": "str", "default": "/models"},
        },
    },
    "helm_test": {"type": "bool", "default": False},
    "helm_test_again": {"type": "bool", "default": True},
    "helm_test_timeout": {"type": "str", "default": "5m"},
    "helm_binary": {"type": "path", "default": "helm"},
    "helm_kubeconfig": {"type": "path"},
    "helm_context": {"type": "str"},
    "job_timeout": {"type": "int", "default": 60},
    "pull_timeout": {"type": "int", "default": 600},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
    "run_in_check_mode": {"type": "bool", "default": True},
    "fail_on": {"type": "str", "choices": ["never", "fail", "unknown", "warn"], "default": "unknown"},
    "thresholds": {
        "type": "dict",
        "default": {},
        "options": {name: {"type": type(value).__name__, "default": value} for name, value in _LIMITS.items()},
    },
    "report_path": {"type": "path"},
    "junit_path": {"type": "path"},
}

# Which of them go together: arguments of AnsibleModule.
CONSTRAINTS: t.Final[dict[str, t.Any]] = {
    "required_one_of": [["release_name", "database_url", "redis_url", "model_url"]],
    "required_together": [["release_name", "release_namespace"]],
    "required_if": [("helm_test", True, ["release_name"])],
    "required_by": {"model_key": ["model_url"]},
    "mutually_exclusive": [["release_name", name] for name in ("database_url", "redis_url", "model_url")],
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails under its policy (None: it does not).

    :raises FindingError: there is no verdict, which is then all that the reports say
    """
    _check(params)
    program = params["helm_binary"] if params["helm_test"] else None
    try:
        if params["helm_test"]:
            _assert_one_cluster(params)
        with helm_test.in_background(program, params, _helms_kubeconfig(params) if program else {}) as tested:
            subject, findings, details = _patiently(params)
            if tested:
                own, more = _helm_test(tested, findings)
                findings, details = [*findings, *more], details | {"helm_test": own}
    except FindingError as error:
        subject = f"{params['release_namespace']}/{params['release_name']}" if params["release_name"] else "direct"
        files.write_error(params, KIND, subject, error)
        raise
    full = report.report(KIND, subject, findings, details)
    failing = policy.failing(findings, params["fail_on"])
    files.write_reports(params, full)
    result = _bounded(report.inline(full)) | {"summary": table.summary(full, reported=bool(params["report_path"]))}
    return result, policy.problem(full["verdict"], failing, params["fail_on"])


def _helms_kubeconfig(params: Row) -> Row:
    """For the account that helm tests with; where none is named, it is the module's.

    :raises FindingError: no kubeconfig can say the same as the options
    """
    content: Row = kubeconfig(connect(params | _helms_own(params)))
    return content


def _helms_own(params: Row) -> Row:
    """The options by which helm asks otherwise than the module; none where no account is named for it."""
    own = {
        name: params[f"helm_{name}"] or None for name in ("kubeconfig", "context") if params[f"helm_{name}"] is not None
    }
    # Whoever names an account for helm does not mean the module's.
    return own and dict.fromkeys(_ACCOUNT) | own


def _assert_one_cluster(params: Row) -> None:
    """Check that the module and helm test the release of one cluster: else a healthy one hides a broken one.

    :raises FindingError: `cluster-another`
    """
    own = _helms_own(params)
    # What is expected is asked of each connection.
    if own and not params["cluster_expected"]:
        assert_the_same(connect(params), connect(params | own))


def _helm_test(tested: t.Callable[[], helm_test.Tested], findings: list[Finding]) -> tuple[Row, list[Finding]]:
    """What `helm test` said, and a finding where it failed although our own test found no cause.

    `helm test` does not wait until the release is ready, as our own test does; so it gets a second attempt.
    """
    explained = bool(policy.failing(findings, "fail"))
    first = tested()
    last = first if not first.complaint or first.denied or explained else tested()
    attempts = 2 if last is not first else 0 if first.recorded else 1
    own = {name: getattr(last, name) for name in ("outcomes", "log", "complaint", "recorded")} | {"attempts": attempts}
    if not last.complaint or explained:
        return own, []
    if last.denied:
        return own, [finding("helm-test-forbidden", f"The chart's own test was not run. {last.denied}")]
    return own, [finding("helm-test-failed", f"The chart's own test failed: {last.complaint}")]


def _patiently(params: Row) -> tuple[str, list[Finding], Row]:
    """Subject, findings and details, asked for again while something fails and time is left.

    :raises FindingError: nothing can be said, also at the last attempt
    """
    end = time.monotonic() + (params["wait_timeout"] if params["wait"] else 0)
    attempts = 0
    while True:
        attempts += 1
        try:
            subject, findings, details = _once(params)
        except FindingError as error:
            if error.id == "cluster-another" or time.monotonic() + PAUSE_SECONDS > end:
                raise
        else:
            if not policy.failing(findings, params["fail_on"]) or time.monotonic() + PAUSE_SECONDS > end:
                return subject, findings, details | {"attempts": attempts}
        time.sleep(PAUSE_SECONDS)


def _once(params: Row) -> tuple[str, list[Finding], Row]:
    facts, found = _on_cluster(params) if params["release_name"] else (_direct(params), [])
    entries, reached = negatives.negatives(facts)
    limits = _LIMITS | (params["thresholds"] or {})
    subject, details = _subject(params, facts), {**records.details(facts, entries), "thresholds": limits}
    # Each attempt of a run asks for it, and the last one alone replaces it.
    before = last_report.medians_before(params["report_path"], KIND, subject)
    slower = last_report.judge_latency(before, latency.medians(details["dependencies"]), Thresholds(**limits))
    findings = [*judge(facts, Thresholds(**limits)), *reached, *slower, *found]
    return subject, findings, details | {"medians_before": before}


def _on_cluster(params: Row) -> tuple[Facts, list[Finding]]:
    from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies

    dependencies.assert_libraries({"kubernetes": dependencies.CLUSTER["kubernetes"]})
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import cluster

    options = cluster.Options(
        release=params["release_name"],
        namespace=params["release_namespace"],
        **{name: params[name] for name in CLUSTER_OPTIONS},
        model=params["model"] if params["model"].get("ask", True) else None,
    )
    return cluster.collect(connect(params), options)


def _direct(params: Row) -> Facts:
    dependencies = []
    if params["database_url"]:
        table = {"version_table": params["version_table"]}
        dependencies.append({"name": "postgresql", "kind": "postgresql", "url": params["database_url"], **table})
    if params["redis_url"]:
        dependencies.append({"name": "redis", "kind": "redis", "url": params["redis_url"]})
    if params["model_url"]:
        own = {"url": params["model_url"], "key": params["model_key"] or ""}
        own |= {name: params["model"].get(name) for name in ("ca_file", "path")}
        dependencies.append({"name": "model", "kind": "model", **own})
    request = {name: params[name] for name in ("timeout", "rounds")}
    request |= {"deadline": DIRECT_SECONDS + 3 * params["rounds"], "dependencies": dependencies}
    return {"observations": [probe_answers.run_here(request)], "release": None, "untested": []}


def _subject(params: Row, facts: Facts) -> str:
    """The release, or the places that were asked."""
    if params["release_name"]:
        return f"{params['release_namespace']}/{params['release_name']}"
    asked = [phase["facts"].get("asked", ()) for phase in records.phases(facts["observations"][0])]
    return " ".join(dict.fromkeys(place for places in asked for place in places)) or "direct"


def _check(params: Row) -> None:
    """Check the ranges and forms of the arguments.

    :raises FindingError: `argument-invalid`, for the first value that does not fit
    """
    least = {"max_pods": 1, "rounds": 0, "timeout": 1, "job_timeout": 1, "pull_timeout": 0, "wait_timeout": 0}
    given = {name: params[name] for name in least} | (params["thresholds"] or {})
    for name, value in given.items():
        if value < least.get(name, 0):
            raise FindingError("argument-invalid", f"{name} must be at least {least.get(name, 0)}.")
    host, _colon, port = params["outside"].rpartition(":")
    if params["outside"] and not (host and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise FindingError("argument-invalid", f"outside is {params['outside']}: write host:port, or leave it empty.")


def _bounded(result: Row) -> Row:
    """The result with at most INLINE_SAMPLES samples a dependency; the percentiles are still those of all samples."""
    short = []
    for item in result["dependencies"]:
        rounds = item.get("rounds")
        kept = rounds and rounds | {"samples_ms": rounds["samples_ms"][:INLINE_SAMPLES]}
        short.append(item | ({"rounds": kept} if kept else {}))
    return result | {"dependencies": short}


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
