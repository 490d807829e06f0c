"""What the PostgreSQL image's shell functions do for replication: settings, configuration, first copy."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

IMAGE = Path(__file__).resolve().parents[4] / "images" / "postgresql"
PRIMARY = {
    "POSTGRES_USER": "agent_user",
    "POSTGRES_PASSWORD": "x",
    "POSTGRES_DATABASE": "agent_db",
    "POSTGRES_REPLICATION_MODE": "master",
    "POSTGRES_REPLICATION_PASSWORD": "r",
}
REPLICA = {
    "POSTGRES_USER": "agent_user",
    "POSTGRES_PASSWORD": "x",
    "POSTGRES_REPLICATION_MODE": "slave",
    "POSTGRES_REPLICATION_PASSWORD": "r",
    "POSTGRES_MASTER_HOST": "db-primary",
}


def shell(folder: Path, settings: dict[str, str], program: str) -> subprocess.CompletedProcess[str]:
    """Run `program` after the image's settings were read, with its folders moved to `folder`."""
    script = f"""
    set -euo pipefail
    . {IMAGE}/settings.sh
    conf={folder} tmp={folder} data={folder}/data
    . {IMAGE}/configure.sh
    . {IMAGE}/replicate.sh
    {program}
    """
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "POSTGRESQL_VOLUME_DIR": str(folder), **settings}
    return subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=30, check=False)


def configuration(folder: Path, settings: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the lines of postgresql.conf and of pg_hba.conf that the settings lead to."""
    done = shell(folder, settings, "write_configuration")
    assert done.returncode == 0, done.stderr
    lines = [line.partition(" = ") for line in (folder / "postgresql.conf").read_text().splitlines()]
    return {name: value.strip("'") for name, _, value in lines}, (folder / "pg_hba.conf").read_text().splitlines()


def test_one_server_alone_knows_nothing_of_replication(tmp_path: Path) -> None:
    alone = {name: value for name, value in PRIMARY.items() if "REPLICATION" not in name}
    settings, rules = configuration(tmp_path, alone)
    assert not {"primary_conninfo", "wal_keep_size", "synchronous_standby_names"} & settings.keys()
    assert not any("replication" in rule for rule in rules)


def test_primary(tmp_path: Path) -> None:
    settings, rules = configuration(tmp_path, PRIMARY)
    assert (settings["wal_level"], settings["max_wal_senders"], settings["wal_keep_size"]) == ("replica", "16", "128MB")
    assert 'host replication "repl_user" all scram-sha-256' in rules
    assert not {"primary_conninfo", "synchronous_standby_names"} & settings.keys()


def test_synchronous_replicas(tmp_path: Path) -> None:
    more = {"POSTGRES_NUM_SYNCHRONOUS_REPLICAS": "2", "POSTGRES_CLUSTER_APP_NAME": "app"}
    settings, _ = configuration(tmp_path, {**PRIMARY, **more, "POSTGRES_SYNCHRONOUS_COMMIT_MODE": "remote_apply"})
    assert settings["synchronous_standby_names"] == '2 ("app")'
    assert settings["synchronous_commit"] == "remote_apply"


def test_replica_follows_its_primary(tmp_path: Path) -> None:
    more = {"POSTGRES_MASTER_PORT_NUMBER": "5433", "POSTGRES_REPLICATION_USER": "follower"}
    settings, _ = configuration(tmp_path, {**REPLICA, **more})
    assert settings["primary_conninfo"] == (
        f"host=db-primary port=5433 user=follower application_name=walreceiver passfile={tmp_path}/replication.pass"
    )
    assert settings["hot_standby"] == "on"


def test_password_is_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a:b\\c d")
    given = {key: value for key, value in REPLICA.items() if key != "POSTGRES_REPLICATION_PASSWORD"}
    done = shell(
        tmp_path,
        {**given, "POSTGRES_REPLICATION_PASSWORD_FILE": str(secret)},
        "write_replication_password; write_configuration",
    )
    assert done.returncode == 0, done.stderr
    file = tmp_path / "replication.pass"
    assert file.read_text() == "*:*:*:repl_user:a\\:b\\\\c d\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "b\\" not in (tmp_path / "postgresql.conf").read_text()


def stand_in(folder: Path, name: str, program: str) -> None:
    """Put a program that stands for one of PostgreSQL's first on PATH."""
    file = folder / name
    file.write_text(f"#!/bin/bash\n{program}\n")
    file.chmod(0o755)


def test_first_copy_is_tried_until_it_is_whole(tmp_path: Path) -> None:
    stand_in(tmp_path, "pg_isready", f"echo >> {tmp_path}/asked; [[ $(wc -l < {tmp_path}/asked) -gt 1 ]]")
    stand_in(
        tmp_path,
        "pg_basebackup",
        f"""
        echo "$PGPASSFILE $*" >> {tmp_path}/copied
        mkdir {tmp_path}/data.incomplete
        echo 15 > {tmp_path}/data.incomplete/PG_VERSION
        touch {tmp_path}/data.incomplete/postgresql.conf
        [[ $(wc -l < {tmp_path}/copied) -gt 1 ]]
        """,
    )
    stand_in(tmp_path, "sleep", "exit 0")
    done = shell(tmp_path, REPLICA, "copy_primary")
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in (tmp_path / "data").iterdir()) == ["PG_VERSION", "standby.signal"]
    assert not (tmp_path / "data.incomplete").exists()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    first, second = (tmp_path / "copied").read_text().splitlines()
    assert first == second
    assert first.startswith(f"{tmp_path}/replication.pass --pgdata={tmp_path}/data.incomplete --host=db-primary")
    assert done.stdout.count("trying again") == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"POSTGRES_REPLICATION_MODE": "primary"}, "it must be master or slave"),
        ({"POSTGRES_MASTER_HOST": ""}, "POSTGRES_MASTER_HOST is empty: name the primary"),
        ({"POSTGRES_MASTER_HOST": "a b"}, "must be a host name"),
        ({"POSTGRES_MASTER_PORT_NUMBER": "x"}, "POSTGRES_MASTER_PORT_NUMBER is x: it must be a number"),
        ({"POSTGRES_REPLICATION_MODE": "master"}, "this is no replica: set POSTGRES_REPLICATION_MODE to slave"),
        ({"POSTGRES_REPLICATION_PASSWORD": ""}, "there is no password for repl_user"),
        ({"POSTGRES_REPLICATION_PASSWORD": "a\nb"}, "has a line break"),
        ({"POSTGRES_REPLICATION_USER": "a'b"}, "must be letters, digits"),
        ({"POSTGRES_REPLICATION_USER": "agent_user"}, "choose a name of its own"),
        ({"POSTGRES_CLUSTER_APP_NAME": "a b"}, "must be letters, digits"),
        ({"POSTGRES_NUM_SYNCHRONOUS_REPLICAS": "many"}, "must be a number from 0 to 99"),
    ],
)
def test_wrong_settings_are_one_sentence(tmp_path: Path, settings: dict[str, str], sentence: str) -> None:
    done = shell(tmp_path, {**REPLICA, **settings}, "true")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert sentence in done.stderr
