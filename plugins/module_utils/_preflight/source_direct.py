"""The direct transport: a database URL and an Alembic directory on this machine."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import copy_facts, live_facts, whole_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.session import Session, parameters, session
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import schema_copy, trace_direct
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import (
    LOCK_KEY,
    Answer,
    Location,
    Source,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import (
        DatabaseFacts,
        ServerFacts,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_version import VersionTable


@contextlib.contextmanager
def _translated() -> t.Iterator[None]:
    """Turn what ends the collector here into what ends the module's run.

    :raises FindingError: with the id and the words of a CollectorError
    """
    try:
        yield
    except CollectorError as error:
        raise FindingError(error.id, error.message) from None


class DirectSource(Source):
    """Holds the session and the process that renders, from `with` to its end."""

    def __init__(self, url: str, alembic: AlembicProcess, trace_programs: str | None = None, **limits: int) -> None:
        """:param trace_programs: the folder with PostgreSQL's programs for a trace, None to look for one
        :param limits: of the session, as _in_pod/session.py takes them
        """
        self._url, self._alembic, self._limits = url, alembic, limits
        self._trace_programs = trace_programs
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> t.Self:
        self._stack.enter_context(self._alembic)
        try:
            with _translated():
                # The limits are session()'s keywords, which pylint cannot see.
                self._session: Session = self._stack.enter_context(
                    session(self._url, **self._limits)  # pylint: disable=missing-kwoa
                )
        except BaseException:
            self._stack.close()
            raise
        self.where = self._session.where
        return self

    def __exit__(self, *error: t.Any) -> None:
        self._stack.__exit__(*error)

    def locate(self) -> Location:
        graph = self._graph = self._alembic.graph()
        table, schema = graph.version_table, graph.version_table_schema
        with _translated(), self._session.snapshot() as connection:
            live = t.cast("VersionTable", live_facts.live_rows(connection, table, schema))

        def facts(names: dict[str, t.Any]) -> Answer:
            with _translated(), self._session.snapshot() as connection:
                again = t.cast("VersionTable", live_facts.live_rows(connection, table, schema))
                server = t.cast("ServerFacts", live_facts.server(connection, LOCK_KEY))
                collected = t.cast("DatabaseFacts", live_facts.collect(connection, names))
                return Answer(again, server, collected)

        def traced() -> Trace:
            given = parameters(self._url)
            with _translated(), self._session.snapshot() as connection:
                found = copy_facts.look(connection, given.get("options"), schema, table)
            there = schema_copy.live_of(found, live["rows"] or ())
            wait = self._limits["lock_timeout_ms"]
            return trace_direct.trace(there, given, self._alembic, self._trace_programs, lock_timeout_ms=wait)

        return Location(graph, live, self._alembic.render, facts, trace=traced)

    def whole_facts(self) -> dict[str, t.Any]:
        """Facts about the whole database, for facts_file.text_of; after `locate`.

        :raises FindingError: they cannot be had
        """
        with _translated(), self._session.snapshot() as connection:
            version = self._graph.version_table, self._graph.version_table_schema
            found: dict[str, t.Any] = whole_facts.collect(connection, *version)
            return found


__all__ = ("DirectSource",)
