"""`first_pod.py` against a real PostgreSQL: of pods that migrate themselves one starts first."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dev.postgresql import free_port
from tests.integration.schema.conftest import Image, Started


class Pods:
    """Pods of one release, and the Service that leads to them."""

    def __init__(self, image: Image) -> None:
        """Nothing serves."""
        self._image, self._port = image, free_port()

    def start(self, name: str, seconds: str = "600") -> Started:
        """Start the init container of a pod."""
        told = {"FIRST_POD_NAME": name, "FIRST_POD_SECONDS": seconds, "FIRST_POD_SERVICE": f"127.0.0.1:{self._port}"}
        return self._image.start(program="first_pod.py", **told)

    def serve(self) -> socket.socket:
        """One of them gets ready."""
        return socket.create_server(("127.0.0.1", self._port))


@pytest.fixture
def image(tmp_path: Path, database: str) -> Image:
    """An image that migrates itself, on an empty database."""
    return Image(tmp_path / "app", database)


@pytest.fixture
def some(image: Image) -> Pods:
    """Pods of it."""
    return Pods(image)


def test_one_pod_starts_and_the_others_when_it_serves(some: Pods) -> None:
    first = some.start("a").end()
    assert (first.code, first.err) == (0, "")
    assert "No pod serves; a starts first" in first.out
    others = [some.start("b"), some.start("c")]
    for other in others:
        other.says("No pod serves; a starts first, this one when it serves.")
    with some.serve():
        for other in others:
            done = other.end()
            assert done.code == 0
            assert "serves; " in done.out


def test_the_first_pod_that_begins_anew_goes_on(some: Pods) -> None:
    assert some.start("a").end().code == 0
    assert some.start("a").end().code == 0


def test_a_first_pod_that_never_serves_is_followed_by_another(some: Pods, image: Image) -> None:
    assert some.start("a").end().code == 0
    waiting = some.start("b", seconds="300")
    waiting.says("a starts first")
    image.execute("UPDATE ai_agent.migrations SET at = at - interval '301 seconds'")
    done = waiting.end()
    assert done.code == 0
    assert "No pod serves; b starts first" in done.out


def test_an_upgrade_of_what_serves_asks_no_database(some: Pods, image: Image) -> None:
    with some.serve():
        assert some.start("new").end().code == 0
    assert image.rows("SELECT to_regclass('ai_agent.migrations')") == [(None,)]


def test_what_is_not_told_is_named(image: Image) -> None:
    done = image.run(program="first_pod.py")
    assert (done.code, done.err) == (1, "FIRST_POD_NAME is not set: the chart sets it.\n")
