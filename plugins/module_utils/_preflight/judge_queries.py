"""Queries that an upgrade runs beside its writes: what they compute over rows that nobody looked at. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.data_exceptions import computed_exceptions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.plan_questions import computed_query
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name, writes

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules


class QueryJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        self._catalog, self._rules = catalog, rules

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> t.Iterator[Finding]:
        """Of what depends on no row, the server is asked (parse_facts.planned)."""
        del certain
        query = computed_query(statement.node)
        if query is None or list(writes(query)):
            return
        sources: t.Any = getattr(query, "fromClause", None) or ()
        table = self._catalog.table(relation_name(sources[0])) if _is_one_table(sources) else None
        reason = next(computed_exceptions(query, table, self._catalog, self._rules.uniques), None)
        if reason:
            yield finding("data-unknown", f"Whether the query succeeds is not known: {reason}.", **where)


def _is_one_table(sources: t.Any) -> bool:
    return len(sources) == 1 and isinstance(sources[0], ast.RangeVar)


__all__ = ("QueryJudge",)
