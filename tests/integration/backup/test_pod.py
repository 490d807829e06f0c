"""The program of a pod as its two containers: a process with Python, and a shell with PostgreSQL's programs."""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import importlib.util
import json
import os
import pwd
import re
import shutil
import subprocess
import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_pod, backup_store
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import Unframer

from dev import s3_server
from dev.postgresql import UNPRIVILEGED, Server
from tests.integration.backup.conftest import Place, placed
from tests.integration.backup.store import PREFIX, storing
from tests.integration.backup.test_damage import SMALL
from tests.unit.plugins.module_utils._in_pod.project import Project

Row = dict[str, t.Any]
Main = t.Callable[[Row], None]
CHART = Path(__file__).resolve().parents[3] / "chart"


@pytest.fixture
def small(server: Server) -> t.Iterator[Place]:
    with placed(server, SMALL) as made:
        yield made


class Pod:
    """Both containers run as the one user of PostgreSQL's programs, as in the Job."""

    def __init__(self, place: Place) -> None:
        self.place = place
        place.ask(path=place.folder / "other")
        self.shared, self.backups = place.folder / "shared", place.folder / "volume"
        self.user = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        for folder in (self.backups, place.work):
            folder.mkdir(exist_ok=True)
            shutil.chown(folder, self.user.pw_uid, self.user.pw_gid)

    def run(self, state: str, **more: t.Any) -> Row:
        """One Job."""
        text = self.log(backup_pod.main, {"state": state, **more})
        unframer = Unframer()
        answers = [answer for line in text.splitlines() if (answer := unframer.feed(line)) is not None]
        assert len(answers) == 1, text
        return answers[0]

    def log(self, main: Main, request: Row, beside: str | None = None) -> str:
        """What one Job prints, in which no password is.

        :param beside: the shell program of the container beside, None for the Job's
        """
        shutil.rmtree(self.shared, ignore_errors=True)
        self.shared.mkdir()
        shutil.chown(self.shared, self.user.pw_uid, self.user.pw_gid)
        with self.sibling(beside) as process:
            text = self.main(main, request)
            process.wait(60)
        return text

    @contextlib.contextmanager
    def sibling(self, program: str | None = None) -> t.Iterator[subprocess.Popen[bytes]]:
        programs = self.place.server.folder / "programs"
        beside = subprocess.Popen(
            ["sh", "-c", program or backup_pod.SIBLING, "sh", str(self.shared)],
            env={"PATH": f"{programs / 'bin'}:{os.defpath}", "LD_LIBRARY_PATH": str(programs / "lib")},
            user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[], cwd="/",
        )  # fmt: skip
        try:
            yield beside
        finally:
            beside.kill()
            beside.wait()

    def main(self, main: Main, request: Row) -> str:
        """What the container with Python prints."""
        own: Row = {
            "path": str(self.backups), "work": str(self.place.work), "shared": str(self.shared), "name": None,
            "jobs": 2, "version_table": "alembic_version", "lock_timeout_ms": 5000, "image": "agent@sha256:1",
            "retention": {},
        }  # fmt: skip
        log = self.place.folder / "log"
        log.touch()
        log.chmod(0o666)
        # The child may not read the files of a Python that lies in root's home: all that it needs is loaded here.
        for name in ("ascii", "idna"):
            codecs.lookup(name)
        backup_pod._known()
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            with contextlib.suppress(BaseException):
                os.environ["DATABASE_URL"] = request.pop("url", self.place.url)
                # Root's checkout may be in a folder that only root enters.
                os.chdir("/")
                os.setgroups([])
                os.setgid(self.user.pw_gid)
                os.setuid(self.user.pw_uid)
                os.dup2(os.open(log, os.O_WRONLY | os.O_TRUNC), 1)
                import sys

                sys.stdout = os.fdopen(1, "w")
                with contextlib.suppress(SystemExit):
                    main(own | request)
                sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
        text = log.read_text(encoding="utf-8")
        assert self.place.server.password not in text
        assert s3_server.SECRET_KEY not in text
        return text


def test_backup_verify_and_restore(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pod = Pod(small)
    # What a killed pod left on a volume for the work.
    (small.work / "backup-left" / "data").mkdir(parents=True)
    shutil.chown(small.work / "backup-left", pod.user.pw_uid)
    shutil.chown(small.work / "backup-left" / "data", pod.user.pw_uid)
    made = pod.run("backup")
    assert "error" not in made, made
    record = made["backup"]
    assert (record["verified"], record["rows"], record["revision"]) == (True, 501, ["r1"])
    assert [path.name for path in pod.backups.iterdir() if path.name != ".lock"] == [record["name"]]
    assert list(small.work.iterdir()) == []
    assert not list(pod.shared.glob("*.service"))
    again = pod.run("verify")
    assert again["backup"]["verified"] is True
    assert [item["name"] for item in pod.run("records")["backups"]] == [record["name"]]
    target = f"{small.database}_again"
    restored = pod.run("restore", restore_database=target, url=small.server.url())
    assert "error" not in restored, restored
    with psycopg.connect(small.server.url(target)) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (500,)
    # As the image has it, whose working directory the program runs in.
    Project(small.folder).add("r0", None)
    monkeypatch.setenv("ALEMBIC_CONFIG", str(small.folder / "alembic.ini"))
    error = pod.run("restore", restore_database=f"{target}_2", url=small.server.url())["error"]
    assert error["id"] == "restore-revision"
    monkeypatch.delenv("ALEMBIC_CONFIG")
    error = pod.run("restore", restore_database=target, url=small.server.url())["error"]
    assert error["id"] == "restore-exists"
    # Corrupted on the volume.
    data = next((pod.backups / record["name"] / "data").glob("*.dat.gz"))
    data.write_bytes(data.read_bytes()[:-1])
    error = pod.run("verify")["error"]
    assert (error["id"], data.name in error["message"]) == ("backup-corrupt", True)


def test_a_store(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys are in the pod's variables, and in no answer; nothing is kept in the pod."""
    pod = Pod(small)
    with storing(small) as kept:
        monkeypatch.setenv("BACKUP_STORE_ACCESS_KEY", s3_server.ACCESS_KEY)
        monkeypatch.setenv("BACKUP_STORE_SECRET_KEY", s3_server.SECRET_KEY)
        # What the agent has for a service of its own is not taken for the store's.
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-model")
        place = backup_store.Place(kept.s3()["bucket"], PREFIX, kept.store.endpoint, s3_server.REGION)
        # A child without rights may load no library from root's home.
        backup_store.Store(place).objects()
        own: Row = {"path": "/nowhere", "store": dataclasses.asdict(place)}
        (small.work / "backup-store-left").mkdir()
        shutil.chown(small.work / "backup-store-left", pod.user.pw_uid)
        made = pod.run("backup", **own)
        assert "error" not in made, made
        name = made["backup"]["name"]
        assert made["backup"]["verified"] is True
        assert f"{name}/record.json" in kept.objects()
        assert list(small.work.iterdir()) == []
        assert list(pod.backups.iterdir()) == []
        assert pod.run("verify", **own)["backup"]["verified"] is True
        assert [item["name"] for item in pod.run("records", **own)["backups"]] == [name]
        target = f"{small.database}_again"
        restored = pod.run("restore", restore_database=target, url=small.server.url(), **own)
        assert "error" not in restored, restored
        with psycopg.connect(small.server.url(target)) as connection:
            assert connection.execute("SELECT count(*) FROM notes").fetchone() == (500,)
        monkeypatch.setenv("BACKUP_STORE_SECRET_KEY", "wr0ng-s3cr3t")
        error = pod.run("backup", **own)["error"]
        assert (error["id"], "wr0ng-s3cr3t" in str(error)) == ("backup-store-access", False)
        assert list(small.work.iterdir()) == []


def test_the_container_beside_ends_with_a_killed_one(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the pod would run until the Job's deadline."""
    monkeypatch.setattr(backup_pod, "SIBLING", backup_pod.SIBLING.replace("-lt 300", "-lt 10"))
    pod = Pod(small)
    pod.shared.mkdir()
    shutil.chown(pod.shared, pod.user.pw_uid, pod.user.pw_gid)
    (pod.shared / "signs").write_text("1\n", encoding="ascii")
    with pod.sibling() as beside:
        assert beside.wait(60) == 0


@pytest.fixture(scope="module")
def scheduled() -> tuple[Main, str]:
    """The program of the chart's CronJob, and the shell program of the container beside it."""
    spec = importlib.util.spec_from_file_location("backup_job", CHART / "files/backup_job.py")
    assert spec is not None
    assert spec.loader is not None
    job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(job)

    def main(request: Row) -> None:
        os.environ["BACKUP"] = json.dumps(request)
        job.main()

    found = re.search(r"- '(N=0; until .*)'\n", (CHART / "templates/backup.yaml").read_text(encoding="utf-8"))
    assert found is not None
    return main, found[1]


def test_on_schedule(small: Place, scheduled: tuple[Main, str]) -> None:
    pod, (main, beside) = Pod(small), scheduled
    said = pod.log(main, {"state": "backup"}, beside)
    (name,) = [path.name for path in pod.backups.iterdir() if path.name != ".lock"]
    assert said.startswith(f"{name}: 501 rows of {small.database}, ")
    assert said.endswith(", revision r1, verified\n")
    (record,) = pod.run("records")["backups"]
    assert (record["name"], record["verified"], record["image"]) == (name, True, "agent@sha256:1")


def test_on_schedule_without_a_database(small: Place, scheduled: tuple[Main, str]) -> None:
    pod, (main, beside) = Pod(small), scheduled
    said = pod.log(main, {"state": "backup", "url": "postgresql://u:s3cr3t@127.0.0.1:1/d"}, beside)
    assert said.count("\n") == 1, said
    assert "127.0.0.1:1/d refuses" in said
    assert "s3cr3t" not in said
    assert [path for path in pod.backups.iterdir() if path.name != ".lock"] == []
