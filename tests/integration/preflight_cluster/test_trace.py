"""A release's trace on a cluster: opaque revisions become known, and a hostile image finds nothing to take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t

import pytest

from dev import case_images
from lab.paths import ROOT
from tests.integration.preflight_cluster.conftest import CANARY, Preflight, finding
from tests.integration.release.conftest import NEXT

# A process of its own, because it is killed.
RUN = """
import json, sys
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.module import execute
execute(json.loads(sys.stdin.read()))
"""
# In an agent's pod.
FILL = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("INSERT INTO sessions (id) SELECT gen_random_uuid() FROM generate_series(1, 3)")
"""
# From the moment in which nobody is there: the pods look each second and give up after half a minute.
ENDED_SECONDS = 150
# Its Job is kept for a minute more, and is removed when Kubernetes gets to it, which took over two minutes at times.
GONE_SECONDS = 420


@pytest.fixture(scope="session")
def cases() -> dict[str, dict[str, str]]:
    """Images with other migrations than the agent's."""
    case_images.ensure()
    return case_images.cases()


def image(case: dict[str, str]) -> dict[str, t.Any]:
    """Values that deploy it."""
    return {"agent": {"image": case}}


def ids(result: dict[str, t.Any], severity: str) -> set[str]:
    """The findings of this severity."""
    return {item["id"] for item in result["findings"] if item["severity"] == severity}


def traced(result: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """What the trace saw of each revision."""
    assert "revisions" in result["trace"], finding(result, "trace-skipped")["message"]
    return t.cast("list[dict[str, t.Any]]", result["trace"]["revisions"])


def test_an_image_of_which_every_revision_is_opaque(preflight: Preflight, cases: dict[str, dict[str, str]]) -> None:
    """Without a trace nothing is known of it; with one the rules judge what it ran."""
    blind = preflight.run(image(cases["opaque"]))
    assert ids(blind, "unknown") >= {"revision-not-rendered"}
    assert blind["verdict"] == "unknown"
    result = preflight.run(image(cases["opaque"]), trace=True)
    assert [item["revision"] for item in traced(result)] == ["0007", "0008", "0009"]
    assert ids(result, "unknown") == set(), result["summary"]
    assert [item["revision"] for item in result["pending"]] == ["0007", "0008", "0009"]
    [statement] = result["pending"][1]["statements"]
    assert [(lock["table"], lock["rewrite"]) for lock in statement["locks"]] == [("public.messages", True)]
    assert traced(result)[1]["rewrites"] == ["public.messages"]
    preflight.release.until("the pods and the policy are gone", lambda: preflight.leftovers() == [], 60)


def test_a_trace_agrees_with_what_was_rendered(preflight: Preflight) -> None:
    result = preflight.run(NEXT, trace=True)
    assert [item["revision"] for item in traced(result)] == ["0007"]
    assert not {item["id"] for item in result["findings"]} & {"trace-differs", "trace-skipped", "trace-failed"}


def test_a_hostile_image_reaches_neither_network_nor_data(
    preflight: Preflight, cases: dict[str, dict[str, str]]
) -> None:
    release = preflight.release
    [name] = release.agents()
    release.kubectl("exec", name, "-c", "agent", "--", "python", "-c", FILL)
    result = preflight.run(image(cases["hostile"]), trace=True)
    said = finding(result, "trace-failed")["message"]
    told = json.loads(said.partition("told ")[2].rpartition(" end")[0])
    assert (told["rows"], told["hashes"], told["reached"]) == (0, 0, [])
    assert set(told["environment"]) == {"DATABASE_URL"}
    assert told["environment"]["DATABASE_URL"].endswith("@preflight.invalid/preflight")
    assert not [name for name in told["files"] if "service" in name or "secrets" in name], told["files"]
    assert CANARY not in said


def test_an_account_without_exec_is_told(deployer: Preflight, cases: dict[str, dict[str, str]]) -> None:
    result = deployer.run(image(cases["opaque"]), trace=True)
    assert "may not exec" in finding(result, "trace-skipped")["message"]
    assert "revision-not-rendered" in ids(result, "unknown")


def test_a_database_without_an_image_is_told(preflight: Preflight) -> None:
    result = preflight.run(NEXT, trace=True, trace_image="127.0.0.1:1/none/postgresql:15")
    assert "postgresql:15" in finding(result, "trace-skipped")["message"]


def test_killed_at_any_moment_it_leaves_nothing(preflight: Preflight, cases: dict[str, dict[str, str]]) -> None:
    """Five runs at once, each killed when they have come further: before the first Job, and while they upgrade."""
    manifests = preflight.template(**image(cases["slow"]))
    request = json.dumps(preflight.params(manifests) | {"trace": True})
    env = os.environ | {"PYTHONPATH": str(ROOT / "collections")}

    def there(part: str, names: t.Callable[[], t.Iterable[str]]) -> t.Callable[[], bool]:
        return lambda: any(part in name for name in names())

    begun = time.monotonic()
    # What is waited for, and not a time: a busy machine comes to each of them later.
    moments: list[t.Callable[[], bool]] = [
        lambda: time.monotonic() > begun + 1,
        there("-dump-", preflight.leftovers),
        there("-trace-", preflight.leftovers),
        there("-trace-", preflight.running),
        lambda: time.monotonic() > begun + 3,
    ]
    processes = []
    for _ in moments:
        process = subprocess.Popen([sys.executable, "-c", RUN], stdin=subprocess.PIPE, text=True, env=env)
        assert process.stdin
        process.stdin.write(request)
        process.stdin.close()
        processes.append(process)
    for process, moment in zip(processes, moments, strict=True):
        preflight.release.until("the next moment to kill one", moment, ENDED_SECONDS)
        begun = time.monotonic()
        assert process.poll() is None, "it ended before it could be killed"
        process.kill()
        process.wait()

    def left() -> list[str]:
        # The pod that only renders has its Job's deadline, and nothing that anybody could take.
        return [name for name in preflight.leftovers() if "-dump-" in name or "-trace-" in name]

    # A run that dies between its Job and the gate of its pod leaves a pod that never starts, until the Job's deadline.
    deadline = preflight.longest_deadline()
    preflight.release.until("nothing runs", lambda: not preflight.running() & set(left()), ENDED_SECONDS)
    preflight.release.until("all of it is gone", lambda: left() == [], deadline + GONE_SECONDS)
