"""What a source, one of the two transports, brings: revisions and SQL of the target, facts of the live database."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import abc
import contextlib
import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import ScratchError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Each, Graph
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revisions import State
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.rights import Access
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import (
        DatabaseFacts,
        ServerFacts,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_version import VersionTable
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered

# Whether the image that would be deployed may be given the database's URL, to ask where no deployed one can.
NewImage = t.Literal["trusted", "untrusted", "check-mode"]

# The key that chart/files/schema.py takes: "ai_agent" in ASCII.
LOCK_KEY = int.from_bytes(b"ai_agent", "big")


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer to `Location.facts`: the rows of the version table again, and facts about the server and the names.

    `server` and `facts` are None where there is no database to ask yet.
    """

    live: VersionTable
    server: ServerFacts | None
    facts: DatabaseFacts | None


@dataclasses.dataclass(frozen=True)
class Release:
    """The release that is about to be deployed, what of it is there, and the rights that the account lacks for it."""

    planned: Planned
    live: Live
    namespace: str
    missing: tuple[Access, ...] = ()


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of a release's preflight.

    :param job_timeout: seconds within which the pod of a Job must have started
    :param render_timeout: seconds that rendering may take after that
    :param limits: of the session with the database, as _in_pod/session.py takes them
    :param new_image: whether the image that would be deployed may be given the database's URL
    :param deduce: whether the state may follow from pods that are ready, without asking the database
    :param pull_timeout: seconds that the start may take while the node pulls the image
    :param environment: variables for env.py, beside those of the migration
    :param trace_image: with PostgreSQL's programs, for a trace; None for that of the release's own server
    :param trace_user: user id for it
    """

    release: str
    namespace: str
    target: str
    job_timeout: int
    render_timeout: int
    limits: dict[str, int]
    new_image: NewImage = "untrusted"
    deduce: bool = True
    pull_timeout: int = 600
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    trace_image: str | None = None
    trace_user: int | None = None


@dataclasses.dataclass(frozen=True)
class Inference:
    """A state that the database was not asked for, and the finding that says what it rests on."""

    state: State
    because: Finding


def _no_trace() -> Trace:
    raise ScratchError("the database was not asked")


@dataclasses.dataclass(frozen=True)
class Location:
    """Where the database stands, and what can be asked from there on; each may be asked once.

    :param graph: the revisions of what would be deployed
    :param live: rows of the version table, and whether there are other tables: the answer of live_facts.live_rows
    :param assumption: what is assumed of a database that may exist and could not be asked; then `live` says nothing
    :param deployed: the revisions that the image deployed now knows, None where none can be asked
    :param render: the SQL from live revisions to the target; it calls its second argument with each segment as soon as
        that is rendered
    :param trace: runs the upgrade on a copy of the schema; ScratchError where there is none to be had
    :param facts: about the names in its argument (`_sql/questions.py`), and the rows of the version table once more
    :raises FindingError: each of the functions, where no answer can be had
    """

    graph: Graph
    live: VersionTable
    render: t.Callable[[t.Sequence[str], Each], Rendered]
    facts: t.Callable[[dict[str, t.Any]], Answer]
    deployed: t.Callable[[], Graph | None] = lambda: None
    trace: t.Callable[[], Trace] = _no_trace
    assumption: Inference | None = None


class Source(contextlib.AbstractContextManager["Source"], abc.ABC):
    """A transport. `locate` is called once, inside `with`; everything else is asked through what it returns.

    :param where: the database for people, host:port/name
    :param release: None where there is none
    :param same_migrations: what is deployed has the same migrations and serves
    """

    where: str = ""
    release: Release | None = None
    same_migrations: bool = False

    @abc.abstractmethod
    def locate(self) -> Location | Inference:
        """Ask for the revisions of both sides, or infer where they stand.

        :raises FindingError: neither is possible
        """

    def findings(self) -> list[Finding]:
        """What the transport itself has come across until now."""
        return []


__all__ = ("LOCK_KEY", "Answer", "Inference", "Location", "NewImage", "Options", "Release", "Source")
