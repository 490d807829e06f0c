"""PostgreSQL's own programs on this machine, and the guard that cleans up behind a killed backup."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.source_text import source
from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_guard
from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import (
    SUPERUSER,
    ScratchError,
    ScratchServer,
    environment,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_failure import failure
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_session import OPTIONS
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.service_file import SERVICE

PREFIX: t.Final = "ai-agent-backup-"


class Workplace(contextlib.AbstractContextManager["Workplace"]):
    """A closed folder for what is in clear, gone at the end, also after SIGKILL; and programs that end as it does."""

    def __init__(self, programs: Path, place: Path | None) -> None:
        """:param place: in which the folder is made, None for where temporary files are"""
        self.programs, self.place = programs, place

    def __enter__(self) -> t.Self:
        self._guard = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
            [sys.executable, "-c", source(backup_guard.__name__)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", text=True,
            start_new_session=True,
        )  # fmt: skip
        t.cast("t.IO[str]", self._guard.stdout).readline()
        # The guard knows of it before it is there: whoever dies in between leaves nothing.
        self.folder = (self.place or Path(tempfile.gettempdir())) / f"{PREFIX}{secrets.token_hex(8)}"
        self.watch(self.folder)
        try:
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            self._end()
            words = f"No folder can be made in {self.place} ({error.strerror})"
            raise CollectorError("backup-folder", f"{words}; correct work_path.") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        t.cast("t.IO[str]", self._guard.stdin).close()
        self._guard.wait()
        t.cast("t.IO[str]", self._guard.stdout).close()

    def _tell(self, what: str, value: str | int) -> None:
        pipe = t.cast("t.IO[str]", self._guard.stdin)
        pipe.write(json.dumps([what, value]) + "\n")
        pipe.flush()

    def watch(self, folder: Path) -> None:
        """Remove it, should this process die."""
        self._tell("folder", str(folder))

    def release(self, folder: Path) -> None:
        """Do not remove the folder any more."""
        self._tell("released", str(folder))

    @contextlib.contextmanager
    def scratch(self, settings: t.Mapping[str, str]) -> t.Iterator[t.Mapping[str, str]]:
        """A throw-away server: libpq's parameters for its superuser.

        :raises CollectorError: `backup-unverified`: there is none to be had
        """
        try:
            with ScratchServer(self.programs, own=settings, place=self.place) as server:
                yield {"host": str(server.folder), "user": SUPERUSER, "dbname": "template1"}
        except ScratchError as error:
            words = f"A backup cannot be verified on this machine: {error}"
            raise CollectorError("backup-unverified", f"{words}; correct that first.") from None

    def run(self, program: str, options: t.Sequence[str], place: t.Mapping[str, t.Any]) -> None:
        """Run one to its end.

        :param place: libpq's parameters of the connection: neither the arguments nor the variables of a program have
            a password
        :raises CollectorError: `backup-failed`
        """
        service = self.folder / "service"
        service.touch(0o600)
        # What a role or a database has set for itself must not end a dump or a restore half-way.
        parameters = {**place, "options": f"{place.get('options') or ''} {OPTIONS}".strip()}
        service.write_text(f"[{SERVICE}]\n" + "".join(f"{name}={value}\n" for name, value in parameters.items()))
        words = [str(self.programs / program), *options]
        words += [] if program == "pg_restore" else [f"--dbname=service={SERVICE}"]
        own = {"PGSERVICEFILE": str(service), "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "ai_platform.agent backup"}
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder,
            env=_variables(self.programs / program) | own, start_new_session=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
        self._tell("group", process.pid)
        try:
            _out, said = process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        finally:
            self._tell("ended", process.pid)
            service.unlink()
        if process.returncode:
            raise failure(program, said, process.returncode)


def _variables(program: Path) -> dict[str, str]:
    """A dump has the encoding of its database: nothing is converted, and bytes that are no text are no error."""
    return {name: value for name, value in environment(program).items() if name != "PGCLIENTENCODING"}


__all__ = ("Workplace",)
