"""Old sessions are deleted on a schedule: the CronJob, and its program as the ConfigMap carries it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.chart.conftest import RELEASE, Object, Render, Rendered, RenderError, containers

ON: Object = {"retention": {"schedule": "30 3 * * *"}}
LONGEST = 52
"""Characters of a CronJob's name: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/."""


def request_of(made: Rendered) -> Object:
    """What the program is told."""
    (container,) = containers(made.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"])
    (given,) = [item["value"] for item in container["env"] if item["name"] == "RETENTION"]
    return t.cast("Object", json.loads(given))


def test_nothing_of_it_by_default(render: Render) -> None:
    assert render().names("CronJob") == []


def test_the_request(render: Render) -> None:
    assert request_of(render(ON)) == {
        "tables": [
            {"table": "sessions", "key": "id", "time": "created_at"},
            {
                "table": "messages",
                "key": "id",
                "time": "created_at",
                "parent": "sessions",
                "parent_column": "session_id",
            },
        ],
        "days": 90,
        "batch": 100,
        "pause_seconds": 0.05,
        "statement_seconds": 5,
        "max_seconds": 3600,
    }


def test_two_runs_never_meet_and_each_has_an_end(render: Render) -> None:
    spec = render(ON).one("CronJob")["spec"]
    assert (spec["concurrencyPolicy"], spec["schedule"], spec["suspend"]) == ("Forbid", "30 3 * * *", False)
    job = spec["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    assert job["activeDeadlineSeconds"] > 3600
    assert job["template"]["spec"]["automountServiceAccountToken"] is False


def test_its_pod_reaches_the_database_and_is_no_pod_of_the_service(render: Render) -> None:
    made = render(ON)
    labels = made.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert labels[f"{RELEASE}-db-client"] == "true"
    selector = made.one("Service", RELEASE)["spec"]["selector"]
    assert not selector.items() <= labels.items()


def test_a_sidecar_that_never_ends_does_not_hold_it(render: Render) -> None:
    size = {"requests": {"cpu": "1m", "memory": "1Mi"}}
    proxy = {"name": "proxy", "image": "p:1", "restartPolicy": "Always", "resources": size}
    once = {"name": "once", "image": "o:1", "resources": size}
    made = render(ON, {"agent": {"initContainers": [proxy, once]}})
    pod = made.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert [item["name"] for item in pod["initContainers"]] == ["proxy"]
    assert [item["name"] for item in pod["containers"]] == ["retention"]


@pytest.mark.parametrize("release", ["a", "a" * 53, "agent-of-the-team-for-the-north-and-the-south-east"])
def test_its_name_is_short_enough_for_its_jobs(render: Render, release: str) -> None:
    servers = {"postgresql": {"fullnameOverride": "p"}, "redis": {"fullnameOverride": "r"}}
    made = render(ON, servers, release=release)
    (name,) = made.names("CronJob")
    assert len(name) <= LONGEST
    assert name in made.names("ConfigMap")


@pytest.mark.parametrize("schedule", ["@daily", "*/5 * * * *", "0 3 1,15 JAN-MAR MON", "15 4 ? * 1-5"])
def test_a_schedule(render: Render, schedule: str) -> None:
    made = render({"retention": {"schedule": schedule}})
    assert made.one("CronJob")["spec"]["schedule"] == schedule


@pytest.mark.parametrize(
    "retention",
    [
        {"schedule": "daily"},
        {"schedule": "30 3 * *"},
        {"schedule": "TZ=UTC 30 3 * * *"},
        {"schedule": "@daily", "days": 0},
        {"schedule": "@daily", "days": -1},
        {"schedule": "@daily", "tables": []},
        {"schedule": "@daily", "tables": [{"table": "a", "key": "id"}]},
        {"schedule": "@daily", "tables": [{"table": "a", "key": "id", "time": "t", "parent": "b"}]},
        {"schedule": "@daily", "maxSeconds": 0},
        {"schedule": "@daily", "keep": 3},
    ],
)
def test_what_the_api_server_or_the_program_would_refuse(render: Render, retention: Object) -> None:
    with pytest.raises(RenderError, match="retention"):
        render({"retention": retention})


def test_the_config_map_has_all_that_the_program_imports(render: Render, tmp_path: Path) -> None:
    """It runs alone, in a Python that finds nothing of this collection, up to the point where it needs a database."""
    for name, text in render(ON).one("ConfigMap", f"{RELEASE}-retention")["data"].items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "retention_job.py"],
        env={
            "PATH": os.defpath,
            "RETENTION": json.dumps(request_of(render(ON))),
            "DATABASE_URL": "postgresql://u@h.invalid./d?x=1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert "database_url" in done.stderr
