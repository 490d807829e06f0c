"""What migration_preflight reads from the manifests is what the values say, and the deployer may do all of it."""

from __future__ import annotations

import itertools

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Planned, planned
from ansible_collections.ai_platform.agent.plugins.module_utils._release.rights import needed, not_granted

from tests.chart.conftest import ENVIRONMENTS, RELEASE, ROOT, Object, Render

FIGURES = {"dev": (1, 1, "1Gi"), "staging": (2, 2, None), "prod": (3, 8, "50Gi")}


def plan(render: Render, *values: Object | str) -> Planned:
    return planned(render(*values), RELEASE)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_environment(environment: str, render: Render) -> None:
    found = plan(render, environment)
    replicas, threads, volume = FIGURES[environment]
    assert (found.replicas, found.most_replicas, found.surge) == (replicas, replicas, 1)
    assert (found.processes, found.pool) == (1, threads)
    assert found.migrator.image == found.agent.image == "my-company/ai-agent:1.0.0"
    assert found.migrator.secrets == {"DATABASE_URL": (f"{RELEASE}-secret", "migration-database-url")}
    assert (found.migration_seconds, found.version_table) == (240, "alembic_version")
    claims = {item.claim: item.size for item in found.volumes}
    if volume:
        assert claims[f"data-{found.database}-0"] == int(volume.removesuffix("Gi")) << 30


@pytest.mark.parametrize("keda", [False, True])
def test_the_autoscaler_and_the_deadline(render: Render, keda: bool) -> None:
    scaler: Object = {"enabled": True, "minReplicas": 2, "maxReplicas": 7, "keda": {"enabled": keda}}
    scaled = plan(render, {"agent": {"autoscaling": scaler}, "migration": {"timeout": 90}})
    assert (scaled.replicas, scaled.most_replicas, scaled.migration_seconds) == (2, 7, 90)


@pytest.mark.parametrize("key", ["hook", "enabled"])
def test_without_a_hook_there_is_no_deadline(key: str, render: Render) -> None:
    found = plan(render, {"migration": {key: False}})
    assert found.migration_seconds is None
    assert found.migrator.image == found.agent.image


def test_an_external_database_has_no_volume(render: Render) -> None:
    outside: Object = {
        "postgresql": {"enabled": False},
        "externalDatabase": {"host": "192.0.2.1", "password": "p"},
    }
    found = plan(render, outside)
    assert found.database is None
    assert not [item for item in found.volumes if "postgresql" in item.claim]


def test_the_deployers_role_grants_what_the_deployment_needs(render: Render) -> None:
    manifests = yaml.safe_load((ROOT / "roles/ai_agent/files/deployer-rbac.yaml").read_text())["items"]
    (role,) = (item for item in manifests if item["kind"] == "Role")
    for environment, keda in itertools.product(ENVIRONMENTS, (False, True)):
        scaler: Object = {"enabled": True, "keda": {"enabled": keda}}
        wanted = needed(plan(render, environment, {"agent": {"autoscaling": scaler}}))
        assert not_granted(wanted, role["rules"]) == ()
        assert len(wanted) > 50
