"""release_soak: looks at the agent's pods before a release, and watches the new ones after it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import policy, report
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.table import complaints, wrapped
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.pod_http import Place, PodHttp
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.shared import agent_container, is_ready
from ansible_collections.ai_platform.agent.plugins.module_utils._release import soak, soak_metrics, waits
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import serving
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

Row = dict[str, t.Any]
KIND: t.Final = "release_soak"
MOST_LOOKS: t.Final = 300
MOST_SECONDS: t.Final = 24 * 3600
_LIMITS: t.Final = dataclasses.asdict(soak.Limits())
_NAMES: t.Final = {"requests": "agent_requests_total", "status": "status", "seconds": "agent_request_seconds"}

ARGUMENTS: t.Final[Row] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["captured", "watched"], "required": True},
    "before": {"type": "list", "elements": "dict", "default": []},
    "duration": {"type": "str", "default": "5m"},
    "interval": {"type": "int", "default": 10},
    "metrics_path": {"type": "str", "default": "/metrics"},
    "metrics_port": {"type": "int", "default": 0},
    "metrics_names": {
        "type": "dict",
        "default": {},
        "options": {name: {"type": "str", "default": value} for name, value in _NAMES.items()},
    },
    "thresholds": {
        "type": "dict",
        "default": {},
        "options": {name: {"type": type(value).__name__, "default": value} for name, value in _LIMITS.items()},
    },
    # Read by the action plugin.
    "progress": {"type": "float", "default": 0.0},
    "fail_on": {"type": "str", "choices": list(policy.FAIL_ON), "default": "fail"},
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails under its policy (None: it does not).

    :param params: the module's arguments, and `check_mode`
    :raises FindingError: an argument is of no use, or the API server refuses or does not answer
    """
    length = _seconds(params)
    _assert_library()
    cluster = connect(params)
    with PodHttp(cluster, params["release_namespace"], params["metrics_path"]) as http:
        if params["state"] == "captured":
            return {"pods": [seen.as_dict() for seen in _look(cluster, http, params)]}, None
        before = [soak.Seen(**item) for item in params["before"]]
        return _watched(cluster, http, params, before, length)


def _watched(cluster: Cluster, http: PodHttp, params: Row, before: soak.Look, length: int) -> tuple[Row, str | None]:
    limits = soak.Limits(**(_LIMITS | (params["thresholds"] or {})))
    began = time.monotonic()
    looks, verdicts = [soak.new_ones(before, _look(cluster, http, params))], list[soak.Verdict]()
    # Nothing lasts in check mode, and where no pod was replaced there is no new version to watch.
    if not params["check_mode"] and looks[0]:
        while not verdicts or (time.monotonic() - began < length and not soak.over(verdicts)):
            left = began + length - time.monotonic()
            # A day has no more looks than an hour: each is kept.
            time.sleep(max(0.0, min(max(params["interval"], length / MOST_LOOKS), left)))
            looks.append(soak.new_ones(before, _look(cluster, http, params)))
            verdicts.append(soak.judge(before, looks, limits))
    found = verdicts[-1] if verdicts else soak.Verdict([], {})
    subject = f"{params['release_namespace']}/{params['release_name']}"
    took = round(time.monotonic() - began, 1) if verdicts else 0.0
    details = {"soaked": bool(verdicts), "seconds": took, "wanted_seconds": length, **found.figures}
    full = report.report(KIND, subject, found.findings, details | {"thresholds": dataclasses.asdict(limits)})
    failing = policy.failing(found.findings, params["fail_on"])
    problem = policy.problem(full["verdict"], failing, params["fail_on"])
    return full | {"breached": bool(found.breaches), "summary": _summary(full)}, problem


def _look(cluster: Cluster, http: PodHttp, params: Row) -> list[soak.Seen]:
    """The agent's pods, those that ended left out.

    :raises FindingError: the API server refuses or does not answer
    """
    names = soak_metrics.Names(**(_NAMES | (params["metrics_names"] or {})))
    found = []
    for pod in serving(cluster, params["release_name"], params["release_namespace"]).pods:
        status = pod.get("status") or {}
        if status.get("phase") in {"Failed", "Succeeded"}:
            continue
        counts, problem = None, ""
        try:
            counts = soak_metrics.read(http.get(_place(pod, params["metrics_port"])), names)
        except FindingError as error:
            problem = error.message
        except ValueError as error:
            problem = f"what GET {params['metrics_path']} answers is of no use ({error!s:.200})"
        agent, states = agent_container(pod["spec"]), status.get("containerStatuses") or ()
        own: Row = next((item for item in states if item["name"] == agent["name"]), {})
        found.append(
            soak.Seen(
                uid=pod["metadata"]["uid"],
                name=pod["metadata"]["name"],
                image=agent["image"],
                restarts=int(own.get("restartCount") or 0),
                ready=None if pod["metadata"].get("deletionTimestamp") else is_ready(pod),
                counts=counts,
                problem=problem,
            )
        )
    return found


def _place(pod: Row, port: int) -> Place:
    """Where the pod shows its metrics: the chart names a port for them where it is not the agent's own.

    :raises FindingError: the container names no port
    """
    container, name = agent_container(pod["spec"]), pod["metadata"]["name"]
    ports = {item.get("name", ""): int(item["containerPort"]) for item in container.get("ports") or ()}
    found = port or ports.get("metrics") or ports.get("http") or next(iter(ports.values()), 0)
    if not found:
        raise FindingError("argument-invalid", f"Pod {name} names no port of its metrics: set metrics_port.")
    address = (pod.get("status") or {}).get("podIP") or "127.0.0.1"
    return Place(name, container["name"], address, found)


def _seconds(params: Row) -> int:
    """The duration; a number alone is one of seconds.

    :raises FindingError: `argument-invalid`
    """
    text = params["duration"]
    if not 1 <= params["interval"] <= 60:
        raise FindingError("argument-invalid", "interval must be from 1 to 60.")
    try:
        found = waits.whole_seconds(text)
    except ValueError as error:
        raise FindingError("argument-invalid", f"duration: {error}.") from None
    if found > MOST_SECONDS:
        raise FindingError("argument-invalid", f"duration must be at most {MOST_SECONDS // 3600}h.")
    return found


def _assert_library() -> None:
    try:
        import prometheus_client.parser  # noqa: F401
    except ImportError:
        words = "The Python package prometheus-client is missing; install requirements.txt for that interpreter."
        raise FindingError("library-missing", words) from None


def _summary(full: Row) -> list[str]:
    head = f"{full['verdict'].upper()}  {full['subject']}: "
    if not full["soaked"]:
        return [f"NOT SOAKED  {full['subject']}: no pod of the agent is new"]
    lines = [f"{head}watched for {full['seconds']:.0f} of {full['wanted_seconds']} s"]
    for word in ("before", "after"):
        each = full[word]
        parts = [f"{each['pods']} pods, {each['requests']} requests"]
        parts += [f"{each['success']:.2f} % without an error"] if each["success"] is not None else []
        if each["p95_seconds"] is not None:
            parts.append(f"p95 {'> ' * each['p95_beyond']}{each['p95_seconds']:.3g} s")
        parts += [f"{each['restarts']} restarts"] if "restarts" in each else []
        lines.append(f"  {word.ljust(6)}  {', '.join(parts)}")
    shown: list[str] = wrapped([*lines, *complaints(full["findings"], reported=False)])
    return shown


__all__ = ("ARGUMENTS", "execute")
