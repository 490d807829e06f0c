"""The process that keeps a run's Lease: it renews it, and ends with the ansible-playbook that it is for.

It is forked from the module that asked for the Lease, because a process of a task ends with its task. It gives the
Lease back when it is asked to, or when ansible-playbook is no longer there; before that it ends the helm of this run
(`helm_child`) and waits until that is gone. Killed itself, it takes helm along, and the Lease expires.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import math
import os
import select
import shutil
import signal
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.source_text import source
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Refused
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.lease import MISSING, Lost
from ansible_collections.ai_platform.agent.plugins.module_utils._release.helm_child import ALIVE, RENEWED, WORKING
from ansible_collections.ai_platform.agent.plugins.module_utils._release.helm_child import __name__ as CHILD

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.lease import Lease

Row = dict[str, t.Any]

# How long a Lease holds without a sign of life, and how often it gets one. A request may take 20 s (`_kube.api`) and
# helm 5 s to its end: LOST + 20 + 5 stay below it, so helm is gone before anybody else may have the Lease.
SECONDS = 60
RENEW_SECONDS = 5.0
LOST_SECONDS = 30.0
# Between two looks at a Lease that another one has.
LOOK_SECONDS = 2.0
# Files of the folder beside those of helm_child: the pipe through which the keeper is asked to end, the lock that it
# holds while it lives, and the reason for which the Lease was lost.
ASK, KEEPER, LOST = "ask", "keeper", "lost"
# helm_child as a program: a module's own payload is gone when helm starts.
PROGRAM = "helm_child.py"


class Controller:
    """The process without which the Lease is given back: ansible-playbook."""

    def __init__(self, pid: int) -> None:
        """Begin to watch.

        :raises ProcessLookupError: it is not there
        """
        self.pid = pid
        # A number may be another process's later on; a descriptor, which only Linux has, stays with this one.
        self.descriptor: int | None = None
        os.kill(pid, 0)
        if hasattr(os, "pidfd_open"):
            # A sandbox may refuse it.
            with contextlib.suppress(PermissionError, NotImplementedError):
                self.descriptor = os.pidfd_open(pid)

    @property
    def is_there(self) -> bool:
        """Whether it still runs."""
        if self.descriptor is not None:
            return not select.select([self.descriptor], [], [], 0)[0]
        try:  # pragma: no cover - not on Linux
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True


def start(lease: t.Callable[[], Lease], controller: int, wait: float) -> Row:
    """Fork a keeper, which takes the Lease, and wait until it has it or gives up.

    :param lease: connects; called again where the account's credentials have run out
    :param controller: process number of ansible-playbook
    :param wait: seconds for which a Lease of another holder is waited for
    :return: `folder` and `waited` (seconds), or `holder` (a row of `Seen`) and `waited`, or `error_id` and `msg`
    """
    reading, writing = os.pipe()
    if os.fork() == 0:
        code = 1
        try:
            os.close(reading)
            _detach()
            _run(lease, controller, wait, writing)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.readline()
    return (
        t.cast("Row", json.loads(said)) if said else _problem("cluster-refused", "The keeper of the Lease was killed.")
    )


def _detach() -> None:
    """Leave the task: its group is killed when it ends, its streams are waited for, its signals are not meant."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _run(connect: t.Callable[[], Lease], controller: int, wait: float, writing: int) -> None:
    try:
        watched = Controller(controller)
    except ProcessLookupError:
        _tell(writing, _problem("argument-invalid", f"There is no process {controller}, for which to keep a Lease."))
        return
    try:
        lease = connect()
        answer = _taken(lease, watched, wait)
    except FindingError as error:
        missing = isinstance(error, Refused) and error.status == MISSING
        _tell(writing, _problem("namespace-missing" if missing else error.id, error.message))
        return
    if "holder" in answer:
        _tell(writing, answer)
        return
    folder = Path(tempfile.mkdtemp(prefix="ai-agent-lease-"))
    try:
        Keeper(lease, connect, watched, folder).keep(lambda: _tell(writing, answer | {"folder": str(folder)}))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _taken(lease: Lease, controller: Controller, wait: float) -> Row:
    begun, watched = 0.0, False
    while True:
        there = lease.take()
        # A request takes its time; waited for is only another holder.
        begun = begun or time.monotonic()
        waited = time.monotonic() - begun
        if there is None:
            return {"waited": math.ceil(waited) if watched else 0}
        watched = True
        if waited >= wait or not controller.is_there:
            return {"waited": round(waited), "holder": dataclasses.asdict(there)}
        time.sleep(min(LOOK_SECONDS, max(0.1, wait - waited)))


def _problem(error_id: str, words: str) -> Row:
    return {"error_id": error_id, "msg": words}


def _tell(writing: int, answer: Row) -> None:
    """Say how it went to the module, if that is still there.

    :raises BrokenPipeError: it is not
    """
    os.write(writing, json.dumps(answer).encode() + b"\n")
    os.close(writing)


def _free(lease: Lease) -> None:
    # The Lease may belong to another holder by now, and one that cannot be given back expires.
    with contextlib.suppress(FindingError, Lost):
        lease.free()


class Keeper:
    """Keeps a taken Lease until it is asked to end, the controller ends, or the Lease is lost."""

    def __init__(self, lease: Lease, connect: t.Callable[[], Lease], controller: Controller, folder: Path) -> None:
        """Make the files by which helm and the last task of the run find it."""
        self.lease, self.connect, self.controller, self.folder = lease, connect, controller, folder
        (folder / PROGRAM).write_text(source(CHILD), encoding="utf-8")
        os.mkfifo(folder / ALIVE, 0o600)
        os.mkfifo(folder / ASK, 0o600)
        # For reading and writing: no end of a pipe waits for the other one.
        self._alive = os.open(folder / ALIVE, os.O_RDWR | os.O_NONBLOCK)
        self._ask = os.open(folder / ASK, os.O_RDWR | os.O_NONBLOCK)
        self._working = os.open(folder / WORKING, os.O_RDWR | os.O_CREAT, 0o600)
        own = os.open(folder / KEEPER, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(own, fcntl.LOCK_EX)
        self._note_renewal()
        # Who ends it by name ends it as its own run would.
        signal.signal(signal.SIGTERM, lambda _number, _frame: os.write(self._ask, b"end\n"))

    def keep(self, tell: t.Callable[[], None]) -> None:
        """Keep it, and give it back.

        :param tell: what is done once helm may begin
        """
        lost = ""
        try:
            tell()
            while self.controller.is_there and not self._is_asked() and not lost:
                lost = self._renew()
        except BrokenPipeError:
            # The module was killed while it waited: nobody knows of this Lease.
            pass
        finally:
            self._end(lost)

    def _is_asked(self) -> bool:
        """Wait until the next renewal, or until it is asked to end or the controller ends."""
        watched = [self._ask] + ([self.controller.descriptor] if self.controller.descriptor is not None else [])
        # Without a descriptor the controller is looked for each second.
        seconds = RENEW_SECONDS if self.controller.descriptor is not None else 1.0
        return self._ask in select.select(watched, [], [], seconds)[0]

    def _renew(self) -> str:
        """Renew it; why it is lost, empty while it is not."""
        try:
            self.lease.renew()
        except Lost as other:
            return f"{other or 'somebody'} has it now"
        except FindingError as error:
            if error.id == "cluster-auth":
                self._connect_again()
            # What is refused now may be allowed in a moment; what stays refused is lost in time.
            return error.message if self._seconds > LOST_SECONDS else ""
        self._note_renewal()
        return ""

    def _connect_again(self) -> None:
        """With the credentials of a kubeconfig as they are now: a token may live shorter than a deployment."""
        with contextlib.suppress(FindingError):
            self.lease.cluster = self.connect().cluster

    @property
    def _seconds(self) -> float:
        """Since the last sign of life."""
        return time.monotonic() - self.lease.touched

    def _note_renewal(self) -> None:
        new = self.folder / f"{RENEWED}.new"
        new.write_text(str(self.lease.touched), encoding="ascii")
        new.replace(self.folder / RENEWED)

    def _end(self, lost: str) -> None:
        """End helm, wait until it is gone, and only then let others have the Lease."""
        if lost:
            (self.folder / LOST).write_text(lost, encoding="utf-8")
        # helm_child sees the end of this pipe. It renews on for as long as helm needs.
        os.close(self._alive)
        while not self._is_alone():
            if not lost and self._seconds > RENEW_SECONDS:
                lost = self._renew()
            time.sleep(0.1)
        if not lost:
            _free(self.lease)
        elif self.controller.is_there:
            # The run is told why by its last task, which asks for the folder's end.
            while self.controller.is_there and not self._is_asked():
                pass

    def _is_alone(self) -> bool:
        try:
            fcntl.flock(self._working, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def end(folder: Path, seconds: float = 30.0) -> str:
    """Ask the keeper of this folder to give the Lease back, and wait until it did.

    :return: why the Lease was lost before, empty where it was kept to the end
    """
    try:
        lost = (folder / LOST).read_text(encoding="utf-8") if (folder / LOST).exists() else ""
        own = os.open(folder / KEEPER, os.O_RDWR)
        ask = os.open(folder / ASK, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        # ENXIO: nobody reads. It was killed, and its helm with it.
        shutil.rmtree(folder, ignore_errors=True)
        return "the process that kept it was killed"
    try:
        os.write(ask, b"end\n")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lost
            time.sleep(0.05)
    finally:
        os.close(ask)
        os.close(own)
    return lost or f"the process that keeps it did not end within {seconds:g} s"


__all__ = ("PROGRAM", "SECONDS", "Controller", "Keeper", "end", "start")
