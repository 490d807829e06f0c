"""What is read from manifests and from the living release."""

from __future__ import annotations

import copy
import typing as t
from decimal import Decimal

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.amounts import pod_amounts
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import (
    Live,
    parse,
    planned,
    rolls,
    same_migrations,
)

from tests.unit.plugins.module_utils._release.manifests import living, release


def test_the_plan() -> None:
    text = yaml.safe_dump_all(release(replicas=2, most=6, WEB_CONCURRENCY="3"))
    plan = planned(parse(text), "demo")
    assert (plan.agent.image, plan.migrator.image) == ("agent:1", "agent:1")
    assert (plan.replicas, plan.most_replicas, plan.surge, plan.processes, plan.pool) == (2, 6, 1, 3, 4)
    assert (plan.version_table, plan.migration_seconds) == ("alembic_version", 240)
    assert plan.database_secret == ("demo-secret", "migration-database-url")
    assert plan.database == "demo-postgresql"
    assert [(item.claim, item.size) for item in plan.volumes] == [("data-demo-postgresql-0", 10 << 30)]
    assert {item.name: item.requests["cpu"] for item in plan.pods} == {
        "demo": Decimal("0.5"),
        "demo-postgresql": Decimal("0.25"),
        "demo-db-migrate-1": Decimal("0.05"),
    }
    assert ("v1", "Pod") in plan.kinds


def test_no_value_of_a_secret_is_asked_for() -> None:
    plan = planned(release(), "demo")
    assert plan.migrator.secrets == {"DATABASE_URL": ("demo-secret", "migration-database-url")}
    assert "DATABASE_URL" not in plan.migrator.env
    assert plan.migrator.env["EMPTY"] == ""


@pytest.mark.parametrize(
    ("migrator", "agent", "most"),
    [("500m", "2", "2"), ("1", "250m", "1"), ("500m", "500m", "500m"), ("500m", None, "500m"), (None, "2", None)],
)
def test_a_check_may_use_as_much_cpu_as_the_release(migrator: str | None, agent: str | None, most: str | None) -> None:
    objects = release()
    for kind, cpu in (("Job", migrator), ("Deployment", agent)):
        pod = next(item for item in objects if item["kind"] == kind)["spec"]["template"]["spec"]
        limits = {"memory": "1Gi"} | ({"cpu": cpu} if cpu else {})
        pod["containers"][0]["resources"] = {"requests": {"cpu": "50m"}, "limits": limits}
    found = planned(objects, "demo").check_resources
    assert found == {"requests": {"cpu": "50m"}, "limits": {"memory": "1Gi"} | ({"cpu": most} if most else {})}


@pytest.mark.parametrize(
    "text", ["a: [", "- 1\n- 2", "just text", "---\nkind: ConfigMap\nmetadata: {name: a}\napiVersion: v1\n", ""]
)
def test_other_texts(text: str) -> None:
    with pytest.raises(FindingError) as raised:
        planned(parse(text), "demo")
    assert raised.value.id == "manifests-unreadable"
    assert "\n" not in raised.value.message


def test_another_release_is_not_this_one() -> None:
    with pytest.raises(FindingError, match="other"):
        planned(release(), "other")


@pytest.mark.parametrize(("value", "pods"), [("25%", 1), ("50%", 1), ("100%", 2), (2, 2), ("0%", 0)])
def test_surge_in_percent_is_rounded_up(value: int | str, pods: int) -> None:
    objects = release(replicas=2)
    objects[1]["spec"]["strategy"]["rollingUpdate"]["maxSurge"] = value
    assert planned(objects, "demo").surge == pods


def test_the_larger_of_init_and_main_containers_counts() -> None:
    def spec(*init: dict[str, t.Any]) -> dict[str, t.Any]:
        main = [{"resources": {"requests": {"cpu": "100m"}}}, {"resources": {"limits": {"cpu": "1"}}}]
        return {"containers": main, "initContainers": list(init)}

    def needs(cpu: str, **more: str) -> dict[str, t.Any]:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    assert pod_amounts(spec(), "requests")["cpu"] == Decimal("1.1")
    assert pod_amounts(spec(needs("2")), "requests")["cpu"] == 2
    assert pod_amounts(spec(needs("200m", restartPolicy="Always")), "requests")["cpu"] == Decimal("1.3")
    assert pod_amounts(spec(needs("1", restartPolicy="Always"), needs("2")), "requests")["cpu"] == 3
    assert pod_amounts(spec(), "limits")["cpu"] == 1


def _live(objects: list[dict[str, t.Any]]) -> Live:
    return Live(deployment=living(objects, "Deployment", availableReplicas=2))


def test_an_unchanged_release_is_recognised_through_the_servers_defaults() -> None:
    plan = planned(release(), "demo")
    live = _live(release())
    assert same_migrations(plan, live)
    assert not rolls(plan, live)
    assert (live.image, live.replicas, live.available) == ("agent:1", 2, 2)


def _other_image(objects: list[dict[str, t.Any]]) -> None:
    for item in objects[1]["spec"]["template"]["spec"]["initContainers"]:
        item["image"] = "agent:2"


def _other_variable(objects: list[dict[str, t.Any]]) -> None:
    objects[1]["spec"]["template"]["spec"]["initContainers"][0]["env"][1]["value"] = "agent.alembic_version"


def _own_migration_image(objects: list[dict[str, t.Any]]) -> None:
    objects[3]["spec"]["template"]["spec"]["containers"][0]["image"] = "migrations:1"


def _pulled_anew(objects: list[dict[str, t.Any]]) -> None:
    objects[3]["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"


def _from_elsewhere(objects: list[dict[str, t.Any]]) -> None:
    objects[3]["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "foreign"}}]


def _without_gate(objects: list[dict[str, t.Any]]) -> None:
    del objects[1]["spec"]["template"]["spec"]["initContainers"]


@pytest.mark.parametrize(
    "change",
    [_other_image, _other_variable, _own_migration_image, _pulled_anew, _from_elsewhere, _without_gate],
    ids=lambda function: function.__name__,
)
def test_what_may_be_other_migrations(change: t.Callable[[list[dict[str, t.Any]]], None]) -> None:
    objects = release()
    change(objects)
    assert not same_migrations(planned(objects, "demo"), _live(release()))


def test_nothing_deployed_is_not_the_same() -> None:
    assert not same_migrations(planned(release(), "demo"), Live())
    assert not rolls(planned(release(), "demo"), Live())


def test_ready_pods_of_the_deployed_image_oldest_first() -> None:
    def pod(name: str, *, ready: str = "True", image: str = "agent:1", **more: t.Any) -> dict[str, t.Any]:
        return {
            "metadata": {"name": name, "creationTimestamp": f"2026-11-21T10:00:0{name[-1]}Z", **more},
            "spec": {"containers": [{"name": "agent", "image": image}]},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }

    pods = (
        pod("b3"),
        pod("a2", ready="False"),
        pod("c1"),
        pod("d4", image="agent:2"),
        pod("e5", deletionTimestamp="2026-11-21T11:00:00Z"),
    )
    live = Live(deployment=living(release(), "Deployment"), pods=copy.deepcopy(pods))
    assert live.ready_pods == ("c1", "b3")
