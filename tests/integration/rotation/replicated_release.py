"""A release made of a real primary and replicas, started by the image's own scripts, and a Secret in memory."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import typing as t
from pathlib import Path

import psycopg
from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import (
    ANNOTATION,
    record_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_cluster import server_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_run import (
    BRIDGE,
    KEY,
    ReplicationRotation,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_script import PROGRAM

from dev.postgresql import UNPRIVILEGED, binaries, free_port, reachable
from tests.integration.rotation.conftest import KilledError, decoded, encoded

Object = dict[str, t.Any]
IMAGE = Path(__file__).resolve().parents[3] / "images/postgresql"
ADMIN = "admin:p@ss 'word'"
# On a busy machine.
LIMIT = 180.0
USER, GROUP = (UNPRIVILEGED, "nogroup") if os.geteuid() == 0 else (None, None)


class PostgresPod:
    """A server in a folder that stands for its container: the scripts, the volume with the data, and the Secret's."""

    def __init__(self, name: str, folder: Path, programs: Path, primary: PostgresPod | None = None) -> None:
        self.name, self.folder, self.port, self.primary = name, folder, free_port(), primary
        for each in ("volume", "opt/conf", "opt/tmp", "opt/secrets", "scripts"):
            (folder / each).mkdir(parents=True)
        for script in IMAGE.glob("*.sh"):
            text = script.read_text().replace("/opt/bitnami/postgresql", str(folder / "opt"))
            (folder / "scripts" / script.name).write_text(self.placed(text).replace("/bitnami/", f"{folder}/"))
        secrets = folder / "opt/secrets"
        self.env = {
            "PATH": f"{programs}/bin:{os.defpath}",
            "LANG": "C.UTF-8",
            "POSTGRESQL_PORT_NUMBER": str(self.port),
            "POSTGRESQL_VOLUME_DIR": str(folder / "volume"),
            "PGDATA": str(folder / "volume/data"),
            "POSTGRES_USER": "agent",
            "POSTGRES_PASSWORD_FILE": str(secrets / "password"),
            "POSTGRES_POSTGRES_PASSWORD_FILE": str(secrets / "postgres-password"),
            "POSTGRES_REPLICATION_MODE": "slave" if primary else "master",
            "POSTGRES_REPLICATION_USER": "repl_user",
            "POSTGRES_REPLICATION_PASSWORD_FILE": str(secrets / KEY),
            "POSTGRES_CLUSTER_APP_NAME": "my_application",
        }
        if primary:
            self.env |= {"POSTGRES_MASTER_HOST": "127.0.0.1", "POSTGRES_MASTER_PORT_NUMBER": str(primary.port)}
        else:
            self.env |= {"POSTGRES_DATABASE": "agent", "POSTGRES_NUM_SYNCHRONOUS_REPLICAS": "1"}
        for path in (folder, *folder.rglob("*")):
            if USER:
                shutil.chown(path, UNPRIVILEGED, "nogroup")
        self.process: subprocess.Popen[bytes] | None = None
        self.asked = ""

    def placed(self, text: str) -> str:
        return text.replace("/opt/ai-platform", str(self.folder / "scripts"))

    def mount(self, data: t.Mapping[str, str]) -> None:
        """As the kubelet: what the Secret has now."""
        for key in ("password", "postgres-password", KEY):
            new = self.folder / "opt/secrets/new"
            new.write_text(decoded(data[key]))
            new.chmod(0o644)
            new.replace(self.folder / "opt/secrets" / key)

    def begin(self) -> None:
        """Start the container."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", self.folder / "scripts/entrypoint.sh"],
                env=self.env, cwd=self.folder, stdout=log, stderr=log, start_new_session=True, user=USER, group=GROUP,
            )  # fmt: skip

    def start(self) -> None:
        """Start the container, and wait until its server answers."""
        self.begin()
        self.wait()

    def wait(self) -> None:
        end = time.monotonic() + LIMIT
        while not self.answers():
            assert self.process is not None
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.1)

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            self.sql("SELECT 1")
            return True
        return False

    def stop(self) -> None:
        """As SIGKILL, the whole container."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(LIMIT)
            # A container's processes end at one moment. Here a server's children have groups of their own, and hold the
            # volume until they notice.
            words = ["flock", "--timeout", str(LIMIT), str(self.folder / "volume"), "true"]
            subprocess.run(words, check=True)

    def restart(self) -> None:
        """As a pod that is made anew: what is not on a volume is gone."""
        self.stop()
        for each in ("conf", "tmp"):
            for path in (self.folder / "opt" / each).iterdir():
                path.unlink()
        self.start()

    def sql(self, statement: str) -> t.Any:
        """The first value of a statement of the administrator."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", password=ADMIN, dbname="postgres", autocommit=True,
            connect_timeout=10, options="-c synchronous_commit=local",
        ) as connection:  # fmt: skip
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def ask(self, *words: str) -> str:
        """The program's answer, as exec starts it."""
        done = subprocess.run(
            ["bash", "-c", self.placed(PROGRAM)], input=" ".join(words) + "\n", env=self.env, cwd=self.folder,
            capture_output=True, text=True, check=False, user=USER, group=GROUP,
        )  # fmt: skip
        self.asked += done.stdout + done.stderr
        return done.stdout

    def ask_killed(self, number: int, *words: str) -> bool:
        """The same, but killed where it would start psql for the n-th time; whether it came to that."""
        folder, count = self.folder / "killing", self.folder / "killing/count"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        count.unlink(missing_ok=True)
        stand_in = folder / "psql"
        stand_in.write_text(
            f"#!/bin/bash\nn=$(($(cat {count} 2> /dev/null || echo 0) + 1))\necho $n > {count}\n"
            f'[ $n -lt {number} ] || {{ kill -9 $TOP; exit 1; }}\nPATH=${{PATH#*:}} exec psql "$@"\n'
        )
        stand_in.chmod(0o755)
        done = subprocess.run(
            ["bash", "-c", 'export TOP=$$; exec bash -c "$0"', self.placed(PROGRAM)],
            input=" ".join(words) + "\n", env=self.env | {"PATH": f"{folder}:{self.env['PATH']}"}, cwd=self.folder,
            capture_output=True, text=True, check=False, user=USER, group=GROUP,
        )  # fmt: skip
        self.asked += done.stdout + done.stderr
        return done.returncode == -signal.SIGKILL

    def via(self) -> str:
        """Who it is streaming as."""
        query = "SELECT substring(conninfo from 'user=(\\S+)') FROM pg_stat_wal_receiver WHERE status = 'streaming'"
        with contextlib.suppress(psycopg.OperationalError):
            return str(self.sql(query) or "")
        return ""

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


class Writer:
    """Commits on the primary all the time, each as soon as a replica has it."""

    def __init__(self, primary: PostgresPod) -> None:
        self._primary, self._over = primary, threading.Event()
        self.commits, self.longest, self.failed = 0, 0.0, [""][:0]
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self._primary.port, user="agent", password="agent's", dbname="agent",
            autocommit=True,
        ) as connection:  # fmt: skip
            connection.execute("CREATE TABLE IF NOT EXISTS notes (at timestamptz DEFAULT now())")
            while not self._over.is_set():
                began = time.monotonic()
                try:
                    connection.execute("INSERT INTO notes DEFAULT VALUES")
                except psycopg.Error as error:
                    self.failed.append(str(error))
                    return
                self.commits, self.longest = self.commits + 1, max(self.longest, time.monotonic() - began)
                self._over.wait(0.02)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(LIMIT)


class ReplicatedRelease:
    """A primary whose commits wait for a replica. Implements `replication_run.Keeper`.

    `kill_at` is the number of a change, counted from 1, at which the run is killed; before it with a minus. `between`
    is called after each change, `before` before each of a server.
    """

    def __init__(self, password: str, replicas: int = 1) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rotation-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.programs = reachable(binaries(15), self.folder)
        self.changes = self.kill_at = 0
        self.between: t.Callable[[], None] = lambda: None
        # With its server and what it is told.
        self.before: t.Callable[[PostgresPod, tuple[str, ...]], None] = lambda _pod, _words: None
        self.bitnami = False
        data = {"password": encoded("agent's"), "postgres-password": encoded(ADMIN), KEY: encoded(password)}
        self.kept: Object = {"metadata": {"name": "s", "namespace": "n", "resourceVersion": "1"}, "data": data}
        self.first = PostgresPod("postgresql-primary-0", self.folder / "primary", self.programs)
        self.servers = [self.first]
        self.first.mount(data)
        self.first.start()
        for _each in range(replicas):
            self.add().start()
        self.wait_for("own")
        self.writer = Writer(self.first) if replicas else None
        self._synced = 0

    def add(self) -> PostgresPod:
        """A further replica, which has the Secret as it is, and is not started yet."""
        name = f"postgresql-read-{len(self.servers) - 1}"
        pod = PostgresPod(name, self.folder / name, self.programs, self.first)
        pod.mount(self.kept["data"])
        self.servers.append(pod)
        return pod

    def end(self) -> None:
        # A commit that waits for a replica ends with its server.
        for server in self.servers:
            server.stop()
        if self.writer:
            self.writer.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_for(self, who: str) -> None:
        """Until each replica is streaming as the replication user, or by the bridge, or as either."""
        users = {"own": {"repl_user"}, "bridge": {"repl_user_rotation"}, "any": {"repl_user", "repl_user_rotation"}}
        end = time.monotonic() + LIMIT
        for pod in self.servers[1:]:
            while pod.via() not in users[who]:
                assert time.monotonic() < end, f"{pod.name}: {pod.log()[-3000:]}"
                time.sleep(0.1)

    def break_links(self) -> None:
        """Each replica has to log in anew."""
        self.first.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication")

    def kubelet(self, _seconds: float = 0) -> None:
        """Brings the Secret into one more pod."""
        self.servers[self._synced % len(self.servers)].mount(self.kept["data"])
        self._synced += 1
        time.sleep(0.2)

    # What a rotation sees of it.

    def secret(self) -> Object:
        return copy.deepcopy(self.kept)

    def write(self, secret: Object, record: t.Any, data: t.Mapping[str, str | None]) -> None:
        assert secret["metadata"]["resourceVersion"] == self.kept["metadata"]["resourceVersion"]
        with self._change():
            new = self.secret()
            new["metadata"]["resourceVersion"] += "1"
            new["metadata"].setdefault("annotations", {})[ANNOTATION] = record.as_annotation()
            new["data"] = {key: value for key, value in (new["data"] | dict(data)).items() if value is not None}
            self.kept = new

    def primary(self) -> str:
        return self.first.name

    def replicas(self) -> list[str]:
        return [pod.name for pod in self.servers[1:]]

    def outside(self) -> bool:
        return self.bitnami

    def ask(self, pod: str, action: str, digest: str, bridge: str) -> t.Any:
        server = next(each for each in self.servers if each.name == pod)
        if action == "look":
            return server_of(pod, server.ask(action, digest, bridge))
        self.before(server, (action, digest, bridge))
        with self._change():
            return server_of(pod, server.ask(action, digest, bridge))

    @contextlib.contextmanager
    def _change(self) -> t.Iterator[None]:
        self.changes += 1
        if -self.kill_at == self.changes:
            raise KilledError
        yield
        if self.kill_at == self.changes:
            raise KilledError
        self.between()

    def rotation(self, password: str) -> ReplicationRotation:
        return ReplicationRotation(self, encoded(password), LIMIT, sleep=self.kubelet)

    def rotate(self, password: str) -> list[str]:
        rotation = self.rotation(password)
        assert rotation.run() == "nothing"
        return rotation.done

    def enters(self, password: str, user: str = "repl_user") -> bool:
        """Whether the primary lets a replica in that has this password."""
        env = {"PATH": f"{self.programs}/bin:{os.defpath}", "PGPASSWORD": password}
        place = f"host=127.0.0.1 port={self.first.port} user={user} replication=true"
        words = ["psql", "-XAt", "-c", "IDENTIFY_SYSTEM", place]
        return subprocess.run(words, env=env, capture_output=True, check=False).returncode == 0

    def assert_whole(self, password: str, *others: str) -> None:
        """Nothing is half done, and nothing of the rotation is left, in the servers and beside their data."""
        assert record_of(self.kept).began == ""
        assert BRIDGE not in self.kept["data"]
        assert decoded(self.kept["data"][KEY]) == password
        assert self.enters(password)
        assert [other for other in others if self.enters(other)] == []
        assert self.first.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'repl%'") == 1
        self.break_links()
        self.wait_for("own")
        for server in self.servers:
            auto = (server.folder / "volume/data/postgresql.auto.conf").read_text()
            assert [line for line in auto.splitlines() if not line.startswith("#")] == []
            assert not (server.folder / "volume/.rotation.pass").exists()
            for rules in server.folder.rglob("*hba.conf"):
                assert "_rotation" not in rules.read_text()
        if self.writer:
            assert self.writer.failed == []


def digest(password: str) -> str:
    """As a rotation tells it a server."""
    return hashlib.sha256(password.encode()).hexdigest()
