"""The transport without a database: facts that an earlier run wrote, and an Alembic directory on this machine."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import ScratchError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts, named_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import facts_file, facts_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.facts_asker import FactsAsker
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Answer, Location, Source

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import (
        AlembicProcess,
        Each,
        Graph,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import (
        DatabaseFacts,
        ServerFacts,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_version import VersionTable
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered


class FactsSource(Source):
    """Holds the process that renders, from `with` to its end."""

    def __init__(self, path: str, alembic: AlembicProcess, most_hours: int) -> None:
        """:param path: of a file that facts_path wrote
        :param most_hours: an older file is a warning
        """
        self._path, self._alembic, self._most_hours = path, alembic, most_hours
        self._found: list[Finding] = []
        self._pending = False

    def __enter__(self) -> t.Self:
        self._alembic.__enter__()
        try:
            self._file = facts_file.read(self._path)
        except BaseException:
            self._alembic.__exit__(None, None, None)
            raise
        self.where = f"{self._file.database} as of {self._file.time.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"
        self._found = [facts_findings.age(self._file.time, datetime.datetime.now(datetime.UTC), self._most_hours)]
        return self

    def __exit__(self, *error: t.Any) -> None:
        self._alembic.__exit__(*error)

    def findings(self) -> list[Finding]:
        return self._found

    def locate(self) -> Location:
        graph = self._alembic.graph()
        self._assert_version_table(graph)
        return Location(graph, self._live(), self._render, self._facts, trace=_no_trace)

    def _assert_version_table(self, graph: Graph) -> None:
        """Check that the file says where the revisions of this folder stand.

        :raises FindingError: `facts-unreadable`: it is about those of another one
        """
        version = self._file.version_table
        names = [
            f"{schema}.{name}" if schema else name
            for schema, name in (
                (version["schema"], version["name"]),
                (graph.version_table_schema, graph.version_table),
            )
        ]
        if names[0] != names[1]:
            words = f"The file of facts {self._path} has the revisions of the version table {names[0]}, and env.py uses"
            raise FindingError("facts-unreadable", f"{words} {names[1]}; name the file that its own job wrote.")

    def _live(self) -> VersionTable:
        version = self._file.version_table
        return {name: version[name] for name in ("rows", "has_tables", "characters")}  # type: ignore[return-value]

    def _render(self, heads: t.Sequence[str], each: Each) -> Rendered:
        rendered = self._alembic.render(heads, each)
        self._pending = bool(rendered.segments)
        return rendered

    def _facts(self, names: dict[str, t.Any]) -> Answer:
        if self._pending:
            self._found += facts_findings.not_asked(names)
        server: t.Any = self._file.server | {
            "sessions": [], "prepared": [], "migrators": [], "replicas": [], "slots": [],
        }  # fmt: skip
        facts = answer(FactsAsker(self._file), names)
        return Answer(self._live(), t.cast("ServerFacts", server), facts)


def answer(ask: FactsAsker, request: dict[str, t.Any]) -> DatabaseFacts:
    """What live_facts.collect would have answered, as far as it does not take the server itself.

    :param request: of _sql/questions.py, with `rows` where these raise questions
    """
    facts, resolved = named_facts.collect(ask, ask, request)
    questions = request["rows"]["questions"] if "rows" in request else []
    used = live_facts.tables_of_use(request, resolved)
    facts |= {
        "rows": [{"violated": None, "why": "file"} if question else {} for question in questions] or None,
        "keys": [],
        "checks": [],
        "refusals": [],
        "immutable": [],
        "usage": {"problem": "the facts come from a file, which holds no statements" if used else "no table was named"},
        "of_file": True,
    }
    return t.cast("DatabaseFacts", facts)


def _no_trace() -> Trace:
    raise ScratchError("the facts come from a file, which is no schema to copy")


__all__ = ("FactsSource", "answer")
