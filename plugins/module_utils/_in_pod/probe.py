"""Facts about what a pod can reach: its servers phase by phase, HTTP paths, and what it must not reach.

connectivity_test sends this program into pods, the test pod of the chart has it beside connection_test.py. It needs
Python 3.10, psycopg 3 and redis-py, holds one connection at a time, changes nothing that lasts, and judges nothing.

The request is one JSON object. Times in seconds:
    timeout       of each step, default 5; deadline: of everything, after which SIGALRM ends the process, default 60
    settle        how long a new pod's network may take until it connects anything, default 0
    guest         true: the process shares the memory limit of the agent, and does not begin where little is left of it
    framed        true: answers go through a pod's log, in the lines of framing.py
    rounds        questions on the reused connection of each dependency, default 10
    dependencies  [{name, kind: postgresql|replica|redis|model, env: variable with the URL, or url; host, port: instead
                  of the URL's; version_table: `table` or `schema.table` of Alembic; optional: true leaves out what has
                  no URL; of a model also key_env or key, model_env, ca_file, path: probe_model.py}]
    http          [{name, host, port, path}]
    reach         [{name, host, port}], a TCP connection tried, nothing sent, each within reach_timeout, default 1.5:
                  Linux repeats after a second what was lost (RFC 6298)

The answer is one JSON object a line, `record` says of which kind: phase, rounds, http, reach, and end as the last
one; or refused as the only one, with its reason as `text`.
Times in milliseconds. No password, in whichever encoding, and no URL is in it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
import typing as t
from pathlib import Path

from . import guest_memory, probe_postgresql, probe_redis
from .probe_wire import Dependency, Log, NetworkGrace, Stop, ask_http, elapsed, reach, started_in_thread

# The probe takes about 47 MiB. As a guest it confines itself to what is left beside the agent, and refuses to start
# with less than LEAST_BYTES.
MEMORY_BYTES = 192 * 1024 * 1024
LEAST_BYTES = 56 * 1024 * 1024


def collect(request: dict[str, t.Any], write: t.Callable[[str], object]) -> None:
    """Answer `request`, each record given to `write` as a line of JSON."""
    log = Log(write)
    patience = float(request.get("reach_timeout", 1.5))
    timeout, rounds = float(request.get("timeout", 5)), int(request.get("rounds", 10))
    begin = time.perf_counter()
    position: str | None = None
    grace = NetworkGrace(float(request.get("settle", 0)))
    # In threads beside the rest, for each target that is blocked takes its whole time limit.
    targets = request.get("reach", [])
    tried = [started_in_thread(functools.partial(reach, target, patience, timeout)) for target in targets]
    for wanted in request.get("dependencies", []):
        dependency = Dependency(log, wanted["name"], timeout, grace)
        url = str(wanted.get("url") or os.environ.get(wanted.get("env", ""), ""))
        if wanted["kind"] != "model":
            log.hide(url, "")
        with contextlib.suppress(Stop):
            if not url:
                if wanted.get("optional"):
                    continue
                with dependency.phase("url"):
                    raise ValueError(f"the environment variable {wanted.get('env')} is not set")
            if wanted["kind"] == "redis":
                probe_redis.ask(dependency, wanted, url, rounds)
            elif wanted["kind"] == "model":
                from . import probe_model

                probe_model.ask(dependency, wanted, url)
            else:
                position = probe_postgresql.ask(dependency, wanted, url, rounds, position) or position
    for target in request.get("http", []):
        ask_http(log, target, timeout)
    for finish in tried:
        # Each ends by itself, one address after the other.
        log.put(**finish(timeout + 10 * patience))
    log.put(record="end", host=socket.gethostname(), ms=elapsed(begin), peak_kib=peak_kib())


def peak_kib() -> int:
    """The most memory that this program held. getrusage may give more: the figure of the process that started it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(request: dict[str, t.Any]) -> t.NoReturn:
    """Answer the request on stdout and end this process; its exit code is 0 whatever was found."""
    run(functools.partial(_answer, request))


def _answer(request: dict[str, t.Any]) -> int:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, float(request.get("deadline", 60)))
    threading.stack_size(512 * 1024)
    guest = bool(request.get("guest"))
    if why := guest_memory.confine(MEMORY_BYTES, LEAST_BYTES if guest else None):
        # pylint: disable-next=ansible-bad-function
        print(json.dumps({"record": "refused", "text": why}), flush=True)
        return 0
    # A kernel that ends one process instead of the container shall choose this one.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if request.get("framed"):
        from .framing import Framer

        framer = Framer()
        # What is printed is the answer; this is no module.
        # pylint: disable-next=ansible-bad-function
        collect(request, lambda line: print(*framer.lines(json.loads(line)), sep="\n", flush=True))
    else:
        # pylint: disable-next=ansible-bad-function
        collect(request, lambda line: print(line, flush=True))
    return 0


def run(program: t.Callable[[], int]) -> t.NoReturn:
    """Run a program's `main` and end with its exit code, at once.

    It leaves nothing to the interpreter's end: beside the imports, collecting cycles and taking modules apart would be
    a quarter of the processor time, for which the programs in the other pods wait.
    """
    gc.disable()
    code = program()
    sys.stdout.flush()
    os._exit(code)
