"""An image that others made: its process, its URLs, its migration and a missing cache are values."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, ROOT, Object, Render, Rendered, containers
from tests.chart.test_migration import SERVING, hooks
from tests.chart.test_network import End, connects, pods
from tests.chart.test_secrets import EXISTING, KEYS, live_secret

# A folder with a chart of its own is no values file for ours.
EXAMPLES = [
    file for file in sorted((ROOT / "examples").glob("*/values.yaml")) if not (file.parent / "Chart.yaml").exists()
]
SCRAPER = {"podSelector": {"matchLabels": {"app": "prometheus"}}}
FORMS: Object = {
    "agent": {
        "urls": {
            "database": [
                {"name": "PG_URI", "scheme": "postgresql+pg8000"},
                {"name": "PG_ASYNC", "scheme": "postgresql+asyncpg", "parameters": "ssl=require"},
                {"name": "PG_HOST", "part": "host"},
                {"name": "PG_PORT", "part": "port"},
                {"name": "PG_USER", "part": "user"},
                {"name": "PG_PASSWORD", "part": "password"},
                {"name": "PG_DATABASE", "part": "database"},
            ],
            "cache": [{"name": "CACHE_URL"}, {"name": "CACHE_PASSWORD", "part": "password"}],
        }
    }
}
NO_CACHE: Object = {"redis": {"enabled": False}}


def agent(made: Rendered) -> Object:
    """The agent's container."""
    return t.cast("Object", made.one("Deployment")["spec"]["template"]["spec"]["containers"][0])


def gate(made: Rendered) -> Object:
    """The init container that waits."""
    return t.cast("Object", made.one("Deployment")["spec"]["template"]["spec"]["initContainers"][0])


def told(container: Object) -> dict[str, t.Any]:
    """Its variables: a value, or the Secret and key of one."""
    found = {}
    for item in container["env"]:
        key = (item.get("valueFrom") or {}).get("secretKeyRef")
        found[item["name"]] = (key["name"], key["key"]) if key else item.get("value")
    return found


# The process


def test_everything_follows_the_port(render: Render) -> None:
    made = render({"agent": {"port": 5000, "command": ["serve"], "args": ["--port", "5000"], "workingDir": "/srv"}})
    container = agent(made)
    assert container["ports"] == [{"name": "http", "containerPort": 5000, "protocol": "TCP"}]
    assert (container["command"], container["args"]) == (["serve"], ["--port", "5000"])
    assert {item.get("workingDir") for item in containers(made.one("Deployment")["spec"]["template"])} == {"/srv"}
    [port] = made.one("Service", RELEASE)["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (8000, "http")
    assert made.one("NetworkPolicy", RELEASE)["spec"]["ingress"][0]["ports"] == [{"port": "http", "protocol": "TCP"}]
    for probe in ("startup", "liveness", "readiness"):
        assert container[f"{probe}Probe"]["httpGet"]["port"] == "http"


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({}, {"httpGet": {"path": "/ready", "port": "http"}}),
        ({"httpGet": {"path": "/v1/health"}}, {"httpGet": {"path": "/v1/health", "port": "http"}}),
        (
            {"httpGet": {"port": 9, "scheme": "HTTPS", "httpHeaders": [{"name": "Host", "value": "x"}]}},
            {
                "httpGet": {
                    "path": "/ready",
                    "port": 9,
                    "scheme": "HTTPS",
                    "httpHeaders": [{"name": "Host", "value": "x"}],
                }
            },
        ),
        ({"tcpSocket": {}}, {"tcpSocket": {"port": "http"}}),
        ({"exec": {"command": ["curl", "localhost"]}}, {"exec": {"command": ["curl", "localhost"]}}),
        ({"grpc": {}}, {"grpc": {"port": 8000}}),
        ({"grpc": {"port": 7, "service": "ready"}}, {"grpc": {"port": 7, "service": "ready"}}),
    ],
)
def test_a_probe_asks_in_its_own_way(render: Render, values: Object, asked: Object) -> None:
    made = render({"agent": {"readinessProbe": values}})
    times = {"periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 12}
    assert agent(made)["readinessProbe"] == asked | times
    kubernetes_validate.validate(made.one("Deployment"), kubernetes_validate.latest_version(), strict=True)


def test_probes_can_be_left_out(render: Render) -> None:
    off = {f"{name}Probe": {"enabled": False} for name in ("startup", "liveness", "readiness")}
    assert not [name for name in agent(render({"agent": off})) if name.endswith("Probe")]


def test_metrics_on_a_port_of_their_own(render: Render) -> None:
    values: Object = {"agent": {"metrics": {"path": "/m", "port": 9000}}, "serviceMonitor": {"enabled": True}}
    made = render(values, {"networkPolicy": {"scrapers": [SCRAPER]}})
    [endpoint] = made.one("ServiceMonitor")["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/m")
    assert {"name": "metrics", "containerPort": 9000, "protocol": "TCP"} in agent(made)["ports"]
    assert "metrics" in {port["name"] for port in made.one("Service", RELEASE)["spec"]["ports"]}
    callers, scrapers = made.one("NetworkPolicy", RELEASE)["spec"]["ingress"]
    assert SCRAPER not in callers["from"]
    assert (scrapers["from"], scrapers["ports"][0]["port"]) == ([SCRAPER], "metrics")


# URLs


def test_urls_have_the_names_and_forms_that_the_image_wants(render: Render) -> None:
    made = render(FORMS, {"postgresql": {"auth": {"password": "p@?"}}})
    env, secret = told(agent(made)), made.secret()
    assert secret["PG_URI"] == "postgresql+pg8000://agent_user:p%40%3F@my-agent-postgresql:5432/agent_db"
    assert secret["PG_ASYNC"] == "postgresql+asyncpg://agent_user:p%40%3F@my-agent-postgresql:5432/agent_db?ssl=require"
    for name in ("PG_URI", "PG_ASYNC"):
        assert env[name] == (f"{RELEASE}-secret", name)
        assert secret[f"migration-{name}"] == secret[name]
    assert {name: env[name] for name in ("PG_HOST", "PG_PORT", "PG_USER", "PG_DATABASE")} == {
        "PG_HOST": "my-agent-postgresql",
        "PG_PORT": "5432",
        "PG_USER": "agent_user",
        "PG_DATABASE": "agent_db",
    }
    assert env["PG_PASSWORD"] == (f"{RELEASE}-secret", "password")
    assert env["CACHE_URL"] == (f"{RELEASE}-secret", "redis-url")
    assert env["CACHE_PASSWORD"] == (f"{RELEASE}-secret", "redis-password")
    assert "DATABASE_URL" not in env
    assert "REDIS_URL" not in env
    # For programs of the collection that run in the agent's container.
    assert env["AI_AGENT_DATABASE_URL"] == (f"{RELEASE}-secret", "database-url")
    assert env["AI_AGENT_REDIS_URL"] == (f"{RELEASE}-secret", "redis-url")


def test_no_password_stands_anywhere_but_in_the_secret(render: Render) -> None:
    password = "the-one-and-only"
    made = render(FORMS, {"postgresql": {"auth": {"password": password}}, "redis": {"auth": {"password": password}}})
    assert {item["kind"] for item in made if password in json.dumps(item)} == set()
    assert password in made.secret()["PG_URI"]


def test_the_migration_gets_the_names_too_with_its_own_login(render: Render) -> None:
    made = render(FORMS)
    job = told(made.one("Job")["spec"]["template"]["spec"]["containers"][0])
    assert job["DATABASE_URL"] == (f"{RELEASE}-secret", "migration-database-url")
    assert job["PG_URI"] == (f"{RELEASE}-secret", "migration-PG_URI")
    assert job["PG_HOST"] == "my-agent-postgresql"
    assert told(gate(made))["PG_URI"] == (f"{RELEASE}-secret", "PG_URI")
    assert not {"CACHE_URL", "REDIS_URL"} & (job.keys() | told(gate(made)).keys())


def test_a_driver_in_database_url_itself(render: Render) -> None:
    made = render({"agent": {"urls": {"database": [{"name": "DATABASE_URL", "scheme": "postgresql+psycopg"}]}}})
    env = told(agent(made))
    assert env["DATABASE_URL"] == (f"{RELEASE}-secret", "DATABASE_URL")
    assert env["AI_AGENT_DATABASE_URL"] == (f"{RELEASE}-secret", "database-url")
    job = made.one("Job")["spec"]["template"]["spec"]["containers"][0]
    assert told(job)["DATABASE_URL"] == (f"{RELEASE}-secret", "migration-DATABASE_URL")
    for container in (agent(made), gate(made), job):
        names = [item["name"] for item in container["env"]]
        assert len(names) == len(set(names))


def test_the_hook_brings_every_key_that_it_reads(render: Render, cluster: Cluster) -> None:
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(SERVING)
    found = hooks(render(FORMS, cluster=cluster))
    env = told(found["Job"]["spec"]["template"]["spec"]["containers"][0])
    read = {key for name, key in (place for place in env.values() if isinstance(place, tuple)) if name}
    assert read == found["Secret"]["data"].keys()
    assert {"migration-PG_URI", "password"} <= read


def test_keys_of_an_existing_secret(render: Render) -> None:
    env = told(agent(render(FORMS, EXISTING)))
    assert env["PG_URI"] == ("kept", "PG_URI")
    assert env["PG_PASSWORD"] == ("kept", "password")
    keys = {"existingSecretKeys": {"PG_URI": {"name": "db", "key": "uri"}, "migration-PG_URI": "owner"}}
    made = render(FORMS, EXISTING, keys)
    assert told(agent(made))["PG_URI"] == ("db", "uri")
    job = made.one("Job")["spec"]["template"]["spec"]["containers"][0]
    assert told(job)["PG_URI"] == ("kept", "owner")


def test_a_part_that_only_the_existing_secret_knows(render: Render) -> None:
    values: Object = {"existingSecret": "kept", "postgresql": {"enabled": False}, **NO_CACHE}
    env = told(agent(render(FORMS, values, {"networkPolicy": {"enabled": False}})))
    assert env["PG_HOST"] == ("kept", "PG_HOST")
    assert env["PG_PASSWORD"] == ("kept", "password")


# No cache


def test_without_a_cache_nothing_speaks_of_one(render: Render) -> None:
    made = render(NO_CACHE, {"prometheusRule": {"enabled": True}})
    for name, pod in made.pods().items():
        for container in containers(pod):
            assert not [item for item in container.get("env", []) if "REDIS" in item["name"]], name
    assert not [key for key in made.secret() if key.startswith("redis")]
    assert not [name for name in made.names("NetworkPolicy") if "redis" in name]
    for client in ("agent", "migration", "test"):
        assert not connects(made, pods(made)[client], End({"app.kubernetes.io/name": "redis"}), 6379)
    test = made.one("Pod", f"{RELEASE}-connection-test")["spec"]["containers"][0]
    assert test["command"] == ["python", "/tests/database_test.py"]
    assert "database_test.py" in made.one("ConfigMap", f"{RELEASE}-test-scripts")["data"]
    [group] = made.one("PrometheusRule")["spec"]["groups"]
    assert "AgentCacheDown" not in {rule["alert"] for rule in group["rules"]}


def test_a_cache_in_an_existing_secret_is_one(render: Render) -> None:
    values: Object = {**EXISTING, **NO_CACHE, "networkPolicy": {"enabled": False}}
    assert told(agent(render(values)))["REDIS_URL"] == ("kept", "redis-url")
    assert "REDIS_URL" not in told(agent(render(values, {"agent": {"urls": {"cache": []}}})))


# The migration


def test_alembic_elsewhere_in_the_image(render: Render) -> None:
    made = render({"migration": {"workingDir": "/srv/db", "alembic": {"config": "conf/alembic.ini"}}})
    for container in (gate(made), made.one("Job")["spec"]["template"]["spec"]["containers"][0]):
        assert container["workingDir"] == "/srv/db"
        assert told(container)["ALEMBIC_CONFIG"] == "conf/alembic.ini"
    assert told(agent(made))["ALEMBIC_CONFIG"] == "/srv/db/conf/alembic.ini"


def test_alembic_scripts_of_a_package(render: Render) -> None:
    made = render({"migration": {"alembic": {"scriptLocation": "someones_server:migrations"}}})
    told_job = told(made.one("Job")["spec"]["template"]["spec"]["containers"][0])
    assert told_job["ALEMBIC_CONFIG"] == "/migration/alembic.ini"
    ini = made.one("ConfigMap", f"{RELEASE}-migration-scripts")["data"]["alembic.ini"]
    assert "\nscript_location = someones_server:migrations\n" in ini
    assert told(agent(made)).get("ALEMBIC_CONFIG") is None
    assert told(agent(made))["ALEMBIC_SCRIPT_LOCATION"] == "someones_server:migrations"


COMMAND: Object = {"migration": {"tool": "command", "command": ["db", "upgrade", "$(DATABASE_URL)"]}}


def test_a_command_migrates_under_the_rules_of_alembic(render: Render, cluster: Cluster) -> None:
    made = render(COMMAND)
    job = made.one("Job")["spec"]
    container = job["template"]["spec"]["containers"][0]
    # The kubelet turns $$( into $( and fills in nothing.
    words = ["python", "/migration/command_migration.py", "migrate", "--", "db", "upgrade", "$$(DATABASE_URL)"]
    assert container["command"] == words
    assert gate(made)["command"] == ["python", "/migration/command_migration.py", "wait"]
    assert told(container)["SCHEMA_RELEASE"] == told(gate(made))["SCHEMA_RELEASE"]
    assert told(container)["SCHEMA_RELEASE"].startswith("my-company/ai-agent:1.0.0 ")
    scripts = made.one("ConfigMap", f"{RELEASE}-migration-scripts")["data"]
    files = ROOT / "chart" / "files"
    for name in ("command_migration.py", "ledger.py", "schema.py", "schema_runner.py"):
        assert scripts[name] == (files / name).read_text()
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(SERVING)
    hook = hooks(render(COMMAND, cluster=cluster))["Job"]["spec"]
    assert "--timeout=240" in hook["template"]["spec"]["containers"][0]["command"]
    assert hook["activeDeadlineSeconds"] == 540
    assert hook["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [124]


def test_an_image_that_migrates_itself_starts_one_pod_first(render: Render, cluster: Cluster) -> None:
    values: Object = {"migration": {"tool": "none"}, "agent": {"replicaCount": 3}}
    made = render(values)
    assert made.names("Job") == []
    assert gate(made)["command"] == ["python", "/migration/first_pod.py"]
    env = told(gate(made))
    assert (env["FIRST_POD_SERVICE"], env["FIRST_POD_SECONDS"]) == (f"{RELEASE}:8000", "600")
    strategy = made.one("Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxUnavailable": 0, "maxSurge": 1}
    policy = made.one("NetworkPolicy", RELEASE)["spec"]
    own = {"podSelector": policy["podSelector"]}
    # To the Service of the agent, whose port is a number going out and has a name coming in.
    assert {"to": [own], "ports": [{"port": 8000, "protocol": "TCP"}]} in policy["egress"]
    assert own in policy["ingress"][0]["from"]
    assert own not in render().one("NetworkPolicy", RELEASE)["spec"]["ingress"][0]["from"]
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(SERVING)
    assert not hooks(render(values, cluster=cluster))


def test_images_without_python_name_another_for_what_the_chart_runs(render: Render) -> None:
    tools = "example.org/python-tools:1"
    made = render({"migration": {"tool": "none", "gate": {"image": tools}}, "connectionTest": {"image": tools}})
    assert gate(made)["image"] == tools
    assert made.one("Pod", f"{RELEASE}-connection-test")["spec"]["containers"][0]["image"] == tools
    assert agent(made)["image"] == "my-company/ai-agent:1.0.0"


# Examples


def test_there_are_examples() -> None:
    assert {path.parent.name for path in EXAMPLES} >= {"mlflow", "mcp-contextforge"}


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: str(path.parent.name))
def test_example_is_valid(render: Render, values: Path) -> None:
    given = yaml.safe_load(values.read_text())
    made = render(given)
    for item in made:
        kubernetes_validate.validate(item, kubernetes_validate.latest_version(), strict=True)
    assert agent(made)["ports"][0]["containerPort"] == given["agent"]["port"]
    assert given["agent"]["image"]["tag"], "an example names the version that its facts were read in"


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: str(path.parent.name))
def test_notes_of_an_example_ask_what_it_answers(helm: str, chart: Path, values: Path) -> None:
    words = [helm, "install", RELEASE, str(chart), "--dry-run=client", "-f", str(values)]
    done = subprocess.run([*words, "--set", "secrets.generate=always"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "/v1/chat" not in done.stdout.partition("NOTES:")[2]
