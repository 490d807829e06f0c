"""Rendering without a cluster: nothing is invented that the next rendering would invent anew."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, Object, Render, RenderError
from tests.chart.test_keys import PASSWORDS
from tests.chart.test_secrets import EXISTING

CLUSTER: Object = {"secrets": {"generate": "cluster"}}
NEVER: Object = {"secrets": {"generate": "never"}}
OUTSIDE: Object = {"externalDatabase": {"host": "192.0.2.1", "password": "p"}, "postgresql": {"enabled": False}}
OUTSIDE |= {"networkPolicy": {"enabled": False}}


def test_the_default_is_to_look(helm: str, chart: Path) -> None:
    command = [helm, "template", RELEASE, str(chart), "--namespace", "test", "-f", str(chart / "values-dev.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if "Error" in line]
    assert "cannot look into a cluster" in line
    assert "existingSecret" in line
    assert "secrets.generate" in line


@pytest.mark.parametrize(
    ("left_out", "path"),
    [
        ("postgresql.auth.password", "postgresql.auth.password"),
        ("postgresql.auth.postgresPassword", "postgresql.auth.postgresPassword"),
        ("redis.auth.password", "redis.auth.password"),
        ("rotationId", "rotationId"),
    ],
)
@pytest.mark.parametrize("generate", [CLUSTER, NEVER], ids=["cluster", "never"])
def test_each_that_is_not_given_is_named(render: Render, left_out: str, path: str, generate: Object) -> None:
    given = {name: dict(value) if isinstance(value, dict) else value for name, value in PASSWORDS.items()}
    *parts, last = left_out.split(".")
    if parts:
        given[parts[0]] = {"auth": {**PASSWORDS[parts[0]]["auth"], last: ""}}
    else:
        given[last] = ""
    with pytest.raises(RenderError) as caught:
        render(given, generate)
    assert f"{path} is empty" in str(caught.value)


@pytest.mark.parametrize("values", [PASSWORDS, EXISTING, {**OUTSIDE, "rotationId": "1", "redis": PASSWORDS["redis"]}])
@pytest.mark.parametrize("generate", [CLUSTER, NEVER], ids=["cluster", "never"])
def test_what_is_given_renders_the_same_each_time(render: Render, values: Object, generate: Object) -> None:
    assert render(values, generate) == render(values, generate)


def test_replicas_without_a_password_are_asked_for_it(render: Render) -> None:
    postgresql = {"architecture": "replication", "auth": {**PASSWORDS["postgresql"]["auth"], "replicationPassword": ""}}
    with pytest.raises(RenderError, match="replicationPassword is empty"):
        render(PASSWORDS, {"postgresql": postgresql}, CLUSTER)
    postgresql["architecture"] = "standalone"
    found = render(PASSWORDS, {"postgresql": postgresql}, CLUSTER)
    assert "replication-password" not in found.secret()


def test_with_a_cluster_they_are_generated_also_where_it_is_empty(render: Render, empty_cluster: Cluster) -> None:
    assert len(render(CLUSTER, cluster=empty_cluster).secret()["password"]) == 32
    with pytest.raises(RenderError, match=r"secrets\.generate is never"):
        render(NEVER, cluster=empty_cluster)


def test_for_a_look_they_are_thrown_away(render: Render) -> None:
    always: Object = {"secrets": {"generate": "always"}}
    assert render(always).secret() != render(always).secret()


# What a migration's Job runs. Argo CD and kubectl cannot change a Job, so another one needs another name.
CHANGES: dict[str, Object] = {
    "image": {"agent": {"image": {"tag": "9.9.9"}}},
    "digest": {"agent": {"image": {"digest": f"sha256:{0:064}"}}},
    "environment": {"agent": {"extraEnv": [{"name": "A", "value": "b"}]}},
    "setting": {"agent": {"env": {"A": "b"}}},
    "tool": {"migration": {"tool": "command", "command": ["migrate"]}},
    "lock": {"migration": {"lockTimeout": "9s"}},
    "labels": {"commonLabels": {"team": "x"}},
    "account": {"serviceAccount": {"name": "mine"}},
    "ttl": {"migration": {"ttlSecondsAfterFinished": 7200}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_job_has_another_name(render: Render, change: Object) -> None:
    assert render(EXISTING).names("Job") != render(EXISTING, change).names("Job")


def test_what_the_job_does_not_run_leaves_it_alone(render: Render) -> None:
    other: Object = {"agent": {"replicaCount": 3, "podLabels": {"a": "b"}}, "commonAnnotations": {"a": "b"}}
    other["migration"] = {"annotations": {"argocd.argoproj.io/hook": "Sync"}}
    assert render(EXISTING).names("Job") == render(EXISTING, other).names("Job")
    assert render(EXISTING, other).one("Job")["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "Sync"


def test_a_finished_job_may_stay(render: Render) -> None:
    # Argo CD takes a Job that vanished for a change, and makes it anew.
    assert "ttlSecondsAfterFinished" not in render({"migration": {"ttlSecondsAfterFinished": None}}).one("Job")["spec"]


def test_no_hook_but_the_test_is_rendered_without_a_cluster(render: Render) -> None:
    hooks = {item["metadata"].get("annotations", {}).get("helm.sh/hook") for item in render(EXISTING)}
    assert hooks == {None, "test"}


def test_an_autoscaler_is_not_argued_with(render: Render) -> None:
    on: Object = {"agent": {"autoscaling": {"enabled": True}}}
    assert "replicas" not in render(EXISTING, on).one("Deployment")["spec"]
