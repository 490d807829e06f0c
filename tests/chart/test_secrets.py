"""Passwords: where they may stand, how they survive in a URL, and that nothing changes them by itself."""

from __future__ import annotations

import base64
import json
from urllib.parse import unquote, urlsplit

import pytest
import redis
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, Object, Render, Rendered, RenderError

KEYS = {
    "postgres-password",
    "password",
    "replication-password",
    "redis-password",
    "database-url",
    "migration-database-url",
    "redis-url",
    "rotation-id",
}
PASSWORDS = ["@:/%+ü \"'", "plain", "a+b c", "#?&=", "%41", "\\$`{}[]|^<>", "日本語🔑", "-_.~", "  "]
EXISTING: Object = {
    "existingSecret": "kept",
    "rotationId": "r1",
    "postgresql": {"auth": {"existingSecret": "kept"}},
    "redis": {"auth": {"existingSecret": "kept"}},
}


def given(password: str, cache: str | None = None) -> Object:
    return {"postgresql": {"auth": {"password": password}}, "redis": {"auth": {"password": cache or password}}}


def live_secret(data: dict[str, str]) -> Object:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{RELEASE}-secret"}, "data": encoded}


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_survives_in_the_urls(render: Render, password: str) -> None:
    secret = render(given(password)).secret()
    assert secret["password"] == secret["redis-password"] == password
    assert unquote(urlsplit(secret["database-url"]).password or "") == password
    assert make_url(secret["database-url"]).password == password
    assert conninfo_to_dict(secret["database-url"]) == {
        "user": "agent_user",
        "password": password,
        "host": f"{RELEASE}-postgresql",
        "port": "5432",
        "dbname": "agent_db",
    }
    options = redis.ConnectionPool.from_url(secret["redis-url"]).connection_kwargs
    assert (options["password"], options["host"], options["port"]) == (password, f"{RELEASE}-redis-master", 6379)
    assert secret["migration-database-url"] == secret["database-url"]


def test_one_secret_holds_every_key_and_outlives_the_release(render: Render) -> None:
    rendered = render()
    assert rendered.secret().keys() == KEYS
    annotations = rendered.one("Secret", f"{RELEASE}-secret")["metadata"]["annotations"]
    assert annotations == {"helm.sh/resource-policy": "keep"}
    assert rendered.names("Secret") == [f"{RELEASE}-secret"]


def test_passwords_are_generated_apart(render: Render) -> None:
    secret = render().secret()
    generated = {secret[key] for key in ("postgres-password", "password", "replication-password", "redis-password")}
    assert len(generated) == 4
    assert all(len(password) == 32 for password in generated)
    assert unquote(urlsplit(secret["database-url"]).password or "") == secret["password"]


def test_upgrade_keeps_what_the_secret_holds(render: Render, cluster: Cluster) -> None:
    first = render().secret()
    cluster.add(live_secret(first))
    second = render(cluster=cluster)
    assert second.secret() == first
    annotations = second.one("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["ai-agent/rotation-id"] == first["rotation-id"]


def test_first_install_annotates_the_pods_with_the_id_in_the_secret(render: Render) -> None:
    rendered = render()
    annotations = rendered.one("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["ai-agent/rotation-id"] == rendered.secret()["rotation-id"]


@pytest.mark.parametrize(
    ("values", "path"),
    [
        (given("other", "same"), "postgresql.auth.password"),
        (given("same", "other"), "redis.auth.password"),
        ({"global": {"postgresql": {"auth": {"postgresPassword": "other"}}}}, "postgresql.auth.postgresPassword"),
    ],
)
def test_value_that_differs_from_the_live_password_is_refused(
    render: Render, cluster: Cluster, values: Object, path: str
) -> None:
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    with pytest.raises(RenderError, match=rf"{path} differs from .* in the Secret {RELEASE}-secret"):
        render(values, cluster=cluster)
    assert render(given("same"), cluster=cluster).secret()["password"] == "same"


def test_secret_that_is_gone_while_the_release_serves_is_not_made_up(render: Render, cluster: Cluster) -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": RELEASE}}
    cluster.add(deployment | {"status": {"availableReplicas": 1}})
    with pytest.raises(RenderError, match=f"The Secret {RELEASE}-secret has no key postgres-password although"):
        render(cluster=cluster)


def test_existing_secret_is_read_by_all_and_none_is_made(render: Render) -> None:
    rendered = render(EXISTING)
    assert rendered.names("Secret") == []
    assert secrets_read(rendered) == {"kept"}
    annotations = rendered.one("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["ai-agent/rotation-id"] == "r1"


def test_own_secret_is_read_by_all(render: Render) -> None:
    assert secrets_read(render()) == {f"{RELEASE}-secret"}
    assert secrets_read(render({"fullnameOverride": "other"})) == {f"{RELEASE}-secret"}


def secrets_read(rendered: Rendered) -> set[str]:
    """Return the names of all Secrets that pods take something from."""
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "secretKeyRef" in node:
                found.add(node["secretKeyRef"]["name"])
            if "secretName" in node:
                found.add(node["secretName"])
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    for pod in rendered.pods().values():
        walk(pod["spec"])
    return found


def test_rotation_id_rolls_the_pods(render: Render) -> None:
    first, second = (render(EXISTING, {"rotationId": each}).one("Deployment") for each in ("r1", "r2"))
    assert first["spec"]["template"]["metadata"] != second["spec"]["template"]["metadata"]


def test_passwords_stand_in_secrets_only(render: Render) -> None:
    password = "s3cr3t-/-pass"
    rendered = render(given(password))
    forms = (password, "s3cr3t-%2F-pass", base64.b64encode(password.encode()).decode())
    for item in rendered:
        text = json.dumps(item)
        if item["kind"] != "Secret":
            assert not any(form in text for form in forms), item["kind"]
    assert password in rendered.secret().values()


def test_callers_tokens_and_the_collectors_headers_come_from_secrets(render: Render) -> None:
    tracing: Object = {"endpoint": "http://10.0.0.9:4318", "existingSecret": "collector", "existingSecretKey": "otlp"}
    tracing |= {"resourceAttributes": {"team": "x", "service.name": "mine"}}
    rendered = render({"agent": {"auth": {"existingSecret": "callers"}, "tracing": tracing}})
    agent = rendered.one("Deployment")["spec"]["template"]["spec"]["containers"][0]
    variables = {variable["name"]: variable["valueFrom"] for variable in agent["env"]}
    assert variables["API_TOKENS"] == {"secretKeyRef": {"name": "callers", "key": "tokens"}}
    assert variables["OTEL_EXPORTER_OTLP_HEADERS"] == {"secretKeyRef": {"name": "collector", "key": "otlp"}}
    # The migration runs the same image and has no use for them.
    assert "callers" not in json.dumps(rendered.one("Job"))
    config = rendered.one("ConfigMap", f"{RELEASE}-config")["data"]
    assert config["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://10.0.0.9:4318"
    namespace = rendered.one("Deployment")["metadata"]["namespace"]
    assert sorted(config["OTEL_RESOURCE_ATTRIBUTES"].split(",")) == [
        "service.name=mine",
        f"service.namespace={namespace}",
        "team=x",
    ]


def test_llm_key_comes_from_a_secret_of_its_own(render: Render) -> None:
    values: Object = {"networkPolicy": {"model": {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}}}
    values |= {"agent": {"llm": {"baseUrl": "https://llm.example.org/v1", "model": "m", "existingSecret": "llm"}}}
    rendered = render(values)
    agent = rendered.one("Deployment")["spec"]["template"]["spec"]["containers"][0]
    variables = {variable["name"]: variable["valueFrom"] for variable in agent["env"]}
    assert variables["LLM_API_KEY"] == {"secretKeyRef": {"name": "llm", "key": "api-key"}}
    config = rendered.one("ConfigMap", f"{RELEASE}-config")["data"]
    assert (config["LLM_BASE_URL"], config["LLM_MODEL"]) == ("https://llm.example.org/v1", "m")
    bare = render().one("Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert [variable["name"] for variable in bare["env"]] == ["DATABASE_URL", "REDIS_URL"]


@pytest.mark.parametrize("there", [True, False])
def test_a_volume_knows_the_password_of_a_lost_secret(cluster: Cluster, render: Render, *, there: bool) -> None:
    """Nothing serves any more, so the release looks like one that may be made anew."""
    cluster.add({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": RELEASE}, "status": {}})
    cluster.add({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": f"{RELEASE}-postgresql"}})
    if there:
        cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
        assert render(cluster=cluster).secret()["password"] == "same"
        return
    with pytest.raises(RenderError, match=f"the volume data-{RELEASE}-postgresql-0 of an earlier release knows"):
        render(cluster=cluster)
    values = {"postgresql": {"auth": {"password": "same", "postgresPassword": "same"}}}
    assert render(values, cluster=cluster).secret()["password"] == "same"
