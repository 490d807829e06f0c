"""Prove from inside the release that the agent's database and cache answer and take a write; print what is expected.

Run by the chart's test pod with the agent image's own Python, psycopg 3 and redis-py. Reads DATABASE_URL and REDIS_URL;
exits 1 with one sentence on stderr that names what did not answer. What is asked lies in probe.py, beside it.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import probe as prober
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import probe_startup
else:
    # The modules beside this file are a package, which is made here: no folder of the image is searched for them.
    package = types.ModuleType("connection_probe")
    package.__path__ = [str(Path(__file__).parent)]
    sys.modules[package.__name__] = package
    prober = importlib.import_module("connection_probe.probe")
    probe_startup = importlib.import_module("connection_probe.probe_startup")

KEYS = {"DATABASE_URL": "database-url", "REDIS_URL": "redis-url"}


def failure(title: str, variable: str, phase: dict[str, t.Any]) -> str:
    """One sentence about the phase that failed."""
    text = phase["error"]["text"]
    if phase["phase"] == "driver":
        return f"The agent's image cannot import what the connection test needs, psycopg and redis: {text}."
    if phase["phase"] == "url" and text.endswith("is not set"):
        return f"The environment variable {variable} is not set: the test pod takes it from the release's Secret."
    if phase["phase"] == "url":
        return f"{variable} is not a {title} URL: check the key {KEYS[variable]} of the Secret."
    verb = "take a write" if phase["phase"] == "write" else "answer"
    return f"{title} did not {verb}: {text or phase['error']['type']}"


def probe(title: str, kind: str, variable: str) -> str | None:
    """Ask one server; the sentence about what failed, None where nothing did."""
    records: list[dict[str, t.Any]] = []
    dependency = {"name": kind, "kind": kind, "env": variable}
    request = {"dependencies": [dependency], "rounds": 0, "settle": probe_startup.NETWORK_SECONDS}
    prober.collect(request, lambda line: records.append(json.loads(line)))
    failed = [record for record in records if record["record"] == "phase" and not record["ok"]]
    return failure(title, variable, failed[0]) if failed else None


def main() -> int:
    """Probe both and return the exit code, 0 or 1."""
    for title, kind, variable in (("PostgreSQL", "postgresql", "DATABASE_URL"), ("Redis", "redis", "REDIS_URL")):
        print(f"Testing {title} connection...", flush=True)
        if problem := probe(title, kind, variable):
            print(problem, file=sys.stderr, flush=True)
            return 1
        print(f"{title} connection successful!", flush=True)
    print("All connectivity tests passed!", flush=True)
    return 0


if __name__ == "__main__":
    prober.run(main)
