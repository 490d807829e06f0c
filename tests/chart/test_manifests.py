"""What each environment renders: valid for Kubernetes, labelled, restricted, in the specified sizes."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.chart.conftest import ENVIRONMENTS, RELEASE, ROOT, Object, Render, Rendered, containers

OLDEST = "1.30"
"""The chart's kubeVersion."""
VERSIONS = (OLDEST, kubernetes_validate.latest_version())

SIZES = {
    "dev": (1, {"cpu": "100m", "memory": "256Mi"}, {"cpu": "250m", "memory": "512Mi"}, "debug", "1", "1Gi", "100Mi"),
    "staging": (2, {"cpu": "250m", "memory": "512Mi"}, {"cpu": "750m", "memory": "1Gi"}, "info", "2", "5Gi", "1Gi"),
    "prod": (3, {"cpu": "500m", "memory": "1Gi"}, {"cpu": "2000m", "memory": "2Gi"}, "warn", "8", "50Gi", "10Gi"),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(environment: Rendered, version: str) -> None:
    for item in environment:
        kubernetes_validate.validate(item, version, strict=True)


def test_floor_is_the_oldest_version_validated(chart: Path) -> None:
    assert yaml.safe_load((chart / "Chart.yaml").read_text())["kubeVersion"] == f">={OLDEST}.0-0"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_lint_is_strict(helm: str, chart: Path, name: str) -> None:
    command = [helm, "lint", "--strict", str(chart), "-f", str(chart / f"values-{name}.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


def test_every_object_and_pod_is_labelled(environment: Rendered) -> None:
    named = {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["labels"] for item in environment}
    named |= {f"pod of {name}": pod["metadata"]["labels"] for name, pod in environment.pods().items()}
    for name, labels in named.items():
        assert labels["app"] == RELEASE, name
        assert labels["app.kubernetes.io/instance"] == RELEASE, name
        assert labels["app.kubernetes.io/managed-by"] == "Helm", name
        assert labels["app.kubernetes.io/name"], name
    for item in environment:
        assert item["metadata"]["labels"]["helm.sh/chart"]


def test_a_new_chart_version_does_not_replace_the_agents_pods(environment: Rendered) -> None:
    assert "helm.sh/chart" not in environment.one("Deployment")["spec"]["template"]["metadata"]["labels"]


def test_our_objects_say_component_and_version(environment: Rendered) -> None:
    for item in environment.ours():
        assert item["metadata"]["labels"]["app.kubernetes.io/component"] in {
            "agent",
            "migration",
            "test",
            "postgresql",
            "redis",
        }
        assert item["metadata"]["labels"]["app.kubernetes.io/version"] == "1.0.0"


def test_only_agent_pods_get_traffic(environment: Rendered) -> None:
    selector = environment.one("Service", RELEASE)["spec"]["selector"]
    assert selector == environment.one("Deployment")["spec"]["selector"]["matchLabels"]
    matching = [
        name for name, pod in environment.pods().items() if selector.items() <= pod["metadata"]["labels"].items()
    ]
    assert matching == [f"Deployment/{RELEASE}"]


def test_clients_of_the_database_say_so(environment: Rendered) -> None:
    clients = {
        name.partition("/")[0]
        for name, pod in environment.pods().items()
        if pod["metadata"]["labels"].get(f"{RELEASE}-db-client") == "true"
    }
    assert clients == {"Deployment", "Job", "Pod"}


def test_migration_can_be_found_by_label(environment: Rendered) -> None:
    job = environment.one("Job")
    assert job["metadata"]["labels"]["job"] == "migration"
    assert job["spec"]["template"]["metadata"]["labels"]["job"] == "migration"


def test_names_are_those_of_the_specification(environment: Rendered) -> None:
    assert environment.ours().names("ConfigMap") == [
        f"{RELEASE}-config",
        f"{RELEASE}-migration-scripts",
        f"{RELEASE}-test-scripts",
    ]
    assert environment.ours().names("Secret") == [f"{RELEASE}-secret"]
    assert environment.names("Deployment") == [RELEASE]
    assert environment.names("Pod") == [f"{RELEASE}-connection-test"]
    accounts = {RELEASE, f"{RELEASE}-postgresql", f"{RELEASE}-redis"}
    assert set(environment.names("ServiceAccount")) == accounts
    assert {RELEASE, f"{RELEASE}-redis-master"} <= set(environment.names("Service"))
    assert environment.one("Job")["metadata"]["name"].startswith(f"{RELEASE}-db-migrate-1-")


def test_pods_meet_the_restricted_standard(environment: Rendered) -> None:
    for name, pod in environment.ours().pods().items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] == 1000, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert {next(iter(set(volume) - {"name"})) for volume in spec["volumes"]} <= {"configMap", "emptyDir"}, name
        for container in containers(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert context["readOnlyRootFilesystem"] is True, name
            assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"], name  # noqa: S108 - in the pod


def test_no_pod_gets_a_token_of_the_api(environment: Rendered) -> None:
    assert {
        name: pod["spec"]["automountServiceAccountToken"] for name, pod in environment.pods().items()
    } == dict.fromkeys(environment.pods(), False)


def test_every_container_has_resources(environment: Rendered) -> None:
    for name, pod in environment.pods().items():
        for container in containers(pod):
            for part in ("requests", "limits"):
                assert {"cpu", "memory"} <= container["resources"][part].keys(), (name, container["name"], part)


def test_no_environment_variable_is_named_twice(environment: Rendered) -> None:
    for name, pod in environment.pods().items():
        for container in containers(pod):
            names = [variable["name"] for variable in container.get("env", [])]
            assert len(names) == len(set(names)), (name, container["name"])


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_sizes_are_those_of_the_specification(render: Render, name: str) -> None:
    replicas, requests, limits, level, threads, database, cache = SIZES[name]
    rendered = render(name)
    deployment = rendered.one("Deployment")["spec"]
    agent = deployment["template"]["spec"]["containers"][0]
    assert deployment["replicas"] == replicas
    sizes = {part: {key: agent["resources"][part][key] for key in ("cpu", "memory")} for part in agent["resources"]}
    assert sizes == {"requests": requests, "limits": limits}
    config = rendered.one("ConfigMap", f"{RELEASE}-config")["data"]
    assert config["LOG_LEVEL"] == level
    assert config["WORKER_THREADS"] == threads
    assert config["ENVIRONMENT"] == {"prod": "production"}.get(name, name)
    claims = {
        item["metadata"]["name"].removeprefix(f"{RELEASE}-"): (
            item["spec"]["replicas"],
            item["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"],
        )
        for item in rendered
        if item["kind"] == "StatefulSet"
    }
    assert (
        claims
        == {
            "dev": {"postgresql": (1, database), "redis-master": (1, cache)},
            "staging": {"postgresql": (1, database), "redis-master": (1, cache), "redis-replicas": (1, cache)},
            "prod": {
                "postgresql-primary": (1, database),
                "postgresql-read": (2, database),
                "redis-master": (1, cache),
                "redis-replicas": (2, cache),
            },
        }[name]
    )


def test_rolling_update_keeps_every_pod_that_serves(environment: Rendered) -> None:
    spec = environment.one("Deployment")["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    pod = spec["template"]["spec"]
    sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = int(environment.one("ConfigMap", f"{RELEASE}-config")["data"]["DRAIN_SECONDS"])
    assert pod["terminationGracePeriodSeconds"] > sleep + drain
    assert spec["progressDeadlineSeconds"] < 300


def test_each_probe_has_its_purpose(environment: Rendered) -> None:
    agent = environment.one("Deployment")["spec"]["template"]["spec"]["containers"][0]
    paths = {probe: agent[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {
        "startup": {"path": "/health", "port": "http"},
        "liveness": {"path": "/health", "port": "http"},
        "readiness": {"path": "/ready", "port": "http"},
    }


def test_a_restart_of_the_database_takes_no_pod_out_of_the_service(environment: Rendered) -> None:
    """All pods have the same database: without endpoints callers are refused where a pod answers when to come back."""
    probe = environment.one("Deployment")["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 60
    assert probe.get("successThreshold", 1) == 1


def test_configuration_is_consumed_and_a_change_rolls_the_pods(render: Render) -> None:
    def template(level: str) -> Object:
        values = {"existingSecret": "s", "postgresql": {"auth": {"existingSecret": "s"}}}
        values |= {"redis": {"auth": {"existingSecret": "s"}}, "agent": {"env": {"LOG_LEVEL": level}}}
        return t.cast("Object", render(values).one("Deployment")["spec"]["template"])

    info, again, debug = template("info"), template("info"), template("debug")
    assert info["spec"]["containers"][0]["envFrom"] == [{"configMapRef": {"name": f"{RELEASE}-config"}}]
    assert info == again
    assert info["metadata"]["annotations"] != debug["metadata"]["annotations"]


def test_files_in_the_pods_are_the_files_of_the_chart(environment: Rendered) -> None:
    files = ROOT / "chart" / "files"
    scripts = environment.one("ConfigMap", f"{RELEASE}-migration-scripts")["data"]
    assert scripts == {
        file.name: file.read_text() for name in ("libpq_url", "schema*") for file in files.glob(f"{name}.py")
    }
    tests = environment.one("ConfigMap", f"{RELEASE}-test-scripts")["data"]
    assert tests == {
        file.name: file.read_text()
        for name in ("connection_test", "guest_memory", "libpq_url", "probe*")
        for file in files.glob(f"{name}.py")
    }


def test_environment_to_itself_changes_no_immutable_field(render: Render) -> None:
    def immutable(rendered: Rendered) -> list[t.Any]:
        return [
            (item["metadata"]["name"], item["spec"].get("selector"), item["spec"].get("volumeClaimTemplates"))
            for item in rendered
            if item["kind"] in {"Deployment", "StatefulSet"}
        ]

    for name in ENVIRONMENTS:
        newer = {"agent": {"image": {"tag": "1.1.0"}, "env": {"LOG_LEVEL": "error"}}}
        assert immutable(render(name)) == immutable(render(name, newer))
        assert immutable(render(name))


def test_notes_tell_what_to_do_next(helm: str, chart: Path) -> None:
    command = [
        helm,
        "install",
        RELEASE,
        str(chart),
        "--dry-run=client",
        "--namespace",
        "test",
        "--set",
        "secrets.generate=always",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    assert "kubectl -n test get all -l app=my-agent" in notes
    assert "/v1/chat" in notes
    assert "helm -n test test my-agent --logs" in notes
    assert "logs -l app=my-agent,job=migration" in notes
