"""What an agent's container says of itself: its URLs' variables, and where it answers."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.agent_process import (
    answers,
    health_path,
    service_port,
    variables,
)

Object = dict[str, t.Any]


def container(**more: t.Any) -> Object:
    return {"name": "agent", "ports": [{"name": "http", "containerPort": 8283}], **more}


def http(path: str, port: int | str = "http", **more: t.Any) -> Object:
    return {"httpGet": {"path": path, "port": port, **more}}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["DATABASE_URL", "REDIS_URL"], {"postgresql": "DATABASE_URL", "redis": "REDIS_URL"}),
        (["LETTA_PG_URI", "AI_AGENT_DATABASE_URL"], {"postgresql": "AI_AGENT_DATABASE_URL"}),
        # In another form, such as one with a driver of Python's, libpq may not take it.
        (["DATABASE_URL", "AI_AGENT_DATABASE_URL"], {"postgresql": "AI_AGENT_DATABASE_URL"}),
        (["DATABASE_URL", "AI_AGENT_REDIS_URL"], {"postgresql": "DATABASE_URL", "redis": "AI_AGENT_REDIS_URL"}),
        ([], {"postgresql": "DATABASE_URL"}),
    ],
)
def test_the_variables_of_the_urls(names: list[str], found: dict[str, str]) -> None:
    assert variables(container(env=[{"name": name} for name in names])) == found


@pytest.mark.parametrize(
    ("liveness", "readiness", "found"),
    [
        (http("/health"), http("/ready"), [(8283, "/health"), (8283, "/ready")]),
        (http("/health", 5000), http("/health", 5000), [(5000, "/health")]),
        ({"tcpSocket": {"port": "http"}}, http("/v1/health/"), [(8283, "/v1/health/")]),
        ({"exec": {"command": ["true"]}}, {"grpc": {"port": 1}}, []),
        (None, None, []),
        (http("/h", scheme="HTTPS"), http("/r", httpHeaders=[{"name": "Host", "value": "x"}]), []),
        (http("/h", "absent"), http("/r"), [(8283, "/r")]),
    ],
)
def test_what_the_kubelet_asks(liveness: Object | None, readiness: Object | None, found: list[t.Any]) -> None:
    probed = container(livenessProbe=liveness, readinessProbe=readiness)
    assert [(item["port"], item["path"]) for item in answers(probed)] == found


def test_the_path_of_the_process_alone() -> None:
    assert health_path(container(livenessProbe=http("/live"))) == "/live"
    assert health_path(container(livenessProbe={"tcpSocket": {"port": 1}})) is None


@pytest.mark.parametrize(("target", "port"), [("http", 80), (8283, 80), ("metrics", None), (9000, None)])
def test_the_services_port_for_a_port_of_the_container(target: int | str, port: int | None) -> None:
    service = {"spec": {"ports": [{"port": 80, "targetPort": target}]}}
    assert service_port(container(), service, 8283) == port
