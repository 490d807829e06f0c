"""Findings about where the database stands in the revision graph."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revisions import Position


def position_findings(graph: Graph, rows: tuple[str, ...] | None, position: Position) -> list[Finding]:
    """Findings about where the database stands.

    :param rows: the version table's (None: there is none)
    """
    found = []
    listed, targets = ", ".join(rows or ()), ", ".join(graph.targets)
    if position.unknown and position.state != "ahead":
        words = f"The database is at {listed}; this directory does not know {', '.join(position.unknown)}."
        found.append(finding("revision-unknown", words))
    elif position.state == "unknown" and position.asked:
        what = "no version table" if rows is None else "an empty version table"
        found.append(finding("state-unknown", f"The database has tables, but {what} {graph.version_table}."))
    elif position.state == "diverged":
        words = f"The database is at {listed}, on another branch than the target {targets}."
        found.append(finding("state-diverged", words))
    elif position.state == "ahead":
        found.append(finding("state-ahead", f"The database is at {listed}, beyond the target {targets}."))
    if not graph.nodes:
        words = "Alembic finds no revision here; one that env.py finds by itself would run unseen."
        found.append(finding("revisions-none", words))
    if len(graph.heads) > 1:
        independent = all(graph.nodes[head]["labels"] for head in graph.heads)
        words = f"The directory has {len(graph.heads)} heads: {', '.join(sorted(graph.heads))}."
        found.append(finding("multiple-heads", words, severity="warn" if independent else None))
    if rows and len(rows) > 1:
        found.append(finding("version-table-rows", f"The version table has {len(rows)} rows: {listed}."))
    return found


__all__ = ("position_findings",)
