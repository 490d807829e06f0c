"""Values of existingSecret by other names or in other Secrets: every pod follows, and so does who asks for them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import references
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, planned

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, Object, Render, Rendered, RenderError, containers
from tests.chart.test_migration import SERVING, hooks
from tests.chart.test_pods_that_ask import asking, connecting, deployed, named

Place = tuple[str, str]

EXTERNAL: Object = {
    "postgresql": {"enabled": False},
    "redis": {"enabled": False},
    "networkPolicy": {
        "database": {"to": [{"ipBlock": {"cidr": "192.0.2.10/32"}}]},
        "cache": {"to": [{"ipBlock": {"cidr": "192.0.2.11/32"}}]},
    },
}
# CloudNativePG writes <cluster>-app and <cluster>-superuser, each with a key `uri`.
OPERATOR: Object = EXTERNAL | {
    "existingSecret": "db-app",
    "existingSecretKeys": {
        "database-url": "uri",
        "migration-database-url": {"name": "db-owner", "key": "uri"},
        "redis-url": {"name": "cache", "key": "url"},
    },
}
AGENT, MIGRATION, CACHE = ("db-app", "uri"), ("db-owner", "uri"), ("cache", "url")


def altered(values: Object, path: str, value: t.Any) -> Object:
    head, _dot, rest = path.partition(".")
    return values | {head: altered(values.get(head, {}), rest, value) if rest else value}


def places(rendered: Rendered, variable: str) -> dict[str, Place]:
    """Where each container that has a variable takes it from, by its name and its pod's."""
    return {
        f"{name}/{item['name']}": (key["name"], key["key"])
        for name, pod in rendered.pods().items()
        for item in containers(pod)
        for each in item.get("env", ())
        if each["name"] == variable and (key := each["valueFrom"]["secretKeyRef"])
    }


def of_task(container: Object, variable: str) -> Place:
    key = named(container["env"])[variable]["valueFrom"]["secretKeyRef"]
    return key["name"], key["key"]


def test_every_pod_follows_the_mapping(render: Render) -> None:
    rendered = render(OPERATOR)
    found = places(rendered, "DATABASE_URL")
    [job] = [name for name in found if name.startswith("Job/")]
    assert found == {
        job: MIGRATION,
        f"Deployment/{RELEASE}/wait-for-schema": AGENT,
        f"Deployment/{RELEASE}/agent": AGENT,
        f"Pod/{RELEASE}-connection-test/test": AGENT,
    }
    assert set(places(rendered, "REDIS_URL").values()) == {CACHE}
    assert rendered.names("Secret") == []


def test_the_hook_follows_it_too(render: Render, cluster: Cluster) -> None:
    cluster.add(SERVING)
    found = hooks(render(OPERATOR, cluster=cluster))
    [container] = found["Job"]["spec"]["template"]["spec"]["containers"]
    assert of_task(container, "DATABASE_URL") == MIGRATION
    assert "Secret" not in found


def test_what_is_not_named_keeps_its_name(render: Render) -> None:
    rendered = render(altered(OPERATOR, "existingSecretKeys", {"database-url": "uri"}))
    assert references.needed(list(rendered)) == {"db-app": {"uri", "migration-database-url", "redis-url"}}


def test_guard_asks_for_the_keys_that_are_used_and_no_others(render: Render) -> None:
    assert references.needed(list(render(OPERATOR))) == {"db-app": {"uri"}, "db-owner": {"uri"}, "cache": {"url"}}
    without = render(OPERATOR, {"migration": {"enabled": False}})
    assert references.needed(list(without)) == {"db-app": {"uri"}, "cache": {"url"}}


@pytest.mark.parametrize("first", [True, False], ids=["first install", "upgrade"])
def test_the_preflight_asks_with_the_url_that_is_named(
    render: Render, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    rendered = render(OPERATOR)
    assert planned(list(rendered), RELEASE).database_secret == MIGRATION
    live = Live() if first else deployed(rendered)
    task = asking(rendered, live, monkeypatch, None if first else "agent:2")["facts"]
    # At a first install the migrator's image asks, on an upgrade the deployed agent's.
    assert of_task({"env": task.env}, "DATABASE_URL") == (MIGRATION if first else AGENT)


def test_the_connectivity_test_asks_with_the_urls_that_are_named(
    render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = connecting(deployed(render(OPERATOR)), monkeypatch)["probe"]
    assert of_task({"env": task.env}, "DATABASE_URL") == AGENT
    assert of_task({"env": task.env}, "REDIS_URL") == CACHE


BUNDLED: Object = {
    "existingSecret": "urls",
    "existingSecretKeys": {
        "password": {"name": "db", "key": "user"},
        "postgres-password": {"name": "db", "key": "root"},
        "redis-password": {"name": "cache", "key": "pw"},
    },
    "postgresql": {
        "auth": {
            "existingSecret": "db",
            "secretKeys": {"userPasswordKey": "user", "adminPasswordKey": "root"},
        }
    },
    "redis": {"auth": {"existingSecret": "cache", "existingSecretPasswordKey": "pw"}},
}


def test_bundled_servers_may_have_secrets_of_their_own(render: Render) -> None:
    needed = references.needed(list(render(BUNDLED)))
    assert needed["urls"] == {"database-url", "migration-database-url", "redis-url"}
    assert needed["db"] == {"user", "root"}
    assert needed["cache"] == {"pw"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            altered(BUNDLED, "postgresql.auth.existingSecret", "urls"),
            'postgresql.auth.existingSecret names "urls" but existingSecretKeys.password names "db"',
        ),
        (
            altered(BUNDLED, "redis.auth.existingSecret", "urls"),
            'redis.auth.existingSecret names "urls" but existingSecretKeys.redis-password names "cache"',
        ),
        (
            altered(BUNDLED, "postgresql.auth.secretKeys.userPasswordKey", "password"),
            'auth.secretKeys.userPasswordKey is "password" but existingSecretKeys.password names the key "user"',
        ),
        (
            altered(BUNDLED, "redis.auth.existingSecretPasswordKey", "other"),
            'redis.auth.existingSecretPasswordKey is "other" but existingSecretKeys.redis-password names the key "pw"',
        ),
        (
            altered(BUNDLED, "postgresql.architecture", "replication"),
            'postgresql.auth.existingSecret names "db" but the agent reads "urls"',
        ),
        ({"existingSecretKeys": {"database-url": "uri"}}, "existingSecretKeys is set, but existingSecret is empty"),
        (altered(OPERATOR, "existingSecretKeys", {"url": "uri"}), "additional properties 'url' not allowed"),
        (altered(OPERATOR, "existingSecretKeys", {"redis-url": {"name": "cache"}}), "missing property 'key'"),
        (altered(OPERATOR, "existingSecretKeys", {"redis-url": {"name": "", "key": "url"}}), "does not match pattern"),
        (altered(OPERATOR, "existingSecretKeys", {"redis-url": "a b"}), "does not match pattern"),
    ],
)
def test_a_mapping_that_leads_nowhere_is_refused(render: Render, values: Object, words: str) -> None:
    with pytest.raises(RenderError) as refused:
        render(values)
    assert words in str(refused.value)
