"""Of which image a trace makes its server."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.server_image import (
    ServerImage,
    server_image,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Options
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import servers


def statefulset(image: str, component: str = "primary", **pod: t.Any) -> dict[str, t.Any]:
    container = {"name": "server", "image": image, "imagePullPolicy": "IfNotPresent"}
    spec = {"template": {"spec": {"containers": [container]} | pod}}
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "db", "labels": {"app.kubernetes.io/component": component}},
        "spec": spec,
    }


class Planned(t.NamedTuple):
    servers: tuple[t.Any, ...]


def chosen(planned: list[dict[str, t.Any]], live: list[dict[str, t.Any]], **options: t.Any) -> ServerImage | None:
    given = Options("r", "n", "heads", 60, 30, {}, **options)
    return server_image(Planned(servers(planned)), Live(statefulsets=tuple(live)), given)  # type: ignore[arg-type]


def test_what_runs_comes_before_what_would_be_deployed() -> None:
    found = chosen([statefulset("new:17")], [statefulset("old:15", securityContext={"runAsUser": 1001})])
    assert found == ("old:15", "IfNotPresent", 1001)
    assert chosen([statefulset("new:17")], []) == ("new:17", "IfNotPresent", None)


def test_a_cache_and_a_replica_are_no_database() -> None:
    assert chosen([], [statefulset("redis:7", "master"), statefulset("old:15", "read")]) is None


def test_a_named_image_comes_first() -> None:
    assert chosen([], [statefulset("old:15")], trace_image="own:16", trace_user=70) == ("own:16", None, 70)


@pytest.mark.parametrize(("user", "context"), [(None, None), (0, {"runAsUser": 0}), (999, {"runAsUser": 999})])
def test_its_user_is_told_to_the_container(user: int | None, context: t.Any) -> None:
    container = ServerImage("i", None, user).container("c", ["x"], {})
    assert container.get("securityContext") == context
