"""Whether Alembic can record a revision in the version table that is there. Pure functions over facts.

Source: HeadMaintainer and update_to_step in alembic/runtime/migration.py: one INSERT, then an UPDATE for each revision,
which must meet one row.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Severity, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revisions import ancestors

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_version import VersionTable

_KINDS: t.Final = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


def version_table_findings(graph: Graph, live: VersionTable) -> list[Finding]:
    """What keeps a pending revision from being recorded, which Alembic does as the revision's last statement.

    :param live: the answer of live_facts.live_rows
    """
    name = f"{graph.version_table_schema}.{graph.version_table}" if graph.version_table_schema else graph.version_table
    return [
        finding("version-table-unusable", f"The version table {name} {words}.", severity=severity)
        for words, severity in (*_rows(live["rows"] or []), *_table(live))
    ]


def assert_heads(graph: Graph, rows: t.Sequence[str]) -> None:
    """Check that no row is below another one, of which Alembic would say that env.py fails.

    :raises FindingError: `version-table-unusable`
    """
    known = [row for row in dict.fromkeys(rows) if row in graph.nodes]
    below = {row: ancestors(graph, [row], dependencies=False) - {row} for row in known}
    for row in known:
        if over := next((other for other in known if row in below[other]), None):
            words = f"The version table has {row} beside {over}, which is built on it: Alembic refuses revisions that"
            raise FindingError("version-table-unusable", f"{words} overlap; delete the row {row}.")


def _rows(rows: list[str]) -> t.Iterator[tuple[str, Severity | None]]:
    twice = sorted({row for row in rows if rows.count(row) > 1})
    if twice:
        yield f"has {twice[0]} more than once, and Alembic expects to change one row: this fails", None


def _table(live: VersionTable) -> t.Iterator[tuple[str, Severity | None]]:
    table = live.get("table")
    if table is None:
        return
    if table["kind"] in _KINDS:
        yield f"is {_KINDS[table['kind']]}, into which Alembic may not be able to write", "unknown"
        return
    needed = "UPDATE" if live["rows"] else "INSERT"
    if needed in table["lacks"]:
        yield f"may not be written by the migrating role, which lacks {needed}: the revision fails at its end", None
    if table["needed"] and not live["rows"]:
        yield f"has the column {table['needed'][0]}, NOT NULL without a default, which Alembic leaves out", None
    if table["secured"]:
        yield "has row-level security, so that the role may see or change only some of its rows", "unknown"
    if table["triggers"]:
        yield f"has the trigger {table['triggers'][0]}, whose function is not read here", "unknown"


__all__ = ("assert_heads", "version_table_findings")
