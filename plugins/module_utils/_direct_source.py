# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""The direct transport: a database URL and an Alembic directory on this machine."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils import _live_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._database import Session, session
from ansible_collections.ai_platform.agent.plugins.module_utils._source import LOCK_KEY, Answer, Source

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._offline_sql import (
        AlembicProcess,
        Each,
        Graph,
        Rendered,
    )


class DirectSource(Source):  # type: ignore[misc]
    """Holds the session and the process that renders, from `with` to its end."""

    def __init__(self, url: str, alembic: AlembicProcess, **limits: int) -> None:
        """`limits`: of the session, as _database.session takes them."""
        self._url, self._alembic, self._limits = url, alembic, limits
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> t.Self:
        self._stack.enter_context(self._alembic)
        try:
            self._session: Session = self._stack.enter_context(session(self._url, **self._limits))
        except BaseException:
            self._stack.close()
            raise
        self.where = self._session.where
        return self

    def __exit__(self, *error: t.Any) -> None:
        self._stack.__exit__(*error)

    def graph(self) -> Graph:
        return self._alembic.graph()

    def live(self, table: str, schema: str | None) -> dict[str, t.Any]:
        with self._session.snapshot() as connection:
            found: dict[str, t.Any] = _live_facts.live_rows(connection, table, schema)
            return found

    def render(self, heads: t.Sequence[str], each: Each) -> Rendered:
        return self._alembic.render(heads, each)

    def facts(self, table: str, schema: str | None, names: dict[str, t.Any]) -> Answer:
        with self._session.snapshot() as connection:
            live = _live_facts.live_rows(connection, table, schema)
            return Answer(live, _live_facts.server(connection, LOCK_KEY), _live_facts.collect(connection, names))


__all__ = ("DirectSource",)
