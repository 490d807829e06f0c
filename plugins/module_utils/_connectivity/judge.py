"""Findings from the facts of a connectivity test (_connectivity/facts.py). Pure functions.

One cause is one finding: what several pods saw alike is told once, and what follows from a server that is away (pods
that are not ready, a Service without endpoints) is not told beside it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.causes import (
    LAYERS,
    cause_of,
    may_be_well,
    meaning,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge_model import (
    certificates,
    model_answers,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.latency import judged_figure, summary
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.model_causes import not_tested, told
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.pod_finding import PodFinding, Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import (
    dependency_names,
    first_failure,
    from_inside,
    http_answers,
    is_good,
    kind_of,
    phases,
    rounds,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.network_policies import admits, isolating

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Severity
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import (
        Error,
        Facts,
        HttpRecord,
        Observation,
        PhaseRecord,
        ReleaseFacts,
        ServerFacts,
    )

SCARCE_SHARE = 0.9
UTF8, ASCII = "UTF8", "SQL_ASCII"
# What it means, by whether it is SQL_ASCII.
_ENCODED = {
    False: "text with a character that it lacks, such as an emoji, cannot be stored",
    True: "psycopg gives bytes in place of text, unless the client names an encoding",
}
# The agent's own checks in /ready, and the dependency whose failure explains them.
EXPLAINED = {"database": "postgresql", "schema": "postgresql", "cache": "redis"}


def judge(facts: Facts, limits: Thresholds) -> list[Finding]:
    """The findings about the servers and the agent, without the negative tests."""
    seen = [item for observation in from_inside(facts) for item in _observation(facts, observation, limits)]
    found = _grouped(seen, len(from_inside(facts)))
    found += [
        finding("collector-broken", item["problem"], pods=(item["pod"],))
        for item in from_inside(facts)
        if item["problem"]
    ]
    return [*found, *_agent(facts, facts["release"])] if facts["release"] else found


def _observation(facts: Facts, observation: Observation, limits: Thresholds) -> t.Iterator[PodFinding]:
    for name in dependency_names(observation):
        failed = first_failure(observation, name)
        if failed:
            yield _failure(facts, observation, name, failed)
        own = [*_redis_without_maxmemory(facts, observation, name), *model_answers(observation, name)]
        own += certificates(observation, name, limits)
        for item in (*_answers(observation, name, limits), *own, *_rounds(observation, name, limits)):
            # What comes after a failure, or says the same in other words, is its consequence.
            if not failed or item.id == "in-recovery" or item.layer == "tls":
                yield dataclasses.replace(item, pod=observation["pod"])


def _failure(facts: Facts, observation: Observation, name: str, failed: PhaseRecord) -> PodFinding:
    """The finding for the phase at which a dependency failed."""
    cause = cause_of(kind_of(name), failed)
    layer, said = failed["phase"], _words(failed["error"])
    place = ", ".join(failed["facts"].get("asked", ())) or _place(observation, name)
    server = _server(facts, name)
    if server and cause.endswith(("-connection-refused", "-filtered")) and server["ready"] == 0:
        cause, said = "service-without-endpoints", f"the Service {server['host']} has no ready endpoint ({said})"
    if cause == "database-read-only" and _query(observation, name).get("in_recovery"):
        cause = "in-recovery"
    by = ", by its proxy" if failed["facts"].get("proxy") and layer in {"dns", "tcp"} else ""
    words = f"{name}{by}{f' at {place}' if place else ''}: {LAYERS[layer]}: {said.rstrip('.')}"
    words = f"{words}{meaning(failed)}{told(failed)}"
    if not_tested(observation, cause):
        words = f"{words}; asked from a pod that is none of the agent's, to which alone the policies may allow it"
        return PodFinding("model-not-tested", words, name, layer, observation["pod"])
    # The agent itself does not use the replicas.
    severity: Severity | None = "warn" if kind_of(name) == "replica" else "unknown" if may_be_well(failed) else None
    return PodFinding(cause, words, name, layer, observation["pod"], severity)


def _place(observation: Observation, name: str) -> str:
    asked = [item["facts"]["asked"] for item in phases(observation, dependency=name) if "asked" in item["facts"]]
    return ", ".join(asked[0]) if asked else ""


def _server(facts: Facts, name: str) -> ServerFacts | None:
    """The release's own server of this name."""
    return facts["release"]["servers"].get(name) if facts["release"] else None


def _words(error: Error) -> str:
    return error["text"] or error["type"]


def _query(observation: Observation, name: str) -> dict[str, t.Any]:
    """What the server answered, empty without an answer."""
    found = phases(observation, dependency=name, phase="query")
    return found[0]["facts"] if found and found[0]["ok"] else {}


def _answers(observation: Observation, name: str, limits: Thresholds) -> t.Iterator[PodFinding]:
    """What servers said about themselves."""
    kind, answer = kind_of(name), _query(observation, name)

    def seen(cause: str, words: str, layer: str = "query") -> PodFinding:
        return PodFinding(cause, f"{name}: {words}", name, layer, "")

    for item in phases(observation, dependency=name, phase="dns"):
        if item["ok"] and item["ms"] > limits.dns_ms:
            yield seen("dns-slow", f"resolving {', '.join(item['facts']['asked'])} took {item['ms']:.0f} ms", "dns")
    if kind == "postgresql" and answer:
        if answer["in_recovery"]:
            yield seen("in-recovery", f"the server at {_place(observation, name)} is a standby: it takes no writes")
        left = answer["max_connections"] - answer["reserved"] - (answer["connections"] or 0)
        if left < limits.connections_left:
            words = f"{answer['connections']} of {answer['max_connections']} connections are in use"
            yield seen("connections-scarce", f"{words} ({answer['reserved']} reserved); {left} are left")
        if (encoding := answer.get("encoding", UTF8)) != UTF8:
            yield seen("database-encoding", f"the database's encoding is {encoding}: {_ENCODED[encoding == ASCII]}")
    if kind == "replica" and answer:
        if not answer["in_recovery"]:
            yield seen("replica-not-standby", f"the server at {_place(observation, name)} is a primary")
        elif answer.get("behind_bytes"):
            yield seen("replica-behind", f"a replica is still {answer['behind_bytes']} bytes behind after the time-out")
    for item in phases(observation, dependency=name, phase="schema"):
        if item["ok"] and item["facts"]["revisions"] is None:
            yield seen("schema-missing", "the database has no version table of Alembic", "schema")
    if kind == "redis":
        yield from _redis(answer, seen)


def _redis(answer: dict[str, t.Any], seen: t.Callable[[str, str], PodFinding]) -> t.Iterator[PodFinding]:
    # KeyDB's active-replica takes writes.
    if answer.get("role") in ("slave", "replica"):
        yield seen("cache-read-only", "the server is a replica: what is written there is lost or refused")
    most: t.Any = answer.get("maxmemory")
    used: t.Any = answer.get("used_memory")
    # Redis' relatives leave fields out, or write them for people.
    known = isinstance(most, int) and isinstance(used, int) and answer.get("maxmemory_policy") == "noeviction"
    if known and used > SCARCE_SHARE * most > 0:
        share = 100 * used / most
        yield seen("cache-memory-scarce", f"{share:.0f} % of maxmemory ({most} bytes) are used and nothing is evicted")
    failing = [name for name in ("aof_last_write_status", "rdb_last_bgsave_status") if answer.get(name, "ok") != "ok"]
    if failing:
        yield seen("cache-persistence-failing", f"{', '.join(failing)} is not ok")


def _redis_without_maxmemory(facts: Facts, observation: Observation, name: str) -> t.Iterator[PodFinding]:
    """A Redis whose pod has a memory limit that Redis itself does not know: the kernel kills it instead of eviction."""
    answer = _query(observation, name)
    server = _server(facts, name)
    limit = server.get("memory_limit") if server else None
    if kind_of(name) == "redis" and limit and answer.get("maxmemory") == 0:
        words = f"{name}: maxmemory is not set and the pod's memory limit is {limit}: a full cache is killed"
        yield PodFinding("cache-memory-unlimited", words, name, "query", "")


def _rounds(observation: Observation, name: str, limits: Thresholds) -> t.Iterator[PodFinding]:
    for item in rounds(observation, name):
        if item["failed"]:
            words = f"{name}: {item['failed']} of {item['wanted']} rounds failed: {_words(item['error']).rstrip('.')}"
            yield PodFinding("rounds-failed", words, name, "rounds", "")
        figures = summary(item["samples_ms"])
        over = {
            share: figures[share]
            for share, most in ((judged_figure(figures), limits.p95_ms), ("p99", limits.p99_ms))
            if (figures[share] or 0) > most
        }
        if over:
            told = ", ".join(f"{share} {value:.0f} ms" for share, value in over.items())
            words = f"{name}: {told}; allowed are p95 {limits.p95_ms:g} ms and p99 {limits.p99_ms:g} ms"
            yield PodFinding("latency-high", words, name, "rounds", "")


def _grouped(seen: t.Sequence[PodFinding], pod_count: int) -> list[Finding]:
    """One finding for each cause and dependency: the words of the pod that saw it first, and who else did.

    A name service that is away is one cause, whatever was asked of it.
    """
    groups: dict[tuple[str, str | None], list[PodFinding]] = {}
    for item in seen:
        whose = None if item.id == "dns-unavailable" else item.dependency
        groups.setdefault((item.id, whose), []).append(item)
    found = []
    for (cause, dependency), items in groups.items():
        pods = tuple(dict.fromkeys(item.pod for item in items))
        many = f" (seen by {len(pods)} of {pod_count} pods)" if pod_count > 1 else ""
        words, first = f"{items[0].words}{many}.", items[0]
        found.append(
            finding(cause, words, severity=first.severity, dependency=dependency, layer=first.layer, pods=pods)
        )
    return found


def _agent(facts: Facts, release: ReleaseFacts) -> t.Iterator[Finding]:
    """The agent's pods, their answers and their Service."""
    ready = {pod["name"] for pod in release["pods"] if pod["ready"]}
    down = {observation["pod"]: _down(observation) for observation in from_inside(facts)}
    anywhere: set[str] = set().union(*down.values())
    if release["replicas"] and not release["pods"]:
        words = f"The Deployment {release['name']} wants {release['replicas']} pods and none is there."
        yield finding("agent-absent", words)
    for pod in release["pods"]:
        if not pod["ready"] and not down.get(pod["name"], anywhere):
            words = f"The pod {pod['name']} on node {pod['node']} is not ready: {pod['reason'] or 'no reason given'}."
            yield finding("agent-not-ready", words, dependency="agent", pods=(pod["name"],))
    yield from _endpoints(release, ready)
    for observation in facts["observations"]:
        failing = [record for record in http_answers(observation) if not is_good(record)]
        if observation["from"] == "agent" and observation["pod"] in ready:
            for record in failing:
                yield from _own_answer(observation, record, release.get("health", "/health"))
        elif failing and observation["from"] == "stranger" and ready and _leads_somewhere(release):
            yield _through_service(observation, failing[0], release)


def _down(observation: Observation) -> set[str]:
    """The servers that the agent needs and that failed from there."""
    return {name for name in set(EXPLAINED.values()) if first_failure(observation, name)}


def _endpoints(release: ReleaseFacts, ready: set[str]) -> t.Iterator[Finding]:
    """The Service leads to the ready pods and to nobody else. Without a ready pod other findings say why."""
    if release["endpoints"] is None:
        return
    there = set(release["endpoints"]["ready"])
    if ready and not there:
        words = (
            f"agent: {len(ready)} pods are ready and the Service {release['name']} leads to none: correct its selector."
        )
        yield finding("service-without-endpoints", words, dependency="agent")
    elif there != ready:
        wrong = {"leaves out": ready - there, "leads to": there - ready}
        told = ", and ".join(f"{verb} {', '.join(sorted(pods))}" for verb, pods in wrong.items() if pods)
        words = f"agent: the Service {release['name']} {told}, unlike what its pods say of themselves."
        yield finding("service-endpoints-differ", words, dependency="agent")


def _own_answer(observation: Observation, record: HttpRecord, health: str | None) -> t.Iterator[Finding]:
    down = _down(observation)
    body = record.get("body")
    told = body.get("checks") if isinstance(body, dict) else None
    # Another image may mean something else by that word.
    checks = {name: item for name, item in told.items() if isinstance(item, dict)} if isinstance(told, dict) else {}
    failing = {name: item for name, item in checks.items() if item.get("status") not in {"ok", "degraded"}}
    if failing and all(EXPLAINED.get(name) in down for name in failing):
        return
    said = "; ".join(f"{name}: {item.get('message', '')}" for name, item in failing.items())
    answer = said or (record["error"]["text"] if "error" in record else "") or f"status {record['status']}"
    cause = "agent-health" if record["path"] == health else "agent-not-ready"
    words = f"agent: {record['path']} of {observation['pod']} answers: {answer.rstrip('.')}."
    yield finding(cause, words, dependency="agent", pods=(observation["pod"],))


def _through_service(observation: Observation, record: HttpRecord, release: ReleaseFacts) -> Finding:
    error = record.get("error")
    if error and error.get("cause") == "timeout" and not _callers_open(release):
        words = f"agent: {record['path']} through the Service was not asked: its callers are limited."
        return finding("service-not-testable", words, dependency="agent")
    if error is None or record["status"] is not None:
        # Somebody answered, so the Service leads somewhere: what was said is the agent's own.
        words = f"agent: {record['path']} through its Service answers with status {record['status']}."
        return finding("agent-not-ready", words, dependency="agent", pods=(observation["pod"],))
    way = f"through the Service {release['name']}, from another pod"
    words = f"agent: {record['path']} {way}: {_words(error).rstrip('.')}."
    return finding("service-unreachable", words, dependency="agent", pods=(observation["pod"],))


def _leads_somewhere(release: ReleaseFacts) -> bool:
    return release["endpoints"] is None or bool(release["endpoints"]["ready"])


def _callers_open(release: ReleaseFacts) -> bool:
    """Whether the policies let any pod of the namespace call the agent."""
    if release["policies"] is None or not release["pods"]:
        return False
    deciding = isolating(release["policies"], release["pods"][0]["labels"], "Ingress")
    return not deciding or admits(deciding, release["stranger_labels"], None)


__all__ = ("Thresholds", "judge")
