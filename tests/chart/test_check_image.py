"""What is made of the rendered chart when an image is tried: the image runs as it would be deployed."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.plan import DESK_LABELS, Plan, plan, started

from tests.chart.conftest import RELEASE, Object, Render, Rendered


def planned(rendered: Rendered, secrets: dict[str, dict[str, str]] | None = None) -> Plan:
    return plan(yaml.safe_dump_all(list(rendered)), secrets or {})


def one(made: Plan, kind: str, name: str) -> Object:
    [found] = [item for item in made.objects if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return found


def test_the_servers_are_reached_through_the_desk(render: Render) -> None:
    made = planned(render())
    assert made.missing == []
    assert {name: (server.service, server.port) for name, server in made.servers.items()} == {
        "database": ("check-image-database", 5432),
        "cache": ("check-image-cache", 6379),
    }
    before, behind = one(made, "Service", f"{RELEASE}-postgresql"), one(made, "Service", "check-image-database")
    assert before["spec"]["selector"] == DESK_LABELS
    assert behind["spec"]["selector"]["app.kubernetes.io/name"] == "postgresql"
    assert f"@{RELEASE}-postgresql:5432/" in made.url


def test_nothing_is_made_that_changes_others(render: Render) -> None:
    made = planned(render("prod"))
    kinds = {item["kind"] for item in made.objects}
    assert kinds == {"ServiceAccount", "ConfigMap", "Secret", "Service", "StatefulSet"}
    assert not [item for item in made.objects if "helm.sh/hook" in (item["metadata"].get("annotations") or {})]


def test_tool_and_table(render: Render) -> None:
    made = planned(render({"migration": {"versionTable": "own.version"}}))
    assert (made.tool, made.version_table, made.ledger) == ("alembic", "own.version", "")
    made = planned(render({"migration": {"tool": "command", "command": ["migrate"], "ledger": "own.ledger"}}))
    assert (made.tool, made.ledger) == ("command", "own.ledger")
    none = planned(render({"migration": {"tool": "none"}}))
    assert (none.tool, none.migration, none.ledger) == ("none", None, "")


def test_probes_and_times(render: Render) -> None:
    values = {"agent": {"port": 5000, "livenessProbe": {"tcpSocket": {}}, "startupProbe": {"enabled": False}}}
    made = planned(render(values))
    assert made.probe("readiness") == ("http", "/ready", 5000)
    assert made.probe("liveness") == ("tcp", "", 5000)
    assert made.probe("startup") == ("none", "", 0)
    assert 0 < made.pre_stop < made.grace


def test_without_a_cache_there_is_one_server(render: Render) -> None:
    assert set(planned(render({"redis": {"enabled": False}})).servers) == {"database"}


def test_secrets_that_nobody_makes_are_named(render: Render) -> None:
    rendered = render({"agent": {"extraEnvFrom": [{"secretRef": {"name": "keys"}}]}})
    assert planned(rendered).missing == ["Secret keys"]
    made = planned(rendered, {"keys": {"A": "b"}})
    assert made.missing == []
    assert one(made, "Secret", "keys")["stringData"] == {"A": "b"}


def test_the_pod_is_the_deployments(render: Render) -> None:
    made = planned(render())
    template = render().one("Deployment")["spec"]["template"]
    pod = started(made.agent, "a", kept=True)
    assert pod["spec"]["containers"] == template["spec"]["containers"]
    assert pod["spec"]["securityContext"] == template["spec"]["securityContext"]
    assert pod["metadata"]["finalizers"]
    held: t.Any = started(made.agent, "b", writable=True, own_user=True)
    [container] = held["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is False
    assert not {"runAsUser", "runAsNonRoot"} & (
        held["spec"]["securityContext"].keys() | container["securityContext"].keys()
    )
    assert held["spec"]["initContainers"][-1]["securityContext"]["runAsUser"] == 1000
    assert made.agent["spec"]["securityContext"]["runAsUser"] == 1000


def test_what_is_no_rendering_of_this_chart() -> None:
    with pytest.raises(FindingError, match="no agent"):
        plan("kind: ConfigMap\nmetadata: {name: x}", {})
