"""The Redis image: passwords, data, signals, and what it refuses."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import redis as client
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.integration.images.containers import Container, Machine, docker, eventually


def connect(container: Container, password: str | None) -> client.Redis:
    """Return a connection, once the server answers at all."""
    # Its own retries would take seconds over every password that is refused.
    server = client.Redis(port=container.port(6379), password=password, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def answers() -> bool:
        assert container.state("Running") == "true", container.logs()
        try:
            server.ping()
        except (client.AuthenticationError, client.ResponseError):
            return True
        except (client.ConnectionError, client.TimeoutError):
            return False
        return True

    eventually("Redis answers", answers)
    return server


@pytest.mark.parametrize(
    "password",
    ["a\"b'c\\d $HOME `id` \\x41", " ü漢 #{}%s/:@?& " + "0" * 300, 'x" \nrequirepass "y'],
    ids=["quotes", "unicode", "line-break"],
)
def test_password(redis: Machine, password: str) -> None:
    container = redis.start({"REDIS_PASSWORD": password})
    assert connect(container, password).ping()
    for wrong in ("wrong", password[:-1]):
        with pytest.raises(client.AuthenticationError):
            connect(container, wrong).ping()
    with pytest.raises(client.AuthenticationError):
        connect(container, None).ping()


def test_password_of_a_file_without_its_last_line_break(redis: Machine, tmp_path: Path) -> None:
    path = "/opt/bitnami/redis/password"
    container = redis.start({"REDIS_PASSWORD_FILE": path}, files={path: "a b\n"}, scratch=tmp_path)
    assert connect(container, "a b").ping()


def test_password_is_in_no_command_line_log_or_open_file(redis: Machine) -> None:
    container = redis.start({"REDIS_PASSWORD": "tell-nobody"})
    connect(container, "tell-nobody").ping()
    assert "redis-server" in container.command_lines()
    assert "tell-nobody" not in container.command_lines()
    assert "tell-nobody" not in container.logs()
    assert container.run("stat", "-c", "%a %u", "/opt/bitnami/redis/etc/redis.conf").stdout.split() == ["600", "1001"]
    assert "tell-nobody" not in container.run("cat", "/proc/1/environ").stdout


def test_no_password_when_that_is_wanted(redis: Machine) -> None:
    assert connect(redis.start({"ALLOW_EMPTY_PASSWORD": "yes"}), None).ping()


@pytest.mark.parametrize("end", ["restart", "kill", "stop"])
def test_data_survive(redis: Machine, end: str) -> None:
    volume = redis.volume()
    first = redis.start({"REDIS_PASSWORD": "x"}, volumes={volume: "/data"})
    connect(first, "x").set("key", "value")
    if end == "restart":
        docker_end(first, "restart")
        again = first
    else:
        docker_end(first, end)
        first.ended()
        again = redis.start({"REDIS_PASSWORD": "other"}, volumes={volume: "/data"})
    assert connect(again, "x" if end == "restart" else "other").get("key") == b"value"


def docker_end(container: Container, how: str) -> None:
    """End a container with a command of docker."""
    docker(how, container.name)


def test_stop_is_clean(redis: Machine) -> None:
    container = redis.start({"REDIS_PASSWORD": "x"})
    connect(container, "x").set("key", "value")
    docker_end(container, "stop")
    assert container.ended() == 0
    assert "ready to exit, bye bye" in container.logs()


def test_read_only_root(redis: Machine) -> None:
    container = redis.start({"REDIS_PASSWORD": "x"}, read_only=True)
    server = connect(container, "x")
    assert server.set("key", "value")
    # On a file system that could not be written this would fail.
    assert server.bgrewriteaof()
    assert container.run("touch", "/opt/x").returncode != 0


def test_mounted_configuration_counts_but_not_against_the_password(redis: Machine, tmp_path: Path) -> None:
    lines = 'maxmemory 7mb\nappendonly no\nrequirepass "theirs"\ndir /tmp\nport 7000\nrename-command FLUSHALL ""\n'
    path = "/opt/bitnami/redis/mounted-etc"
    volume = redis.volume()
    container = redis.start(
        {"REDIS_PASSWORD": "x"}, volumes={volume: path}, files={f"{path}/a.conf": lines}, scratch=tmp_path
    )
    server = connect(container, "x")
    settings = t.cast(dict[str, str], server.config_get("*"))
    assert (settings["maxmemory"], settings["appendonly"], settings["dir"]) == (str(7 << 20), "no", "/data")
    with pytest.raises(client.ResponseError, match="unknown command"):
        server.flushall()


def test_two_servers_never_share_a_volume(redis: Machine) -> None:
    volume = redis.volume()
    first = redis.start({"REDIS_PASSWORD": "x"}, volumes={volume: "/data"})
    connect(first, "x")
    second = redis.start({"REDIS_PASSWORD": "x"}, volumes={volume: "/data"})
    assert second.ended() == 1
    assert second.logs() == "error: another server is running on /data: stop it first.\n"
    assert connect(first, "x").ping()


def without_passwords(rules: str) -> list[str]:
    """Return the rules of a user; Redis says that payloads are sanitized only where a line made the user."""
    return [word for word in rules.split() if word[0] != "#" and word != "sanitize-payload"]


def test_a_second_password_is_taken_beside_the_first(redis: Machine, tmp_path: Path) -> None:
    """As while a rotation is under way; without the file it is as ever."""
    first, second = "/opt/bitnami/redis/first", "/opt/bitnami/redis/first-second"
    settings = {"REDIS_PASSWORD_FILE": first}
    passwords = "a\"b'c\\d $HOME `id` \\x41", 'p "x\\y ü'
    both = redis.start(settings, files=dict(zip((first, second), passwords, strict=True)), scratch=tmp_path)
    for password in passwords:
        assert connect(both, password).ping()
        assert password not in both.logs() + both.command_lines()
    server = connect(both, passwords[0])
    assert server.set("key", "value")
    (rules,) = t.cast(list[str], server.acl_list())
    for refused in ("wrong", None):
        with pytest.raises(client.AuthenticationError):
            connect(both, refused).ping()
    # What the user may is what it may without a second password.
    alone = redis.start(settings, files={first: passwords[0]}, scratch=tmp_path)
    (usual,) = t.cast(list[str], connect(alone, passwords[0]).acl_list())
    assert without_passwords(rules) == without_passwords(usual)
    with pytest.raises(client.AuthenticationError):
        connect(alone, passwords[1]).ping()


def test_ping(redis: Machine, tmp_path: Path) -> None:
    path = "/opt/bitnami/redis/password"
    container = redis.start({"REDIS_PASSWORD_FILE": path}, files={path: "first"}, scratch=tmp_path)
    connect(container, "first")
    for kind in ("ready", "alive"):
        assert container.run("/opt/ai-platform/ping.sh", kind).returncode == 0
    # A rotation in progress: the Secret is new, the server is not.
    assert container.run("sh", "-c", f"printf second > {path}", user="0").returncode == 0
    assert container.run("/opt/ai-platform/ping.sh", "alive").returncode == 0
    assert container.run("/opt/ai-platform/ping.sh", "ready").returncode == 0
    assert container.run("env", "REDIS_PORT=7", "/opt/ai-platform/ping.sh", "alive").returncode == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "there is no password: set REDIS_PASSWORD"),
        ({"REDIS_PASSWORD_FILE": "/nowhere"}, "REDIS_PASSWORD_FILE names /nowhere, which cannot be read"),
        ({"REDIS_PASSWORD": "x", "REDIS_PORT": "abc"}, "REDIS_PORT is abc: it must be a number"),
        ({"REDIS_PASSWORD": "x", "REDIS_REPLICATION_MODE": "slave"}, "REDIS_MASTER_HOST is empty: name the master"),
        ({"REDIS_PASSWORD": "x", "REDIS_TLS_ENABLED": "yes"}, "this image serves without TLS"),
    ],
)
def test_wrong_settings_are_one_sentence(redis: Machine, settings: dict[str, str], sentence: str) -> None:
    container = redis.start(settings)
    assert container.ended() == 1
    (line,) = container.logs().splitlines()
    assert line.startswith("error: ")
    assert line.endswith(".")
    assert sentence in line


def test_volume_that_cannot_be_written(redis: Machine) -> None:
    container = redis.start({"REDIS_PASSWORD": "x"}, options=["--user", "1002:1002"])
    assert container.ended() == 1
    assert container.logs().startswith("error: /data cannot be written by uid 1002: ")
