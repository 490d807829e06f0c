"""A release's trace: the schema comes through a trusted pod, and the new image upgrades it where it is alone."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import (
    DUMP_SECONDS,
    ScratchError,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import Incomplete, parsed
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.service_file import SERVICE
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import LOGIN, TRACER, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec_command import Container
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.held_pod import PYTHON_WAIT, SHELL_WAIT, held
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import CONTAINER, JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import SHARED_FOLDER, Task
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import scratch_pod
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.schema_copy import Live, copy
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_log import WATCH, trace_of

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.schema_copy import Dump
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.server_image import ServerImage
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace

_SERVICE_FILE: t.Final = f"{SHARED_FOLDER}/service"
# Beside the upgrade itself, what a pod of a trace has to live through.
COPY_SECONDS: t.Final = 180.0
WORDS_BYTES: t.Final = 300
_DUMP: t.Final = (
    f'PGSERVICEFILE={_SERVICE_FILE} PGCONNECT_TIMEOUT=5 PGCLIENTENCODING=UTF8 LC_ALL=C "$@"'
    f' -d service={SERVICE} -f "$OUT"'
)


def dump_task(client: Task, image: ServerImage, seconds: float) -> Task:
    """A pod that reaches the live database as the release's clients do, with PostgreSQL's programs.

    :param client: a task of the image that has the database's URL
    :param seconds: how long it is needed
    """
    words = command(bundle(LOGIN, {"path": _SERVICE_FILE}))
    login: Object = {
        "name": "login",
        "image": client.image,
        "command": words,
        "env": list(client.env),
        "resources": dict(client.resources),
    }
    login |= {"imagePullPolicy": client.pull_policy} if client.pull_policy else {}
    return dataclasses.replace(
        client,
        purpose="dump",
        image=image.reference,
        command=["sh", "-c", SHELL_WAIT],
        env=[item for item in client.env if item["name"] != "DATABASE_URL"],
        before=[login],
        pull_policy=image.pull_policy,
        run_seconds=seconds,
    )


def scratch_task(isolated: Task, image: ServerImage, live: Live, seconds: float) -> Task:
    """A pod of the new image, with the throw-away server beside it.

    :param isolated: of isolated_image.py
    :param seconds: how long it is needed
    """
    server = image.container(scratch_pod.CONTAINER, scratch_pod.command(live.settings), isolated.resources)
    return dataclasses.replace(isolated, command=["python", "-c", PYTHON_WAIT], beside=[server], run_seconds=seconds)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a trace runs.

    :param scratch: of scratch_task()
    :param dumping: of dump_task(), None where the database is a new one, with nothing in it
    """

    cluster: Cluster
    scratch: Task
    dumping: Task | None


def trace(place: Place, live: Live, target: str, *, timeout: float, lock_timeout_ms: int) -> Trace:
    """Run the upgrade on a copy of the schema.

    :param timeout: of the upgrade, in seconds
    :param lock_timeout_ms: how long the copying may wait for a lock of the live database
    :raises ScratchError: there is no copy to be had
    """
    try:
        with contextlib.ExitStack() as stack:
            return _trace(stack, place, live, {"target": target}, timeout, lock_timeout_ms)
    except FindingError as error:
        raise ScratchError(error.message.rstrip(".")) from None


def _trace(  # noqa: PLR0917 - one caller
    stack: contextlib.ExitStack,
    place: Place,
    live: Live,
    alembic: dict[str, t.Any],
    timeout: float,
    lock_timeout_ms: int,
) -> Trace:
    began = time.monotonic()
    cluster, namespace = place.cluster, place.scratch.namespace
    # Both pods start at the same time, and each is held as soon as it runs, however long the other one pulls.
    dump_run = stack.enter_context(JobRun(cluster, place.dumping)) if place.dumping else None
    run = stack.enter_context(JobRun(cluster, place.scratch))
    pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))
    dumping = pool.submit(_held, stack, dump_run) if dump_run else None
    pod = run.started()
    beside = Container(cluster, namespace, pod, scratch_pod.CONTAINER)
    try:
        stack.enter_context(held(beside))
    except FindingError as error:
        lines = cluster.log(namespace, pod, scratch_pod.CONTAINER, limit_bytes=WORDS_BYTES, seconds=DUMP_SECONDS)
        said = " ".join(" ".join(lines).split())
        raise ScratchError(f"PostgreSQL does not start: {said or error.message}") from None
    dump: Dump | None = functools.partial(_dump, dumping.result()) if dumping else None
    server = scratch_pod.ScratchPod(beside)
    server.wait(live.major if dump else None)
    started = time.monotonic()
    copy(live, server, dump, WATCH, lock_timeout_ms)
    copied = time.monotonic()
    request = {"alembic": alembic, "place": {"host": SHARED_FOLDER, **live.place}}
    answer = _upgrade(Container(cluster, namespace, pod, CONTAINER), request, timeout)
    ended = time.monotonic()
    phases = {"server": started - began, "schema": copied - started, "upgrade": ended - copied}
    return trace_of(answer, server.log(), phases)


def _held(stack: contextlib.ExitStack, run: JobRun) -> Container:
    """The container of a Job, once it runs, kept until the stack ends."""
    container = Container(run.cluster, run.task.namespace, run.started(), CONTAINER)
    stack.enter_context(held(container))
    return container


def _dump(container: Container, program: str, *options: str) -> str:
    ran = container.fetch(_DUMP, program, *options, seconds=DUMP_SECONDS)
    if ran.returncode != 0:
        lines = ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"]
        raise ScratchError(lines[0].encode(errors="replace").decode())
    return ran.stdout.decode("utf-8", "surrogateescape")


def _upgrade(container: Container, request: dict[str, t.Any], timeout: float) -> dict[str, t.Any]:
    """The answer of _in_pod/alembic_trace.py.

    :raises ScratchError: it gives none in time
    """
    with ExecSession(*container, command()) as session:
        session.send(bundle(TRACER, request))
        try:
            line = session.receive(timeout)
        except FindingError:
            raise ScratchError(f"the upgrade did not end within {timeout:g} s") from None
        if line is None:
            raise ScratchError("the process that upgrades died without an answer")
        try:
            answer: dict[str, t.Any] = parsed(line.encode("utf-8", "replace"))
        except Incomplete:
            raise ScratchError("the process that upgrades gave an answer that is no JSON") from None
    return answer


__all__ = ("COPY_SECONDS", "Place", "dump_task", "scratch_task", "trace")
