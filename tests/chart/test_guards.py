"""Mistakes that no schema can see: each stops the rendering with one sentence that says what to change."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.amounts import quantity

from tests.chart.cluster import Cluster
from tests.chart.conftest import Object, Render, RenderError
from tests.chart.test_secrets import EXISTING

ANY = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
CONTAINER: Object = {"image": "p:1", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}


def agent(**values: t.Any) -> Object:
    return {"agent": values}


def budget(pods: int, **values: t.Any) -> Object:
    return agent(replicaCount=pods, podDisruptionBudget=values)


def scaled(**values: t.Any) -> Object:
    return agent(autoscaling={"enabled": True, **values})


def resources(request: t.Any, limit: t.Any, name: str = "memory") -> Object:
    requests = {"cpu": "1m", "memory": "1Mi"}
    return {"requests": requests | {name: request}, "limits": {name: limit}}


def kept(**values: t.Any) -> Object:
    """Return values with an existing Secret and more below postgresql.auth."""
    auth = {"existingSecret": "kept", **values}
    return {**EXISTING, "postgresql": {"auth": auth}}


GUARDS: list[tuple[Object, str]] = [
    # Drains
    (budget(3, minAvailable=3), "agent.podDisruptionBudget.minAvailable (3) keeps all 3 agent pods"),
    (budget(2, minAvailable="51%"), "minAvailable (51%) keeps all 2 agent pods"),
    (budget(2, minAvailable="100%"), "which blocks every drain of a node: lower it"),
    (budget(2, maxUnavailable=0), "agent.podDisruptionBudget.maxUnavailable is 0"),
    (budget(2, maxUnavailable="0%"), "set it to 1 or more"),
    (
        {"agent": {"autoscaling": {"enabled": True}, "podDisruptionBudget": {"minAvailable": 2}}},
        "minAvailable (2) keeps all 2 agent pods",
    ),
    ({"replicaPodDisruptionBudget": {"maxUnavailable": 0}}, "replicaPodDisruptionBudget.maxUnavailable is 0"),
    ({"redis": {"pdb": {"create": True}}}, "set it to false"),
    # Scaling
    (scaled(minReplicas=5, maxReplicas=4), "minReplicas (5) is above agent.autoscaling.maxReplicas (4)"),
    (
        scaled(targetCPUUtilizationPercentage=0),
        "targetMemoryUtilizationPercentage or metrics.",
    ),
    (scaled(targetCPUUtilizationPercentage=0, keda={"enabled": True}), "or keda.triggers"),
    (agent(autoscaling={"keda": {"enabled": True}}), "keda.enabled is true, but agent.autoscaling.enabled is false"),
    (scaled(keda={"enabled": True}, metrics=[{"type": "Pods"}]), "is true: write them as keda.triggers"),
    # Resources
    (
        agent(resources=resources("1Gi", "1000M")),
        "agent.resources.requests.memory is 1Gi, more than limits.memory, 1000M",
    ),
    (agent(resources=resources("1Gi", 67108864)), "more than limits.memory, 67108864: lower it"),
    (agent(resources=resources(1, "999m", "cpu")), "agent.resources.requests.cpu is 1, more than limits.cpu, 999m"),
    ({"migration": {"gate": {"resources": resources("2e9", "1.5Gi")}}}, "migration.gate.resources.requests.memory"),
    ({"redis": {"master": {"resources": resources("1Ei", "1E")}}}, "redis.master.resources.requests"),
    ({"postgresql": {"primary": {"resources": resources("1", "1n", "cpu")}}}, "lower it, or raise the limit"),
    # Time
    (agent(terminationGracePeriodSeconds=35), "set it above preStopSeconds + drainSeconds (35)"),
    ({"migration": {"databaseTimeout": 240}}, "set it below migration.timeout (240)"),
    # Labels
    ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "commonLabels names the label app.kubernetes.io/name"),
    ({"commonLabels": {"app.kubernetes.io/part-of": "x"}}, "which the chart sets itself: remove it"),
    ({"commonLabels": {"app": "x"}}, "commonLabels names the label app,"),
    (agent(podLabels={"my-agent-db-client": "false"}), "agent.podLabels names the label my-agent-db-client"),
    (agent(podLabels={"job": "x"}), "agent.podLabels names the label job"),
    ({"serviceMonitor": {"enabled": True}}, "networkPolicy.scrapers does not say from where Prometheus reads"),
    ({"serviceMonitor": {"labels": {"helm.sh/chart": "x"}}}, "serviceMonitor.labels names the label helm.sh/chart"),
    ({"prometheusRule": {"labels": {"app": "x"}}}, "prometheusRule.labels names the label app"),
    ({"postgresql": {"commonLabels": {"app.kubernetes.io/part-of": "x"}}}, "no upgrade can change: remove it"),
    (agent(podAnnotations={"checksum/config": "x"}), "agent.podAnnotations names checksum/config"),
    # Duplicates
    (agent(extraEnv=[{"name": "DATABASE_URL", "value": "x"}]), "agent.extraEnv has the name DATABASE_URL, which"),
    (agent(extraEnv=[{"name": "LOG_LEVEL", "value": "x"}]), "agent.extraEnv has the name LOG_LEVEL, which"),
    (agent(extraEnv=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]), "agent.extraEnv has the name A twice"),
    (agent(extraVolumes=[{"name": "tmp", "emptyDir": {}}]), "agent.extraVolumes has the name tmp, which"),
    (
        agent(extraVolumeMounts=[{"name": "x", "mountPath": "/tests"}]),
        "agent.extraVolumeMounts has the mountPath /tests",
    ),
    (agent(sidecars=[{"name": "agent", **CONTAINER}]), "has the name agent, which the chart sets itself"),
    (
        agent(sidecars=[{"name": "a", **CONTAINER}], initContainers=[{"name": "a", **CONTAINER}]),
        "agent.sidecars and agent.initContainers has the name a twice: keep one of the two",
    ),
    # One Secret, one source for each password
    ({"existingSecret": "kept"}, 'set postgresql.auth.existingSecret to "kept"'),
    (
        {"existingSecret": "kept", "postgresql": {"auth": {"existingSecret": "kept"}}},
        'set redis.auth.existingSecret to "kept"',
    ),
    ({"postgresql": {"auth": {"existingSecret": ""}}}, 'set postgresql.auth.existingSecret to "my-agent-secret"'),
    ({"global": {"postgresql": {"auth": {"existingSecret": "g"}}}}, 'postgresql.auth.existingSecret names "g"'),
    (kept(password="p"), "postgresql.auth.password and existingSecret are both set: remove the password"),
    (kept(postgresPassword="p"), "postgresql.auth.postgresPassword and existingSecret are both set"),
    (kept(replicationPassword="p"), "postgresql.auth.replicationPassword and existingSecret are both set"),
    (
        {**EXISTING, "redis": {"auth": {"existingSecret": "kept", "password": "p"}}},
        "redis.auth.password and existingSecret are both set",
    ),
    ({**EXISTING, "global": {"redis": {"password": "p"}}}, "global.redis.password and existingSecret"),
    ({**EXISTING, "externalDatabase": {"password": "p"}}, "externalDatabase.password and existingSecret"),
    (
        {"postgresql": {"auth": {"secretKeys": {"replicationPasswordKey": "r"}}, "architecture": "replication"}},
        "the chart's own Secret has the key replication-password: remove it",
    ),
    ({"redis": {"auth": {"existingSecretPasswordKey": "r"}}}, "own Secret has the key redis-password: remove it"),
    # Servers of one's own
    ({"postgresql": {"enabled": False}}, "set externalDatabase.host, or name a Secret that holds its URL"),
    (agent(urls={"cache": []}), "agent.urls.cache is empty, but there is a cache: set redis.enabled to false"),
    (agent(urls={"database": [{"name": "A"}, {"name": "A"}]}), "agent.urls has the name A twice: keep one"),
    (agent(urls={"database": [{"name": "LOG_LEVEL"}]}), "agent.urls has the name LOG_LEVEL, which the chart sets"),
    (agent(urls={"database": [{"name": "REDIS_URL"}]}, extraEnv=[]), "agent.urls has the name REDIS_URL twice"),
    (agent(urls={"database": [{"name": "DATABASE_URL", "part": "host"}]}), "give the part a name of its own"),
    (
        agent(urls={"database": [{"name": "A", "part": "host", "scheme": "x"}]}),
        "a part has neither, keep one",
    ),
    (
        {"redis": {"enabled": False}, "agent": {"urls": {"database": [{"name": "REDIS_URL"}], "cache": []}}},
        "agent.urls gives REDIS_URL the URL of the other server",
    ),
    (
        agent(urls={"database": [{"name": "A"}]}, extraEnv=[{"name": "A", "value": "x"}]),
        "agent.extraEnv has the name A, which the chart sets itself",
    ),
    (agent(env={"SCHEMA_LEDGER": "x"}), "agent.env has the name SCHEMA_LEDGER, which the chart sets itself"),
    # The process
    (
        agent(livenessProbe={"tcpSocket": {}, "exec": {"command": ["true"]}}),
        "agent.livenessProbe asks by exec and tcpSocket: keep one of them",
    ),
    (
        {"serviceMonitor": {"enabled": True}, "agent": {"metrics": {"path": ""}}},
        "serviceMonitor.enabled is true, but agent.metrics.path is empty",
    ),
    # Doors
    ({"ingress": {"enabled": True}}, "ingress.enabled is true, but ingress.hosts is empty"),
    ({"httpRoute": {"enabled": True}}, "httpRoute.enabled is true, but httpRoute.parentRefs is empty"),
    ({"externalSecret": {"enabled": True}}, "externalSecret.enabled is true, but existingSecret is empty"),
    ({**EXISTING, "externalSecret": {"enabled": True}}, "externalSecret.storeRef.name is empty: name the store"),
    (
        {**EXISTING, "externalSecret": {"enabled": True, "storeRef": {"name": "s"}}},
        "externalSecret.data and externalSecret.dataFrom are empty",
    ),
    # The migration's tool
    ({"migration": {"tool": "command"}}, "migration.tool is command, but migration.command is empty"),
    ({"migration": {"command": ["x"]}}, "migration.command is set, but migration.tool is alembic"),
    (
        {"migration": {"alembic": {"config": "a.ini", "scriptLocation": "b"}}},
        "migration.alembic.config and migration.alembic.scriptLocation are both set",
    ),
    (
        {"migration": {"tool": "none", "alembic": {"config": "a.ini"}}},
        "migration.alembic is set, but migration.tool is none",
    ),
    ({"externalDatabase": {"host": "db"}}, "set postgresql.enabled to false to use your own server"),
    ({"externalCache": {"host": "kv"}}, "set redis.enabled to false to use your own server"),
    (
        {"postgresql": {"enabled": False}, "externalDatabase": {"host": "10.0.0.1"}},
        "externalDatabase.password is empty: give the password of your server",
    ),
    ({"redis": {"sentinel": {"enabled": True}}}, "set it to false"),
    # Addresses
    (agent(llm={"baseUrl": "https://llm.example.org/v1"}), "networkPolicy.model.to does not say at which addresses"),
    (agent(tracing={"endpoint": "http://collector:4318"}), "networkPolicy.tracing.to does not say at which addresses"),
    (
        {"postgresql": {"enabled": False}, "externalDatabase": {"host": "db.example.org", "password": "p"}},
        "postgresql.enabled is false, but networkPolicy.database.to does not say",
    ),
    (
        {"redis": {"enabled": False}, "externalCache": {"host": "kv.example.org"}},
        "redis.enabled is false, but networkPolicy.cache.to does not say",
    ),
    *(
        (
            {"postgresql": {"auth": {"username": name}}},
            f"postgresql.auth.username is {name}, which PostgreSQL keeps for itself",
        )
        for name in ("pg_agent", "public", "none")
    ),
    *(
        (
            {"postgresql": {"auth": {"database": name}}},
            f"postgresql.auth.database is {name}, which every PostgreSQL has for itself",
        )
        for name in ("template0", "template1")
    ),
    *(
        (
            {"postgresql": {"architecture": "replication", "auth": {"replicationUsername": name}}},
            f"postgresql.auth.replicationUsername is {name}, which is the name of another role",
        )
        for name in ("postgres", "agent_user", "pg_monitor", "none")
    ),
]


@pytest.mark.parametrize(("values", "sentence"), GUARDS)
def test_mistake_stops_with_one_sentence(render: Render, values: Object, sentence: str) -> None:
    with pytest.raises(RenderError) as refused:
        render(values)
    (line,) = [line for line in str(refused.value).splitlines() if line.startswith("Error:")]
    assert sentence in line
    assert line.endswith(".")


@pytest.mark.parametrize(
    "values",
    [
        budget(1, minAvailable=1),
        budget(3, minAvailable="60%"),
        budget(2, enabled=False, minAvailable=2),
        {"commonLabels": {"team": "one"}, "agent": {"podLabels": {"team": "other"}}},
        # What Bitnami's upgrade check wants to see beside an existing Secret.
        kept(password="unused", replicationPassword="unused"),
        {**EXISTING, "redis": {"auth": {"existingSecret": "kept", "existingSecretPasswordKey": "theirs"}}},
        {"networkPolicy": {"enabled": False}, "agent": {"llm": {"baseUrl": "https://llm.example.org/v1"}}},
        {"networkPolicy": {"model": {"to": ANY}}, "agent": {"llm": {"baseUrl": "https://llm.example.org/v1"}}},
    ],
)
def test_what_is_no_mistake(render: Render, values: Object) -> None:
    assert render(values)


def test_replication_needs_its_password_in_the_existing_secret(render: Render, cluster: Cluster) -> None:
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kept"}, "data": {"password": "eA=="}}
    cluster.add(secret)
    values: Object = {**EXISTING, "postgresql": {"architecture": "replication", "auth": {"existingSecret": "kept"}}}
    with pytest.raises(RenderError, match="the Secret kept has no key replication-password: add the password"):
        render(values, cluster=cluster)
    secret["data"]["replication-password"] = "eA=="
    assert render(values, cluster=cluster)


def test_unused_password_is_none(render: Render) -> None:
    secret = render({"postgresql": {"auth": {"password": "unused"}}}).secret()
    assert len(secret["password"]) == 32


def database(name: str) -> Object:
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}}


@pytest.mark.parametrize(
    ("live", "environment", "words"),
    [
        ("my-agent-postgresql", "prod", "is replication, but the database of this release is standalone"),
        ("my-agent-postgresql-primary", "dev", "is standalone, but the database of this release is replication"),
    ],
)
def test_values_of_another_environment_do_not_replace_the_database(
    render: Render, cluster: Cluster, live: str, environment: str, words: str
) -> None:
    cluster.add(database(live))
    with pytest.raises(RenderError, match=words):
        render(environment, cluster=cluster)
    same = "dev" if environment == "prod" else "prod"
    assert live in render(same, cluster=cluster).names("StatefulSet")


def server(chart: str, name: str) -> Object:
    """A live database or cache of the release, as both sources of subcharts label it."""
    component = {"postgresql": "primary", "redis": "master"}[chart]
    labels = {"app.kubernetes.io/instance": "my-agent", "app.kubernetes.io/component": component}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "labels": labels}}


def claim(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}


OWN_DATABASE: Object = {
    "postgresql": {"enabled": False},
    "externalDatabase": {"host": "db.example.org", "password": "p"},
    "networkPolicy": {"database": {"to": ANY}},
}
OWN_CACHE: Object = {
    "redis": {"enabled": False},
    "externalCache": {"host": "kv.example.org"},
    "networkPolicy": {"cache": {"to": ANY}},
}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"postgresql": {"nameOverride": "pg"}}, "these values name it my-agent-pg"),
        ({"postgresql": {"fullnameOverride": "other"}}, "these values name it other"),
        (
            {"postgresql": {"architecture": "replication"}},
            "is replication, but the database of this release is standalone",
        ),
        ({"redis": {"nameOverride": "kv"}}, "these values name it my-agent-kv-master"),
        ({"redis": {"fullnameOverride": "other"}}, "these values name it other-master"),
        (OWN_DATABASE, "postgresql.enabled is false, but the database of this release is the StatefulSet"),
        (OWN_CACHE, "redis.enabled is false, but the cache of this release is the StatefulSet"),
    ],
)
def test_an_upgrade_leads_to_the_same_servers(render: Render, cluster: Cluster, values: Object, words: str) -> None:
    cluster.add(server("postgresql", "my-agent-postgresql"))
    cluster.add(server("redis", "my-agent-redis-master"))
    cluster.add(server("postgresql", "of-another-release") | {"metadata": {"name": "of-another-release", "labels": {}}})
    assert render("dev", cluster=cluster)
    with pytest.raises(RenderError, match=words):
        render("dev", values, cluster=cluster)


@pytest.mark.parametrize(
    ("server", "change", "words"),
    [
        ("postgresql", ({"existingClaim": "a"}, {"existingClaim": "a", "size": "9Gi"}), ""),
        (
            "postgresql",
            ({"existingClaim": "a"}, {"existingClaim": "b"}),
            "another volume (claim b) than they are in (claim a)",
        ),
        (
            "postgresql",
            ({"existingClaim": "a"}, {"enabled": False}),
            "another volume (emptyDir) than they are in (claim a)",
        ),
        (
            "postgresql",
            ({"enabled": False}, {"existingClaim": "b"}),
            "another volume (claim b) than they are in (emptyDir)",
        ),
        (
            "redis",
            ({"existingClaim": "a"}, {"existingClaim": "b"}),
            "another volume (claim b) than they are in (claim a)",
        ),
        ("redis", ({"enabled": False}, {"enabled": False}), ""),
    ],
)
def test_the_data_of_a_server_stay_in_their_volume(
    render: Render, cluster: Cluster, server: str, change: tuple[Object, Object], words: str
) -> None:
    now, then = change
    component = {"postgresql": "primary", "redis": "master"}[server]
    name = {"postgresql": "my-agent-postgresql", "redis": "my-agent-redis-master"}[server]
    cluster.add(render("dev", {server: {component: {"persistence": now}}}).one("StatefulSet", name))
    values: Object = {server: {component: {"persistence": then}}}
    if not words:
        assert render("dev", values, cluster=cluster)
        return
    with pytest.raises(RenderError, match=re.escape(words)):
        render("dev", values, cluster=cluster)


BUNDLED = {"postgresql": "my-agent-postgresql", "redis": "my-agent-redis-master"}


@pytest.mark.parametrize(
    ("values", "bundled", "volume"),
    [
        (OWN_DATABASE, "postgresql", "data-my-agent-postgresql-0"),
        (OWN_CACHE, "redis", "redis-data-my-agent-redis-master-0"),
    ],
)
def test_a_release_with_servers_of_its_own_gets_no_empty_ones(
    render: Render, empty_cluster: Cluster, values: Object, bundled: str, volume: str
) -> None:
    """The other server of the release is bundled before and after."""
    for name, live in BUNDLED.items():
        if name != bundled:
            empty_cluster.add(server(name, live))
    empty_cluster.add({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "my-agent"}})
    assert render("dev", values, cluster=empty_cluster)
    with pytest.raises(RenderError, match=f"{bundled}.enabled is true, but this release runs without"):
        render("dev", cluster=empty_cluster)
    # Its volume is there: the data were moved into it, or the StatefulSet was deleted to be made anew.
    empty_cluster.add(claim(volume))
    assert render("dev", cluster=empty_cluster)


@pytest.mark.parametrize(("name", "given"), [("username", "other"), ("database", "other"), ("username", "")])
def test_the_living_databases_own_names_stay(render: Render, cluster: Cluster, name: str, given: str) -> None:
    cluster.add(render("dev").one("Secret"))
    assert render("dev", cluster=cluster)
    with pytest.raises(RenderError, match=f"postgresql.auth.{name} is .*, but the living database was made with"):
        render("dev", {"postgresql": {"auth": {name: given}}}, cluster=cluster)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"agent": {"replicaCount": 2}}, ""),
        ({"nameOverride": "x"}, "The selector of the Deployment my-agent is"),
        ({"fullnameOverride": "x"}, "is the Deployment my-agent, and fullnameOverride names it x"),
    ],
)
def test_names_stay_as_they_were_installed(render: Render, cluster: Cluster, values: Object, words: str) -> None:
    cluster.add(render("dev").one("Deployment"))
    if not words:
        assert render("dev", values, cluster=cluster)
        return
    with pytest.raises(RenderError, match=re.escape(words)):
        render("dev", values, cluster=cluster)


CLAIM: Object = {"persistence": {"existingClaim": "shared"}}
REPLICATED: Object = {"architecture": "replication"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"postgresql": {"primary": CLAIM}, "redis": {"master": {"persistence": {"existingClaim": "other"}}}}, ""),
        (
            {"postgresql": {"primary": CLAIM}, "redis": {"master": CLAIM}},
            "redis.master.persistence.existingClaim is shared",
        ),
        (
            {"postgresql": REPLICATED | {"primary": CLAIM, "readReplicas": CLAIM | {"replicaCount": 1}}},
            "is shared, which postgresql.primary uses as well",
        ),
        ({"postgresql": REPLICATED | {"readReplicas": CLAIM | {"replicaCount": 2}}}, "is one claim for 2 pods"),
        ({"redis": REPLICATED | {"replica": CLAIM | {"replicaCount": 3}}}, "is one claim for 3 pods"),
        # What is not installed uses nothing.
        ({"postgresql": {"primary": CLAIM, "readReplicas": CLAIM}}, ""),
    ],
)
def test_a_claim_is_one_servers(render: Render, values: Object, words: str) -> None:
    if not words:
        assert render("dev", values)
        return
    with pytest.raises(RenderError, match=re.escape(words)):
        render("dev", values)


@pytest.mark.parametrize(
    ("request_", "limit"),
    [
        ("1Gi", "1Gi"),
        ("1024Mi", "1Gi"),
        ("1G", "1Gi"),
        ("1Pi", "1Ei"),
        (".5Gi", "512Mi"),
        ("5e8", 5e8),
        ("1E", "2E"),
        (1, 2),
    ],
)
def test_a_request_up_to_its_limit_in_every_spelling(render: Render, request_: t.Any, limit: t.Any) -> None:
    made = render(agent(resources=resources(request_, limit)))
    (container,) = made.one("Deployment")["spec"]["template"]["spec"]["containers"]
    assert quantity(container["resources"]["requests"]["memory"]) == quantity(request_)
