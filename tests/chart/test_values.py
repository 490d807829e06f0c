"""What the values may say: names and hosts that follow them, mistakes that stop the rendering with one sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from tests.chart.conftest import ROOT, Object, Render, RenderError


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"agent": {"replicaCount": 50}}, "maximum: got 50, want 10"),
        ({"agent": {"replicaCount": 0}}, "minimum: got 0, want 1"),
        ({"agent": {"replicaCount": "2"}}, "got string, want integer"),
        ({"agent": {"resources": {"requests": {"cpu": None}}}}, "missing property 'cpu'"),
        ({"agent": {"resources": {"requests": None}}}, "missing property 'requests'"),
        ({"agent": {"replicas": 2}}, "additional properties 'replicas' not allowed"),
        ({"agnet": {}}, "additional properties 'agnet' not allowed"),
        ({"migration": {"hooks": False}}, "additional properties 'hooks' not allowed"),
        ({"agent": {"env": {"WORKER_THREADS": 4}}}, "got number, want string"),
        ({"agent": {"env": {"DATABASE_URL": "x"}}}, "DATABASE_URL"),
        ({"agent": {"env": {"NOT A NAME": "x"}}}, "NOT A NAME"),
        ({"agent": {"image": {"digest": "sha256:abc"}}}, "does not match pattern"),
        ({"agent": {"service": {"port": 0}}}, "minimum: got 0, want 1"),
        ({"postgresql": {"auth": {"password": 12345}}}, "got number, want string"),
        ({"postgresql": {"replica": {"replicaCount": 2}}}, "postgresql.readReplicas.replicaCount"),
        ({"redis": {"auth": {"password": 12345}}}, "got number, want string"),
        ({"postgresql": {"primary": {"persistence": {"enabled": "yes please"}}}}, "got string, want boolean"),
        ({"migration": {"lockTimeout": "2"}}, "does not match pattern"),
        ({"migration": {"ttlSecondsAfterFinished": 60}}, "minimum: got 60"),
        ({"organizationLabels": {"team": 7}}, "got number, want string"),
        ({"agent": {"port": 0}}, "minimum: got 0, want 1"),
        ({"agent": {"readinessProbe": {"httpGet": {"path": "ready"}}}}, "does not match pattern"),
        ({"agent": {"readinessProbe": {"exec": {}}}}, "missing property 'command'"),
        ({"agent": {"readinessProbe": {"http": {}}}}, "additional properties 'http' not allowed"),
        ({"agent": {"urls": {"database": [{"scheme": "x"}]}}}, "missing property 'name'"),
        ({"agent": {"urls": {"database": [{"name": "A", "part": "path"}]}}}, "value must be one of"),
        ({"agent": {"urls": {"database": [{"name": "A", "value": "postgresql://"}]}}}, "'value' not allowed"),
        ({"migration": {"tool": "flyway"}}, "value must be one of"),
        ({"existingSecretKeys": {"databse-url": "x"}}, "databse-url"),
    ],
)
def test_schema_refuses(render: Render, values: Object, sentence: str) -> None:
    with pytest.raises(RenderError) as refused:
        render(values)
    assert "values don't meet the specifications of the schema" in str(refused.value)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"existingSecret": "kept"},
            'postgresql.auth.existingSecret names "my-agent-secret" but the agent reads "kept"',
        ),
        (
            {"existingSecret": "kept", "postgresql": {"auth": {"existingSecret": "kept"}}},
            'set redis.auth.existingSecret to "kept"',
        ),
        ({"postgresql": {"auth": {"existingSecret": ""}}}, 'set postgresql.auth.existingSecret to "my-agent-secret"'),
        ({"global": {"postgresql": {"auth": {"existingSecret": "g"}}}}, 'postgresql.auth.existingSecret names "g"'),
        (
            {"postgresql": {"enabled": False}},
            "set externalDatabase.host, or name a Secret that holds its URL in existingSecret",
        ),
        ({"agent": {"drainSeconds": 60}}, "set it above preStopSeconds + drainSeconds (65)"),
        ({"migration": {"databaseTimeout": 240}}, "set it below migration.timeout (240)"),
    ],
)
def test_guard_stops_with_one_sentence(render: Render, values: Object, sentence: str) -> None:
    with pytest.raises(RenderError) as refused:
        render(values)
    assert sentence in str(refused.value)


def test_release_name_that_makes_statefulsets_too_long_is_refused(render: Render) -> None:
    # The embedded charts have the same guard as ours; which one speaks first is Helm's choice.
    with pytest.raises(RenderError, match=r"more than 52 characters|makes pods up to 52: shorten"):
        render(release="a" * 38)
    assert render(release="a" * 37).names("StatefulSet")


@pytest.mark.parametrize(
    ("release", "values", "host", "cache"),
    [
        ("my-agent", {}, "my-agent-postgresql:5432", "my-agent-redis-master:6379"),
        ("postgresql", {}, "postgresql:5432", "postgresql-redis-master:6379"),
        ("my-redis", {}, "my-redis-postgresql:5432", "my-redis-master:6379"),
        ("a", {"postgresql": {"nameOverride": "db"}, "redis": {"nameOverride": "a"}}, "a-db:5432", "a-master:6379"),
        (
            "a",
            {"postgresql": {"fullnameOverride": "pg"}, "redis": {"fullnameOverride": "kv"}},
            "pg:5432",
            "kv-master:6379",
        ),
        (
            "a",
            {
                "postgresql": {"primary": {"service": {"ports": {"postgresql": 5433}}}},
                "redis": {"master": {"service": {"ports": {"redis": 6380}}}},
            },
            "a-postgresql:5433",
            "a-redis-master:6380",
        ),
        (
            "a",
            {"global": {"postgresql": {"service": {"ports": {"postgresql": 5434}}}}},
            "a-postgresql:5434",
            "a-redis-master:6379",
        ),
    ],
)
def test_hosts_follow_the_subcharts_own_rule(
    render: Render, release: str, values: Object, host: str, cache: str
) -> None:
    rendered = render(values, release=release)
    secret = rendered.secret(f"{release}-secret")
    assert secret["database-url"].partition("@")[2] == f"{host}/agent_db"
    assert secret["redis-url"].partition("@")[2] == f"{cache}/0"
    ports = {
        f"{item['metadata']['name']}:{port['port']}"
        for item in rendered
        if item["kind"] == "Service"
        for port in item["spec"]["ports"]
    }
    assert {host, cache} <= ports


def test_user_and_database_follow_the_values(render: Render) -> None:
    local: Object = {"postgresql": {"auth": {"username": "o'hara", "database": "d", "password": "p"}}}
    found = conninfo_to_dict(render(local).secret()["database-url"])
    assert (found["user"], found["dbname"]) == ("o'hara", "d")
    glob: Object = {"global": {"postgresql": {"auth": {"username": "g", "database": "gd"}}}}
    found = conninfo_to_dict(render(local, glob).secret()["database-url"])
    assert (found["user"], found["dbname"]) == ("g", "gd")


def test_superuser_alone_uses_the_admin_password(render: Render) -> None:
    secret = render({"postgresql": {"auth": {"username": "postgres", "postgresPassword": "adm"}}}).secret()
    assert conninfo_to_dict(secret["database-url"])["password"] == "adm"


def test_overrides_of_the_name(render: Render) -> None:
    rendered = render({"fullnameOverride": "other", "nameOverride": "app"})
    assert rendered.names("Deployment") == ["other"]
    labels = rendered.one("Deployment")["metadata"]["labels"]
    assert labels["app"] == "my-agent"
    assert labels["app.kubernetes.io/name"] == "app"


def test_long_names_stay_valid_and_apart(render: Render) -> None:
    names = []
    for end in ("a", "b"):
        rendered = render({"fullnameOverride": "x" * 60 + end}).ours()
        names += [item["metadata"]["name"] for item in rendered if item["kind"] in {"Job", "ConfigMap", "Pod"}]
    assert all(len(name) <= 63 for name in names)
    assert len(names) == len(set(names))


def test_service_account_can_be_someone_elses(render: Render) -> None:
    rendered = render({"serviceAccount": {"create": False, "name": "theirs"}})
    assert "my-agent" not in rendered.names("ServiceAccount")
    assert rendered.one("Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "theirs"


def test_pull_secrets_reach_every_pod_of_ours(render: Render) -> None:
    for pod in render({"imagePullSecrets": [{"name": "registry"}]}).ours().pods().values():
        assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_topology_spread_is_soft_and_can_be_replaced(render: Render) -> None:
    spread = render().one("Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}
    own = [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}]
    values = {"agent": {"topologySpreadConstraints": own}}
    assert render(values).one("Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"] == own


def test_lock_has_the_digest_that_helm_computes() -> None:
    """Helm refuses a lock of another digest: internal/resolver HashReq, the JSON of [requested, locked]."""
    chart = yaml.safe_load((ROOT / "chart" / "Chart.yaml").read_text())
    lock = yaml.safe_load((ROOT / "chart" / "Chart.lock").read_text())
    order = ("name", "version", "repository", "condition")
    both = [
        [{key: each[key] for key in order if key in each} for each in part["dependencies"]] for part in (chart, lock)
    ]
    digest = hashlib.sha256(json.dumps(both, separators=(",", ":")).encode()).hexdigest()
    assert lock["digest"] == f"sha256:{digest}"
    assert [each["version"] for each in lock["dependencies"]] == ["12.12.10", "17.17.1", "1.0.0"]


def test_every_key_of_ours_is_in_the_schema(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text())
    values = yaml.safe_load((chart / "values.yaml").read_text())
    free = {"postgresql", "redis", "env", "annotations", "podSecurityContext", "containerSecurityContext"}

    def compare(node: Object, given: Object, path: str) -> None:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        if "properties" not in node:
            return
        assert node.get("additionalProperties") is not None, path
        for key, value in given.items():
            assert key in node["properties"] or node["additionalProperties"], f"{path}.{key}"
            if key not in node["properties"]:
                continue
            if isinstance(value, dict) and key not in free:
                compare(node["properties"][key], value, f"{path}.{key}")

    compare(schema, values, "")
