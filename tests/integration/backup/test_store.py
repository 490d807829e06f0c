"""Backups in an S3-compatible store: what comes back is what was there, and what is not whole is no backup."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_store
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError

from dev import s3_server
from dev.postgresql import Server
from tests.integration.backup.asking import SCHEMA, complete
from tests.integration.backup.conftest import placed
from tests.integration.backup.store import BUCKET, Kept, keys, storing
from tests.integration.backup.test_backup import content
from tests.integration.backup.test_damage import KEY, PROGRAM, ROOT, SMALL

MORE = "INSERT INTO notes SELECT n, md5(n::text) || md5((n + 1)::text) FROM generate_series(1000, %s) n"


@pytest.fixture
def small(server: Server) -> t.Iterator[Kept]:
    with placed(server, SMALL) as place, storing(place) as kept:
        yield kept


def test_what_was_lost_comes_back_with_the_same_rows(server: Server) -> None:
    with placed(server, SCHEMA) as place, storing(place) as kept:
        before = content(place.url)
        made = kept.ask(image="agent@sha256:1", encryption_key=KEY)
        record = made["backup"]
        assert (record["verified"], record["revision"], record["encrypted"]) == (True, ["r7"], True)
        # All is in the store, and nothing on this machine.
        name = record["name"]
        assert {key.partition("/")[0] for key in kept.objects()} == {name}
        assert {f"{name}/manifest.json", f"{name}/record.json", f"{name}/data/toc.dat.age"} <= set(kept.objects())
        assert json.loads((kept.folder / name / "record.json").read_bytes()) == record
        assert place.names() == []
        assert list(place.work.iterdir()) == []
        stored = b"".join(path.read_bytes() for path in kept.store.folder.rglob("*") if path.is_file())
        for secret in (s3_server.SECRET_KEY, place.server.password, KEY):
            assert secret.encode() not in stored
        place.execute("DROP TABLE items CASCADE")
        target = f"{place.database}_again"
        result = kept.ask(database_url=place.server.url(), state="restore", restore_database=target, encryption_key=KEY)
        assert content(place.server.url(target)) == before
        assert result["expected_seconds"] == record["seconds"]["restore"]
        assert list(place.work.iterdir()) == []


def test_retention_and_records(small: Kept) -> None:
    names = [small.ask(retention={"last": 2, "daily": 0, "weekly": 0, "monthly": 0})["backup"]["name"]]
    # What is not ours, in the bucket and below the prefix.
    (small.folder / "README").write_text("ours")
    (small.folder / "20260101T000000Z-other").mkdir()
    (small.folder / "20260101T000000Z-other" / "x").write_text("theirs")
    for _ in range(2):
        time.sleep(1)
        made = small.ask(retention={"last": 2, "daily": 0, "weekly": 0, "monthly": 0})
        names.append(made["backup"]["name"])
    assert made["removed"] == [names[0]]
    assert [item["name"] for item in small.ask(state="records")["backups"]] == [names[2], names[1]]
    assert {key.partition("/")[0] for key in small.objects()} == {*names[1:], "README", "20260101T000000Z-other"}
    assert small.ask(check_mode=True)["changed"] is True
    assert len(small.ask(state="records")["backups"]) == 2


def test_what_the_store_lost_or_changed(small: Kept) -> None:
    """The file is named, its record says so from then on, and a restore takes the one before."""
    first = small.ask(retention={"last": 5})["backup"]["name"]
    time.sleep(1)
    second = small.ask(retention={"last": 5})["backup"]["name"]
    restore: dict[str, t.Any] = {
        "state": "restore", "restore_database": f"{small.place.database}_x",
        "database_url": small.place.server.url(),
    }  # fmt: skip
    path = next(path for path in (small.folder / second / "data").iterdir() if path.name.endswith(".dat.gz"))
    whole = path.read_bytes()
    with keys():
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        error = small.refused(**restore)
        assert (error.id, path.name in error.message) == ("backup-corrupt", True)
        path.unlink()
        assert "is missing" in small.refused(**restore).message
        assert small.refused(state="verify", backup_name=second).id == "backup-corrupt"
    assert [item["verified"] for item in small.ask(state="records")["backups"]] == [False, True]
    assert small.ask(**restore)["backup"]["name"] == first
    # Without its record it is no backup, and nobody takes it for one.
    (small.folder / second / "record.json").unlink()
    assert [item["name"] for item in small.ask(state="records")["backups"]] == [first]
    assert small.ask(state="verify")["backup"]["verified_at"]


def test_large_files_go_in_parts(small: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_store, "PART_BYTES", 5 << 20)
    small.place.execute(MORE, 400000)
    made = small.ask()
    assert max(path.stat().st_size for path in small.folder.rglob("*.gz")) > backup_store.PART_BYTES
    target = f"{small.place.database}_again"
    small.ask(database_url=small.place.server.url(), state="restore", restore_database=target)
    with psycopg.connect(small.place.server.url(target)) as connection:
        assert connection.execute("SELECT count(*) + 1 FROM notes").fetchone() == (made["backup"]["rows"],)


def test_keys_that_may_not_delete(small: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """They protect backups from whoever has them: the backup counts, and a note says that older ones stay."""
    rule = {"last": 1, "daily": 0, "weekly": 0, "monthly": 0}
    small.ask(retention=rule)
    time.sleep(1)

    def denied(_self: object, _key: str) -> None:
        raise CollectorError("backup-store-access", "The store does not allow it.")

    monkeypatch.setattr(backup_store.Store, "remove", denied)
    made = small.ask(retention=rule)
    assert (made["backup"]["verified"], made["removed"]) == (True, [])
    assert [item["id"] for item in made["findings"]] == ["backup-store-kept"]
    assert len(small.ask(state="records")["backups"]) == 2


def _at(kept: Kept, before: str, moment: str) -> bool:
    """Whether a run has come to a moment, from what it has made until then."""
    new = [key for key in kept.objects() if not key.startswith(before)]
    return {
        "proving": bool(list(kept.place.work.glob("ai-agent-trace-*/data/PG_VERSION"))),
        "storing": bool(new),
        "stored": any(key.endswith("/manifest.json") for key in new),
    }[moment]


@pytest.mark.parametrize("moment", ["proving", "storing", "stored"])
def test_killed(small: Kept, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL: nothing half is seen as a backup, nothing is left here, and the one before stays."""
    small.place.execute(MORE, 300000)
    before = small.ask()["backup"]["name"]
    given = complete(
        s3=small.s3(), work_path=small.place.work, postgresql=small.place.server.folder / "programs" / "bin",
        database_url=small.place.url,
    )  # fmt: skip
    with keys():
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'collections'}"},
        )  # fmt: skip
    assert process.stdin
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()
    while not _at(small, before, moment):
        assert process.poll() is None, "it ended before that moment"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while list(small.place.work.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(small.place.work.iterdir()) == []
    assert [item["name"] for item in small.ask(state="records")["backups"]] == [before]
    target = f"{small.place.database}_again"
    small.ask(database_url=small.place.server.url(), state="restore", restore_database=target)
    # Later nobody is at work on it any more.
    monkeypatch.setattr(backup_store, "LEFT", datetime.timedelta(0))
    time.sleep(1.1)
    after = small.ask(retention={"last": 5})["backup"]["name"]
    assert {key.partition("/")[0] for key in small.objects()} == {before, after}
    left = [path for path in (small.store.folder / BUCKET / ".sgwtmp").rglob("*") if path.is_file()]
    assert left == []


def test_a_changed_answer_is_no_backup(small: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store gives back is compared before the record says that there is a backup."""
    before = small.ask()["backup"]["name"]
    put = backup_store.Store.put

    def changed(self: backup_store.Store, path: Path, key: str) -> None:
        put(self, path, key)
        if key.endswith("/data/toc.dat"):
            stored = small.folder / key
            stored.write_bytes(stored.read_bytes()[:-1] + b"?")

    monkeypatch.setattr(backup_store.Store, "put", changed)
    with keys():
        error = small.refused()
    assert (error.id, "toc.dat" in error.message) == ("backup-store-differs", True)
    assert {key.partition("/")[0] for key in small.objects()} == {before}
