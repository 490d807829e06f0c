"""The living release against the planned one, with Secrets: what leads elsewhere is told, and no password is."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import pod_proof, server_proof
from ansible_collections.ai_platform.agent.plugins.module_utils._release.info import look

from tests.unit.plugins.module_utils._kube.fake_cluster import FakeCluster, Object
from tests.unit.plugins.module_utils._release.manifests import living, release

CANARY = "c4n4ry"
URL = f"postgresql://agent:{CANARY}@demo-postgresql:5432/agent"
SECRET = {"password": CANARY, "database-url": URL, "migration-database-url": URL}


def encoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


def secret(name: str, **data: str) -> Object:
    return {"kind": "Secret", "metadata": {"name": name}, "data": encoded(SECRET | data)}


def service(name: str, port: int = 5432) -> Object:
    return {"kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": port}]}}


def look_for(objects: list[Object], kind: str) -> Object:
    return next(item for item in objects if item["kind"] == kind)


class World:
    """A release that lives, and what the role would write."""

    def __init__(self, folder: Path) -> None:
        self.planned = release()
        parts = [living(self.planned, "Deployment", availableReplicas=2), living(self.planned, "StatefulSet")]
        things = [{"kind": "Namespace", "metadata": {"name": "demo"}}, *parts, secret("demo-secret")]
        self.cluster = FakeCluster(folder, [*things, service("demo-postgresql")])
        self.expected = dict(SECRET)
        self.name = "demo-secret"

    def found(self, **more: t.Any) -> Object:
        params = more | {
            "release_name": "demo", "release_namespace": "demo", "secret_name": self.name, "secret_shown": [],
            "secret_expected": encoded(self.expected), "manifests": "\n---\n".join(map(json.dumps, self.planned)),
        }  # fmt: skip
        told = look(self.cluster, params)  # type: ignore[arg-type]
        assert CANARY not in str(told)
        return told

    def wanted_url(self, **parts: str) -> None:
        """Make the planned URLs others."""
        words = {"user": "agent", "password": CANARY, "host": "demo-postgresql:5432", "database": "agent"} | parts
        url = "postgresql://{user}:{password}@{host}/{database}".format(**words)
        self.expected |= {"database-url": url, "migration-database-url": url}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_nothing_changes(world: World) -> None:
    assert (world.found()["another"], world.found()["other_volumes"]) == ([], [])


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"host": "demo-postgresql-primary:5432"}, "these values lead to demo-postgresql-primary:5432/agent as agent"),
        ({"host": "demo-postgresql:5433"}, "these values lead to demo-postgresql:5433/agent"),
        ({"user": "other"}, "as agent; these values lead to demo-postgresql:5432/agent as other"),
        ({"database": "other"}, "demo-postgresql:5432/other"),
        ({"password": "x"}, "with another password than these values and passwords make of it"),
    ],
)
def test_a_url_that_differs_while_its_password_stays(world: World, parts: dict[str, str], words: str) -> None:
    world.wanted_url(**parts)
    one, other = world.found()["another"]
    assert one.startswith("database-url of Secret demo/demo-secret leads to demo-postgresql:5432/agent")
    assert other.startswith("migration-database-url of Secret demo/demo-secret leads to ")
    assert words in one


def test_a_password_that_differs_too_is_another_matter(world: World) -> None:
    world.expected["password"] = "another"
    world.wanted_url(password="another")
    found = world.found()
    assert found["another"] == []
    assert found["secret"]["differing"] == ["database-url", "migration-database-url", "password"]


def test_a_secret_that_leads_astray_is_repaired(world: World) -> None:
    astray = URL.replace("demo-postgresql", "demo-postgresql-primary")
    world.cluster.kept["secrets", "demo-secret"] = secret("demo-secret", **{"database-url": astray})
    found = world.found()
    assert (found["another"], found["secret"]["differing"]) == ([], ["database-url"])


def test_from_a_secret_of_ones_own_to_the_roles(world: World) -> None:
    deployment: t.Any = world.cluster.kept["deployments", "demo"]
    for variable in deployment["spec"]["template"]["spec"]["containers"][0]["env"]:
        if "valueFrom" in variable:
            variable["valueFrom"]["secretKeyRef"] = {"name": "ext", "key": "uri"}
    del world.cluster.kept["secrets", "demo-secret"]
    del world.cluster.kept["statefulsets", "demo-postgresql"]
    del world.cluster.kept["services", "demo-postgresql"]
    volume = {"kind": "PersistentVolumeClaim", "metadata": {"name": "data-demo-postgresql-0"}}
    world.cluster.kept["persistentvolumeclaims", "data-demo-postgresql-0"] = volume
    world.cluster.kept["secrets", "ext"] = secret("ext", uri=URL.replace("demo-postgresql", "db.example"))
    (found,) = world.found()["another"]
    assert found.startswith(
        "uri of Secret demo/ext leads to db.example:5432/agent as agent; these values lead to demo-"
    )
    # The same place under its long name is the same place.
    world.cluster.kept["secrets", "ext"] = secret("ext", uri=URL.replace("postgresql:5", "postgresql.demo.svc:5"))
    assert world.found()["another"] == []


BUNDLED, EXTERNAL = "demo-postgresql:5432", "db.example:5432"
PLACE = {"user": "agent", "password": CANARY, "host": EXTERNAL, "database": "agent"}
DIFFERENT: dict[str, tuple[dict[str, str], bool, bool]] = {
    "the same": ({}, False, False),
    "the same, its port unsaid": ({"host": "DB.example"}, False, False),
    "other parameters": ({"database": "agent?sslmode=require"}, False, False),
    "another host": ({"host": "staging.example"}, True, True),
    "another database": ({"database": "other"}, True, True),
    "another user": ({"user": "other"}, True, True),
    "another port": ({"host": "db.example:6432"}, True, True),
    "another password": ({"password": CANARY + "2"}, False, True),
    "no URL": ({"host": "@@"}, True, True),
}


@pytest.mark.parametrize("case", DIFFERENT)
@pytest.mark.parametrize("bundled", [False, True])
@pytest.mark.parametrize("move", ["own to existing", "existing to existing", "key to key"])
def test_an_existing_secret_that_leads_to_another_database(
    world: World, move: str, case: str, *, bundled: bool
) -> None:
    parts, stops_external, stops_bundled = DIFFERENT[case]
    pattern = "postgresql://{user}:{password}@{host}/{database}"
    before, after = pattern.format(**PLACE), pattern.format(**PLACE | parts)
    if bundled:
        before, after = (
            url.replace("db.example", "demo-postgresql").replace("DB.example", "DEMO-postgresql")
            for url in (before, after)
        )
    else:
        world.planned = [item for item in world.planned if item["kind"] != "StatefulSet"]
        del world.cluster.kept["statefulsets", "demo-postgresql"], world.cluster.kept["services", "demo-postgresql"]
    old = {"own to existing": "demo-secret", "existing to existing": "aa", "key to key": "bb"}[move]
    data = {"old-url": before, "database-url": after, "migration-database-url": after}
    world.cluster.kept["secrets", old] = secret(old, **data)
    world.cluster.kept["secrets", "bb"] = secret("bb", **data)
    for item, reference in (
        (world.cluster.kept["deployments", "demo"], {"name": old, "key": "old-url"}),
        (look_for(world.planned, "Deployment"), {"name": "bb", "key": "database-url"}),
    ):
        for container in item["spec"]["template"]["spec"]["containers"]:
            container["env"] = [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": reference}}]
    world.name, world.expected = "bb", {}
    found = world.found()["another"]
    assert len(found) == (stops_bundled if bundled else stops_external), found
    assert all(f"old-url of Secret demo/{old} leads to " in each for each in found)
    assert all("database-url of Secret demo/bb" in each for each in found)


def test_a_service_beside_a_living_external_database_repairs_nothing(world: World) -> None:
    """Only a URL that leads nowhere is repaired by one that leads to a Service."""
    world.cluster.kept["secrets", "bb"] = secret("bb", **{"database-url": URL})
    world.cluster.kept["secrets", "demo-secret"] = secret(
        "demo-secret", **{"database-url": "postgresql://a@db.example/z"}
    )
    for container in look_for(world.planned, "Deployment")["spec"]["template"]["spec"]["containers"]:
        reference = {"name": "bb", "key": "database-url"}
        container["env"] = [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": reference}}]
    world.name, world.expected = "bb", {}
    (found,) = world.found()["another"]
    assert "leads to db.example:5432/z as a; these values lead to demo-postgresql:5432/agent as agent" in found


def test_the_statefulset_speaks_first(world: World) -> None:
    named = copy.deepcopy(world.planned)
    for item in named:
        if item["kind"] == "StatefulSet":
            item["metadata"]["name"] = "demo-postgresql-primary"
            item["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] = "20Gi"
    world.planned = named
    world.wanted_url(host="demo-postgresql-primary:5432")
    (found,) = world.found()["another"]
    assert found.startswith("The database of this release is the StatefulSet demo-postgresql; these values name it")


def test_a_volume_of_another_size(world: World) -> None:
    for item in world.planned:
        if item["kind"] == "StatefulSet":
            item["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] = "20Gi"
    found = world.found()
    assert found["another"] == []
    assert found["other_volumes"] == [
        "The volume data of the StatefulSet demo-postgresql has 10Gi, and these values want 20Gi."
    ]


def test_an_account_that_may_not_read_claims(world: World) -> None:
    world.cluster.denied.add(("list", "persistentvolumeclaims"))
    assert world.found()["another"] == []


def test_a_key_that_the_role_does_not_write_is_missing(world: World) -> None:
    reference = {"name": "demo-secret", "key": "uri"}
    agent = next(item for item in world.planned if item["kind"] == "Deployment")
    variables = [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": reference}}]
    agent["spec"]["template"]["spec"]["containers"][0]["env"] = variables
    assert world.found()["lacking"] == ["Secret demo/demo-secret lacks the keys uri"]
    reference["key"] = "database-url"
    assert world.found()["lacking"] == []


def test_what_others_set_is_told_of_the_living_deployment(world: World) -> None:
    deployment: t.Any = world.cluster.kept["deployments", "demo"]
    fields: Object = {"f:spec": {"f:replicas": {}}}
    deployment["spec"]["replicas"] = 9
    deployment["metadata"]["managedFields"] = [
        {"manager": "kubectl", "operation": "Update", "subresource": "scale", "fieldsV1": fields},
        {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:template": {}}}},
    ]
    [found] = world.found()["conflicts"]
    assert found["sentence"] == "Deployment demo: kubectl set .spec.replicas, which these values set otherwise"
    assert [item["op"] for item in found["patch"]] == ["test", "remove"]


@pytest.mark.parametrize("confirms", [frozenset({"DATABASE_URL"}), frozenset()])
@pytest.mark.parametrize(
    ("there", "lost"), [(("password", "database-url"), False), (("database-url",), True), ((), True), (None, True)]
)
@pytest.mark.parametrize("lives", [True, False])
def test_a_lost_secret_of_a_living_server(
    world: World, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...] | None, confirms: frozenset[str], *,
    lost: bool, lives: bool,
) -> None:  # fmt: skip
    asked: list[t.Any] = []

    def proven(_cluster: t.Any, _live: t.Any, _namespace: str, expected: t.Any) -> frozenset[str]:
        asked.append(dict(expected))
        return confirms

    monkeypatch.setattr(pod_proof, "proven", proven)
    if there is None:
        del world.cluster.kept["secrets", "demo-secret"]
    else:
        kept = secret("demo-secret")
        world.cluster.kept["secrets", "demo-secret"] = kept | {"data": {key: kept["data"][key] for key in there}}
    if not lives:
        del world.cluster.kept["statefulsets", "demo-postgresql"]
        claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "data-demo-postgresql-0"}}
        world.cluster.kept["persistentvolumeclaims", "data-demo-postgresql-0"] = claim
    unproven = world.found()["unproven"]
    assert bool(unproven) == (lost and lives and not confirms), unproven
    assert asked == ([{"DATABASE_URL": URL}] if lost and lives else [])


PLACES: dict[str, tuple[str, t.Callable[[str, str], Object]]] = {
    "variables": ("", lambda secret, key: {"valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}),
    "files": ("_FILE", lambda _secret, key: {"value": f"/secrets/{key}"}),
}


@pytest.mark.parametrize("confirms", [True, False])
@pytest.mark.parametrize("key", ["replication-password", "postgres-password", "password"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("reads", ["demo-secret", "another", "not at all"])
def test_a_password_that_no_agent_has_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch, key: str, place: str, reads: str, *, confirms: bool
) -> None:
    """The replication user's and the administrator's: only the server can say whether the vault has them still."""
    variables = {"POSTGRES_PASSWORD": "password"}
    if reads != "not at all":
        variables |= {
            "POSTGRES_POSTGRES_PASSWORD": "postgres-password",
            "POSTGRES_REPLICATION_PASSWORD": "replication-password",
        }
    ending, written = PLACES[place]
    server: t.Any = world.cluster.kept["statefulsets", "demo-postgresql"]
    pod = server["spec"]["template"]["spec"]
    names = {"POSTGRES_USER": "agent", "POSTGRES_REPLICATION_USER": "copier"}
    pod["containers"][0]["env"] = [{"name": name, "value": value} for name, value in names.items()]
    pod["containers"][0]["env"] += [{"name": name + ending} | written(reads, of) for name, of in variables.items()]
    if place == "files":
        pod["volumes"] = [{"name": "secrets", "secret": {"secretName": reads}}]
    look_for(world.planned, "StatefulSet")["spec"]["template"] = copy.deepcopy(server["spec"]["template"])
    world.expected |= {"postgres-password": CANARY, "replication-password": CANARY}
    kept = encoded({each: value for each, value in world.expected.items() if each != key})
    world.cluster.kept["secrets", "demo-secret"] = secret("demo-secret") | {"data": kept}
    asked: list[t.Any] = []

    def proven(_cluster: t.Any, of: t.Any, _namespace: str, users: t.Any, passwords: t.Any) -> frozenset[str]:
        asked.append((of.name, dict(users), {each: passwords[each] for each in users}))
        return frozenset(users) if confirms else frozenset()

    monkeypatch.setattr(server_proof, "proven", proven)
    monkeypatch.setattr(pod_proof, "proven", lambda *_: frozenset())
    user = {"password": "agent", "postgres-password": "postgres", "replication-password": "copier"}[key]
    # What no pod reads was never the server's, but the agent's own URL is told by the agent's pods.
    owed = reads == "demo-secret" or key == "password"
    words = f"The database demo-postgresql lives, and Secret demo/demo-secret has no {key} any more"
    assert world.found()["unproven"] == ([words] if owed and not confirms else [])
    assert asked == ([("demo-postgresql", {key: user}, {key: CANARY})] if owed else [])


@pytest.mark.parametrize(
    ("there", "expected", "same"),
    [
        ({"DATABASE_URL": URL}, {"DATABASE_URL": URL}, "same DATABASE_URL"),
        ({"DATABASE_URL": URL + "2"}, {"DATABASE_URL": URL}, "same"),
        ({}, {"DATABASE_URL": URL}, "same"),
        (
            {"DATABASE_URL": "x", "REDIS_URL": "b\u00e4"},
            {"DATABASE_URL": URL, "REDIS_URL": "b\u00e4"},
            "same REDIS_URL",
        ),
    ],
)
def test_a_pod_says_yes_or_no(there: dict[str, str], expected: dict[str, str], same: str) -> None:
    asked = pod_proof.question(expected)
    assert CANARY not in asked
    assert asked != pod_proof.question(expected)
    done = subprocess.run(
        [sys.executable, "-c", pod_proof.PROGRAM],
        input=asked + "\n",
        env=there,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == same


OWNERS: dict[str, tuple[Object, str]] = {
    "nobody": ({}, ""),
    "an owner that does not keep it": ({"ownerReferences": [{"kind": "Backup", "name": "b"}]}, ""),
    "a controller": (
        {"ownerReferences": [{"kind": "ExternalSecret", "name": "db", "controller": True}]}, "ExternalSecret db"),
    "External Secrets without ownership": (
        {"labels": {"reconcile.external-secrets.io/managed": "true"}}, "External Secrets"),
    "Sealed Secrets": ({"annotations": {"sealedsecrets.bitnami.com/managed": "true"}}, "Sealed Secrets"),
}  # fmt: skip


@pytest.mark.parametrize("case", OWNERS)
def test_who_keeps_a_secret(world: World, case: str) -> None:
    metadata, owner = OWNERS[case]
    world.cluster.kept["secrets", "demo-secret"]["metadata"] |= metadata
    assert world.found()["secret"]["owner"] == owner


FORMS: dict[str, tuple[str, str]] = {
    "as it is": (URL, ""),
    "a line break": (f"{URL}\n", "white space or a line break"),
    "a blank before": (f" {URL}", "white space"),
    "empty": ("", "is empty"),
    "only a line break": ("\n", "is empty"),
    "no URL": (f"{CANARY}@demo-postgresql", "is no URL"),
    "another password": (
        URL.replace(CANARY, "other"),
        "another password than password, with which demo-postgresql begins",
    ),
    "another password of another server": (URL.replace(f"{CANARY}@demo", "other@pooler"), ""),
}


@pytest.mark.parametrize("case", FORMS)
@pytest.mark.parametrize("lives", [False, True])
def test_a_url_that_somebody_else_wrote(world: World, case: str, *, lives: bool) -> None:
    url, words = FORMS[case]
    world.expected = {}
    world.cluster.kept["secrets", "demo-secret"] = secret("demo-secret", **{"database-url": url})
    [server] = [item for item in world.planned if item["kind"] == "StatefulSet"]
    mount = {"name": "password", "secret": {"secretName": "demo-secret", "items": [{"key": "password", "path": "p"}]}}
    server["spec"]["template"]["spec"]["volumes"] = [mount]
    server["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "POSTGRES_USER", "value": "agent"}]
    place = {"selector": {"app.kubernetes.io/component": "primary"}, "ports": [{"port": 5432}]}
    world.planned.append(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "demo-postgresql"}, "spec": place}
    )
    if not lives:
        del world.cluster.kept["statefulsets", "demo-postgresql"], world.cluster.kept["deployments", "demo"]
    found = world.found()["unfit"]
    # A server that lives has its password already.
    stops = bool(words) and not (lives and case == "another password")
    assert len(found) == stops, found
    if stops:
        assert found[0].startswith("database-url of Secret demo/demo-secret ")
        assert words in found[0]


HELMS = {"meta.helm.sh/release-name": "demo", "meta.helm.sh/release-namespace": "demo"}


@pytest.mark.parametrize("kind", ["ServiceAccount", "ConfigMap", "PersistentVolumeClaim"])
def test_what_pods_need_is_there_and_stays(world: World, kind: str) -> None:
    pod = look_for(world.planned, "Deployment")["spec"]["template"]["spec"]
    if kind == "ServiceAccount":
        pod["serviceAccountName"] = "needed"
    elif kind == "ConfigMap":
        pod["containers"][0]["envFrom"] = [{"configMapRef": {"name": "needed"}}]
    else:
        pod["volumes"] = [{"name": "models", "persistentVolumeClaim": {"claimName": "needed"}}]
    found = world.found()
    assert (found["lacking"], found["lost"]) == ([f"{kind} demo/needed does not exist"], [])
    there: Object = {"kind": kind, "metadata": {"name": "needed"}}
    world.cluster.kept[f"{kind.lower()}s", "needed"] = there
    assert (world.found()["lacking"], world.found()["lost"]) == ([], [])
    there["metadata"]["annotations"] = HELMS
    (sentence,) = world.found()["lost"]
    assert sentence.startswith(f"{kind} needed: Helm made it for this release, these values leave it out")
    world.planned.append({"apiVersion": "v1", **there})
    assert world.found()["lost"] == []


def test_a_claim_that_no_pod_names_any_more_is_kept_as_well(world: World) -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "old", "annotations": HELMS}}
    world.cluster.kept["persistentvolumeclaims", "old"] = claim
    assert world.found()["lost"][0].startswith("PersistentVolumeClaim old")


def test_a_secret_of_helms_that_pods_need(world: World) -> None:
    world.expected = {}
    there: t.Any = world.cluster.kept["secrets", "demo-secret"]
    there["metadata"]["annotations"] = HELMS
    assert world.found()["lost"][0].startswith("Secret demo-secret: Helm made it")


def test_what_the_account_may_not_read_is_not_missing(world: World) -> None:
    look_for(world.planned, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] = "needed"
    world.cluster.denied |= {("get", "serviceaccounts"), ("list", "persistentvolumeclaims")}
    assert (world.found()["lacking"], world.found()["lost"]) == ([], [])


def test_one_name_for_two_objects(world: World) -> None:
    world.planned += [
        service("demo-postgresql") | {"apiVersion": "v1"},
        service("demo-postgresql") | {"apiVersion": "v1"},
    ]
    assert world.found()["lost"] == [
        "Service demo-postgresql stands twice in what these values make, and only one of the two would be there."
    ]


def test_whose_objects_helm_made(world: World) -> None:
    assert world.found()["by_helm"] == []
    there: t.Any = world.cluster.kept["deployments", "demo"]
    there["metadata"]["annotations"] = HELMS
    assert world.found()["by_helm"] == ["Deployment demo"]


def test_another_folder_of_the_same_volume(world: World) -> None:
    def place(item: Object, folder: str, **mount: str) -> None:
        container = item["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [{"name": "PGDATA", "value": folder}]
        container["volumeMounts"] = [{"name": "data", "mountPath": "/v/pg", **mount}]

    planned = look_for(world.planned, "StatefulSet")
    now: t.Any = world.cluster.kept["statefulsets", "demo-postgresql"]
    place(now, "/v/pg/data")
    for folder, mount, other in [
        ("/v/pg/data/", {}, False),
        ("/v/pg/data16", {}, True),
        ("/v/pg", {}, True),
        ("/v/pg/data", {"subPath": "new"}, True),
        # The same folder, mounted elsewhere.
        ("/var/lib/data", {"mountPath": "/var/lib"}, False),
        # It is not on the volume at all, or nobody can tell.
        ("/elsewhere", {}, False),
    ]:
        place(planned, folder, **mount)
        assert bool(world.found()["another"]) is other, folder


@pytest.mark.parametrize("lives", [False, True])
def test_a_redis_takes_its_password_at_each_start(world: World, *, lives: bool) -> None:
    key = {"name": "kept", "key": "redis-password"}
    container = {
        "name": "redis",
        "image": "redis:7",
        "env": [{"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": key}}],
    }
    labels = {"app.kubernetes.io/component": "master", "app.kubernetes.io/instance": "demo"}
    cache: Object = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "demo-redis-master", "labels": labels},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    front = service("demo-redis-master", 6379) | {"apiVersion": "v1"}
    front["spec"]["selector"] = {"app.kubernetes.io/component": "master"}
    agent = look_for(world.planned, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    url = {"name": "kept", "key": "redis-url"}
    agent["env"].append({"name": "REDIS_URL", "valueFrom": {"secretKeyRef": url}})
    world.planned += [cache, front]
    if lives:
        world.cluster.kept["statefulsets", "demo-redis-master"] = copy.deepcopy(cache)
    for password, problems in ((CANARY, []), ("other", ["another password than redis-password"])):
        there = {"redis-password": CANARY, "redis-url": f"redis://:{password}@demo-redis-master:6379/0"}
        world.cluster.kept["secrets", "kept"] = {
            "kind": "Secret",
            "metadata": {"name": "kept"},
            "data": encoded(there),
        }
        found = world.found()["unfit"]
        assert [word for word in problems if not any(word in each for each in found)] == []
        assert len(found) == len(problems)


@pytest.mark.parametrize(("owner", "stops"), [("other", True), ("demo", False), (None, False)])
def test_an_existing_secret_that_leads_to_another_releases_database(
    world: World, owner: str | None, *, stops: bool
) -> None:
    world.expected = {}
    front = service("other-postgresql")
    front["spec"]["selector"] = {"app.kubernetes.io/component": "primary"}
    front["metadata"]["labels"] = {"app.kubernetes.io/instance": owner} if owner else {}
    world.cluster.kept["services", "other-postgresql"] = front
    url = URL.replace("demo-postgresql", "other-postgresql")
    world.cluster.kept["secrets", "demo-secret"] = secret("demo-secret", **{"database-url": url})
    words = "database-url of Secret demo/demo-secret leads to the database of release other, while demo-postgresql"
    assert [item for item in world.found()["unfit"] if item.startswith(words)] == (
        [f"{words} is installed for this one"] if stops else []
    )
    # A pooler in front of its own database is somebody's own Service.
    front["spec"]["selector"] = {"app": "pgbouncer"}
    assert world.found()["unfit"] == []
    # Without a database of its own it may share one.
    world.planned.remove(look_for(world.planned, "StatefulSet"))
    front["spec"]["selector"] = {"app.kubernetes.io/component": "primary"}
    assert world.found()["unfit"] == []


@pytest.mark.parametrize("lives", [False, True])
def test_a_migration_that_leads_away_from_its_own_database(world: World, *, lives: bool) -> None:
    """By a Secret that is new to the release: the other database would get a schema, and its own would get none."""
    world.expected = {}
    for item in world.planned:
        for container in (
            item["spec"].get("template", {}).get("spec", {}).get("containers", []) if "spec" in item else []
        ):
            for variable in container.get("env", []):
                if "valueFrom" in variable:
                    variable["valueFrom"]["secretKeyRef"]["name"] = "ext"
    front = service("demo-postgresql") | {"apiVersion": "v1"}
    front["spec"]["selector"] = {"app.kubernetes.io/component": "primary"}
    world.planned.append(front)
    if not lives:
        world.cluster.kept = {("namespaces", "demo"): {"kind": "Namespace", "metadata": {"name": "demo"}}}
    for host, stops in (("demo-postgresql", False), ("demo-postgresql.demo.svc", False), ("db.example", True)):
        url = URL.replace("demo-postgresql", host)
        world.cluster.kept["secrets", "ext"] = secret("ext", **{"migration-database-url": url})
        words = f"migration-database-url of Secret demo/ext leads to {host}, and demo-postgresql, which is installed"
        assert [item.startswith(words) for item in world.found()["unfit"]] == ([True] if stops else [])


def test_the_administrators_password_is_compared_as_well(world: World) -> None:
    world.expected = {}
    world.cluster.kept = {("namespaces", "demo"): {"kind": "Namespace", "metadata": {"name": "demo"}}}
    front = service("demo-postgresql") | {"apiVersion": "v1"}
    front["spec"]["selector"] = {"app.kubernetes.io/component": "primary"}
    world.planned.append(front)
    container = look_for(world.planned, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    key = {"name": "demo-secret", "key": "postgres-password"}
    container["env"] = [{"name": "POSTGRES_POSTGRES_PASSWORD", "valueFrom": {"secretKeyRef": key}}]
    for password, stops in ((CANARY, False), ("other", True)):
        url = f"postgresql://postgres:{password}@demo-postgresql:5432/agent"
        there = {"migration-database-url": url, "postgres-password": CANARY}
        world.cluster.kept["secrets", "demo-secret"] = secret("demo-secret", **there)
        words = "migration-database-url of Secret demo/demo-secret has another password than postgres-password"
        assert [item.startswith(words) for item in world.found()["unfit"]] == ([True] if stops else [])


def neighbour(name: str, namespace: str, chart: str = "ai-agent-1.0.0_0badcafe") -> Object:
    marks = {
        "app.kubernetes.io/component": "agent",
        "app.kubernetes.io/instance": name,
        "helm.sh/chart": chart,
    }
    return {"kind": "Deployment", "metadata": {"name": name, "namespace": namespace, "labels": marks}}


@pytest.mark.parametrize("namespace", [True, False])
def test_a_release_that_may_have_had_another_name(
    world: World, monkeypatch: pytest.MonkeyPatch, *, namespace: bool
) -> None:
    listed = world.cluster.list

    def of_its_namespace(version: str, plural: str, place: str | None = None, **more: str) -> list[Object]:
        found = listed(version, plural, place, **more)
        return [item for item in found if place in {None, item["metadata"].get("namespace", "demo")}]

    monkeypatch.setattr(world.cluster, "list", of_its_namespace)
    old, moved = neighbour("old", "demo"), neighbour("demo", "elsewhere")
    other = neighbour("shop", "demo", chart="shop-1.0.0")
    world.cluster.kept |= {("deployments", name): item for name, item in (("old", old), ("moved", moved), ("s", other))}
    assert world.found()["neighbours"] == []
    del world.cluster.kept["statefulsets", "demo-postgresql"]
    assert world.found()["neighbours"] == [], "the agent is there, with a database of others"
    del world.cluster.kept["deployments", "demo"]
    if not namespace:
        del world.cluster.kept["namespaces", "demo"]
    both = [{"name": "demo", "namespace": "elsewhere"}, {"name": "old", "namespace": "demo"}]
    assert world.found()["neighbours"] == both
    world.cluster.denied.add(("list", "deployments.apps"))
    if not namespace:
        assert world.found()["neighbours"] == []


def test_a_database_that_is_moved_on_purpose_may_be_another_one(world: World) -> None:
    """The cache may not."""
    world.wanted_url(host="new.example:5432")
    assert world.found(database_moves=True)["another"] == []
    assert len(world.found()["another"]) == 2
    there = world.cluster.kept["secrets", "demo-secret"]["data"]
    there |= encoded({"redis-password": "p", "redis-url": "redis://:p@here.example:6379/0"})
    world.expected |= {"redis-password": "p", "redis-url": "redis://:p@there.example:6379/0"}
    assert ["redis-url" in words for words in world.found(database_moves=True)["another"]] == [True]


def test_how_far_a_move_is(world: World) -> None:
    assert world.found()["move"] == {}
    data = {"state": "copied", "source": "a", "target": "b", "frozen_at": "1.5"}
    world.cluster.kept["configmaps", "demo-move-record"] = {"metadata": {"name": "demo-move-record"}, "data": data}
    assert world.found()["move"] == {"state": "copied", "source": "a", "target": "b", "unfinished": True}
