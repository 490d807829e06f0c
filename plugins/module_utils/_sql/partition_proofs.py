"""The check that proves that all rows of a table fit the bounds of a partition, so that ATTACH reads none of them.

Source: get_qual_from_partbound in src/backend/partitioning/partbounds.c, ConstraintImpliedByRelConstraint in
commands/tablecmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import RawStream, ast, parse_sql


def condition_of(bound: t.Any, strategy: str, columns: t.Sequence[str | None]) -> t.Any:
    """An expression that says what the bounds say, in words that PostgreSQL recognises.

    :param bound: a PartitionBoundSpec, None of ALTER INDEX … ATTACH PARTITION
    :param strategy: of the key: r, l or h
    :param columns: of the key, None for an expression
    :return: None where the key has several columns or an expression, or the bounds take NULL or what is left
    """
    if bound is None or bound.is_default or len(columns) != 1 or columns[0] is None or strategy != bound.strategy:
        return None
    if strategy == "l":
        values = bound.listdatums or ()
        if not values or any(_is_null(value) for value in values):
            return None
        condition = _template("c IS NOT NULL AND c IN (1)")
        condition.args[1].rexpr = tuple(values)
        parts = [condition.args[0].arg, condition.args[1].lexpr]
    elif strategy == "r":
        condition = _template("c IS NOT NULL AND c >= 1 AND c < 1")
        known, *limits = condition.args
        kept, parts = [known], [known.arg]
        for limit, value in zip(limits, (bound.lowerdatums[0], bound.upperdatums[0]), strict=True):
            if not isinstance(value, ast.ColumnRef):
                limit.rexpr = value
                kept.append(limit)
                parts.append(limit.lexpr)
        condition.args = tuple(kept)
        condition = condition if len(kept) > 1 else known
    else:
        return None
    for part in parts:
        part.fields = (ast.String(sval=columns[0]),)
    return condition


def text_of(condition: t.Any) -> str:
    """Two conditions with the same text are the same."""
    return str(RawStream()(condition))


def _template(text: str) -> t.Any:
    statement: t.Any = parse_sql(f"SELECT WHERE {text}")[0].stmt
    return statement.whereClause


def _is_null(node: t.Any) -> bool:
    return not isinstance(node, ast.A_Const) or bool(node.isnull)


__all__ = ("condition_of", "text_of")
