"""What must not be reached, and whether it was: entries for the report, and findings. Pure functions over facts.

That something is not reached proves a policy only where it can be reached from elsewhere at the same time.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import (
    FORBIDDEN,
    OUTSIDE,
    attempts,
    dependency_names,
    first_failure,
    from_inside,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.network_policies import (
    admits,
    isolating,
    may_leave,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import (
        Facts,
        Observation,
        ReleaseFacts,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import Entry

EXPECTED = "refused or timeout"


def negatives(facts: Facts) -> tuple[list[Entry], list[Finding]]:
    """The entries, and the findings: one for each target that was reached, one for each test that was not made."""
    entries: list[Entry] = []
    found: dict[tuple[str, str], Finding] = {}
    reachable = _reachable(facts)
    for observation in facts["observations"]:
        for record in attempts(observation):
            entry: Entry = {
                "from": observation["from"],
                "pod": observation["pod"],
                "to": record["name"],
                "expected": EXPECTED,
                "got": record["got"],
                "ms": record["ms"],
            }
            if record["name"] in OUTSIDE and observation["from"] != "agent":
                # What a pod that no policy limits reaches is the other half of the proof.
                continue
            proven = record["name"] == FORBIDDEN or record["name"] in reachable
            if record["got"] == "reached":
                item = _reached(facts["release"], observation, record["name"]) if facts["release"] else None
                entry["status"] = "fail" if item else "skip"
                if item:
                    # A cluster that enforces nothing is one cause, whatever was reached.
                    found.setdefault((item.id, "" if item.id == "policy-not-enforced" else record["name"]), item)
            else:
                entry["status"] = "pass" if proven and record["got"] != "no-name" else "skip"
            entries.append(entry)
    return entries, [*found.values(), *(finding("negative-not-tested", words) for words in facts["untested"])]


def _reachable(facts: Facts) -> set[str]:
    """What can be reached from somewhere: dependencies from a pod that should, addresses outside from one that may."""
    beyond = {"tls", "auth", "query", "write", "schema", "large"}
    outside = {
        record["name"]
        for observation in facts["observations"]
        for record in attempts(observation)
        if record["name"] in OUTSIDE and observation["from"] != "agent" and record["got"] == "reached"
    }
    return outside | {
        name
        for observation in from_inside(facts)
        for name in dependency_names(observation)
        if (failed := first_failure(observation, name)) is None or failed["phase"] in beyond
    }


def _reached(release: ReleaseFacts, observation: Observation, target: str) -> Finding | None:
    """The finding for a target that was reached; None where it may be."""
    policies, other = release["policies"], release["other_namespace"]
    if target == FORBIDDEN:
        return _reached_api_server(release, observation)
    if target in OUTSIDE:
        return _reached_outside(release, observation, target)
    where = f"namespace {other['name']}" if other and observation["from"] != "stranger" else "this namespace"
    who = f"A pod of {where} without the client label reached {target}"
    server = release["servers"].get(target)
    if policies is None:
        words = f"{who}; why is unknown, for the account may not list networkpolicies."
        return finding("policy-missing", words, dependency=target, layer="tcp")
    deciding = isolating(policies, server["labels"] if server else {}, "Ingress")
    if not deciding:
        return finding("policy-missing", f"{who}: no NetworkPolicy selects its pods.", dependency=target, layer="tcp")
    elsewhere = other["labels"] if other and observation["from"] == "elsewhere" else None
    names = ", ".join(policy["metadata"]["name"] for policy in deciding)
    if admits(deciding, release["stranger_labels"], elsewhere):
        words = f"{who}: the NetworkPolicies ({names}) let everybody in."
        return finding("policy-missing", words, dependency=target, layer="tcp")
    words = f"{who}, although NetworkPolicies ({names}) forbid it: this cluster does not enforce them."
    return finding("policy-not-enforced", words, dependency=target, layer="tcp")


def _reached_api_server(release: ReleaseFacts, observation: Observation) -> Finding | None:
    """The finding for an agent that reached the API server, which its egress policy forbids; None where it may."""
    policies = release["policies"]
    labels: dict[str, str] = next((pod["labels"] for pod in release["pods"] if pod["name"] == observation["pod"]), {})
    who = f"The pod {observation['pod']} reached the Kubernetes API, which no rule of its egress names"
    if policies is None:
        words = f"{who}; why is unknown, for the account may not list networkpolicies."
        return finding("policy-missing", words, dependency="agent", layer="tcp")
    deciding = isolating(policies, labels, "Egress")
    if not deciding:
        return finding("policy-missing", f"{who}: no NetworkPolicy limits it.", dependency="agent", layer="tcp")
    if may_leave(deciding):
        return None
    names = ", ".join(policy["metadata"]["name"] for policy in deciding)
    words = f"{who} ({names}): this cluster does not enforce NetworkPolicies."
    return finding("policy-not-enforced", words, dependency="agent", layer="tcp")


def _reached_outside(release: ReleaseFacts, observation: Observation, target: str) -> Finding | None:
    """The finding for an agent that reached an address which its egress forbids; None where nothing forbids it.

    That no policy limits the agent at all is said of the API server already.
    """
    policies = release["policies"] or []
    labels: dict[str, str] = next((pod["labels"] for pod in release["pods"] if pod["name"] == observation["pod"]), {})
    asked = next((record.get("asked", "") for record in attempts(observation) if record["name"] == target), "")
    host, _colon, port = asked.rpartition(":")
    deciding = isolating(policies, labels, "Egress")
    if not deciding or may_leave(deciding, host.strip("[]"), int(port)):
        return None
    names = ", ".join(policy["metadata"]["name"] for policy in deciding)
    words = f"The pod {observation['pod']} reached {OUTSIDE[target]} ({asked}), which no rule of its egress names"
    words = f"{words} ({names}): this cluster does not enforce NetworkPolicies."
    return finding("policy-not-enforced", words, dependency="agent", layer="tcp")


__all__ = ("EXPECTED", "negatives")
