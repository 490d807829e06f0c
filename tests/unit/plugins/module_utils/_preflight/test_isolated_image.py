"""What the image that would be deployed is told in a pod without credentials."""

from __future__ import annotations

import copy
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.alembic_url import PLACEHOLDER_URL
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task, manifest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.isolated_image import (
    PLACEHOLDER,
    isolated_task,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Options
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import planned

from tests.unit.plugins.module_utils._release.manifests import release

Object = dict[str, t.Any]


class Cluster:
    """Has no service account that pulls."""

    def get(self, *_: t.Any, **__: t.Any) -> None:
        return None


def task(forms: Object, *variables: str, folder: str = "") -> Task:
    """The pod of a release whose migration has such variables, each from the Secret's key of its name."""
    objects = copy.deepcopy(release("agent:2", replicas=2))
    for item in objects:
        template = (item.get("spec") or {}).get("template") or {}
        if item["kind"] == "Deployment":
            template["metadata"].setdefault("annotations", {})["ai-agent/url-forms"] = json.dumps(forms)
        if item["kind"] == "Job":
            [container] = template["spec"]["containers"]
            keys = ({"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": name}}} for name in variables)
            container["env"] += keys
            container |= {"workingDir": folder} if folder else {}
    options = Options("demo", "demo", "head", job_timeout=60, render_timeout=60, limits={})
    return isolated_task(t.cast("t.Any", Cluster()), planned(objects, "demo"), options, "render", ["true"])


def env(made: Task) -> dict[str, str]:
    return {item["name"]: item["value"] for item in made.env}


def test_a_url_in_another_form_is_a_url_in_that_form() -> None:
    forms = {"PG_URI": {"of": "database", "scheme": "postgresql+pg8000"}, "KV": {"of": "cache", "scheme": "valkey"}}
    told = env(task(forms, "PG_URI", "API_KEY", "KV"))
    assert told["PG_URI"] == PLACEHOLDER_URL.replace("postgresql://", "postgresql+pg8000://")
    assert told["DATABASE_URL"] == PLACEHOLDER_URL
    assert (told["API_KEY"], told["KV"]) == (PLACEHOLDER, PLACEHOLDER)


def test_a_driver_in_database_url_itself() -> None:
    told = env(task({"DATABASE_URL": {"of": "database", "scheme": "postgresql+psycopg"}}))
    assert told["DATABASE_URL"] == PLACEHOLDER_URL.replace("postgresql://", "postgresql+psycopg://")


def test_it_works_where_the_migration_works() -> None:
    [container] = manifest(task({}, folder="/srv/db"), "x")["spec"]["template"]["spec"]["containers"]
    assert container["workingDir"] == "/srv/db"
    [container] = manifest(task({}), "x")["spec"]["template"]["spec"]["containers"]
    assert "workingDir" not in container
