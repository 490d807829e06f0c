"""Walks a whole upgrade on a server, statement by statement, and holds what was claimed against what the server did.

The claims are made once, on the database as it is before the upgrade: they are those of a preflight's full report.
"""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import psycopg
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess, Graph
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement, statements

from tests.integration.preflight.walk import UNKNOWN, relations, step

# What says, as a failure, that the server will not take the statement.
REFUSING = {
    "concurrently-in-transaction",
    "data-refused",
    "definition-refused",
    "enum-value-used",
    "extension-privilege",
    "extension-unavailable",
    "fails-in-transaction",
    "not-null-without-default",
    "object-depended-upon",
    "object-exists",
    "object-missing",
    "partitioned-concurrently",
    "pending-trigger-events",
    "privilege-missing",
    "rows-violate",
    "statement-refused",
    "table-missing",
    "unsupported-by-server",
}
# What SQLAlchemy sees before it runs what is made or dropped with `checkfirst`.
_LOOKED_FOR = (psycopg.errors.DuplicateObject, psycopg.errors.DuplicateTable, psycopg.errors.UndefinedObject,
               psycopg.errors.UndefinedTable)  # fmt: skip

Report = dict[str, t.Any]


@dataclasses.dataclass
class Walked:
    """What became of the statements of an upgrade.

    :param run: statements that the server took
    :param refused: statements with its message
    :param claimed: how often a lock that blocks writes was taken on a table that was there before, as it was said
    :param unclaimed: what it did unsaid
    :param false: claims that the upgrade would fail, of statements that it took
    :param unseen: revisions that are not known before they run, which Alembic itself ran
    :param failed: such revisions that it could not run
    """

    run: int = 0
    refused: list[str] = dataclasses.field(default_factory=list)
    claimed: int = 0
    unclaimed: list[str] = dataclasses.field(default_factory=list)
    false: list[str] = dataclasses.field(default_factory=list)
    unseen: list[str] = dataclasses.field(default_factory=list)
    failed: list[str] = dataclasses.field(default_factory=list)


def walk(
    folder: Path, url: str, report: Report, upgrade: t.Callable[[str], bool] | None = None, **arguments: t.Any
) -> Walked:
    """Run the upgrade that was judged.

    :param report: the full report about it
    :param upgrade: runs Alembic itself up to a revision, and says whether that went well; needed where one is not known
    :param arguments: of AlembicProcess
    """
    with AlembicProcess(folder / "alembic.ini", "heads", 300, **arguments) as alembic:
        graph = alembic.graph()
        rendered = alembic.render(report["live_revisions"])
    found: dict[str, list[Statement]] = {}
    for statement in statements(rendered):
        found.setdefault(statement.revision, []).append(statement)
    walked = Walked()
    with psycopg.connect(url, autocommit=True) as connection:
        steps = _Steps(connection, report, walked)
        end, unseen = 0, list[tuple[str, Segment]]()
        for segment in rendered.segments:
            between, end = rendered.sql[end : segment.start], segment.end
            if upgrade is not None and (segment.error or segment.inspects):
                unseen.append((between, segment))
                continue
            if _run(graph, unseen, upgrade, steps, found):
                _between(connection, between)
            unseen = []
            for statement in found.get(segment.revision, ()):
                steps.step(statement)
        if _run(graph, unseen, upgrade, steps, found):
            _between(connection, rendered.sql[end:])
    return walked


def _run(
    graph: Graph,
    unseen: list[tuple[str, Segment]],
    upgrade: t.Callable[[str], bool] | None,
    steps: _Steps,
    found: dict[str, list[Statement]],
) -> bool:
    """Have Alembic run revisions that are not known; whether its version table is still to be written behind them.

    Where it fails, as it does on the history of who makes new databases without it, what was rendered of them is run.

    :param unseen: the revisions, which follow each other, with what Alembic writes before each
    """
    if not unseen or upgrade is None:
        return True
    connection, walked = steps.connection, steps.walked
    _between(connection, unseen[0][0])
    revisions = [segment.revision for _text, segment in unseen]
    if all(upgrade(revision) for revision in _last(graph, revisions)):
        walked.unseen += revisions
        return False
    for number, (text, segment) in enumerate(unseen):
        walked.failed.append(segment.revision)
        if number:
            _between(connection, text)
        for statement in found.get(segment.revision, ()):
            steps.step(statement)
    return True


def _last(graph: Graph, revisions: list[str]) -> list[str]:
    """Those that lead to all of them, in order."""
    calls: list[str] = []
    reached: set[str] = set()
    for revision in reversed(revisions):
        if revision in reached:
            continue
        calls.append(revision)
        todo = [revision]
        while todo:
            name = todo.pop()
            if name in graph.nodes and name not in reached:
                reached.add(name)
                todo += graph.nodes[name]["down"] + graph.nodes[name]["depends"]
    return calls[::-1]


def _between(connection: psycopg.Connection, sql: str) -> None:
    """Run what Alembic writes between two revisions, that of its version table."""
    whole = Rendered(sql, [Segment("between", 0, len(sql), doc="", path="", error=None, inspects=None)])
    for statement in statements(whole):
        connection.execute(statement.sql.encode())


class _Steps:
    """Runs statements; tables that are there when it is made are live."""

    def __init__(self, connection: psycopg.Connection, report: Report, walked: Walked) -> None:
        self.connection, self.walked = connection, walked
        self._live = {oid: row[0] for oid, row in relations(connection).items()}
        self._forms = {form["statement"]: form for pending in report["pending"] for form in pending["statements"]}
        self._said: dict[int | None, list[dict[str, t.Any]]] = {}
        for item in report["findings"]:
            self._said.setdefault(item.get("statement"), []).append(item)

    def step(self, statement: Statement) -> None:
        """Run it and note what was wrong about its claims."""
        walked, said = self.walked, self._said.get(statement.number, [])
        if self._forms[statement.number].get("skipped"):
            return
        locks = sorted(self._forms[statement.number]["locks"], key=lambda lock: Mode.of_words(lock["mode"]))
        claims = {lock["table"]: lock for lock in locks if not lock["new"]}
        words = f"{statement.revision}: {statement.sql[:120]}"
        try:
            wrong, right = step(self.connection, statement, self._live, claims)
        except psycopg.Error as error:
            if not (statement.looks_first and isinstance(error, _LOOKED_FOR)):
                walked.refused.append(f"{words}: {str(error).splitlines()[0]}")
            return
        walked.run += 1
        walked.claimed += right
        if not UNKNOWN & {item["id"] for item in said}:
            walked.unclaimed += [f"{words}: {what}" for what in wrong]
        walked.false += [
            f"{words}: {item['id']}: {item['message']}"
            for item in said
            if item["id"] in REFUSING and item["severity"] == "fail"
        ]
