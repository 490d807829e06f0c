"""A trace on this machine: the database's schema in a throw-away server, and the real upgrade on it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import json
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import (
    ScratchError,
    ScratchServer,
    programs,
    without_network,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import TRACER
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import end, receive, start
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.schema_copy import Live, copy
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_log import WATCH, trace_of

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace


def trace(
    live: Live, parameters: t.Mapping[str, str], alembic: AlembicProcess, named: str | None, *, lock_timeout_ms: int
) -> Trace:
    """Run the upgrade on a copy of the schema.

    :param parameters: libpq's, of the connection with the live database
    :param named: the folder with PostgreSQL's programs, None to look for one
    :param lock_timeout_ms: how long the copying may wait for a lock of the live database
    :raises ScratchError: there is no copy to be had
    """
    began = time.monotonic()
    with ScratchServer(programs(live.major, named), live.settings) as server:
        started = time.monotonic()
        copy(live, server, functools.partial(server.dump, parameters), WATCH, lock_timeout_ms)
        copied = time.monotonic()
        answer = _upgrade(alembic, {"host": str(server.folder), **live.place})
        ended = time.monotonic()
        phases = {"server": started - began, "schema": copied - started, "upgrade": ended - copied}
        return trace_of(answer, server.log(), phases)


def _upgrade(alembic: AlembicProcess, place: dict[str, str]) -> dict[str, t.Any]:
    """The answer of _in_pod/alembic_trace.py.

    :raises ScratchError: it gives none in time
    """
    request = {"alembic": alembic.request, "place": place}
    # The process ends together with all that env.py has started, also in sessions of their own.
    python = [*without_network("--pid", "--fork", "--kill-child"), alembic.python]
    process, answers = start(python, TRACER, request, alembic.folder, alembic.environment)
    try:
        line, _beyond = receive(answers, b"", time.monotonic() + alembic.timeout)
        answer: dict[str, t.Any] = json.loads(line)
    except TimeoutError:
        raise ScratchError(f"the upgrade did not end within {alembic.timeout:g} s") from None
    except (EOFError, ValueError):
        raise ScratchError("the process that upgrades died without an answer") from None
    finally:
        end(process, answers)
    return answer


__all__ = ("trace",)
