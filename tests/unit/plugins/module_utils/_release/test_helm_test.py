"""What of `helm test` counts: what it prints, and what Helm recorded of the revision that is deployed."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm as helm_asks
from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm_test

Row = dict[str, t.Any]
PARAMS = {"release_name": "agent-dev", "release_namespace": "dev", "helm_test_timeout": "10m", "helm_test_again": True}
OUTPUT = """\
NAME: agent-dev
STATUS: deployed
TEST SUITE:     agent-dev-connection-test
Last Started:   Sat Nov 21 18:00:00 2026
Last Completed: Sat Nov 21 18:00:04 2026
Phase:          Succeeded

POD LOGS: agent-dev-connection-test
postgresql well
redis well

"""


TESTED = "test agent-dev --namespace dev --logs --timeout 10m"
STATUS = "status agent-dev --namespace dev --output json"
PASSED = {
    "phase": "Succeeded",
    "started_at": "2026-11-21T18:00:00.5Z",
    "completed_at": "2026-11-21T18:00:04.123456789Z",
}


@pytest.fixture
def helm(tmp_path: Path) -> t.Callable[[Row | str], str]:
    """A helm that answers `status` with what it is given, and keeps its words."""

    def make(status: Row | str) -> str:
        (tmp_path / "said").write_text(OUTPUT)
        (tmp_path / "status").write_text(status if isinstance(status, str) else json.dumps(status))
        path = tmp_path / "helm"
        path.write_text(f'#!/bin/sh\ncd {tmp_path}\necho "$@" >>words\n[ "$1" = test ] && exec cat said\ncat status\n')
        path.chmod(0o755)
        return str(path)

    return make


def status(*hooks: Row, **info: str) -> Row:
    """What `helm status --output json` says of a release with these hooks."""
    return {
        "info": {"status": "deployed", "last_deployed": "2026-11-21T19:00:00+01:00"} | info,
        "hooks": [{"name": "migration", "events": ["pre-upgrade"], "last_run": {"phase": "Succeeded"}}, *hooks],
    }


def hook(name: str = "connection-test", **last: str) -> Row:
    """A test of the chart that passed, but for what differs."""
    return {"name": name, "events": ["test"], "last_run": PASSED | last}


def test_nobody_is_asked_without_a_command() -> None:
    with helm_test.in_background(None, PARAMS, {}) as running:
        assert running is None


def test_what_helm_test_prints(helm: t.Callable[[Row | str], str], tmp_path: Path) -> None:
    with helm_test.in_background(helm(status(hook())), PARAMS, {}) as tested:
        assert tested is not None
        told = tested()
        tested()
    assert (tmp_path / "words").read_text().splitlines() == [TESTED, TESTED]
    assert told == helm_test.Tested({"agent-dev-connection-test": "Succeeded"}, ["postgresql well", "redis well"])


def test_a_test_that_printed_nothing() -> None:
    ended = helm_asks.Ended(1, "", "Error: x")
    assert helm_test._tested(ended) == helm_test.Tested({}, [], "x")


def test_a_revision_that_passed_is_not_tested_again(helm: t.Callable[[Row | str], str], tmp_path: Path) -> None:
    later = hook("other", completed_at="2026-11-21T19:00:04.2+01:00")
    with helm_test.in_background(helm(status(hook(), later)), PARAMS | {"helm_test_again": False}, {}) as tested:
        assert tested is not None
        told = tested()
    assert (tmp_path / "words").read_text().splitlines() == [STATUS]
    passed = {"connection-test": "Succeeded", "other": "Succeeded"}
    assert told == helm_test.Tested(passed, [], recorded="2026-11-21T19:00:04.2+01:00")


@pytest.mark.parametrize(
    "told",
    [
        status(),
        status(hook(phase="Failed")),
        status(hook(), hook("other", phase="Failed")),
        # Helm 4 leaves a run that never was out, Helm 3 tells it with empty times.
        status({"name": "connection-test", "events": ["test"]}),
        status(hook(phase="", started_at="", completed_at="")),
        # A roll back copies the record of the older revision.
        status(hook(started_at="2026-11-21T17:59:59Z")),
        status(hook(), status="failed"),
        status(hook(started_at="soon")),
        {"hooks": None},
        {"hooks": [{"name": "x"}]},
        {"hooks": [hook()]},
        [],
        "Error: release: not found",
    ],
)
def test_anything_else_is_tested(helm: t.Callable[[t.Any], str], tmp_path: Path, told: t.Any) -> None:
    with helm_test.in_background(helm(told), PARAMS | {"helm_test_again": False}, {}) as tested:
        assert tested is not None
        assert not tested().recorded
    assert (tmp_path / "words").read_text().splitlines() == [STATUS, TESTED]
