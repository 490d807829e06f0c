"""Runs to report on: a recorded preflight, connectivity as its module's RETURN describes it, long and hostile ones."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import Thresholds, judge
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.latency import summary
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.negatives import negatives
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import details
from ansible_collections.ai_platform.agent.plugins.module_utils._page import page
from ansible_collections.ai_platform.agent.plugins.module_utils._page.run import document

Json = dict[str, t.Any]
# 2026-11-21 12:00:00 UTC
NOON = 1795262400.0
IMAGES = {
    "agent": "registry.example.com/team/agent:1.4.0",
    "postgresql": "registry.example.com/team/postgresql:15.18",
    "redis": "registry.example.com/team/redis:7.0.15",
}
FOLDER = Path(__file__).parent


def run(**changed: t.Any) -> Json:
    """An upgrade of production that went through all steps."""
    began = {"guard": NOON, "preflight": NOON + 2.4, "credentials": NOON + 5.1, "release": NOON + 5.9}
    return {
        "host": "agent-prod",
        "release": "agent-prod",
        "environment": "prod",
        "namespace": "prod",
        "cluster": "https://10.20.0.1:6443",
        "chart": {"before": "1.0.0+81d2c5e0", "after": "1.0.0+3f9c02aa"},
        "images": {"before": IMAGES | {"agent": "registry.example.com/team/agent:1.3.2"}, "after": IMAGES},
        "revision": {"before": 7, "after": 8},
        "changed": True,
        "steps": began | {"verify": NOON + 47.3},
    } | changed


def preflight(verdict: str = "unsafe") -> Json:
    """What migration_preflight really said of a server, `safe` or `unsafe`: tests/integration/report/record.py."""
    recorded: Json = json.loads((FOLDER / f"preflight-{verdict}.json").read_text(encoding="utf-8"))
    return recorded


def rounds(middle: float, spread: float, seed: int, count: int = 120, failed: int = 0) -> Json:
    """Rounds around `middle` ms; times of a network spread evenly on a logarithmic axis, with a tail."""
    source = random.Random(seed)  # noqa: S311 - no secret
    samples = [round(middle * source.lognormvariate(0, spread), 3) for _ in range(count - failed)]
    return {"count": count, "failed": failed, "samples_ms": samples} | summary(samples)


LIMITS = Thresholds(p95_ms=20.0, p99_ms=100.0)
_SITUATIONS = FOLDER.parent / "_connectivity" / "facts"


def _records(situation: str, middle: float, seed: int) -> list[Json]:
    """What the probe recorded of a real server; as many rounds as a plot is for, and as slow as a network is."""
    recorded = json.loads((_SITUATIONS / f"{situation}.json").read_text(encoding="utf-8"))["observations"][0]
    source = random.Random(seed)  # noqa: S311 - no secret
    found = [record for record in recorded["records"] if record["record"] != "end"]
    for record in found:
        if record["record"] == "rounds":
            made = rounds(middle, 0.25, seed)
            record |= {"wanted": made["count"], "failed": made["failed"], "samples_ms": made["samples_ms"]}
        elif "ms" in record:
            record["ms"] = round(record["ms"] * source.uniform(0.6, 1.5), 3)
    return found


def _observation(place: str, pod: str, node: str, *records: Json) -> Json:
    end = {"record": "end", "host": pod, "ms": 61.5, "peak_kib": 46676}
    return {"from": place, "pod": pod, "node": node, "records": [*records, end], "problem": None}


def _http(name: str, path: str, took: float) -> Json:
    return {"record": "http", "name": name, "path": path, "ms": took, "status": 200}


def _reach(name: str, took: float) -> Json:
    return {"record": "reach", "name": name, "got": "timeout", "ms": took}


def facts(pods: int = 3) -> t.Any:
    """All is well in `pods` pods, and strangers are kept out; the form is that of _connectivity/facts.py."""
    names = [f"agent-prod-6c9f7d5b8-{chr(97 + number % 26)}{number:04}" for number in range(pods)]
    seen = [
        _observation(
            "agent", name, f"worker-{number % 2 + 1}",
            *_records("postgresql-well", 1.4 * (1 + number / 40), number * 7),
            *_records("redis-well", 0.42 * (1 + number / 40), number * 7 + 1),
            _http("itself", "/health", 2.1), _http("itself", "/ready", 3.3 + number / 9), _reach("api-server", 1000.2),
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    stranger = [_http("service", "/health", 2.9), _http("service", "/ready", 4.4)]
    stranger += [_reach(name, 1000.6) for name in ("postgresql", "redis")]
    seen.append(_observation("stranger", "agent-prod-stranger", "worker-1", *stranger))
    servers = {
        name: {"host": f"agent-prod-{name}.prod.svc", "port": 1, "ready": 1, "labels": {}}
        for name in ("postgresql", "redis")
    }
    there: list[dict[str, t.Any]] = [
        {"name": name, "node": "worker-1", "ready": True, "reason": None, "labels": {}} for name in names
    ]
    return {
        "observations": seen,
        "release": {
            "name": "agent-prod", "namespace": "prod", "replicas": pods, "pods": there, "servers": servers,
            "endpoints": {"ready": names, "unready": []}, "policies": None, "stranger_labels": {},
            "other_namespace": None,
        },
        "untested": ["There is no other namespace to try it from: ai_agent_verify_other_namespace is not set."],
    }  # fmt: skip


def connectivity(pods: int = 3, known: t.Any = None) -> Json:
    """The report that connectivity_test makes of such facts."""
    known = known or facts(pods)
    entries, reached = negatives(known)
    more = {"thresholds": dataclasses.asdict(LIMITS), "attempts": 1}
    return report(
        "connectivity_test", "prod/agent-prod", [*judge(known, LIMITS), *reached], details(known, entries) | more
    )


def healthy() -> Json:
    """An upgrade without a finding that wants a look."""
    reports = {"migration_preflight": preflight("safe"), "connectivity_test": connectivity()}
    return document(run(), reports, ended=NOON + 55.8, check_mode=False)


def troubled() -> Json:
    """An upgrade after which one pod is slow, one has the wrong password, and a stranger reaches the cache."""
    known = facts()
    _well, slow, broken, stranger = known["observations"]
    for record in slow["records"]:
        if record["record"] == "rounds" and record["dependency"] == "postgresql":
            made = rounds(14, 0.55, 5, failed=2)
            error = {"type": "OperationalError", "text": "server closed the connection unexpectedly"}
            record |= {"failed": made["failed"], "samples_ms": made["samples_ms"], "error": error}
    others = [record for record in broken["records"] if record.get("dependency") != "postgresql"]
    broken["records"] = [*_records("postgresql-wrong-password", 1, 3), *others]
    stranger["records"][-2] |= {"got": "reached", "ms": 0.9}
    full = connectivity(known=known)
    bad = [item for item in full["findings"] if item["severity"] == "fail"]
    ids = ", ".join(item["id"] for item in bad)
    message = f"The verdict is unsafe: {len(bad)} findings reach fail_on=unknown ({ids}); first: {bad[0]['message']}"
    reports = {"migration_preflight": preflight(), "connectivity_test": full | {"message": message}}
    failure = {"task": "Stop at what the test found", "message": message}
    return document(run(failure=failure), reports, ended=NOON + 55.8, check_mode=False)


def blocked() -> Json:
    """A preflight that stopped the run."""
    full = preflight()
    began = {"guard": NOON, "preflight": NOON + 2.4}
    failure = {"task": "Judge the pending migrations", "message": (
        f"The verdict is {full['verdict']}: 1 finding reaches fail_on=unknown; first: {full['findings'][0]['message']}"
    )}  # fmt: skip
    changed: Json = {"steps": began, "failure": failure, "changed": False}
    changed |= {"revision": {"before": 7}, "chart": {"before": "1.0.0+81d2c5e0"}, "images": {"before": IMAGES}}
    return document(run(**changed), {"migration_preflight": full}, ended=NOON + 5.1, check_mode=False)


def without_verdict() -> Json:
    """A run that guard stopped: no check came to a result."""
    failure = {"task": "Stop without passwords", "message": "Host agent-prod has no value for ai_agent_redis_password."}
    return document(
        {"host": "agent-prod", "changed": False, "steps": {"guard": NOON}, "failure": failure},
        {},
        ended=NOON + 0.3,
        check_mode=False,
    )


def long() -> Json:
    """A hundred findings, sixty revisions, fifty pods."""
    found = [
        finding(name, f"{sentence} on public.table_{number} (3.{number} GiB, about {number}00000 rows).",
                revision=f"{number:04}", statement=number, table=f"public.table_{number}")
        for number in range(25)
        for name, sentence in [
            ("lock-blocks-reads", "Rewrites the whole table under ACCESS EXCLUSIVE"),
            ("table-rewrite", "Writes the table anew"),
            ("index-not-concurrent", "Builds an index without CONCURRENTLY"),
            ("statement-opaque", "Runs a DO block"),
        ]
    ]  # fmt: skip
    lock = {"mode": "ACCESS EXCLUSIVE", "rewrite": True, "scan": False, "rule": "alter-type", "source": "",
            "new": False, "bytes": 3e9, "total_bytes": 4e9, "rows": 12345678.0, "writes": 1, "reads": 1,
            "sessions": 0}  # fmt: skip
    pending = [
        {"revision": f"{number:04}", "title": f"Change number {number}", "file": f"{number:04}.py", "static": True,
         "risk": ["none", "low", "unknown", "high"][number % 4],
         "strongest_lock": lock | {"table": f"public.table_{number}"},
         "statements": [{"revision": f"{number:04}", "statement": place, "transaction": True, "risk": "high",
                         "sql": f"ALTER TABLE table_{number} ALTER COLUMN c{place} TYPE bigint",
                         "locks": [lock | {"table": f"public.table_{number}"}]} for place in range(8)]}
        for number in range(60)
    ]  # fmt: skip
    full = report("migration_preflight", "db.example.com:5432/agent", found, preflight() | {"pending": pending})
    full |= {"kind": "migration_preflight", "findings": [item.as_dict() for item in found], "verdict": "unsafe"}
    reports = {"migration_preflight": full, "connectivity_test": connectivity(50)}
    return document(run(), reports, ended=NOON + 300, check_mode=False)


MARKUP = "</style></svg><script>alert(1)</script><img src=https://example.com/x.png onerror=alert(2)>{{ 7 * 7 }}&amp;"
HOSTILE = [
    MARKUP,
    "x" * 3000,
    "\u202eright to left override, شكرا جزيلا, עברית, 漢字, 🚀🚀🚀",
    "control \x00\x1b[31m characters \ud800 and \ufffe",
    "postgresql://agent_user:s3cr%40t@db.example.com:5432/agent refused",
]


def hostile() -> Json:
    """Everything that comes from outside says something it should not."""
    found = [
        finding("rename", text, table=text, revision=text, accepted=None if number % 2 else text)
        for number, text in enumerate(HOSTILE)
    ]
    lock = {"mode": MARKUP, "table": "y" * 500, "rewrite": True, "scan": True, "rows": -1, "total_bytes": 5}
    statement = {"statement": 1, "sql": MARKUP + "z" * 500, "risk": MARKUP, "locks": [lock]}
    pending = [
        {
            "revision": MARKUP,
            "title": HOSTILE[2],
            "risk": '"><b>',
            "strongest_lock": lock,
            "statements": [statement],
        }
    ]
    full = report("migration_preflight", MARKUP, found, {"pending": pending, "state": MARKUP})
    phase = {"name": MARKUP, "ms": 0.0, "status": "fail", "detail": {}, "error": HOSTILE[1]}
    dependency = {"name": MARKUP, "pod": HOSTILE[1], "node": MARKUP, "phases": [phase], "rounds": rounds(3, 1, 1)}
    attempt = {"from": MARKUP, "to": HOSTILE[1], "expected": MARKUP, "got": MARKUP, "ms": None, "status": MARKUP}
    other: Json = {
        "kind": MARKUP, "subject": MARKUP, "verdict": MARKUP, "findings": [], "thresholds": {"p95_ms": 1e-9},
        "dependencies": [dependency], "negatives": [attempt],
        "agent": [attempt | {"path": HOSTILE[1], "via": MARKUP, "error": MARKUP * 9, "ms": 0}],
    }  # fmt: skip
    about = dict.fromkeys(("host", "release", "environment", "namespace", "cluster"), MARKUP)
    images = {"before": {MARKUP: HOSTILE[1]}, "after": {MARKUP: MARKUP}}
    failure = {"task": MARKUP, "message": " ".join(HOSTILE)}
    return document(
        run(**about, images=images, failure=failure),
        {"migration_preflight": full, "connectivity_test": other},
        ended=NOON + 60,
        check_mode=False,
    )


def unchanged() -> Json:
    """The second run of the same."""
    same = {"before": "1.0.0+3f9c02aa", "after": "1.0.0+3f9c02aa"}
    images = {"before": IMAGES, "after": IMAGES}
    settled = preflight("safe") | {"state": "current", "pending": [], "findings": []}
    about = run(changed=False, chart=same, images=images, revision={"before": 8, "after": 8})
    reports = {"migration_preflight": settled, "connectivity_test": connectivity()}
    return document(about, reports, ended=NOON + 10.2, check_mode=False)


ALL: dict[str, t.Callable[[], Json]] = {
    made.__name__: made for made in (healthy, unchanged, troubled, blocked, without_verdict, long, hostile)
}

PICTURE = FOLDER.parents[4] / "docs" / "images" / "report.png"


def look_of() -> str:
    """A digest of what decides how the page looks, for the picture in the README to be known as old."""
    files = [Path(page.__file__).with_suffix(ending) for ending in (".css", ".html.j2")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
