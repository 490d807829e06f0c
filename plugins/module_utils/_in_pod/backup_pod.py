"""Runs in a pod: a backup with PostgreSQL's programs of the container beside, which are asked for by files.

The agent's image has Python and the driver, and the server's image PostgreSQL's programs. The two containers share a
folder in memory; the one beside runs SIBLING, which needs nothing but a shell.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import typing as t
from pathlib import Path

from . import backup_manifest, backup_restoration, backup_run, backup_store
from .backup_failure import failure
from .backup_retention import Retention
from .backup_session import OPTIONS
from .errors import CollectorError
from .framing import Framer
from .session import database_url

# The container beside ends when it hears nothing for so long.
QUIET_SECONDS: t.Final = 60
SIGN_SECONDS: t.Final = 3.0
_POLL_SECONDS: t.Final = 0.1
_PREFIX: t.Final = "backup-"
_MOST_MESSAGE: t.Final = 4000
SUPERUSER: t.Final = "ai_agent_trace"
_FIELDS: t.Final = (
    "name", "jobs", "version_table", "lock_timeout_ms", "image", "check_mode", "restore_database", "restore_owner",
)  # fmt: skip
# Each request is a file of words, a line each. The first says which service file, if any, libpq reads.
SIBLING: t.Final = rf"""
umask 077
cd "$1" || exit 1
I=1; N=0; SEEN=
while [ ! -e over ] && [ $N -lt {QUIET_SECONDS * 5} ]; do
  if [ -e "$I.words" ]; then
    set --
    while IFS= read -r WORD; do set -- "$@" "$WORD"; done <"$I.words"
    "$@" >/dev/null 2>"$I.said" </dev/null
    echo $? >"$I.made"; mv "$I.made" "$I.code"
    I=$((I + 1)); N=0
  else
    sleep 0.2; N=$((N + 1))
    NOW=$(cat signs 2>/dev/null); [ "$NOW" = "$SEEN" ] || {{ SEEN=$NOW; N=0; }}
  fi
done
"""
# Its data are on the disk, its socket in memory; the words after the log are its settings. It is one word, so one line.
_START: t.Final = (
    "D=$1; S=$2; L=$3; shift 3;"
    f' initdb -D "$D" -U {SUPERUSER} -A trust -E UTF8 --locale=C --no-sync >/dev/null || exit 1;'
    ' pg_ctl -D "$D" -l "$L" -w -t 60 -o "-k $S $*" start >/dev/null 2>&1 && exit 0;'
    ' echo "error: PostgreSQL does not start: $(tail -n 1 "$L")" >&2; exit 1'
)
_SETTINGS: t.Final = {
    "listen_addresses": "''", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "autovacuum": "off", "max_connections": "40",
}  # fmt: skip
# A pod has less memory than a machine, and 64 MiB of it in /dev/shm, which an index that is built in parallel exceeds.
_SMALL: t.Final = {
    "maintenance_work_mem": "64MB", "shared_buffers": "64MB", "max_wal_size": "1GB",
    "dynamic_shared_memory_type": "mmap",
}  # fmt: skip


@contextlib.contextmanager
def _held(folder: Path) -> t.Iterator[None]:
    """Hold a folder, as long as this process lives.

    :raises OSError: somebody else does
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


class Sibling(contextlib.AbstractContextManager["Sibling"]):
    """The container beside."""

    def __init__(self, shared: Path, work: Path) -> None:
        """:param shared: the folder of both
        :param work: one on the disk, of both as well
        """
        self._shared, self._work = shared, work
        self._number = 0
        self._over = threading.Event()

    def __enter__(self) -> Sibling:
        for left in self._work.glob(f"{_PREFIX}*"):
            # On a volume a killed pod leaves its folder; nobody holds that any more.
            with contextlib.suppress(OSError), _held(left):
                shutil.rmtree(left, ignore_errors=True)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._work))
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(_held(self.folder))
        self._thread = threading.Thread(target=self._give_signs, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        (self._shared / "over").touch()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._stack.close()

    def _give_signs(self) -> None:
        number = 0
        while True:
            number += 1
            # A reader sees the one or the other number.
            (self._shared / "signs").write_text(f"{number}\n", encoding="ascii")
            if self._over.wait(SIGN_SECONDS):
                return

    def watch(self, folder: Path) -> None:
        """Nothing to do here: what a killed pod leaves, the next run removes."""

    def release(self, folder: Path) -> None:
        """Nothing to do here, as in `watch`."""

    def run(self, program: str, options: t.Sequence[str], place: t.Mapping[str, t.Any]) -> None:
        """Run one to its end.

        :param place: libpq's parameters of the connection, in a file that only this pod has
        :raises CollectorError: `backup-failed`
        """
        if program == "pg_restore":
            # A dump sets the same for itself.
            place = {**place, "options": f"{place.get('options') or ''} {OPTIONS}".strip()}
        service = self._shared / f"{self._number + 1}.service"
        with service.open("x", encoding="utf-8") as file:
            service.chmod(0o600)
            file.write("[live]\n" + "".join(f"{name}={value}\n" for name, value in place.items()))
        words = ["env", f"PGSERVICEFILE={service}", "PGCONNECT_TIMEOUT=10", "LC_ALL=C", program, *options]
        words += [] if program == "pg_restore" else ["--dbname=service=live"]
        try:
            code, said = self._ask(words)
        finally:
            service.unlink()
        if code:
            raise failure(program, said, code)

    def _ask(self, words: t.Sequence[str]) -> tuple[int, str]:
        """The exit code of a command, and what it complained of."""
        if any("\n" in word for word in words):
            raise CollectorError("argument-invalid", "A name for a program of PostgreSQL has a line break in it.")
        self._number += 1
        stem = self._shared / str(self._number)
        made = stem.with_suffix(".made-words")
        made.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
        made.rename(stem.with_suffix(".words"))
        code = stem.with_suffix(".code")
        # How long it may take is the Job's own limit.
        while not code.exists():
            time.sleep(_POLL_SECONDS)
        said = stem.with_suffix(".said").read_text(encoding="utf-8", errors="replace")
        return int(code.read_text(encoding="ascii")), said

    @contextlib.contextmanager
    def scratch(self, settings: t.Mapping[str, str]) -> t.Iterator[t.Mapping[str, str]]:
        """A throw-away server in the container beside: libpq's parameters for its superuser.

        :raises CollectorError: `backup-unverified`
        """
        data, log = self.folder / "server", self._shared / "server.log"
        words = [f"-c {name}={value}" for name, value in (_SETTINGS | dict(settings) | _SMALL).items()]
        code, said = self._ask(["sh", "-c", _START, "sh", str(data), str(self._shared), str(log), *words])
        if code:
            lines = said.strip().splitlines() or [f"exit code {code}"]
            why = lines[-1].partition("error: ")[2] or lines[-1]
            raise CollectorError("backup-unverified", f"A backup cannot be verified in this pod: {why[:300]}.")
        try:
            yield {"host": str(self._shared), "user": SUPERUSER, "dbname": "template1"}
        finally:
            self._ask(["pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop"])
            self._ask(["rm", "-rf", str(data)])


def main(request: dict[str, t.Any]) -> None:
    """Print the answer: what backup_run.py returns, or an error. The URL is in DATABASE_URL, a key in BACKUP_KEY.

    :param request: `state` (the module's), `shared` and `work` (folders), fields of backup_run.Request, and as `store`
        those of backup_store.Place
    """
    respond(request, answer, failed="backup-failed")


def respond(
    request: dict[str, t.Any],
    work: t.Callable[[dict[str, t.Any]], dict[str, t.Any]],
    *,
    failed: str,
    lines: t.Callable[[dict[str, t.Any]], t.Iterable[str]] | None = None,
) -> t.NoReturn:
    """Print what comes of some work with a container beside, and end.

    :param request: `shared`, the folder of both
    :param failed: the finding for what nobody expected
    :param lines: what is printed of an answer; None for what framing.py reads
    """
    # Another container of the pod has to read what this one makes, as the same user.
    os.umask(0o077)
    try:
        given = work(request)
    except CollectorError as error:
        given = {"error": {"id": error.id, "message": error.message}}
    except ModuleNotFoundError as error:
        given = {"error": {"id": "image-start", "message": f"The image lacks the Python package {error.name}."}}
    except OSError as error:
        words = f"Something cannot be written or read in the pod ({error.strerror or error}: {error.filename})"
        given = {"error": {"id": "backup-folder", "message": f"{words}; look at the volume of the backups."}}
    except Exception as error:
        # No text of the error: it may quote what it worked on.
        given = {"error": {"id": failed, "message": f"The program fails in the pod ({type(error).__name__})."}}
    # Also where nothing was asked of the container beside.
    with contextlib.suppress(OSError):
        (Path(request["shared"]) / "over").touch()
    for line in (lines or Framer().lines)(given):
        # pylint: disable-next=ansible-bad-function
        print(line)
    # Kubernetes shows it with the pod, for as long as that is kept.
    with contextlib.suppress(OSError):
        Path("/dev/termination-log").write_text(_message(given), encoding="utf-8")
    # pylint: disable-next=ansible-bad-function
    sys.exit(1 if "error" in given else 0)


def _message(given: dict[str, t.Any]) -> str:
    """The record of a backup, or the error, in what Kubernetes keeps of a container: 4096 bytes."""
    told = given.get("backup", given)
    text = json.dumps(told)
    if len(text) <= _MOST_MESSAGE or "name" not in told:
        return text[:_MOST_MESSAGE]
    return json.dumps({name: told[name] for name in ("name", "time", "verified", "problem") if name in told})


def answer(request: dict[str, t.Any]) -> dict[str, t.Any]:
    """What backup_run.py returns.

    :param request: as of main()
    :raises CollectorError: there is none
    """
    own = {name: value for name, value in request.items() if name in _FIELDS}
    with contextlib.ExitStack() as stack:
        path, store = Path(request["path"]), None
        if place := request.get("store"):
            store = backup_store.Store(backup_store.Place(**place))
            # Held, it is not taken for what a killed pod left.
            path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}store-", dir=request["work"]))
            stack.callback(shutil.rmtree, path, ignore_errors=True)
            stack.enter_context(_held(path))
        wanted = backup_run.Request(
            path=path,
            url=database_url(),
            key=os.environ.get("BACKUP_KEY") or None,
            retention=Retention(**request["retention"]),
            store=store,
            **own,
        )

        def sites(_major: int, _program: str) -> Sibling:
            return Sibling(Path(request["shared"]), Path(request["work"]))

        if request["state"] == "restore" and (known := _known()) is not None:
            if wanted.name is None:
                wanted.folder.assert_one_database()
            manifest = backup_manifest.read(wanted.folder.chosen(wanted.name).folder)
            backup_restoration.assert_known(manifest, known, "the deployed image")
        return backup_run.run(request["state"], wanted, sites)


def _known() -> t.Collection[str] | None:
    """The revisions that this image has, None where it has no Alembic directory."""
    from .alembic_place import own_ini
    from .alembic_worker import AlembicError, Worker

    try:
        found = Worker({"ini": str(own_ini()), "target": "heads"}).revisions()
    except (AlembicError, ImportError):
        return None
    return t.cast("dict[str, t.Any]", found["nodes"])


__all__ = ("SIBLING", "Sibling", "answer", "main", "respond")
