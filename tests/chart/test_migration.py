"""The rule that held: a hook protects what serves; when nothing serves, a plain Job migrates and the pods wait."""

from __future__ import annotations

import re

import pytest

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, Object, Render, Rendered
from tests.chart.test_secrets import EXISTING, KEYS, live_secret

SERVING: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": RELEASE},
    "status": {"availableReplicas": 1},
}


def hooks(rendered: Rendered) -> dict[str, Object]:
    """Return the pre-upgrade hooks by kind."""
    return {
        item["kind"]: item
        for item in rendered
        if item["metadata"].get("annotations", {}).get("helm.sh/hook") == "pre-upgrade"
    }


@pytest.fixture
def serving(cluster: Cluster) -> Cluster:
    """A cluster where an old version serves."""
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(SERVING)
    return cluster


def test_install_migrates_in_a_plain_job(render: Render) -> None:
    rendered = render()
    job = rendered.one("Job")
    assert not hooks(rendered)
    assert job["metadata"]["annotations"] == {"ai-agent/hook-deadline-seconds": "240"}
    assert "activeDeadlineSeconds" not in job["spec"]
    assert job["spec"]["backoffLimit"] <= 2
    assert job["spec"]["ttlSecondsAfterFinished"] >= 24 * 3600
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["python", "/migration/schema.py", "migrate"]
    reference = container["env"][0]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": f"{RELEASE}-secret", "key": "migration-database-url"}


def job(*conditions: str) -> Object:
    """Return the Job of an earlier hook, in the conditions that hold."""
    found = [{"type": name, "status": "True"} for name in conditions]
    metadata = {"name": f"{RELEASE}-pre-upgrade-migration"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "status": {"conditions": found}}


@pytest.mark.parametrize(
    ("conditions", "name"),
    [
        (["SuccessCriteriaMet", "Complete"], "pre-upgrade-migration"),
        (["FailureTarget", "Failed"], "pre-upgrade-migration"),
        # A killed helm left it at work: the next one waits for it.
        ([], "pre-upgrade-migration-1"),
        (["Suspended"], "pre-upgrade-migration-1"),
    ],
)
def test_an_old_hook_goes_with_the_next_one_but_never_while_it_works(
    render: Render, serving: Cluster, conditions: list[str], name: str
) -> None:
    serving.add(job(*conditions))
    assert render(cluster=serving).names("Job") == [f"{RELEASE}-{name}"]


def test_upgrade_of_what_serves_migrates_in_a_hook(render: Render, serving: Cluster) -> None:
    rendered = render(cluster=serving)
    found = hooks(rendered)
    assert found.keys() == {"Job", "Secret", "ConfigMap", "NetworkPolicy"}
    assert rendered.names("Job") == [f"{RELEASE}-pre-upgrade-migration"]
    job = found["Job"]
    assert job["metadata"]["annotations"] == {
        "helm.sh/hook": "pre-upgrade",
        "helm.sh/hook-weight": "-5",
        "helm.sh/hook-delete-policy": "before-hook-creation",
        "helm.sh/hook-output-log-policy": "hook-failed",
    }
    for kind in ("Secret", "ConfigMap", "NetworkPolicy"):
        annotations = found[kind]["metadata"]["annotations"]
        assert annotations["helm.sh/hook-weight"] == "-10"
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    pod = job["spec"]["template"]["spec"]
    assert "--database-timeout=60" in pod["containers"][0]["command"]
    assert pod["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["name"] == f"{RELEASE}-pre-upgrade"
    assert pod["volumes"][0]["configMap"]["name"] == f"{RELEASE}-pre-upgrade"
    assert found["ConfigMap"]["data"] == rendered.one("ConfigMap", f"{RELEASE}-migration-scripts")["data"]
    assert rendered.secret(f"{RELEASE}-pre-upgrade") == {
        "migration-database-url": rendered.secret()["migration-database-url"]
    }


def test_the_hooks_time_begins_with_its_program_and_not_with_the_pull_of_its_image(
    render: Render, serving: Cluster
) -> None:
    job = hooks(render({"migration": {"timeout": 250, "startTimeout": 900}}, cluster=serving))["Job"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert "--timeout=250" in container["command"]
    assert job["spec"]["activeDeadlineSeconds"] == 250 + 900
    # A pod whose time was over is not followed by another one with the same time.
    [rule] = job["spec"]["podFailurePolicy"]["rules"]
    exits = {"containerName": container["name"], "operator": "In", "values": [124]}
    assert rule == {"action": "FailJob", "onExitCodes": exits}


def test_helm_waits_longer_than_the_migration_may_take(render: Render, serving: Cluster) -> None:
    command = hooks(render(cluster=serving))["Job"]["spec"]["template"]["spec"]["containers"][0]["command"]
    [limit] = [int(word.removeprefix("--timeout=")) for word in command if word.startswith("--timeout=")]
    assert limit < 300


def test_hook_needs_nothing_that_the_upgrade_brings(render: Render, serving: Cluster) -> None:
    job = hooks(render({"serviceAccount": {"name": "new"}}, cluster=serving))["Job"]
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]
    kept = hooks(render({"serviceAccount": {"create": False, "name": "theirs"}}, cluster=serving))["Job"]
    assert kept["spec"]["template"]["spec"]["serviceAccountName"] == "theirs"


@pytest.mark.parametrize(("runs_under", "used"), [(RELEASE, RELEASE), ("default", None), ("", None)])
def test_hook_runs_as_the_agent_where_its_account_is_there(
    render: Render, serving: Cluster, runs_under: str, used: str | None
) -> None:
    """Clouds and policies know the account that the chart makes by its annotations; an upgrade finds it there."""
    serving.add({**SERVING, "spec": {"template": {"spec": {"serviceAccountName": runs_under}}}})
    job = hooks(render(cluster=serving))["Job"]
    assert job["spec"]["template"]["spec"].get("serviceAccountName") == used


def test_hook_under_an_existing_secret_brings_none(render: Render, serving: Cluster) -> None:
    found = hooks(render(EXISTING, cluster=serving))
    assert found.keys() == {"Job", "ConfigMap", "NetworkPolicy"}
    env = found["Job"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env[0]["valueFrom"]["secretKeyRef"] == {"name": "kept", "key": "migration-database-url"}


@pytest.mark.parametrize("status", [{}, {"availableReplicas": 0}, {"replicas": 3, "unavailableReplicas": 3}])
def test_upgrade_of_what_does_not_serve_migrates_in_a_plain_job(
    render: Render, cluster: Cluster, status: Object
) -> None:
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(SERVING | {"status": status})
    rendered = render(cluster=cluster)
    assert not hooks(rendered)
    assert rendered.one("Job")["metadata"]["name"].startswith(f"{RELEASE}-db-migrate-")


def test_hook_can_be_turned_off(render: Render, serving: Cluster) -> None:
    rendered = render({"migration": {"hook": False}}, cluster=serving)
    assert not hooks(rendered)
    assert rendered.one("Job")["metadata"]["name"].startswith(f"{RELEASE}-db-migrate-")


def test_migration_turned_off_takes_job_hook_and_gate_along(render: Render, serving: Cluster) -> None:
    for rendered in (
        render({"migration": {"enabled": False}}),
        render({"migration": {"enabled": False}}, cluster=serving),
    ):
        assert rendered.names("Job") == []
        assert not hooks(rendered)
        pod = rendered.one("Deployment")["spec"]["template"]["spec"]
        assert "initContainers" not in pod
        assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
        assert f"{RELEASE}-migration-scripts" not in rendered.names("ConfigMap")


def test_agent_waits_for_the_schema_that_its_own_image_needs(render: Render) -> None:
    values = {"agent": {"image": {"tag": "9"}}, "migration": {"image": "example.org/migrations:8"}}
    rendered = render(values)
    pod = rendered.one("Deployment")["spec"]["template"]["spec"]
    gate = pod["initContainers"][0]
    assert gate["image"] == pod["containers"][0]["image"] == "my-company/ai-agent:9"
    assert gate["command"] == ["python", "/migration/schema.py", "wait"]
    assert gate["env"][0]["valueFrom"]["secretKeyRef"]["key"] == "database-url"
    job = rendered.one("Job")["spec"]["template"]["spec"]["containers"][0]
    assert job["image"] == "example.org/migrations:8"


def test_digest_wins_over_the_tag(render: Render) -> None:
    digest = f"sha256:{'0' * 64}"
    pod = render({"agent": {"image": {"digest": digest}}}).one("Deployment")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == f"my-company/ai-agent@{digest}"


def test_changed_job_has_another_name_and_an_unchanged_one_the_same(render: Render) -> None:
    def name(*values: Object) -> str:
        return str(render(*values).one("Job")["metadata"]["name"])

    assert re.fullmatch(rf"{RELEASE}-db-migrate-1-[0-9a-f]{{8}}", name())
    assert name() == name()
    assert name() != name({"agent": {"image": {"tag": "1.1.0"}}})
    assert name() == name({"agent": {"replicaCount": 4}})


def test_settings_of_the_migration_reach_the_program(render: Render) -> None:
    values = {"migration": {"lockTimeout": "500ms", "versionTable": "own.revisions"}, "agent": {"env": {"EXTRA": "1"}}}
    rendered = render(values)
    for container in (
        rendered.one("Job")["spec"]["template"]["spec"]["containers"][0],
        rendered.one("Deployment")["spec"]["template"]["spec"]["initContainers"][0],
    ):
        env = {variable["name"]: variable.get("value") for variable in container["env"]}
        assert env["SCHEMA_LOCK_TIMEOUT"] == "500ms"
        assert env["SCHEMA_VERSION_TABLE"] == "own.revisions"
        assert env["EXTRA"] == "1"
        assert env["LOG_LEVEL"] == "info"
