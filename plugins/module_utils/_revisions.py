# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""Where the database stands in the revision graph."""

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._offline_sql import Graph

State = t.Literal["absent", "behind", "current", "ahead", "diverged", "unknown"]


@dataclasses.dataclass(frozen=True)
class Live:
    """What the database says: rows of the version table (None: there is no such table), and whether it has tables."""

    rows: tuple[str, ...] | None
    has_tables: bool


@dataclasses.dataclass(frozen=True)
class Position:
    """State, and the revisions that the directory does not know."""

    state: State
    unknown: tuple[str, ...] = ()


def ancestors(graph: Graph, starts: t.Iterable[str]) -> set[str]:
    """`starts` and everything below them, dependencies included, as Alembic counts what is applied."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        revision = todo.pop()
        if revision not in seen:
            seen.add(revision)
            node = graph.nodes[revision]
            todo += node["down"] + node["depends"]
    return seen


def position(graph: Graph, live: Live) -> Position:
    """The state of the database towards the target.

    absent: nothing there yet. behind: the target's revisions are missing. current: none is. ahead: the database has the
    target and more. diverged: it lacks some of the target's revisions and has others that the target does not lead
    to. unknown: it has tables but no version table, or stands at a revision that this directory does not know (an
    image older than the database, or another history: the directory cannot tell which).
    """
    if live.rows is None:
        return Position("unknown" if live.has_tables else "absent")
    strange = tuple(sorted(set(live.rows) - graph.nodes.keys()))
    if strange:
        return Position("diverged" if len(strange) < len(live.rows) else "unknown", strange)
    applied, wanted = ancestors(graph, live.rows), ancestors(graph, graph.targets)
    if applied == wanted:
        return Position("current")
    if applied < wanted:
        return Position("behind")
    return Position("ahead" if applied > wanted else "diverged")


__all__ = ("Live", "Position", "State", "ancestors", "position")
