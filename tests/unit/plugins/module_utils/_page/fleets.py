"""Fleets to report on: what hosts record, as roles/ai_agent/tasks/fleet_*.yml do."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]
OLD, NEW = "1.0.0+81d2c5e0", "1.0.0+3f9c02aa"
REPOSITORY = "registry.example.com/agent"
IMAGES = {"before": {"agent": f"{REPOSITORY}:1.3.2"}, "after": {"agent": f"{REPOSITORY}:1.4.0"}}
MARKUP = "<script>alert(1)</script>\u202e\x00"
URL = "postgresql://agent:s3cret@db/agent"


def report(word: str, level: str = "good", sentence: str = "It went so.", **run: t.Any) -> Json:
    """What deployment_report returned."""
    about: Json = {"release": "agent", "namespace": "prod", "environment": "prod", "cluster": "https://10.0.0.1:6443"}
    about |= {"chart": {"before": OLD, "after": NEW}, "images": IMAGES}
    return {"word": word, "level": level, "sentence": sentence, "path": "", "run": about | run}


def waiting(**run: t.Any) -> Json:
    """Judged, and it will change."""
    said = report("Upgraded", chart={"before": OLD, "after": ""}, **run)
    return {"state": "waiting", "wanted": NEW, "report": said}


def deployed(wave: int = 1, level: str = "good") -> Json:
    """Its wave ended well."""
    return {"state": "deployed", "wave": wave, "wanted": NEW, "report": report("Upgraded", level)}


def unchanged() -> Json:
    """It needed nothing."""
    return {"state": "unchanged", "wanted": NEW, "report": report("Unchanged", chart={"before": NEW, "after": NEW})}


def failed(word: str, wave: int | None = None, **run: t.Any) -> Json:
    """A step stopped it."""
    record = {"state": "failed", "wanted": NEW, "report": report(word, "bad", f"{word}, for a reason.", **run)}
    return record | ({} if wave is None else {"wave": wave})


def hundred() -> dict[str, Json]:
    """A stop in the second wave of a hundred releases, one of which was left out by name."""
    found = {f"agent-{number:03}": waiting() for number in range(100)}
    found |= {f"agent-{number:03}": unchanged() for number in range(90, 99)}
    found["agent-000"] = deployed()
    found |= {f"agent-{number:03}": deployed(2) for number in range(1, 24)}
    found["agent-004"] = deployed(2, "warn")
    found["agent-007"] = failed("Failed", 2)
    found["agent-008"] = failed("Not verified", 2)
    found["agent-009"] = {"state": "begun", "wave": 2, "wanted": NEW, "report": waiting()["report"]}
    return found | {"agent-099": {}}


def hostile() -> dict[str, Json]:
    """Words that would be code, and a password."""
    bad = failed("Failed", 1, release=MARKUP, namespace=MARKUP, cluster=URL)
    bad["report"] |= {"sentence": f"{MARKUP} {URL}", "path": f"/reports/{MARKUP}/report.html"}
    return {MARKUP: bad, "long-" * 60: deployed()}


ALL: dict[str, t.Callable[[], dict[str, Json]]] = {
    "hundred": hundred,
    "hostile": hostile,
    "deployed": lambda: {"a": deployed(), "b": deployed(2), "c": unchanged()},
    "empty": dict,
}
