"""The embedded PostgreSQL and Redis charts: Bitnami's names, what they refuse, where passwords come from."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.chart.cluster import Cluster
from tests.chart.conftest import Object, Rendered, RenderError

RELEASE = "my-agent"
CHARTS = ("postgresql", "redis")
MAIN = {"postgresql": "primary", "redis": "master"}
# What a values file has to say at least.
BASE: dict[str, Object] = {
    "postgresql": {
        "image": {"tag": "15"},
        "auth": {"username": "agent_user", "database": "agent_db"},
        "commonLabels": {"app": "{{ .Release.Name }}"},
    },
    "redis": {"image": {"tag": "7.0"}, "commonLabels": {"app": "{{ .Release.Name }}"}},
}
# Every list and switch that adds something to a manifest.
FULL: Object = {
    "podLabels": {"team": "{{ .Release.Name }}-team"},
    "podAnnotations": {"note": "{{ .Release.Namespace }}"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "data", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "priorityClassName": "data",
    "extraEnvVars": [{"name": "EXTRA", "value": "{{ .Release.Name }}"}],
    "extraVolumes": [{"name": "extra", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "extra", "mountPath": "/extra"}],
    "persistence": {"enabled": True, "storageClass": "fast", "annotations": {"keep": "yes"}, "size": "3Gi"},
    "service": {"type": "NodePort", "annotations": {"who": "me"}},
}


class Render(t.Protocol):
    """Renders one of the two charts alone."""

    def __call__(self, name: str, *values: Object, release: str = RELEASE, cluster: Cluster | None = None) -> Rendered:
        """Render with the least values and `values` on top.

        :raises RenderError: helm refuses
        """


@pytest.fixture(scope="session")
def subchart(helm: str, subcharts: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render an embedded chart with `helm template`."""
    scratch = tmp_path_factory.mktemp("subcharts")

    def call(name: str, *values: Object, release: str = RELEASE, cluster: Cluster | None = None) -> Rendered:
        command = [helm, "template", release, str(subcharts / name), "--namespace", "test"]
        for number, given in enumerate((BASE[name], *values)):
            file = scratch / f"{number}.yaml"
            file.write_text(yaml.safe_dump(given), encoding="utf-8")
            command += ["-f", str(file)]
        if cluster:
            command += ["--is-upgrade", "--dry-run=server", "--disable-openapi-validation"]
            command += ["--kubeconfig", str(cluster.kubeconfig)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RenderError(done.stderr)
        return Rendered(item for item in yaml.load_all(done.stdout, Loader=UniqueKeys) if item)

    return call


class UniqueKeys(yaml.SafeLoader):
    """YAML in which a key stands once: Kubernetes takes the last of two, so the first would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[t.Hashable, t.Any]:
        """Construct a mapping; refuse a second key of the same name."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands twice: {keys} ({node.start_mark})"
        return super().construct_mapping(node, deep)


def refused(subchart: Render, name: str, values: Object) -> str:
    """Return the message with which helm refuses values."""
    with pytest.raises(RenderError) as caught:
        subchart(name, values)
    return str(caught.value)


# Shape


@pytest.mark.parametrize("version", ["1.30", "1.34"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", CHARTS)
def test_valid(subchart: Render, name: str, full: bool, version: str) -> None:
    values: Object = {"serviceAccount": {"create": True}, "commonAnnotations": {"by": "{{ .Release.Name }}"}}
    values |= {"image": {"pullSecrets": ["own"]}, "global": {"imagePullSecrets": ["all"]}, MAIN[name]: FULL}
    for item in subchart(name, values if full else {}):
        kubernetes_validate.validate(item, version, strict=True)


@pytest.mark.parametrize("name", CHARTS)
def test_lint(helm: str, subcharts: Path, tmp_path: Path, name: str) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(BASE[name]))
    command = [helm, "lint", "--strict", str(subcharts / name), "-f", str(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_names_of_postgresql(subchart: Render) -> None:
    made = subchart(
        "postgresql", {"primary": {"extendedConfiguration": "a = 1", "initdb": {"scripts": {"a.sql": "x"}}}}
    )
    assert {(item["kind"], item["metadata"]["name"]) for item in made} == {
        ("StatefulSet", "my-agent-postgresql"),
        ("Service", "my-agent-postgresql"),
        ("Service", "my-agent-postgresql-hl"),
        ("Secret", "my-agent-postgresql"),
        ("ConfigMap", "my-agent-postgresql-extended-configuration"),
        ("ConfigMap", "my-agent-postgresql-init-scripts"),
    }
    state = made.one("StatefulSet")["spec"]
    assert state["serviceName"] == "my-agent-postgresql-hl"
    assert [claim["metadata"]["name"] for claim in state["volumeClaimTemplates"]] == ["data"]
    assert set(made.secret("my-agent-postgresql")) == {"postgres-password", "password"}


def test_names_of_redis(subchart: Render) -> None:
    made = subchart("redis")
    assert {(item["kind"], item["metadata"]["name"]) for item in made} == {
        ("StatefulSet", "my-agent-redis-master"),
        ("Service", "my-agent-redis-master"),
        ("Service", "my-agent-redis-headless"),
        ("Secret", "my-agent-redis"),
        ("ConfigMap", "my-agent-redis-configuration"),
    }
    state = made.one("StatefulSet")["spec"]
    assert state["serviceName"] == "my-agent-redis-headless"
    assert [claim["metadata"]["name"] for claim in state["volumeClaimTemplates"]] == ["redis-data"]
    assert set(made.secret("my-agent-redis")) == {"redis-password"}


@pytest.mark.parametrize(
    ("name", "release", "values", "expected"),
    [
        ("postgresql", "my-postgresql", {}, "my-postgresql"),
        ("postgresql", RELEASE, {"nameOverride": "db"}, "my-agent-db"),
        ("postgresql", RELEASE, {"fullnameOverride": "database"}, "database"),
        ("redis", "redis-x", {}, "redis-x-master"),
        ("redis", RELEASE, {"nameOverride": "cache"}, "my-agent-cache-master"),
        ("redis", RELEASE, {"fullnameOverride": "cache"}, "cache-master"),
    ],
)
def test_name_follows_bitnamis_rule(subchart: Render, name: str, release: str, values: Object, expected: str) -> None:
    made = subchart(name, values, release=release)
    assert made.one("StatefulSet")["metadata"]["name"] == expected
    made.one("Service", expected)


@pytest.mark.parametrize(("name", "port"), [("postgresql", 5432), ("redis", 6379)])
def test_services_reach_the_pods(subchart: Render, name: str, port: int) -> None:
    made = subchart(name)
    state = made.one("StatefulSet")["spec"]
    container = state["template"]["spec"]["containers"][0]
    inner = {"postgresql": "tcp-postgresql", "redis": "redis"}[name]
    assert container["ports"] == [{"name": inner, "containerPort": port}]
    services = [item["spec"] for item in made if item["kind"] == "Service"]
    assert len(services) == 2
    for service in services:
        assert service["ports"] == [{"name": f"tcp-{name}", "port": port, "targetPort": inner}]
        assert service["selector"].items() <= state["selector"]["matchLabels"].items()
        assert service["selector"].items() <= state["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("name", CHARTS)
def test_port_of_the_service(subchart: Render, name: str) -> None:
    made = subchart(name, {MAIN[name]: {"service": {"ports": {name: 7000}}}})
    assert {item["spec"]["ports"][0]["port"] for item in made if item["kind"] == "Service"} == {7000}


@pytest.mark.parametrize("name", CHARTS)
def test_labels(subchart: Render, name: str) -> None:
    made = subchart(name)
    every = [item["metadata"]["labels"] for item in made]
    every += [pod["metadata"]["labels"] for pod in made.pods().values()]
    for labels in every:
        assert labels["app"] == RELEASE
        assert labels["app.kubernetes.io/name"] == name
        assert labels["app.kubernetes.io/instance"] == RELEASE
        assert labels["app.kubernetes.io/component"] == MAIN[name]
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["helm.sh/chart"].endswith("_embedded")
    assert "app" not in made.one("StatefulSet")["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("name", CHARTS)
def test_everything_given_arrives(subchart: Render, name: str) -> None:
    made = subchart(name, {MAIN[name]: FULL, "commonAnnotations": {"by": "{{ .Release.Name }}"}})
    state = made.one("StatefulSet")
    pod = state["spec"]["template"]
    container = pod["spec"]["containers"][0]
    assert pod["metadata"]["labels"]["team"] == "my-agent-team"
    assert pod["metadata"]["annotations"]["note"] == "test"
    assert state["metadata"]["annotations"]["by"] == RELEASE
    for key in ("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName"):
        assert pod["spec"][key] == FULL[key]
    assert {"name": "EXTRA", "value": RELEASE} in container["env"]
    assert FULL["extraVolumeMounts"][0] in container["volumeMounts"]
    assert FULL["extraVolumes"][0] in pod["spec"]["volumes"]
    (claim,) = state["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["annotations"] == {"keep": "yes"}
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"
    service = next(item for item in made if item["kind"] == "Service" and item["spec"]["type"] == "NodePort")
    assert service["metadata"]["annotations"] == {"by": RELEASE, "who": "me"}


# Safety


@pytest.mark.parametrize("name", CHARTS)
def test_restricted(subchart: Render, name: str) -> None:
    """Pod Security "restricted", and a root file system that nobody writes to."""
    state = subchart(name).one("StatefulSet")["spec"]
    spec = state["template"]["spec"]
    assert state["podManagementPolicy"] == "Parallel"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["fsGroup"] == 1001
    context = spec["containers"][0]["securityContext"]
    assert context["runAsNonRoot"] is True
    assert (context["runAsUser"], context["runAsGroup"]) == (1001, 0)
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["containers"][0]["resources"]["requests"].keys() == {"cpu", "memory"}
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= spec["containers"][0].keys()


@pytest.mark.parametrize("name", CHARTS)
def test_openshift_can_give_its_own_ids(subchart: Render, name: str) -> None:
    off: Object = {"podSecurityContext": {"enabled": False}, "containerSecurityContext": {"enabled": False}}
    spec = subchart(name, {MAIN[name]: off}).one("StatefulSet")["spec"]["template"]["spec"]
    assert spec["securityContext"] == spec["containers"][0]["securityContext"] == {}


@pytest.mark.parametrize("name", CHARTS)
def test_a_probe_can_be_left_out(subchart: Render, name: str) -> None:
    made = subchart(name, {MAIN[name]: {"livenessProbe": {"enabled": False}}})
    container = made.one("StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    assert "livenessProbe" not in container
    assert "readinessProbe" in container


def test_no_probe_interrupts_a_recovery(subchart: Render) -> None:
    """A server that answers "not yet" is alive, one that does not answer is not; only readiness asks for more."""

    def command(name: str, probe: str) -> list[str]:
        container = subchart(name).one("StatefulSet")["spec"]["template"]["spec"]["containers"][0]
        return t.cast(list[str], container[probe]["exec"]["command"])

    def succeeds(probe: str, answer: int, folder: Path) -> bool:
        stand_in = folder / "pg_isready"
        stand_in.write_text(f"#!/bin/sh\nexit {answer}\n")
        stand_in.chmod(0o755)
        done = subprocess.run(command("postgresql", probe), env={"PATH": f"{folder}:/usr/bin:/bin"}, check=False)
        return done.returncode == 0

    with tempfile.TemporaryDirectory() as folder:
        # pg_isready: 0 accepts, 1 rejects (starting up, recovering, shutting down), 2 no answer
        answers = {
            probe: [succeeds(probe, answer, Path(folder)) for answer in (0, 1, 2)]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        }
    assert answers == {
        "startupProbe": [True, True, False],
        "livenessProbe": [True, True, False],
        "readinessProbe": [True, False, False],
    }
    kinds = [command("redis", probe)[-1] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert kinds == ["alive", "alive", "ready"]


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_a_replica_is_alive_while_its_copy_grows(subchart: Render, tmp_path: Path, probe: str) -> None:
    values = {"architecture": "replication", "readReplicas": {"replicaCount": 1}}
    sets = {item["metadata"]["name"]: item for item in subchart("postgresql", values) if item["kind"] == "StatefulSet"}
    stand_in = tmp_path / "pg_isready"
    stand_in.write_text("#!/bin/sh\nexit 2\n")
    stand_in.chmod(0o755)

    def alive(name: str) -> bool:
        container = sets[name]["spec"]["template"]["spec"]["containers"][0]
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PGDATA": str(tmp_path / "data")}
        return subprocess.run(container[probe]["exec"]["command"], env=env, check=False).returncode == 0

    primary, replica = "my-agent-postgresql-primary", "my-agent-postgresql-read"
    assert not alive(replica)
    copied = tmp_path / "data.incomplete" / "base"
    copied.mkdir(parents=True)
    assert alive(replica)
    assert not alive(primary)
    for path in (copied, copied.parent):
        os.utime(path, (time.time() - 3600, time.time() - 3600))
    assert not alive(replica)


@pytest.mark.parametrize("name", CHARTS)
def test_passwords_are_files(subchart: Render, name: str) -> None:
    """No password in the environment, in a ConfigMap or in the StatefulSet."""
    given = {"password": "tell-nobody", **({"postgresPassword": "tell-no-one"} if name == "postgresql" else {})}
    made = subchart(name, {"auth": given})
    for item in made:
        text = yaml.safe_dump(item)
        assert "tell-no" not in text, item["kind"]
        assert "secretKeyRef" not in text
        assert item["kind"] == "Secret" or base64.b64encode(b"tell-nobody").decode() not in text


def test_image(subchart: Render) -> None:
    def image(values: Object) -> str:
        return t.cast(
            str, subchart("redis", values).pods()["StatefulSet/my-agent-redis-master"]["spec"]["containers"][0]["image"]
        )

    digest = "sha256:" + "a" * 64
    assert image({}) == "ai-platform.local/redis:7.0"
    assert image({"image": {"registry": "r.example:5000", "repository": "a/b"}}) == "r.example:5000/a/b:7.0"
    assert image({"image": {"digest": digest}}) == f"ai-platform.local/redis@{digest}"
    assert image({"global": {"imageRegistry": "mirror.example"}}) == "mirror.example/redis:7.0"


@pytest.mark.parametrize("name", CHARTS)
def test_volume(subchart: Render, name: str) -> None:
    main, volume = MAIN[name], {"postgresql": "data", "redis": "redis-data"}[name]

    def state(persistence: Object, **values: t.Any) -> Object:
        made = subchart(name, {main: {"persistence": persistence}, **values})
        return t.cast(Object, made.one("StatefulSet")["spec"])

    def mounted(spec: Object) -> Object:
        return next(item for item in spec["template"]["spec"]["volumes"] if item["name"] == volume)

    memory = state({"enabled": False})
    assert mounted(memory) == {"name": volume, "emptyDir": {}}
    own = state({"existingClaim": "{{ .Release.Name }}-mine"})
    assert mounted(own)["persistentVolumeClaim"] == {"claimName": "my-agent-mine"}
    assert "volumeClaimTemplates" not in memory.keys() | own.keys()
    assert state({"storageClass": "-"})["volumeClaimTemplates"][0]["spec"]["storageClassName"] == ""
    everywhere = state({"storageClass": "slow"}, **{"global": {"storageClass": "fast"}})
    assert everywhere["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "fast"


# Refusals


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        (
            "postgresql",
            {"replication": {"numSynchronousReplicas": 2}},
            "numSynchronousReplicas is 2, but postgresql.readReplicas.replicaCount is 1, .* lower it",
        ),
        (
            "postgresql",
            {"readReplicas": {"extraEnvVars": [{"name": "POSTGRES_MASTER_HOST", "value": "x"}]}},
            "postgresql.readReplicas.extraEnvVars names POSTGRES_MASTER_HOST, which",
        ),
        (
            "postgresql",
            {"readReplicas": {"podLabels": {"app.kubernetes.io/component": "x"}}},
            "postgresql.readReplicas.podLabels names .*component, which",
        ),
        ("postgresql", {"tls": {"enabled": True}}, "postgresql.tls.enabled is true, but .* Bitnami's chart"),
        ("postgresql", {"ldap": {"enabled": True}}, "postgresql.ldap.enabled is true, but .* Bitnami's chart"),
        (
            "postgresql",
            {"metrics": {"enabled": True}},
            "postgresql.metrics.enabled is true, but .* exporter of your own",
        ),
        ("postgresql", {"backup": {"enabled": True}}, "postgresql.backup.enabled is true, but .* pg_dump in a CronJob"),
        (
            "postgresql",
            {"networkPolicy": {"enabled": True}},
            "postgresql.networkPolicy.enabled .* NetworkPolicy of your own",
        ),
        ("postgresql", {"volumePermissions": {"enabled": True}}, "postgresql.volumePermissions.enabled .*fsGroup"),
        ("postgresql", {"auth": {"database": ""}}, "postgresql.auth.username is agent_user, but .* name the database"),
        (
            "postgresql",
            {"auth": {"username": "", "enablePostgresUser": False}},
            "postgresql.auth.enablePostgresUser is false .* nobody could log in",
        ),
        (
            "postgresql",
            {"primary": {"initdb": {"scripts": {"a.sql": "x"}, "scriptsConfigMap": "own"}}},
            "postgresql.primary.initdb.scripts and scriptsConfigMap are both set",
        ),
        ("postgresql", {"commonLabels": {"app.kubernetes.io/name": "x"}}, "postgresql.commonLabels names .*name"),
        (
            "redis",
            {"master": {"podLabels": {"app.kubernetes.io/component": "x"}}},
            "redis.master.podLabels names .*component, which the chart sets",
        ),
        ("postgresql", {"image": {"tag": ""}}, "postgresql.image.tag is empty: name the tag"),
        (
            "redis",
            {"replica": {"extraEnvVars": [{"name": "REDIS_MASTER_HOST", "value": "x"}]}},
            "redis.replica.extraEnvVars names REDIS_MASTER_HOST, which",
        ),
        ("redis", {"sentinel": {"enabled": True}}, "redis.sentinel.enabled is true, but .* Bitnami's chart"),
        ("redis", {"tls": {"enabled": True}}, "redis.tls.enabled is true, but .* Bitnami's chart"),
        ("redis", {"metrics": {"enabled": True}}, "redis.metrics.enabled is true, but .* exporter of your own"),
        ("redis", {"networkPolicy": {"enabled": True}}, "redis.networkPolicy.enabled .* NetworkPolicy of your own"),
        ("redis", {"sysctl": {"enabled": True}}, "redis.sysctl.enabled is true, but .* on the nodes"),
        ("redis", {"pdb": {"create": True}}, "redis.pdb.create is true, but .* block the drain"),
        ("redis", {"image": {"tag": ""}}, "redis.image.tag is empty: name the tag"),
        (
            "postgresql",
            {"primary": {"extraEnvVars": [{"name": "PGDATA", "value": "/x"}]}},
            "postgresql.primary.extraEnvVars names PGDATA, which",
        ),
        (
            "redis",
            {"master": {"extraEnvVars": [{"name": "REDIS_PORT", "value": "1"}]}},
            "redis.master.extraEnvVars names REDIS_PORT, which",
        ),
        ("postgresql", {"fullnameOverride": "p" * 53}, "name p+ has 53 characters, .* up to 52: shorten the release"),
        ("redis", {"fullnameOverride": "r" * 46}, "name r+-master has 53 characters, .* set redis.fullnameOverride"),
    ],
)
def test_missing_feature_is_refused_in_one_sentence(subchart: Render, name: str, values: Object, sentence: str) -> None:
    message = refused(subchart, name, values)
    (line,) = [line for line in message.splitlines() if line.startswith("Error:")]
    assert re.search(sentence, line), line
    assert line.endswith("."), line


@pytest.mark.parametrize(
    ("name", "values", "key"),
    [
        ("postgresql", {"service": {"ports": {"postgresql": 1}}}, "service"),
        ("postgresql", {"primary": {"replicaCount": 2}}, "replicaCount"),
        ("postgresql", {"primary": {"persistence": {"siez": "1Gi"}}}, "siez"),
        ("postgresql", {"replica": {"replicaCount": 2}}, "replica"),
        ("postgresql", {"auth": {"postgresqlPassword": "x"}}, "postgresqlPassword"),
        ("redis", {"password": "x"}, "password"),
        ("redis", {"master": {"persistance": {}}}, "persistance"),
        ("redis", {"auth": {"acl": {}}}, "acl"),
    ],
)
def test_unknown_key_is_refused_by_name(subchart: Render, name: str, values: Object, key: str) -> None:
    message = refused(subchart, name, values)
    assert f"{name}:" in message
    assert f"additional properties '{key}' not allowed" in message


@pytest.mark.parametrize(
    ("name", "values", "path"),
    [
        ("postgresql", {"architecture": "cluster"}, "/architecture"),
        ("postgresql", {"auth": {"password": 1234}}, "/auth/password"),
        ("postgresql", {"image": {"digest": "latest"}}, "/image/digest"),
        ("postgresql", {"primary": {"persistence": {"size": "big"}}}, "/primary/persistence/size"),
        # No key of a ConfigMap: the API server would refuse it when half of the release is there.
        ("postgresql", {"primary": {"initdb": {"scripts": {"a b.sql": "x"}}}}, "/primary/initdb/scripts"),
        ("redis", {"master": {"persistence": {"path": "/elsewhere"}}}, "/master/persistence/path"),
        ("redis", {"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
        ("redis", {"auth": {"password": 1234}}, "/auth/password"),
    ],
)
def test_wrong_value_is_refused_by_path(subchart: Render, name: str, values: Object, path: str) -> None:
    assert f"- at '{path}'" in refused(subchart, name, values)


@pytest.mark.parametrize("name", CHARTS)
def test_switches_that_are_off_are_accepted(subchart: Render, name: str) -> None:
    """Values files written for Bitnami's charts say them."""
    off: Object = {
        "enabled": True,
        "global": {"security": {"allowInsecureImages": True}, "storageClass": ""},
        **{key: {"enabled": False} for key in ("metrics", "tls", "networkPolicy", "volumePermissions")},
    }
    if name == "postgresql":
        off |= {"backup": {"enabled": False}, "ldap": {"enabled": False}, "auth": {"usePasswordFiles": True}}
    else:
        off |= {
            "replica": {"replicaCount": 0, "resources": {}},
            "sentinel": {"enabled": False},
            "pdb": {"create": False},
        }
    assert subchart(name, off).names("StatefulSet") == subchart(name).names("StatefulSet")


# Secrets: an existing one, else what is live, else what is given, else generated


def secret_files(made: Rendered) -> tuple[str, list[str]]:
    """Return the Secret that the pod mounts, and its keys without those that may be missing."""
    (pod,) = made.pods().values()
    sources = [
        item["secret"] for volume in pod["spec"]["volumes"] for item in [volume, *projected(volume)] if "secret" in item
    ]
    (source,) = [item for item in sources if not item.get("optional")]
    return source.get("secretName") or source["name"], [item["key"] for item in source["items"]]


def projected(volume: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the sources of a projected volume."""
    return t.cast("list[dict[str, t.Any]]", volume.get("projected", {}).get("sources", []))


def test_existing_secret_of_postgresql(subchart: Render) -> None:
    keys = {"adminPasswordKey": "root-{{ .Release.Name }}", "userPasswordKey": "user"}
    made = subchart("postgresql", {"auth": {"existingSecret": "{{ .Release.Name }}-secret", "secretKeys": keys}})
    assert made.names("Secret") == []
    assert secret_files(made) == ("my-agent-secret", ["root-my-agent", "user"])


def test_existing_secret_of_redis(subchart: Render) -> None:
    existing = {"existingSecret": "{{ .Release.Name }}-secret", "existingSecretPasswordKey": "cache"}
    made = subchart("redis", {"auth": existing})
    assert made.names("Secret") == []
    assert secret_files(made) == ("my-agent-secret", ["cache"])
    assert secret_files(subchart("redis", {"auth": {"existingSecret": "mine"}})) == ("mine", ["redis-password"])


@pytest.mark.parametrize("key", ["", "cache"])
def test_redis_takes_a_second_password_at_its_start_where_the_secret_has_one(subchart: Render, key: str) -> None:
    """While a rotation is under way; in one volume with the first, so that both change at the same moment."""
    values = {"auth": {"existingSecret": "mine", "existingSecretPasswordKey": key}, "architecture": "replication"}
    pods = [made["spec"] for made in subchart("redis", values).pods().values()]
    assert len(pods) == 2
    name = key or "redis-password"
    for pod in pods:
        (volume,) = [each for each in pod["volumes"] if each["name"] == "secrets"]
        first, second = (source["secret"] for source in projected(volume))
        assert first == {"name": "mine", "items": [{"key": name, "path": "redis-password"}]}
        path = "redis-password-second"
        assert second == {"name": "mine", "optional": True, "items": [{"key": f"{name}-second", "path": path}]}
        (mount,) = [each["mountPath"] for each in pod["containers"][0]["volumeMounts"] if each["name"] == "secrets"]
        # The start script finds the second one beside the first.
        given = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
        assert f"{given['REDIS_PASSWORD_FILE']}-second" == f"{mount}/{path}"


def test_one_key_for_both_users(subchart: Render) -> None:
    """A volume names a key once."""
    keys = {"adminPasswordKey": "password", "userPasswordKey": "password"}
    made = subchart("postgresql", {"auth": {"existingSecret": "mine", "secretKeys": keys}})
    assert secret_files(made) == ("mine", ["password"])


def test_own_secret_has_fixed_keys(subchart: Render) -> None:
    """As in Bitnami's chart, names of keys count with an existing Secret only."""
    made = subchart("postgresql", {"auth": {"secretKeys": {"adminPasswordKey": "root"}}})
    assert secret_files(made) == ("my-agent-postgresql", ["postgres-password", "password"])


@pytest.mark.parametrize("name", CHARTS)
def test_generated_secret_is_kept_and_random(subchart: Render, name: str) -> None:
    secrets = [subchart(name).one("Secret") for _ in range(2)]
    assert secrets[0]["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    passwords = [base64.b64decode(value) for secret in secrets for value in secret["data"].values()]
    assert len(passwords) == len(set(passwords))
    assert all(len(password) == 24 for password in passwords)


def test_given_passwords(subchart: Render) -> None:
    made = subchart("postgresql", {"auth": {"password": 'a"b$\\ü', "postgresPassword": "root"}})
    assert made.secret("my-agent-postgresql") == {"password": 'a"b$\\ü', "postgres-password": "root"}
    assert subchart("redis", {"auth": {"password": "x"}}).secret("my-agent-redis") == {"redis-password": "x"}


def test_superuser_alone(subchart: Render) -> None:
    """Without a user of its own one password is left, and Bitnami's chart lets auth.password win."""
    made = subchart("postgresql", {"auth": {"username": "", "password": "a", "postgresPassword": "b"}})
    assert made.secret("my-agent-postgresql") == {"postgres-password": "a"}
    assert secret_files(made)[1] == ["postgres-password"]


def test_no_superuser(subchart: Render) -> None:
    made = subchart("postgresql", {"auth": {"enablePostgresUser": False}})
    assert set(made.secret("my-agent-postgresql")) == {"password"}
    assert secret_files(made)[1] == ["password"]


def test_global_auth_wins_but_not_its_empty_texts(subchart: Render) -> None:
    auth = {"username": "all", "password": "", "existingSecret": ""}
    both: Object = {"global": {"postgresql": {"auth": auth}}, "auth": {"password": "local"}}
    made = subchart("postgresql", both)
    assert made.secret("my-agent-postgresql")["password"] == "local"
    (pod,) = made.pods().values()
    assert {"name": "POSTGRES_USER", "value": "all"} in pod["spec"]["containers"][0]["env"]
    assert subchart("redis", {"global": {"redis": {"password": "g"}}, "auth": {"password": "l"}}).secret(
        "my-agent-redis"
    ) == {"redis-password": "g"}


@pytest.mark.parametrize("name", CHARTS)
def test_live_secret_wins_over_values_at_an_upgrade(subchart: Render, cluster: Cluster, name: str) -> None:
    """The volume knows the first password only."""
    secret = f"{RELEASE}-{name}"
    key = "password" if name == "postgresql" else "redis-password"
    data = {key: base64.b64encode(b"first").decode()}
    cluster.add({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret}, "data": data})
    made = subchart(name, {"auth": {"password": "second"}}, cluster=cluster)
    assert made.secret(secret)[key] == "first"


@pytest.mark.parametrize("name", CHARTS)
def test_upgrade_without_a_live_secret_asks_for_nothing(subchart: Render, cluster: Cluster, name: str) -> None:
    """Bitnami's charts fail here ("PASSWORDS ERROR"), which breaks every `helm diff`."""
    assert subchart(name, cluster=cluster).secret(f"{RELEASE}-{name}")


def test_redis_without_password(subchart: Render) -> None:
    made = subchart("redis", {"auth": {"enabled": False}})
    assert made.names("Secret") == []
    (pod,) = made.pods().values()
    assert {"name": "ALLOW_EMPTY_PASSWORD", "value": "yes"} in pod["spec"]["containers"][0]["env"]
    assert not any("secret" in volume for volume in pod["spec"]["volumes"])


# Configuration


def test_change_of_configuration_restarts_the_pod(subchart: Render) -> None:
    for name, values in (
        ("postgresql", {"primary": {"extendedConfiguration": "max_connections = {{ len .Release.Name }}"}}),
        ("redis", {"master": {"configuration": "maxmemory {{ len .Release.Name }}mb"}}),
    ):
        before, after = (next(iter(subchart(name, given).pods().values()))["metadata"] for given in ({}, values))
        assert before["annotations"] != after["annotations"]
    text = subchart("redis", {"master": {"configuration": "maxmemory {{ len .Release.Name }}mb"}})
    data = text.one("ConfigMap")["data"]
    assert data["redis.conf"].splitlines() == ["appendonly yes", 'save ""']
    assert data["master.conf"].splitlines() == [
        "maxmemory 8mb",
        'rename-command FLUSHDB ""',
        'rename-command FLUSHALL ""',
    ]


@pytest.mark.parametrize("text", ["  indented = 1\nnot = 2\n", "\n\n\ttab: [ { # \"'\n", "a = 'b'"])
def test_text_arrives_as_it_was_written(subchart: Render, text: str) -> None:
    """Whatever its indentation and its characters mean in YAML."""
    scripts = {"1.sql": text, "yes": text}
    made = subchart("postgresql", {"primary": {"extendedConfiguration": text, "initdb": {"scripts": scripts}}})
    data = {item["metadata"]["name"]: item["data"] for item in made if item["kind"] == "ConfigMap"}
    assert data["my-agent-postgresql-extended-configuration"] == {"override.conf": text}
    assert data["my-agent-postgresql-init-scripts"] == scripts
    lines = subchart("redis", {"commonConfiguration": text}).one("ConfigMap")["data"]["redis.conf"]
    assert lines.startswith(text.strip())


def test_longest_names_that_work(subchart: Render) -> None:
    assert subchart("postgresql", {"fullnameOverride": "p" * 52}).names("StatefulSet") == ["p" * 52]
    assert subchart("redis", {"fullnameOverride": "r" * 45}).names("StatefulSet") == ["r" * 45 + "-master"]


def test_init_scripts(subchart: Render) -> None:
    own = subchart("postgresql", {"primary": {"initdb": {"scripts": {"a.sql": "SELECT 1;\n"}, "user": "postgres"}}})
    assert own.one("ConfigMap")["data"]["a.sql"].strip() == "SELECT 1;"
    other = subchart("postgresql", {"primary": {"initdb": {"scriptsConfigMap": "{{ .Release.Name }}-sql"}}})
    for made, name in ((own, "my-agent-postgresql-init-scripts"), (other, "my-agent-sql")):
        (pod,) = made.pods().values()
        (volume,) = [item for item in pod["spec"]["volumes"] if item["name"] == "init-scripts"]
        assert volume["configMap"] == {"name": name}
    (pod,) = own.pods().values()
    assert {"name": "POSTGRES_INITSCRIPTS_USERNAME", "value": "postgres"} in pod["spec"]["containers"][0]["env"]
