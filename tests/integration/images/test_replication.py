"""A second server that follows the first: PostgreSQL's read replica, Redis' replica."""

from __future__ import annotations

import redis as client

from tests.integration.images.containers import Container, Machine, docker, eventually
from tests.integration.images.test_postgresql import CUSTOM, VOLUME, connect, ready, value

PASSWORD = "a:b\\c d"
PRIMARY = {
    **CUSTOM,
    "POSTGRES_REPLICATION_MODE": "master",
    "POSTGRES_REPLICATION_PASSWORD": PASSWORD,
    "POSTGRES_CLUSTER_APP_NAME": "my_application",
    "POSTGRES_SYNCHRONOUS_COMMIT_MODE": "on",
    "POSTGRES_NUM_SYNCHRONOUS_REPLICAS": "1",
}


def address(container: Container) -> str:
    """Return the container's address on Docker's own network."""
    return docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", container.name).stdout.strip()


def replica_of(primary: Container) -> dict[str, str]:
    """Return the settings of a replica, as Bitnami's chart gives them: without the database."""
    kept = {name: given for name, given in PRIMARY.items() if name != "POSTGRES_DATABASE"}
    return {**kept, "POSTGRES_REPLICATION_MODE": "slave", "POSTGRES_MASTER_HOST": address(primary)}


def test_read_replica_has_every_write_and_takes_none(postgresql: Machine) -> None:
    primary = postgresql.start(PRIMARY, read_only=True, volumes={postgresql.volume(): VOLUME})
    volume = postgresql.volume()
    replica = postgresql.start(replica_of(primary), read_only=True, volumes={volume: VOLUME})
    ready(replica)
    with connect(primary, "agent_user", "user-secret", "agent_db") as first:
        first.execute("CREATE TABLE notes (text TEXT)")
        first.execute("INSERT INTO notes VALUES ('before')")
    with connect(replica, "agent_user", "user-secret", "agent_db") as second:
        eventually("the replica has the write", lambda: value(second, "SELECT text FROM notes") == "before")
        assert value(second, "SELECT pg_is_in_recovery()") is True
    with connect(primary, "postgres", "admin-secret") as admin:
        query = "SELECT application_name || ' ' || state || ' ' || sync_state FROM pg_stat_replication"
        assert value(admin, query) == "my_application streaming sync"
    for container in (primary, replica):
        assert PASSWORD not in container.logs() + container.command_lines()

    # Stopped and started again on its volume, it follows on.
    docker("stop", replica.name)
    with connect(primary, "postgres", "admin-secret", "agent_db") as admin:
        admin.execute("SET synchronous_commit = local")
        admin.execute("INSERT INTO notes VALUES ('while it was away')")
    again = postgresql.start(replica_of(primary), read_only=True, volumes={volume: VOLUME})
    with connect(again, "agent_user", "user-secret", "agent_db") as second:
        eventually("the replica caught up", lambda: value(second, "SELECT count(*) FROM notes") == 2)


def test_replica_waits_for_its_primary_and_ends_when_told(postgresql: Machine) -> None:
    settings = {name: given for name, given in PRIMARY.items() if name != "POSTGRES_DATABASE"}
    settings |= {"POSTGRES_REPLICATION_MODE": "slave", "POSTGRES_MASTER_HOST": "127.0.0.1"}
    replica = postgresql.start(settings)
    eventually("it says that it waits", lambda: "gives no copy yet, trying again" in replica.logs())
    docker("stop", "--time", "20", replica.name)
    assert replica.ended() == 130


def test_replicas_volume_does_not_become_a_primarys(postgresql: Machine) -> None:
    primary = postgresql.start(PRIMARY | {"POSTGRES_NUM_SYNCHRONOUS_REPLICAS": "0"})
    volume = postgresql.volume()
    replica = postgresql.start(replica_of(primary), volumes={volume: VOLUME})
    ready(replica)
    docker("stop", replica.name)
    wrong = postgresql.start(PRIMARY, volumes={volume: VOLUME})
    assert wrong.ended() == 1
    assert "is a replica's: remove" in wrong.logs()


def test_redis_replica(redis: Machine) -> None:
    password = 'p "x\\y'
    master = redis.start({"REDIS_PASSWORD": password}, read_only=True, volumes={redis.volume(): "/data"})
    settings = {"REDIS_PASSWORD": password, "REDIS_MASTER_PASSWORD": password, "REDIS_REPLICATION_MODE": "replica"}
    settings |= {"REDIS_MASTER_HOST": address(master)}
    replica = redis.start(settings, read_only=True, volumes={redis.volume(): "/data"})

    def says(kind: str) -> bool:
        return replica.run("/opt/ai-platform/ping.sh", kind).returncode == 0

    eventually("the replica has its master's data", lambda: says("ready"))
    client.Redis(port=master.port(6379), password=password).set("key", "value")
    there = client.Redis(port=replica.port(6379), password=password)
    eventually("the replica has the write", lambda: there.get("key") == b"value")
    docker("stop", master.name)
    eventually("the replica is not ready without its master", lambda: not says("ready"))
    assert says("alive")
