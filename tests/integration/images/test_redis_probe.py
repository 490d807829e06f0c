"""The probe of the Redis image: what only readiness minds, and what ends a container."""

from __future__ import annotations

import threading

import redis as client

from tests.integration.images.containers import Container, Machine, docker, eventually
from tests.integration.images.test_redis import connect

BUSY = "local start = redis.call('time')[1] while redis.call('time')[1] - start < 8 do end"


def ping(container: Container, kind: str) -> int:
    """Return the exit code of a probe."""
    return container.run("/opt/ai-platform/ping.sh", kind).returncode


def test_long_script_does_not_end_the_server(redis: Machine) -> None:
    container = redis.start({"REDIS_PASSWORD": "x"})
    server = connect(container, "x")
    server.config_set("busy-reply-threshold", 100)
    other = client.Redis(port=container.port(6379), password="x", socket_timeout=60)
    runner = threading.Thread(target=other.eval, args=(BUSY, 0))
    runner.start()
    eventually("Redis is busy", lambda: ping(container, "ready") == 1)
    assert ping(container, "alive") == 0
    runner.join(60)
    assert not runner.is_alive()
    assert ping(container, "ready") == 0


def test_too_many_clients_do_not_end_the_server(redis: Machine) -> None:
    container = redis.start({"REDIS_PASSWORD": "x"})
    server = connect(container, "x")
    server.config_set("maxclients", 1)
    assert (ping(container, "alive"), ping(container, "ready")) == (0, 1)
    server.config_set("maxclients", 100)
    assert (ping(container, "alive"), ping(container, "ready")) == (0, 0)


def test_server_that_does_not_answer_is_not_alive(redis: Machine) -> None:
    container = redis.start({"REDIS_PASSWORD": "x"})
    connect(container, "x")
    docker("kill", "--signal", "STOP", container.name)
    try:
        assert (ping(container, "alive"), ping(container, "ready")) == (1, 1)
    finally:
        docker("kill", "--signal", "CONT", container.name)
    assert (ping(container, "alive"), ping(container, "ready")) == (0, 0)
