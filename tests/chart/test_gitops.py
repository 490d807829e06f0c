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
