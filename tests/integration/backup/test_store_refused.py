"""What is wrong with a store or the way to it: one sentence each, without a secret, and no backup is harmed."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import typing as t
from pathlib import Path

import minio.time
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_store

from dev import s3_server
from dev.postgresql import Server, free_port
from tests.integration.backup.conftest import Place, placed
from tests.integration.backup.store import BUCKET, certificate, keys, storing
from tests.integration.backup.test_damage import SMALL


@pytest.fixture
def small(server: Server) -> t.Iterator[Place]:
    with placed(server, SMALL) as made:
        yield made


def test_keys_bucket_region_and_clock(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with storing(small) as kept:
        before = kept.ask()["backup"]["name"]
        cases: list[tuple[str, dict[str, t.Any], tuple[str, str], str, str]] = [
            ("secret key", {}, ("", "wr0ng-s3cr3t"), "backup-store-access", "does not take the secret key"),
            ("access key", {}, ("nobody", "wr0ng-s3cr3t"), "backup-store-access", "does not know the access key"),
            ("bucket", {"bucket": "no-bucket"}, ("", ""), "backup-store-bucket", "has no such bucket"),
            ("name", {"bucket": "NO/../bucket"}, ("", ""), "argument-invalid", "correct bucket"),
            ("region", {"region": "us-west-2"}, ("", ""), "backup-store-bucket", "is one of the region eu-test-1"),
            ("no region", {"region": None}, ("", ""), "backup-store-bucket", "is one of the region eu-test-1"),
            ("login", {"endpoint": "https://me:wr0ng-s3cr3t@host"}, ("", ""), "argument-invalid", "holds a login"),
            ("no URL", {"endpoint": "store:9000/x"}, ("", ""), "argument-invalid", "is no URL"),
        ]
        for name, change, (access, secret), wanted, words in cases:
            with keys(access or s3_server.ACCESS_KEY, secret or s3_server.SECRET_KEY):
                for state in ("backup", "records"):
                    error = kept.refused(change=change, state=state)
                    assert (error.id, words in error.message) == (wanted, True), (name, error.message)
                    assert "wr0ng-s3cr3t" not in error.message
        now = minio.time.utcnow
        with monkeypatch.context() as patch, keys():
            patch.setattr(minio.time, "utcnow", lambda: now() + datetime.timedelta(hours=3))
            error = kept.refused()
            assert (error.id, "clock" in error.message) == ("backup-store-access", True)
        assert [item["name"] for item in kept.ask(state="records")["backups"]] == [before]


def test_no_keys(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    # The service that gives a machine its role is nowhere in reach.
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{free_port()}/")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(small.folder / "none"))
    with storing(small) as kept:
        error = kept.refused()
        assert (error.id, "There are no keys" in error.message) == ("backup-store-access", True)
        # A parser of such files quotes what it does not read.
        (small.folder / "none").write_text("wr0ng-s3cr3t")
        error = kept.refused()
        assert (error.id, "wr0ng-s3cr3t" in error.message) == ("backup-store-access", False)


def test_a_private_authority(small: Place) -> None:
    pair = certificate(small.folder)
    with storing(small, certificate=pair) as kept, keys():
        error = kept.refused()
        assert (error.id, "ca_certificates" in error.message) == ("backup-store-unreachable", True)
        error = kept.refused(change={"ca_certificates": "nonsense"})
        assert (error.id, "no certificate in PEM" in error.message) == ("argument-invalid", True)
        made = kept.ask(change={"ca_certificates": pair[0].read_text()})
        assert made["backup"]["verified"]


def test_nobody_answers(small: Place) -> None:
    with storing(small) as kept, keys():
        error = kept.refused(change={"endpoint": "http://nowhere.invalid"})
        assert (error.id, "a name that is not known" in error.message) == ("backup-store-unreachable", True)
        error = kept.refused(change={"endpoint": f"http://127.0.0.1:{free_port()}"})
        assert (error.id, "refuses connections" in error.message) == ("backup-store-unreachable", True)
        for status, wanted, words in (
            ("200 OK", "backup-store-unreachable", "as an S3 store does"),
            ("403 Forbidden", "backup-store-unreachable", "as an S3 store does"),
            ("502 Bad Gateway", "backup-store-failed", "is overloaded"),
        ):
            with serving(status) as endpoint:
                error = kept.refused(change={"endpoint": endpoint})
            assert (error.id, words in error.message) == (wanted, True), (status, error.message)


def test_a_store_that_goes_silent(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and answers nothing: at the beginning, and while it is stored."""
    monkeypatch.setattr(backup_store, "READ_SECONDS", 1.0)
    with storing(small) as kept, keys():
        before = kept.ask()["backup"]["name"]
        put, stopped = backup_store.Store.put, threading.Event()

        def stopping(self: backup_store.Store, path: Path, key: str) -> None:
            if key.endswith("/manifest.json"):
                stopped.set()
                kept.store.process.send_signal(signal.SIGSTOP)
            put(self, path, key)

        with monkeypatch.context() as patch:
            patch.setattr(backup_store.Store, "put", stopping)
            began = time.monotonic()
            error = kept.refused()
            assert stopped.is_set()
        assert (error.id, "is silent" in error.message) == ("backup-store-unreachable", True)
        error = kept.refused(state="records")
        assert (error.id, "is silent" in error.message) == ("backup-store-unreachable", True)
        assert time.monotonic() - began < 120
        kept.store.process.send_signal(signal.SIGCONT)
        assert [item["name"] for item in kept.ask(state="records")["backups"]] == [before]
        assert kept.ask()["backup"]["verified"]


def test_a_full_store(small: Place) -> None:
    mount = small.folder / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mount], check=True)
    try:
        with storing(small, mount) as kept, keys():
            before = kept.ask()["backup"]["name"]
            kept_objects = kept.objects()
            with (mount / "other").open("wb") as file:
                file.write(bytes(os.statvfs(mount).f_bavail * 4096 - 20_000))
            small.execute("INSERT INTO notes SELECT n, md5(n::text) FROM generate_series(1000, 60000) n")
            error = kept.refused()
            assert (error.id, "has no room" in error.message) == ("backup-store-full", True), error.message
            assert kept.objects() == kept_objects
            assert [item["name"] for item in kept.ask(state="records")["backups"]] == [before]
            (mount / "other").unlink()
            assert kept.ask()["backup"]["verified"]
            shutil.rmtree(mount / BUCKET)
            assert kept.refused().id == "backup-store-bucket"
    finally:
        subprocess.run(["umount", mount], check=True)


@contextlib.contextmanager
def serving(status: str) -> t.Iterator[str]:
    """Something that speaks HTTP and is no store: the URL."""
    answer = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>".encode()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError, ssl.SSLError):
                while True:
                    connection, _address = listening.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
