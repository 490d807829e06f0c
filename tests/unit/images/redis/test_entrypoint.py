"""What the Redis image's entry point writes into redis.conf, and what its probe says of a replica, without a server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

IMAGE = Path(__file__).resolve().parents[4] / "images" / "redis"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the image's folders in it, and a program that stands for redis-server."""
    for name in ("data", "redis/etc", "redis/mounted-etc", "bin"):
        (tmp_path / name).mkdir(parents=True)
    stand_in(tmp_path, "redis-server", 'cat "$1"; env | grep PASSWORD || true')
    return tmp_path


def stand_in(folder: Path, name: str, program: str) -> None:
    """Put a program first on PATH."""
    file = folder / "bin" / name
    file.write_text(f"#!/bin/bash\n{program}\n")
    file.chmod(0o755)


def run(folder: Path, script: str, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the image with its folders moved to `folder`."""
    text = (
        (IMAGE / script).read_text().replace("/opt/bitnami/redis", f"{folder}/redis").replace("/data", f"{folder}/data")
    )
    file = folder / script
    file.write_text(text)
    env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", **settings}
    return subprocess.run(["bash", file, *words], env=env, capture_output=True, text=True, timeout=30, check=False)


def lines(folder: Path, **settings: str) -> list[str]:
    """Return the lines of redis.conf that the settings lead to, and every password left in the environment."""
    done = run(folder, "entrypoint.sh", **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_master_follows_nobody(folder: Path) -> None:
    written = lines(folder, REDIS_PASSWORD="ab", REDIS_REPLICATION_MODE="master")
    assert 'requirepass "\\x61\\x62"' in written
    assert not [line for line in written if line.startswith(("replicaof", "masterauth"))]


@pytest.mark.parametrize("mode", ["replica", "slave"])
def test_replica_follows_its_master(folder: Path, mode: str) -> None:
    secret = folder / "secret"
    secret.write_text('a"b')
    written = lines(
        folder,
        REDIS_REPLICATION_MODE=mode,
        REDIS_MASTER_HOST="cache-master-0.cache-headless",
        REDIS_MASTER_PORT_NUMBER="6380",
        REDIS_PASSWORD="x",
        REDIS_MASTER_PASSWORD_FILE=str(secret),
    )
    assert "replicaof cache-master-0.cache-headless 6380" in written
    assert 'masterauth "\\x61\\x22\\x62"' in written
    assert 'requirepass "\\x78"' in written
    assert not [line for line in written if line.startswith("REDIS_PASSWORD=")]
    assert (folder / "redis" / "etc" / "redis.conf").stat().st_mode & 0o777 == 0o600


def test_replica_without_passwords(folder: Path) -> None:
    written = lines(folder, REDIS_REPLICATION_MODE="replica", REDIS_MASTER_HOST="m", ALLOW_EMPTY_PASSWORD="yes")
    assert "replicaof m 6379" in written
    assert not [line for line in written if line.startswith(("requirepass", "masterauth"))]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"REDIS_REPLICATION_MODE": "primary"}, "it must be master or replica"),
        ({"REDIS_REPLICATION_MODE": "replica"}, "REDIS_MASTER_HOST is empty: name the master"),
        ({"REDIS_MASTER_HOST": "m"}, "this is no replica: set REDIS_REPLICATION_MODE to replica"),
        ({"REDIS_REPLICATION_MODE": "replica", "REDIS_MASTER_HOST": "a b"}, "must be a host name"),
        (
            {"REDIS_REPLICATION_MODE": "replica", "REDIS_MASTER_HOST": "m", "REDIS_MASTER_PORT_NUMBER": "x"},
            "REDIS_MASTER_PORT_NUMBER is x",
        ),
        ({"REDIS_MASTER_PASSWORD_FILE": "/nowhere"}, "REDIS_MASTER_PASSWORD_FILE names /nowhere"),
    ],
)
def test_wrong_settings_are_one_sentence(folder: Path, settings: dict[str, str], sentence: str) -> None:
    done = run(folder, "entrypoint.sh", REDIS_PASSWORD="x", **settings)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("mode", "link", "ready"), [("master", "", True), ("replica", "up", True), ("replica", "down", False)]
)
def test_replica_is_ready_when_it_has_its_masters_data(folder: Path, mode: str, link: str, ready: bool) -> None:
    stand_in(folder, "redis-cli", f'[[ "$*" == *ping ]] && echo PONG || echo "role:slave\nmaster_link_status:{link}"')
    codes = {kind: run(folder, "ping.sh", kind, REDIS_REPLICATION_MODE=mode).returncode for kind in ("alive", "ready")}
    assert codes == {"alive": 0, "ready": 0 if ready else 1}
