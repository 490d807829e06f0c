"""From a judged upgrade to files that would replace its unsafe revisions."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.answer_catalog import catalog_of
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite import Upgrade, rewrites
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import NO_FACTS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_folder import RewriteFolder
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Answer
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import TriggerRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement


def write_rewrites(
    folder: RewriteFolder,
    *,
    graph: Graph,
    statements: t.Sequence[Statement],
    segments: t.Sequence[Segment],
    findings: t.Sequence[Finding],
    answer: Answer,
    limits: Thresholds,
    unknown: frozenset[str],
    set_by_migrator: bool,
) -> list[dict[str, t.Any]]:
    """What became of each revision, for the report.

    :param answer: of a server that was asked
    :param unknown: revisions whose SQL is not known without a trace
    :param set_by_migrator: a lock_timeout
    :raises FindingError: `argument-invalid`: a file cannot be written
    """
    if answer.server is None:
        return []
    made = rewrites(
        Upgrade(
            graph=graph,
            statements=statements,
            segments=segments,
            findings=findings,
            catalog=catalog_of(answer),
            version=answer.server["version"] // 10000,
            small=lambda table: max(table.bytes, table.total_bytes) < limits.small_table_bytes,
            unknown=unknown,
            characters=answer.live.get("characters"),
            lock_timeout_set=set_by_migrator or answer.server["lock_timeout"] not in {"0", ""},
            texts=folder.original,
            beside=folder.beside,
            triggers=_triggers(answer),
        )
    )
    folder.write({name: text for item in made for name, text in item.files.items()})
    return [item.as_dict() for item in made]


def _triggers(answer: Answer) -> dict[Name, list[TriggerRow]]:
    facts = answer.facts or NO_FACTS
    names: dict[int, Name] = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
    found: dict[Name, list[TriggerRow]] = {}
    for row in facts["writes"]["triggers"]:
        if row["oid"] in names:
            found.setdefault(names[row["oid"]], []).append(row)
    return found


__all__ = ("write_rewrites",)
