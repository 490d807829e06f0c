"""Runs in a pod of the deployed image, with its credentials: facts about the live database go out, never its URL.

By exec it answers a request a line on stdin with a line on stdout; in a Job it answers one request into the log.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import typing as t

from . import guest_memory
from .errors import CollectorError
from .probe_startup import retry

if t.TYPE_CHECKING:  # pragma: no cover
    from .session import Session

Request = dict[str, t.Any]

# psycopg, Alembic and a directory of revisions take about 60 MiB, facts a few more.
MEMORY_BYTES = 256 << 20
LEAST_BYTES = 80 << 20
# What a program meets whose pod's network has not begun.
NOT_YET = frozenset({"database-host-unknown", "database-unreachable"})


def main(request: Request) -> None:
    """Answer requests from stdin, or the one of a Job.

    :param request: limits (connect_timeout, lock_timeout_ms, statement_timeout_ms); in a Job also `once`, what is
        asked, and `settle`, seconds that the network of the pod may take to begin
    """
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    once: Request | None = request.get("once")
    from .framing import Framer

    framer = Framer()

    guest = once is None

    def send(answer: dict[str, t.Any]) -> None:
        lines = framer.lines(answer) if once else [json.dumps(answer)]
        answers.writelines(line + "\n" for line in lines)
        answers.flush()

    try:
        # In a Job the limit is its own, and reaching it harms nobody.
        if guest:
            _assert_room()
        with contextlib.ExitStack() as stack:
            session = _session(request["limits"], stack, request.get("settle", 0.0))
            requests = [once] if once else map(json.loads, sys.stdin)
            for item in requests:
                send(_answer(item, session))
    except CollectorError as error:
        send({"error": {"id": error.id, "message": error.message}})
    except MemoryError:
        words = "The agent's pod has less of its memory limit left than the answer takes."
        send({"error": {"id": "agent-memory-short" if guest else "pod-memory", "message": words}})
    except ModuleNotFoundError as error:
        words = f"The image lacks the Python package {error.name}."
        send({"error": {"id": "image-start", "message": words}})
    except Exception as error:
        # No text of the error: it may quote what it worked on.
        words = f"The collector fails in the pod ({type(error).__name__})."
        send({"error": {"id": "collector-failed", "message": words}})


def _assert_room() -> None:
    if why := guest_memory.confine(MEMORY_BYTES, LEAST_BYTES):
        raise CollectorError("agent-memory-short", f"The agent's pod {why}.")


def _session(limits: dict[str, int], stack: contextlib.ExitStack, settle: float) -> Session:
    """:param settle: seconds that the network may take to begin"""
    from .session import database_url, session

    url = database_url()
    if not url:
        raise CollectorError("database-url-invalid", "The pod has no DATABASE_URL in its environment.")

    return retry(
        lambda: stack.enter_context(session(url, **limits)),
        lambda error: isinstance(error, CollectorError) and error.id in NOT_YET,
        time.monotonic() + settle,
    )


def _answer(request: Request, session: Session) -> dict[str, t.Any]:
    """`table`, `schema`: the version table. `names`: facts about these; `key`: the advisory lock's.

    `target`: what it resolves to among the revisions of this image. `copy`: what a copy of the schema must know.
    """
    from . import copy_facts, live_facts

    answer: dict[str, t.Any] = {"where": session.where}
    with session.snapshot() as connection:
        answer["live"] = live_facts.live_rows(connection, request["table"], request["schema"])
        if request.get("names") is not None:
            answer["server"] = live_facts.server(connection, request["key"])
            answer["facts"] = live_facts.collect(connection, request["names"])
        if request.get("copy"):
            from .session import database_url, parameters

            given = parameters(database_url()).get("options")
            answer["copy"] = copy_facts.look(connection, given, request["schema"], request["table"])
    if request.get("target"):
        answer["revisions"] = _revisions(request["target"])
    return answer


def _revisions(target: str) -> dict[str, t.Any] | None:
    """Nodes, heads and targets of the deployed image, without running env.py; None where it has none."""
    from .alembic_place import own_ini
    from .alembic_worker import AlembicError, Worker

    try:
        found: dict[str, t.Any] = Worker({"ini": str(own_ini()), "target": target}).revisions()
    except (AlembicError, ImportError):
        return None
    return found


__all__ = ("main",)
