"""Facts of a trial go in, lines come out."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import judge, module, report
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.facts import (
    Ahead,
    Asked,
    Away,
    Ended,
    Facts,
    Probe,
    Started,
    Stopped,
)

GOOD = Facts(
    image="team/agent:1",
    tool="alembic",
    together=(Ended(0), Ended(0)),
    again=Ended(0),
    started=Started(3.2, uid=1000, gid=1000, ports=(8000,)),
    probes={
        "startup": Probe("http", Asked("/health", 200)),
        "liveness": Probe("http", Asked("/health", 200)),
        "readiness": Probe("http", Asked("/ready", 200)),
    },
    stopped=Stopped(400, 0, 0, 0, 1.2, 40),
    ahead=Ahead(Ended(0), Started(2)),
    database=Away(ready=False, alive=True, restarted=False, back=2),
    cache=Away(ready=True, alive=True, restarted=False, back=0),
)


def lines(given: dict[str, t.Any] | None = None, **changed: t.Any) -> dict[str, judge.Line]:
    """The lines by their part."""
    return {line.part: line for line in judge.lines(dataclasses.replace(GOOD, **changed), given or {})}


def test_all_is_right() -> None:
    found = lines()
    assert {line.status for line in found.values()} == {"right"}
    assert judge.verdict(list(found.values())) == "kept"
    assert not [line.value for line in found.values() if line.value]


def test_a_value_sets_it() -> None:
    values = {
        "agent": {"port": 5000, "command": ["serve"], "readinessProbe": {"httpGet": {"path": "/ready"}}},
        "migration": {"tool": "command"},
    }
    found = lines(module.flat(values), tool="command")
    assert {part: line.value for part, line in found.items() if line.status == "set"} == {
        "migration": "migration.tool",
        "start": "agent.command",
        "port": "agent.port",
        "readiness probe": "agent.readinessProbe.httpGet.path",
    }
    assert judge.verdict(list(found.values())) == "kept"


def test_times_of_a_probe_are_no_other_way_to_ask() -> None:
    assert lines({"agent.readinessProbe.failureThreshold": 3})["readiness probe"].status == "right"


BROKEN: list[tuple[dict[str, t.Any], str, str, str]] = [
    ({"together": (Ended(1, "no such table"), Ended(1))}, "migration", "wrong", "no such table"),
    ({"together": (Ended(0), Ended(1, "exists"))}, "migration twice at once", "wrong", "exit code 1: exists"),
    ({"together": (Ended(0), Ended(None, "its time was over"))}, "migration twice at once", "wrong", "did not end"),
    ({"again": Ended(2, "already there\n\n")}, "migration again", "wrong", "already there"),
    ({"started": Started(2, uid=0, gid=0)}, "user", "wrong", "root"),
    ({"started": Started(2, uid=1234, gid=0)}, "user", "set", "uid 1234"),
    ({"started": Started(2)}, "user", "unknown", "Nobody"),
    ({"stopped": Stopped(90, 3, 0, 0, 1, 40)}, "SIGTERM under load", "wrong", "3 got no answer"),
    ({"stopped": Stopped(90, 0, 2, 0, 1, 40)}, "SIGTERM under load", "wrong", "2 an error"),
    ({"stopped": Stopped(90, 0, 0, 137, 40, 40)}, "SIGTERM under load", "wrong", "within 40 s"),
    ({"stopped": Stopped(90, 0, 0, 1, 2, 40)}, "SIGTERM under load", "wrong", "exit code 1"),
    ({"stopped": Stopped(90, 0, 0, 143, 2, 40)}, "SIGTERM under load", "right", "exit code 143"),
    ({"ahead": Ahead(Ended(1, "unknown revision"), Started(None))}, "schema ahead", "wrong", "unknown revision"),
    ({"ahead": Ahead(None, Started(None, "out of date"))}, "schema ahead", "wrong", "out of date"),
    ({"database": Away(True, True, False, 0)}, "database away", "wrong", "ready all the same"),
    ({"database": Away(False, False, False, 1)}, "database away", "wrong", "liveness"),
    ({"database": Away(False, True, True, 1)}, "database away", "wrong", "process ends"),
    ({"database": Away(False, True, False, None)}, "database away", "wrong", "by itself"),
    ({"database": Away(None, True, False, 1)}, "database away", "unknown", "readiness probe"),
    ({"cache": Away(False, True, False, 1)}, "cache away", "wrong", "every pod"),
    ({"unknown": {"schema ahead": "There is no table."}, "ahead": None}, "schema ahead", "unknown", "no table"),
]


@pytest.mark.parametrize(("changed", "part", "status", "words"), BROKEN)
def test_one_part_is_not_right(changed: dict[str, t.Any], part: str, status: str, words: str) -> None:
    line = lines(**changed)[part]
    assert line.status == status
    assert words in line.words


@pytest.mark.parametrize(
    ("probe", "status", "words", "value"),
    [
        (
            Probe("http", Asked("/ready", 404), ("/health", "/healthz")),
            "missing",
            "answers 200: /health, /healthz",
            "=/health",
        ),
        (Probe("http", Asked("/ready", None)), "missing", "gets no answer", "httpGet.path"),
        (Probe("tcp", Asked("", 0)), "set", "only connects", "tcpSocket"),
        (Probe("exec"), "set", "by exec", "agent.readinessProbe"),
        (Probe("none"), "missing", "switched off", "enabled"),
    ],
)
def test_a_probe(probe: Probe, status: str, words: str, value: str) -> None:
    line = lines(probes={"readiness": probe})["readiness probe"]
    assert line.status == status
    assert words in line.words
    assert value in line.value


def test_a_start_that_fails_is_explained() -> None:
    said = "Traceback\nOSError: [Errno 30] Read-only file system: '/app/cache'\nbye"
    found = lines(started=Started(None, said), writable=Started(2))
    assert "Read-only file system: '/app/cache'" in found["read-only root"].words
    assert found["start"].status == "wrong"

    denied = Started(None, "PermissionError: [Errno 13] Permission denied: '/root/app'")
    found = lines(started=denied, writable=denied, own_user=Started(2, uid=0))
    assert "uid 0" in found["user"].words
    assert found["user"].value == ""
    found = lines(started=denied, writable=denied, own_user=Started(2, uid=1001))
    assert found["user"].value == "agent.podSecurityContext.runAsUser"

    asked = {"readiness": Probe("http", Asked("/ready", 404), ("/health",))}
    found = lines(started=Started(None, "up", ports=(5000,)), probes=asked)
    assert found["readiness probe"].value == "agent.readinessProbe.httpGet.path=/health"
    assert "SIGTERM under load" not in found
    assert "listens on port 5000" in found["start"].words
    assert "agent.port" in found["start"].value
    assert "MODEL" in lines(started=Started(None, "MODEL is not set"))["start"].words


def test_the_table_can_be_read_aloud() -> None:
    found = list(lines(stopped=Stopped(90, 3, 0, 0, 1, 40)).values())
    text = report.table(found)
    assert all(len(line) <= report.WIDTH for line in text)
    assert any(line.startswith("wrong    SIGTERM under load") for line in text)
    assert report.sentence("i:1", found) == "The image i:1 does not keep the contract: SIGTERM under load."
    full = report.report(GOOD, found, 12.34)
    assert (full["verdict"], full["counts"]["wrong"], full["seconds"]) == ("broken", 1, 12.3)


def test_the_module_fails_for_a_broken_contract_alone() -> None:
    params: dict[str, t.Any] = {"values": {}, "report_path": None}
    result, problem = module.told(GOOD, params, 1)
    assert (result["verdict"], problem) == ("kept", None)
    result, problem = module.told(dataclasses.replace(GOOD, again=Ended(1)), params, 1)
    assert problem
    assert result["error_id"] == "image-contract"
    result, problem = module.told(dataclasses.replace(GOOD, unknown={"schema ahead": "why"}, ahead=None), params, 1)
    assert (result["verdict"], problem) == ("unknown", None)
