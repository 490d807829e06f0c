"""A release made of real Redis servers, started by the image's own script, a Secret in memory, and pods that work."""

from __future__ import annotations

import contextlib
import copy
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import typing as t
from pathlib import Path
from urllib.parse import quote

import redis
from ansible_collections.ai_platform.agent.plugins.module_utils._release.redis_rotation import ANNOTATION, record_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_cluster import server_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_run import FIRST, SECOND, RedisRotation
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_script import PROGRAM
from redis.backoff import NoBackoff
from redis.retry import Retry

from dev.postgresql import free_port
from dev.redis_server import environment
from tests.integration.rotation.conftest import KilledError, decoded, encoded

Object = dict[str, t.Any]
IMAGE = Path(__file__).resolve().parents[3] / "images/redis"
# On a busy machine.
LIMIT = 120.0
# A client's own repetitions would hide what is refused.
ONCE: t.Any = {"retry": Retry(NoBackoff(), 0), "socket_timeout": LIMIT}


class RedisPod:
    """A server in a folder that stands for its container: the script, the volume with the data, and the Secret's."""

    def __init__(self, name: str, folder: Path, master: RedisPod | None = None) -> None:
        self.name, self.folder, self.port = name, folder, free_port()
        for each in ("data", "etc", "mounted-etc", "secrets"):
            (folder / each).mkdir(parents=True)
        # By default a master waits 5 s for further replicas before it sends its data.
        (folder / "mounted-etc/0.conf").write_text("repl-diskless-sync-delay 0\n")
        script = (IMAGE / "entrypoint.sh").read_text()
        script = re.sub(r"(?<![\w/])/data", str(folder / "data"), script)
        self.script = folder / "entrypoint.sh"
        self.script.write_text(script.replace("/opt/bitnami/redis", str(folder)))
        self.env = environment() | {
            "REDIS_PORT": str(self.port),
            "REDIS_PASSWORD_FILE": str(folder / "secrets/redis-password"),
            "REDIS_REPLICATION_MODE": "replica" if master else "master",
        }
        if master:
            self.env |= {"REDIS_MASTER_HOST": "127.0.0.1", "REDIS_MASTER_PORT_NUMBER": str(master.port)}
            self.env |= {"REDIS_MASTER_PASSWORD_FILE": self.env["REDIS_PASSWORD_FILE"]}
        self._process: subprocess.Popen[bytes] | None = None
        self._mounts = 0

    def mount(self, data: t.Mapping[str, str]) -> None:
        """As the kubelet writes a projected volume: both files change with one link."""
        secrets, self._mounts = self.folder / "secrets", self._mounts + 1
        (new := secrets / f"..{self._mounts}").mkdir()
        for key in (FIRST, SECOND):
            if key in data:
                (new / key).write_text(decoded(data[key]))
            (secrets / key).unlink(missing_ok=True)
        (secrets / "..tmp").symlink_to(new)
        (secrets / "..tmp").replace(secrets / "..data")
        for key in (FIRST, SECOND):
            if key in data:
                (secrets / key).symlink_to(f"..data/{key}")

    def start(self) -> None:
        """Start the server, and wait until it answers at all."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["bash", self.script], env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + LIMIT
        while not self._answers():
            assert self.runs(), self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)

    def _answers(self) -> bool:
        with self.client(None) as client:
            try:
                client.ping()
            except (redis.AuthenticationError, redis.ResponseError):
                return True
            except redis.ConnectionError:
                return False
        return True

    def stop(self) -> None:
        """As SIGKILL: a replica that writes its first append-only file does not end by another signal."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(LIMIT)

    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def restart(self) -> None:
        """As a container that is killed for its memory, and started again with what it has mounted."""
        self.stop()
        self.start()

    def client(self, password: str | None) -> redis.Redis:
        return redis.Redis(port=self.port, password=password, decode_responses=True, **ONCE)

    def takes(self, password: str) -> bool:
        with self.client(password) as client:
            try:
                return bool(client.ping())
            except redis.AuthenticationError:
                return False

    def linked(self, password: str) -> bool:
        with self.client(password) as client:
            return t.cast("Object", client.info("replication")).get("master_link_status") == "up"

    def ask(self, *words: str) -> str:
        """The program's answer, as exec starts it."""
        line, program = " ".join(words) + "\n", PROGRAM.replace("/opt/ai-platform/entrypoint.sh", str(self.script))
        done = subprocess.run(
            ["bash", "-c", program], input=line, env=self.env, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout

    def ping(self, kind: str) -> int:
        """The exit code of the image's probe."""
        done = subprocess.run(["bash", IMAGE / "ping.sh", kind], env=self.env, capture_output=True, check=False)
        return done.returncode

    def log(self) -> str:
        return (self.folder / "log").read_text()


class AgentPod:
    """Has the Secret's URL of its start, keeps one connection, and opens others all the time."""

    def __init__(self, release: RedisRelease) -> None:
        self.url, self.id = release.value("redis-url"), release.value("rotation-id")
        self._release, self._over = release, threading.Event()
        self._kept = redis.Redis.from_url(self.url, **ONCE)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._over.is_set():
            for client in (self._kept, redis.Redis.from_url(self.url, **ONCE)):
                try:
                    client.incr("counter")
                except redis.RedisError as error:
                    self._release.failed.append(f"{type(error).__name__}: {error}")
                else:
                    self._release.commands += 1
                if client is not self._kept:
                    client.close()
            self._over.wait(0.02)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(LIMIT)
        self._kept.close()


class RedisRelease:
    """A master, a replica, and the agent's pods. Implements `redis_run.Keeper`.

    `kill_at` is the number of a change, counted from 1, at which the run is killed; before it with a minus. `between`
    is called after each change.
    """

    def __init__(self, folder: Path, password: str, replicas: int = 1) -> None:
        self.failed: list[str] = []
        self.commands = self.changes = self.kill_at = 0
        self.between: t.Callable[[], None] = lambda: None
        self.bitnami = False
        self.master = RedisPod("redis-master-0", folder / "master")
        self.replicas = [RedisPod(f"redis-replicas-{n}", folder / f"replica-{n}", self.master) for n in range(replicas)]
        self.servers = [self.master, *self.replicas]
        data = self.data(password) | {"rotation-id": encoded("first"), "password": encoded("untouched")}
        self.kept: Object = {"metadata": {"name": "s", "namespace": "n", "resourceVersion": "1"}, "data": data}
        for server in self.servers:
            server.mount(data)
            server.start()
        self._wait_for_links(password)
        self.agents: list[AgentPod] = []
        # Pods that are about to end, and are at work meanwhile.
        self.ending: list[AgentPod] = []
        self._synced = 0

    def data(self, password: str) -> dict[str, str]:
        """What the role would write."""
        url = f"redis://:{quote(password, safe='')}@127.0.0.1:{self.master.port}/0"
        plain = {"redis-password": password, "redis-url": url, "CACHE_URL": url.replace("redis://", "valkey://")}
        database = f"postgresql://agent:{quote(password, safe='')}@db:5432/db"
        return {key: encoded(value) for key, value in (plain | {"database-url": database}).items()}

    def value(self, key: str) -> str:
        return decoded(self.kept["data"][key])

    def begin(self, number: int = 2) -> None:
        self.agents = [AgentPod(self) for _each in range(number)]

    def roll(self, most: int = 100, *, slowly: bool = False) -> None:
        """As a Deployment with maxUnavailable 0: each new pod first, then an old one goes.

        :param slowly: it is about to end, and is not ended yet
        """
        for number, old in enumerate(list(self.agents)):
            if old.id != self.value("rotation-id") and number < most:
                self.agents[number] = AgentPod(self)
                if slowly:
                    self.ending.append(old)
                else:
                    old.stop()

    def refused(self) -> list[str]:
        """What failed for the password, and not because a server was away."""
        return [each for each in self.failed if "auth" in each.lower() or "pass" in each.lower()]

    def end(self) -> None:
        for pod in self.agents + self.ending:
            pod.stop()
        for server in reversed(self.servers):
            server.stop()
            shutil.rmtree(server.folder, ignore_errors=True)

    def kubelet(self) -> None:
        """Brings the Secret into one more pod."""
        self.servers[self._synced % len(self.servers)].mount(self.kept["data"])
        self._synced += 1

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

    def rolled(self, rotation_id: str) -> bool:
        return all(pod.id == rotation_id for pod in self.agents)

    def ended(self, rotation_id: str) -> bool:
        return all(pod.id == rotation_id for pod in self.agents + self.ending)

    def pods(self) -> list[str]:
        return [server.name for server in self.servers]

    def ask(self, pod: str, action: str, hashes: tuple[str, str]) -> t.Any:
        server = next(each for each in self.servers if each.name == pod)
        if action == "look":
            return server_of(pod, server.ask(action, *hashes))
        with self._change():
            return server_of(pod, server.ask(action, *hashes))

    def outside(self) -> bool:
        return self.bitnami

    def try_login(self, url: str) -> str:
        with redis.Redis.from_url(url, **ONCE) as client:
            try:
                client.ping()
            except redis.AuthenticationError:
                return "auth"
        return ""

    @contextlib.contextmanager
    def _change(self) -> t.Iterator[None]:
        self.changes += 1
        if -self.kill_at == self.changes:
            raise KilledError
        yield
        if self.kill_at == self.changes:
            raise KilledError
        self.between()

    def rotation(self, password: str, *, begin: bool = True) -> RedisRotation:
        return RedisRotation(self, self.data(password), LIMIT, begin, sleep=lambda _seconds: self.kubelet())

    def rotate(self, password: str) -> list[str]:
        """As playbooks/rotate_credentials.yml does."""
        first = self.rotation(password)
        if first.run() == "roll":
            self.roll()
            second = self.rotation(password, begin=False)
            assert second.run() == "nothing"
            return first.done + second.done
        return first.done

    def assert_whole(self, password: str, *others: str) -> None:
        """Nothing is half done: each server takes one password, now and after its next start, and follows."""
        record = record_of(self.kept)
        assert (record.began, record.before) == ("", "")
        assert (self.value("redis-password"), self.value("password")) == (password, "untouched")
        assert "redis-password-second" not in self.kept["data"]
        assert self.value("redis-url") == decoded(self.data(password)["redis-url"])
        assert self.value("CACHE_URL") == decoded(self.data(password)["CACHE_URL"])
        for server in self.servers:
            assert server.takes(password)
            assert [other for other in others if server.takes(other)] == []
            with server.client(password) as client:
                assert client.config_get("requirepass") == {"requirepass": password}
            assert server.ping("ready") == server.ping("alive") == 0
        for replica in self.replicas:
            with replica.client(password) as client:
                assert client.config_get("masterauth") == {"masterauth": password}

    def assert_replicas_follow(self, password: str) -> None:
        """Also after their links are broken."""
        with self.master.client(password) as client:
            client.client_kill_filter(_type="replica")
        self._wait_for_links(password)

    def _wait_for_links(self, password: str) -> None:
        end = time.monotonic() + LIMIT
        while not all(replica.linked(password) for replica in self.replicas):
            assert time.monotonic() < end, [replica.log()[-2000:] for replica in self.replicas]
            time.sleep(0.1)
