"""Where the database stands in the revision graph."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph

State = t.Literal["absent", "behind", "current", "ahead", "diverged", "unknown"]


@dataclasses.dataclass(frozen=True)
class Live:
    """What the database says: rows of the version table (None: there is no such table), and whether it has tables."""

    rows: tuple[str, ...] | None
    has_tables: bool


@dataclasses.dataclass(frozen=True)
class Position:
    """State; the revisions that the directory does not know; whether `alembic upgrade` would run anything.

    :param asked: the database was; without it the state is an assumption
    """

    state: State
    unknown: tuple[str, ...] = ()
    upgradable: bool = False
    asked: bool = True


def ancestors(graph: Graph, starts: t.Iterable[str], *, dependencies: bool = True) -> set[str]:
    """`starts` and everything below them; with dependencies that is what Alembic counts as applied."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        revision = todo.pop()
        if revision not in seen:
            seen.add(revision)
            node = graph.nodes[revision]
            todo += node["down"] + (node["depends"] if dependencies else [])
    return seen


def position(graph: Graph, live: Live) -> Position:
    """The state of the database towards the target.

    absent: nothing there yet. behind: some of the target's revisions are missing. current: none is. ahead: the
    database has all of them, and later ones. diverged: it lacks some and stands on another branch of the same
    history, or some of its revisions are unknown and others not. unknown: it has tables but no revision is recorded,
    or all its revisions are unknown here (an image older than the database, or another history: the directory cannot
    tell which). A branch with a base of its own is another history: it has no part in the answer.
    """
    if not live.rows:
        return Position("unknown" if live.has_tables else "absent", upgradable=bool(graph.targets))
    strange = tuple(sorted(set(live.rows) - graph.nodes.keys()))
    if strange:
        return Position("diverged" if len(strange) < len(live.rows) else "unknown", strange)
    applied, wanted = ancestors(graph, live.rows), ancestors(graph, graph.targets)
    history = ancestors(graph, graph.targets, dependencies=False)
    extra = [row for row in live.rows if row not in wanted and history & ancestors(graph, [row], dependencies=False)]
    if applied >= wanted:
        return Position("ahead" if extra else "current")
    return Position("diverged" if extra else "behind", upgradable=True)


def with_deployed_graph(
    found: Position, graph: Graph, rows: t.Sequence[str], deployed: Graph | None, *, same: bool
) -> Position:
    """`found`, where the directory does not know some of `rows`, by what the deployed image knows.

    ahead: the deployed image knows all of them, and its history leads from the target up to them; that is how a
    rollback begins. Or the deployed image is the same (`same`) and serves: it lives with them already.
    """
    if not found.unknown:
        return found
    known = ancestors(deployed, rows) if deployed and set(rows) <= deployed.nodes.keys() else set()
    if same or (known and set(graph.targets) <= known):
        return dataclasses.replace(found, state="ahead")
    return found


__all__ = ("Live", "Position", "State", "ancestors", "position", "with_deployed_graph")
