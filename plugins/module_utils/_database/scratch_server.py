"""A throw-away PostgreSQL on this machine: reached by a socket in a closed folder, gone with whoever made it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.source_text import source
from ansible_collections.ai_platform.agent.plugins.module_utils._database import scratch_supervisor

# The superuser's name is one that no real database has as a role.
SUPERUSER: t.Final = "ai_agent_trace"
PREFIX: t.Final = "ai-agent-trace-"
LONGEST_FOLDER: t.Final = 60
START_SECONDS: t.Final = 30.0
DUMP_SECONDS: t.Final = 60.0
LOG_SECONDS: t.Final = 10.0
END: t.Final = "ai_agent_trace is over"
# Where distributions have the programs of a major version.
PLACES: t.Final = (
    "/usr/lib/postgresql/{major}/bin",
    "/usr/pgsql-{major}/bin",
    "/opt/homebrew/opt/postgresql@{major}/bin",
)
# Nothing in it has to outlive it.
SETTINGS: t.Final = {
    "listen_addresses": "", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "autovacuum": "off", "max_connections": "40", "max_prepared_transactions": "5", "wal_level": "logical",
    "logging_collector": "on", "log_destination": "csvlog", "log_directory": "log", "log_filename": "trace",
    "log_rotation_size": "0", "log_rotation_age": "0", "log_truncate_on_rotation": "off",
    "log_timezone": "UTC", "log_min_messages": "error",
}  # fmt: skip


# What database and role have set does not hinder the making of the copy, and no event trigger of theirs runs.
UNHINDERED: t.Final = "-c default_transaction_read_only=off -c session_replication_role=replica -c statement_timeout=0"


# Root may make such namespaces, else a user namespace may.
_WITHOUT_NETWORK = (["unshare", "--net"], ["unshare", "--user", "--map-current-user", "--net"])


class ScratchError(Exception):
    """There is no throw-away server to be had; the words say why."""


def programs(major: int, named: str | None, needed: str = "postgres") -> Path:
    """The folder with postgres, initdb, psql, pg_dump, pg_restore and pg_dumpall of a major version.

    :param named: the one that somebody gave
    :param needed: the program that has to be there
    :raises ScratchError: there is none
    """
    candidates = [named] if named else [place.format(major=major) for place in PLACES]
    if not named and (found := shutil.which(needed)):
        candidates.append(str(Path(found).parent))
    seen = []
    for candidate in candidates:
        folder = Path(candidate)
        if not (folder / needed).is_file():
            continue
        said = _said([folder / needed, "--version"])
        version = said.split()[-1] if not said.endswith(")") else said.partition("(")[0].split()[-1]
        if version.partition(".")[0] == str(major):
            return folder
        seen.append(f"{folder} has {version}")
    words = "; ".join(seen) or f"there is none in {', '.join(candidates)}"
    raise ScratchError(f"PostgreSQL {major} is needed on this machine: {words}")


def _said(words: t.Sequence[object]) -> str:
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        [str(word) for word in words],
        capture_output=True,
        check=False,
        env=environment(Path(str(words[0]))),
        text=True,
    )
    return done.stdout.strip()


def environment(program: Path) -> dict[str, str]:
    """The variables of a program of PostgreSQL; one that was unpacked somewhere finds its libraries beside it."""
    libraries = str(program.parents[1] / "lib")
    return {"PATH": os.defpath, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8", "LD_LIBRARY_PATH": libraries}


def without_network(*more: str) -> list[str]:
    """The words before a command that give it a network in which there is nothing; none where nobody may do that here.

    :param more: options of unshare
    """
    if shutil.which("unshare"):
        for words in _WITHOUT_NETWORK:
            tried = subprocess.run(  # pylint: disable=ansible-bad-function
                [*words, *more, "true"], capture_output=True, check=False
            )
            if tried.returncode == 0:
                return [*words, *more]
    return []


def _unprivileged(programs_folder: Path) -> tuple[int, int] | None:
    """User and group for a server that root starts: PostgreSQL refuses to run as root.

    :raises ScratchError: nobody who may run it is known
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError, OSError):
            found = pwd.getpwnam(name)
            user = found.pw_uid, found.pw_gid
            subprocess.run(  # pylint: disable=ansible-bad-function
                [str(programs_folder / "postgres"), "--version"], user=user[0], group=user[1], extra_groups=[],
                stdout=subprocess.DEVNULL, env=environment(programs_folder / "postgres"), cwd="/", check=False,
            )  # fmt: skip
            return user
    raise ScratchError(
        f"PostgreSQL refuses to run as root, and neither postgres nor nobody may run {programs_folder}/postgres"
    )


class ScratchServer(contextlib.AbstractContextManager["ScratchServer"]):
    """Runs from `with` to its end, which may be the death of this process."""

    def __init__(
        self,
        folder_of_programs: Path,
        settings: t.Mapping[str, str] | None = None,
        own: t.Mapping[str, str] | None = None,
        place: Path | None = None,
    ) -> None:
        """:param settings: of postgresql.conf; the server's own come first
        :param own: what stands above those as well
        :param place: the folder for its own, None for where temporary files are
        """
        self.programs, self._place = folder_of_programs, place
        self.settings = dict(settings or {}) | SETTINGS | dict(own or {})
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> t.Self:
        user = _unprivileged(self.programs)
        # A socket's path has 107 bytes at most, which a long TMPDIR would use up.
        usual = str(self._place or tempfile.gettempdir())
        if self._place and len(usual) >= LONGEST_FOLDER:
            raise ScratchError(f"the path of a socket would be too long in {usual}")
        short = usual if len(usual) < LONGEST_FOLDER else "/tmp"  # noqa: S108 - what is made there has mode 0700
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=short))
        data = self.folder / "data"
        if user:
            os.chown(self.folder, *user)
        initdb = [self.programs / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        server = [self.programs / "postgres", "-D", data, "-k", self.folder]
        server += [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        lists = [[str(word) for word in words] for words in ([*initdb, "--locale=C"], server)]
        command = [
            sys.executable,
            "-c",
            source(scratch_supervisor.__name__),
            json.dumps([str(self.folder), *lists, user]),
        ]
        try:
            # The supervisor outlives this process for as long as the server takes to stop.
            self._holder = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
                command, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=environment(self.programs / "postgres"), start_new_session=True,
            )  # fmt: skip
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self) -> None:
        holder = t.cast("subprocess.Popen[bytes]", self._holder)
        said = t.cast("t.IO[bytes]", holder.stdout).readline().decode(errors="replace").strip()
        end = time.monotonic() + START_SECONDS
        while said == "started" and holder.poll() is None and time.monotonic() < end:
            if self.psql("SELECT 1", stop=False).returncode == 0:
                return
            time.sleep(0.05)
        raise ScratchError(f"PostgreSQL does not start{said.removeprefix('failed') if said != 'started' else ''}")

    def __exit__(self, *_: object) -> None:
        if self._holder:
            with contextlib.suppress(OSError):
                t.cast("t.IO[bytes]", self._holder.stdin).close()
            self._holder.wait()
            t.cast("t.IO[bytes]", self._holder.stdout).close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self, sql: str, database: str = "template1", *, stop: bool = True) -> subprocess.CompletedProcess[str]:
        """Run SQL as the superuser.

        :param stop: at the first error
        """
        words = [self.programs / "psql", "-X", "-q", "-v", f"ON_ERROR_STOP={int(stop)}", "-h", self.folder]
        words += ["-U", SUPERUSER, "-d", database, "-f", "-"]
        return subprocess.run(  # pylint: disable=ansible-bad-function
            [str(word) for word in words], input=sql, capture_output=True, check=False, cwd=self.folder,
            encoding="utf-8", errors="surrogateescape",
            env=environment(self.programs / "psql") | {"PGAPPNAME": SUPERUSER, "PGOPTIONS": UNHINDERED},
        )  # fmt: skip

    def dump(self, parameters: t.Mapping[str, str], program: str, *options: str) -> str:
        """What pg_dump or pg_dumpall writes of another server.

        :param parameters: libpq's, of the connection; a password is in no argument and no variable
        :raises ScratchError: it fails
        """
        # In the folder that is removed also when this process is killed.
        service = self.folder / "service"
        service.touch(0o600)
        service.write_text("[live]\n" + "".join(f"{key}={value}\n" for key, value in parameters.items()))
        try:
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                [str(self.programs / program), *options, "-d", "service=live"],
                capture_output=True, check=False, encoding="utf-8", errors="surrogateescape", timeout=DUMP_SECONDS,
                env=environment(self.programs / program) | {"PGSERVICEFILE": str(service), "PGCONNECT_TIMEOUT": "5"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ScratchError(f"{program} did not end within {DUMP_SECONDS:g} s") from None
        finally:
            service.unlink()
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ScratchError(lines[0].encode(errors="replace").decode())
        return done.stdout

    def log(self) -> str:
        """What the server has logged until now, as CSV.

        :raises ScratchError: its logger does not keep up
        """
        # A process of its own writes the file, some time after.
        self.psql(f"DO 'BEGIN RAISE LOG $${END}$$; END'")
        path = self.folder / "data" / "log" / "trace.csv"
        deadline = time.monotonic() + LOG_SECONDS
        while time.monotonic() < deadline:
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
            if END in text:
                return text
            time.sleep(0.02)
        raise ScratchError(f"its log is not written within {LOG_SECONDS:g} s")


__all__ = ("LONGEST_FOLDER", "SUPERUSER", "ScratchError", "ScratchServer", "environment", "programs", "without_network")
