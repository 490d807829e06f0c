"""The living release against the planned one, with Secrets: what leads elsewhere is told, and no password is."""

from __future__ import annotations

import base64
import copy
import json
import typing as t
from pathlib import Path

import pytest
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


class World:
    """A release that lives, and what the role would write."""

    def __init__(self, folder: Path) -> None:
        self.planned = release()
        parts = [living(self.planned, "Deployment", availableReplicas=2), living(self.planned, "StatefulSet")]
        things = [{"kind": "Namespace", "metadata": {"name": "demo"}}, *parts, secret("demo-secret")]
        self.cluster = FakeCluster(folder, [*things, service("demo-postgresql")])
        self.expected = dict(SECRET)
        self.name = "demo-secret"

    def found(self) -> Object:
        params = {
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
