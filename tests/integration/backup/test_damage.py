"""What is wrong is refused in one sentence, and costs no other backup."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import psycopg
import pyrage
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

from dev.postgresql import Server
from tests.integration.backup.asking import complete
from tests.integration.backup.conftest import Place, placed
from tests.unit.plugins.module_utils._in_pod.project import Project

ROOT = Path(__file__).resolve().parents[3]
SMALL = """
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('r1');
CREATE TABLE notes (id int PRIMARY KEY, body text);
INSERT INTO notes SELECT n, 'c4n4ry' || n FROM generate_series(1, 500) n;
"""
KEY, OTHER = (str(pyrage.x25519.Identity.generate()) for _ in range(2))


@pytest.fixture
def small(server: Server) -> t.Iterator[Place]:
    with placed(server, SMALL) as made:
        yield made


def refused(place: Place, **given: t.Any) -> FindingError:
    """The one sentence, in which no secret is, after which no folder in clear is left."""
    with pytest.raises(FindingError) as caught:
        place.ask(**given)
    said = caught.value.message
    assert place.server.password not in said
    assert KEY not in said
    assert "Traceback" not in said
    assert list(place.work.iterdir()) == []
    return caught.value


def test_corrupted_files(small: Place) -> None:
    """Whatever byte of it: the file is named, and the backup before it is what a restore takes."""
    first = small.ask(retention={"last": 5})["backup"]["name"]
    second = small.ask(retention={"last": 5})["backup"]["name"]
    folder = small.backups / second
    restore = {"state": "restore", "restore_database": f"{small.database}_x", "database_url": small.server.url()}
    for path in [*sorted((folder / "data").iterdir()), folder / "manifest.json"]:
        whole = path.read_bytes()
        broken = bytearray(whole)
        broken[len(whole) // 2] ^= 1
        path.write_bytes(broken)
        error = refused(small, **restore)
        assert error.id == "backup-corrupt"
        assert path.name in error.message or "manifest" in error.message
        path.write_bytes(whole[:-1])
        assert refused(small, **restore).id == "backup-corrupt"
        path.unlink()
        assert refused(small, **restore).id == "backup-corrupt"
        path.write_bytes(whole)
    (folder / "data" / "more").touch()
    assert "is not part of it" in refused(small, **restore).message
    assert refused(small, state="verify", backup_name=second).id == "backup-corrupt"
    # Now its record says so, and nobody has to name the other one.
    assert [item["verified"] for item in small.ask(state="records")["backups"]] == [False, True]
    assert small.ask(**restore)["backup"]["name"] == first


def test_keys(small: Place) -> None:
    made = small.ask(encryption_key=KEY)["backup"]
    assert (made["verified"], made["encrypted"]) == (True, True)
    stored = b"".join(path.read_bytes() for path in small.backups.rglob("*") if path.is_file())
    assert b"c4n4ry" not in stored
    assert small.server.password.encode() not in stored
    assert KEY.encode() not in stored
    for key, words in (
        (OTHER, "is not the key of the backup"),
        (None, "is encrypted, and no key was given"),
        ("AGE-SECRET-KEY-1NONSENSE", "is no secret key of age"),
    ):
        error = refused(small, state="verify", encryption_key=key)
        assert error.id == "backup-key"
        assert words in error.message
    # A wrong key says nothing of the backup.
    assert small.ask(state="records")["backups"][0]["verified"] is True
    target = f"{small.database}_again"
    common = {"database_url": small.server.url(), "state": "restore", "restore_database": target}
    small.ask(**common, encryption_key=KEY)
    with psycopg.connect(small.server.url(target)) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (500,)


def test_restores_that_are_refused(small: Place, tmp_path: Path) -> None:
    small.ask(image="agent@sha256:7")
    common = {"state": "restore", "database_url": small.server.url()}
    error = refused(small, **common, restore_database=small.database)
    assert error.id == "restore-exists"
    Project(tmp_path).add("r0", None)
    error = refused(small, **common, restore_database="never", alembic_dir=tmp_path)
    assert error.id == "restore-revision"
    assert "r1" in error.message
    assert "agent@sha256:7" in error.message
    small.execute("CREATE ROLE gone_soon")
    small.execute("ALTER TABLE notes OWNER TO gone_soon")
    small.ask()
    small.execute("ALTER TABLE notes OWNER TO postgres")
    small.execute("DROP ROLE gone_soon")
    error = refused(small, **common, restore_database="never")
    assert error.id == "restore-roles"
    assert "gone_soon" in error.message
    target = f"{small.database}_own"
    small.ask(**common, restore_database=target, restore_owner="postgres")
    with psycopg.connect(small.server.url(target)) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (500,)


def test_a_full_disk(small: Place) -> None:
    """The room is told before; where others fill it meanwhile, the run ends and the backup before stays."""
    small.execute("INSERT INTO notes SELECT n, md5(n::text) || md5((n + 1)::text) FROM generate_series(1000, 120000) n")
    with mounted(small) as mount:
        made = small.ask(path=mount / "backups")
        name, kept = made["backup"]["name"], sorted(str(p) for p in (mount / "backups").rglob("*"))
        assert made["backup"]["verified"]
        with (mount / "other").open("wb") as file:
            file.write(bytes(os.statvfs(mount).f_bavail * 4096 - 1_500_000))
        error = refused(small, path=mount / "backups")
        assert error.id == "backup-room"
        assert "nothing was begun" in error.message
        # What is asked for before cannot foresee it all: the last backup's share of the database is made small.
        manifest = mount / "backups" / name / "manifest.json"
        text = manifest.read_text(encoding="utf-8")
        lied = json.loads(text)
        lied["database"]["database_bytes"] *= 1000
        manifest.write_text(json.dumps(lied), encoding="utf-8")
        error = refused(small, path=mount / "backups")
        assert error.id in {"backup-failed", "backup-folder"}
        assert "No space left on device" in error.message
        assert sorted(str(p) for p in (mount / "backups").rglob("*")) == kept
        manifest.write_text(text, encoding="utf-8")
        assert small.ask(path=mount / "backups", state="verify")["backup"]["verified"]


def test_the_volume_is_told_before_it_is_full(small: Place) -> None:
    small.execute("INSERT INTO notes SELECT n, md5(n::text) || md5((n + 1)::text) FROM generate_series(1000, 90000) n")
    with mounted(small) as mount:
        held = small.ask(path=mount / "backups")["backup"]["bytes"]
        # One more fits, and no third one.
        with (mount / "other").open("wb") as file:
            file.write(bytes(os.statvfs(mount).f_bavail * 4096 - int(1.5 * held)))
        made = small.ask(path=mount / "backups")
        assert made["backup"]["verified"]
        assert [item["id"] for item in made["findings"]] == ["backup-room-soon"]


@contextlib.contextmanager
def mounted(place: Place) -> t.Iterator[Path]:
    """A small volume. It takes root, as the tests that mount anything do."""
    mount = place.folder / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", mount], check=True)


PROGRAM = """
import json, sys
from tests.integration.backup.asking import ask
ask(**json.loads(sys.stdin.read()))
"""


def _processes(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if text in line:
                found.append(line)
    return found


def _at(place: Place, moment: str) -> bool:
    """Whether a run has come to a moment, from what it has made until then."""
    made = list(place.backups.glob(".incomplete-*")) if place.backups.exists() else []
    complete_ones = list(place.backups.glob("2*")) if place.backups.exists() else []
    return {
        "before it begins": place.backups.exists() and not made,
        "begun": bool(made),
        "dumping": any((path / "data").exists() for path in made),
        "rows written": any(list((path / "data").glob("*.dat*")) for path in made),
        "in clear": bool(list(place.work.glob("ai-agent-backup-*/data/*"))),
        "complete": len(complete_ones) > 1,
        "throw-away server": len(complete_ones) > 1 and bool(list(place.work.glob("ai-agent-trace-*/data/PG_VERSION"))),
        "decrypted": bool(list(place.work.glob("ai-agent-backup-*/plain/*"))),
    }[moment]


@pytest.mark.parametrize(
    ("moment", "encrypted"),
    [
        ("begun", False),
        ("dumping", False),
        ("rows written", False),
        ("in clear", True),
        ("complete", False),
        ("throw-away server", False),
        ("decrypted", True),
    ],
)
def test_killed(small: Place, moment: str, *, encrypted: bool) -> None:
    """SIGKILL: nothing half stays, nothing in clear, no process; the backup before stays, and the next run works."""
    small.execute("INSERT INTO notes SELECT n, md5(n::text) FROM generate_series(1000, 60000) n")
    key = KEY if encrypted else None
    before = small.ask(encryption_key=key)["backup"]["name"]
    given = complete(
        path=small.backups, work_path=small.work, postgresql=small.server.folder / "programs" / "bin",
        database_url=small.url, encryption_key=key,
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'collections'}"},
    )
    assert process.stdin
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()
    while not _at(small, moment):
        assert process.poll() is None, "it ended before that moment"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while (list(small.work.iterdir()) or _processes(str(small.folder))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(small.work.iterdir()) == []
    assert _processes(str(small.folder)) == []
    there = small.names()
    while any(name.startswith(".") for name in there) and time.monotonic() < deadline:
        time.sleep(0.05)
        there = small.names()
    assert before in there
    listed = {item["name"]: item["verified"] for item in small.ask(state="records")["backups"]}
    assert set(listed) == set(there)
    assert listed.pop(before) is True
    # One that is whole and not verified is no half one, and does not count.
    assert not any(listed.values())
    after = small.ask(encryption_key=key)["backup"]
    assert after["verified"]
