"""What a transport brings to the preflight: revisions and SQL of the target, facts of the live database."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import abc
import contextlib
import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Each, Graph
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revisions import State
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.rights import Access
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered

# The key that chart/files/schema.py takes: "ai_agent" in ASCII.
LOCK_KEY = int.from_bytes(b"ai_agent", "big")


@dataclasses.dataclass(frozen=True)
class Answer:
    """The second message: rows of the version table again, and the answers of _live_facts about server and names.

    `server` is None where there is no database to ask yet; then `facts` says nothing.
    """

    live: dict[str, t.Any]
    server: dict[str, t.Any] | None
    facts: dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Release:
    """The release that is about to be deployed, what of it is there, and the rights that the account lacks for it."""

    plan: Planned
    live: Live
    namespace: str
    missing: tuple[Access, ...] = ()


class Source(contextlib.AbstractContextManager["Source"], abc.ABC):
    """A transport. Its methods are called once each, in this order, between `with` and its end.

    `where`: the database for people, host:port/name. `release`: None where there is none. `same`: what is deployed has
    the same migrations and serves. `unasked`: there may be a database that nobody could ask. All raise FindingError.
    """

    where: str = ""
    release: Release | None = None
    same: bool = False
    unasked: bool = False

    def deduced(self) -> tuple[State, Finding] | None:
        """A state that follows without asking, and what it rests on; then nothing else is called but `findings`."""
        return None

    @abc.abstractmethod
    def graph(self) -> Graph:
        """The revisions of what would be deployed."""

    @abc.abstractmethod
    def live(self, table: str, schema: str | None) -> dict[str, t.Any]:
        """Rows of the version table, and whether there are other tables: the answer of live_facts.live_rows."""

    @abc.abstractmethod
    def render(self, heads: t.Sequence[str], each: Each) -> Rendered:
        """The SQL from the live `heads` to the target, if something would run; `each` gets it part by part."""

    @abc.abstractmethod
    def facts(self, table: str, schema: str | None, names: dict[str, t.Any]) -> Answer:
        """Facts about `names`, and the rows once more."""

    def deployed(self) -> Graph | None:
        """The revisions that the image deployed now knows, where there is one that can be asked."""
        return None

    def findings(self) -> list[Finding]:
        """What the transport itself came across."""
        return []


__all__ = ("LOCK_KEY", "Answer", "Release", "Source")
