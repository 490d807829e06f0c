"""Parts of the report: the server, and the pending revisions."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import NO_FACTS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judgement
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Answer
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered


def server_summary(answer: Answer) -> dict[str, t.Any]:
    """The server's facts that a person wants to read; from a file only what it has, and none without a server."""
    server = answer.server
    if server is None:
        return {}
    activity = {
        "replicas": server["replicas"],
        "slots": server["slots"],
        "connections": len(server["sessions"]) + 1,
    }
    of_file = (answer.facts or NO_FACTS).get("of_file", False)
    return {
        "version": server["version"],
        "in_recovery": server["in_recovery"],
        "role": server["role"],
        "max_connections": server["max_connections"],
        "database_bytes": server["database_bytes"],
    } | ({} if of_file else activity)


def pending_revisions(
    graph: Graph, rendered: Rendered, judged: Judgement, risks: dict[str, str]
) -> list[dict[str, t.Any]]:
    """The pending revisions, as the report lists them.

    :param risks: of each revision for this release; the risk of a statement is the same for every release
    """
    forms: dict[str, list[dict[str, t.Any]]] = {}
    for item in judged.statements:
        forms.setdefault(item["revision"], []).append(item)
    strongest = judged.strongest_locks()
    return [
        {
            "revision": segment.revision,
            "title": graph.nodes[segment.revision]["title"],
            "file": segment.path,
            "source": segment.source,
            "static": segment.error is None and segment.inspects is None,
            "risk": risks.get(segment.revision, "none"),
            "strongest_lock": strongest.get(segment.revision),
            "statements": forms.get(segment.revision, []),
        }
        for segment in rendered.segments
    ]


__all__ = ("pending_revisions", "server_summary")
