"""A trace on this machine: the database's schema in a throw-away server, and the real upgrade on it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import TRACER
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import end, receive, start
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.schema_copy import Live, copy
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.scratch_server import (
    ScratchError,
    ScratchServer,
    programs,
    without_network,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_log import WATCH, read

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess


def trace(live: Live, alembic: AlembicProcess, named: str | None, timeout: float) -> Trace:
    """Run the upgrade on a copy of the schema.

    :param named: the folder with PostgreSQL's programs, None to look for one
    :param timeout: of the upgrade, in seconds
    :raises ScratchError: there is no copy to be had
    """
    began = time.monotonic()
    with ScratchServer(programs(live.major, named), live.settings) as server:
        started = time.monotonic()
        copy(live, server, WATCH)
        copied = time.monotonic()
        place = {"host": str(server.folder), "dbname": live.database, "user": live.role}
        place |= {name: live.parameters[name] for name in ("options",) if name in live.parameters}
        answer = _upgrade(alembic, place, timeout)
        ended = time.monotonic()
        statements, whole = read(server.log())
    seconds: dict[str, float] = answer.get("seconds") or {}
    if unseen := sorted(seconds.keys() - whole):
        raise ScratchError(f"the server's log does not hold what {unseen[0]} ran: it changes what is logged")
    phases = {"server": started - began, "schema": copied - started, "upgrade": ended - copied}
    return Trace(statements, answer["error"], answer["revision"], seconds, phases)


def _upgrade(alembic: AlembicProcess, place: dict[str, str], timeout: float) -> dict[str, t.Any]:
    """The answer of _in_pod/alembic_trace.py.

    :raises ScratchError: it gives none in time
    """
    request = {"alembic": alembic.request, "place": place}
    # It ends with whatever env.py has started, also in sessions of their own.
    python = [*without_network("--pid", "--fork", "--kill-child"), alembic.python]
    process, answers = start(python, TRACER, request, alembic.folder, alembic.environment)
    try:
        line, _beyond = receive(answers, b"", time.monotonic() + timeout)
        answer: dict[str, t.Any] = json.loads(line)
    except TimeoutError:
        raise ScratchError(f"the upgrade did not end within {timeout:g} s") from None
    except (EOFError, ValueError):
        raise ScratchError("the process that upgrades died without an answer") from None
    finally:
        end(process, answers)
    return answer


__all__ = ("trace",)
