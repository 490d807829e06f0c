"""Backups on a schedule: the CronJob, and its program as the ConfigMap carries it."""

from __future__ import annotations

import ast
import json
import typing as t

import pytest

from tests.chart.conftest import RELEASE, Object, Render, Rendered, RenderError, containers

ON: Object = {"backup": {"schedule": "17 2 * * *", "claim": "backups"}}
STORE: Object = {"backup": {"schedule": "17 2 * * *", "s3": {"bucket": "backups", "existingSecret": "keys"}}}
EXTERNAL: Object = {"postgresql": {"enabled": False}, "externalDatabase": {"host": "10.0.0.7", "password": "word"}}


def pod_of(made: Rendered) -> Object:
    """What the CronJob starts."""
    return t.cast("Object", made.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"])


def program_of(made: Rendered) -> Object:
    """The container with the program."""
    (found,) = [item for item in containers(pod_of(made)) if item["name"] == "backup"]
    return found


def request_of(made: Rendered) -> Object:
    """What the program is told."""
    (given,) = [item["value"] for item in program_of(made)["env"] if item["name"] == "BACKUP"]
    return t.cast("Object", json.loads(given))


def secrets_of(made: Rendered) -> dict[str, tuple[str, str]]:
    """Variable, and Secret and key that it comes from."""
    return {
        item["name"]: (item["valueFrom"]["secretKeyRef"]["name"], item["valueFrom"]["secretKeyRef"]["key"])
        for item in program_of(made)["env"]
        if "secretKeyRef" in item.get("valueFrom", {})
    }


def test_nothing_of_it_by_default(render: Render) -> None:
    assert render().names("CronJob") == []


def test_the_request(render: Render) -> None:
    made = render(ON)
    assert request_of(made) == {
        "state": "backup",
        "shared": "/shared",
        "work": "/work",
        "path": "/backups",
        "image": program_of(made)["image"],
        "jobs": 2,
        "version_table": "alembic_version",
        "lock_timeout_ms": 10000,
        "retention": {"last": 3, "daily": 7, "weekly": 4, "monthly": 6},
    }
    assert secrets_of(made) == {"DATABASE_URL": (f"{RELEASE}-secret", "database-url")}


def test_a_store(render: Render) -> None:
    made = render(STORE)
    assert request_of(made)["store"] == {"bucket": "backups", "prefix": f"test/{RELEASE}", "path_style": None}
    assert secrets_of(made) | {"DATABASE_URL": ("", "")} == {
        "DATABASE_URL": ("", ""),
        "BACKUP_STORE_ACCESS_KEY": ("keys", "AWS_ACCESS_KEY_ID"),
        "BACKUP_STORE_SECRET_KEY": ("keys", "AWS_SECRET_ACCESS_KEY"),
    }
    assert "backups" not in {volume["name"] for volume in pod_of(made)["spec"]["volumes"]}


def test_the_programs_are_those_of_the_server_and_both_containers_have_its_user(render: Render) -> None:
    made = render(ON)
    (server,) = [item for item in containers(pod_of(made)) if item["name"] == "postgresql"]
    database = made.one("StatefulSet", f"{RELEASE}-postgresql")["spec"]["template"]["spec"]["containers"][0]
    assert server["image"] == database["image"]
    closed = render(ON, {"global": {"imageRegistry": "registry.example.org"}})
    assert {item["image"].partition("/")[0] for item in containers(pod_of(closed))} == {"registry.example.org"}
    user = database["securityContext"]["runAsUser"]
    context = pod_of(made)["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (user, user, user)
    assert not any("runAsUser" in item["securityContext"] for item in containers(pod_of(made)))


def test_of_somebody_elses_server_they_are_named(render: Render) -> None:
    made = render(EXTERNAL, ON, {"backup": {"serverImage": "example.org/postgresql:17"}})
    (server,) = [item for item in containers(pod_of(made)) if item["name"] == "postgresql"]
    assert server["image"] == "example.org/postgresql:17"
    assert pod_of(made)["spec"]["securityContext"]["runAsUser"] == 999


def test_where_users_are_the_clusters_own_choice_none_is_named(render: Render) -> None:
    """OpenShift gives each namespace a range of them."""
    made = render(ON, {"agent": {"podSecurityContext": {"enabled": False}}})
    assert "runAsUser" not in (pod_of(made)["spec"].get("securityContext") or {})


def test_two_runs_never_meet_and_each_has_an_end(render: Render) -> None:
    spec = render(ON).one("CronJob")["spec"]
    assert (spec["concurrencyPolicy"], spec["schedule"], spec["suspend"]) == ("Forbid", "17 2 * * *", False)
    job = spec["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    assert job["activeDeadlineSeconds"] > 3600
    assert job["template"]["spec"]["automountServiceAccountToken"] is False


def test_its_pod_reaches_database_and_store_and_is_no_pod_of_the_service(render: Render) -> None:
    peers = [{"ipBlock": {"cidr": "192.0.2.7/32"}}]
    made = render(STORE, {"networkPolicy": {"backupStore": {"to": peers}}})
    labels = pod_of(made)["metadata"]["labels"]
    assert labels[f"{RELEASE}-db-client"] == "true"
    policy = made.one("NetworkPolicy", f"{RELEASE}-backup-store")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert not made.one("Service", RELEASE)["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize("release", ["a", "a" * 53, "agent-of-the-team-for-the-north-and-the-south-east"])
def test_its_name_is_short_enough_for_its_jobs(render: Render, release: str) -> None:
    servers = {"postgresql": {"fullnameOverride": "p"}, "redis": {"fullnameOverride": "r"}}
    made = render(ON, servers, release=release)
    (name,) = made.names("CronJob")
    assert len(name) <= 52
    assert name in made.names("ConfigMap")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"backup": {"schedule": "@daily"}}, "nothing says where backups go"),
        (
            {"backup": {"schedule": "@daily", "claim": "backups", "s3": {"bucket": "backups"}}},
            "backups would go to two places",
        ),
        (ON | EXTERNAL, "name an image with PostgreSQL's programs"),
        ({"backup": ON["backup"] | {"databaseSecret": {"name": "a", "key": ""}}}, "databaseSecret needs both"),
        ({"backup": ON["backup"] | {"encryptionSecret": {"name": "", "key": "a"}}}, "encryptionSecret needs both"),
        ({"backup": ON["backup"] | {"schedule": "daily"}}, "schedule"),
        ({"backup": ON["backup"] | {"keep": {"last": 0}}}, "last"),
        ({"backup": ON["backup"] | {"serverUser": 0}}, "serverUser"),
        ({"backup": ON["backup"] | {"keys": 1}}, "keys"),
        ({"backup": STORE["backup"] | {"s3": {"bucket": "a", "endpoint": "https://user:word@host"}}}, "endpoint"),
    ],
)
def test_mistakes(render: Render, values: Object, words: str) -> None:
    with pytest.raises(RenderError, match=words):
        render(values)


def test_the_config_map_has_all_that_the_program_imports(render: Render) -> None:
    """What a backup never needs may be missing: reading revisions, which a restore alone does."""
    data = render(ON).one("ConfigMap", f"{RELEASE}-backup")["data"]
    missing = {
        node.module if node.module else name.name
        for text in data.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for name in node.names
        if f"{node.module or name.name}.py" not in data
    }
    assert missing == {"alembic_place", "alembic_worker"}
