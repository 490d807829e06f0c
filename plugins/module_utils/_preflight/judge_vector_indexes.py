"""Indexes of pgvector against maintenance_work_mem: one that fails for want of it, one that takes many times as long.

The figures were held against pgvector 0.6.2 (tests/integration/preflight/test_vector_indexes.py).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import size
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.session_settings import Memory
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

# Bytes of a dimension, by the type's name.
_DIMENSION: t.Final = {"vector": 4, "halfvec": 2}
_VALUE_HEADER = 8
_LISTS, _M = 100, 16


def ivfflat_bytes(rows: int, dimensions: int, lists: int, of_dimension: int = 4) -> int:
    """What k-means needs at once, which pgvector refuses to begin without.

    Source: ElkanKmeans in pgvector's src/ivfkmeans.c; 50 samples a list, at least 10,000 (src/ivfbuild.c).
    """
    room = max(50 * lists, 10_000)
    samples, value = min(rows, room), _VALUE_HEADER + of_dimension * dimensions
    distances = 4 * (samples * lists + lists * lists)
    return room * value + 2 * lists * value + distances + 8 * samples + 12 * lists


def hnsw_bytes(rows: int, dimensions: int, m: int, of_dimension: int = 4) -> int:
    """About what the graph needs to be built in memory; the fixed part is measured."""
    return rows * (200 + 32 * m + _VALUE_HEADER + of_dimension * dimensions)


class VectorIndexJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, kib: int) -> None:
        """:param kib: maintenance_work_mem of the server, -1 where it is not known"""
        self._catalog, self._memory = catalog, Memory("maintenance_work_mem", kib)

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the table
        """
        self._memory.after(statement)
        node, memory = statement.node, self._memory.value * 1024
        if not isinstance(node, ast.IndexStmt) or node.relation is None or memory < 0:
            return []
        name = relation_name(node.relation)
        table = self._catalog.table(name)
        value = _value(node, table)
        if table is None or value is None or self._catalog.is_new(name):
            return []
        table = self._catalog.with_rows(table)
        about: Where = where | {"table": dotted(table.name)}
        if node.accessMethod == "ivfflat":
            return self._ivfflat(table, value, _option(node, "lists", _LISTS), memory, about, certain=certain)
        if node.accessMethod == "hnsw":
            return _hnsw(table, value, _option(node, "m", _M), memory, about)
        return []

    def _ivfflat(
        self, table: Table, value: tuple[int, int], lists: int, memory: int, where: Where, *, certain: bool
    ) -> list[Finding]:
        # A table that was never analysed may hold any number of rows: as many as are sampled at most are assumed.
        rows = table.rows if table.rows >= 0 else 50 * lists
        needed = ivfflat_bytes(rows, value[0], lists, value[1])
        if needed <= memory or not rows:
            return []
        words = f"ivfflat on {where['table']} with {lists} lists needs {size(needed)} of maintenance_work_mem"
        words += f", which is {size(memory)}"
        # Up to as many rows as lists, pgvector up to 0.7 takes the rows themselves and computes nothing.
        sure = certain and table.rows > lists
        ending = ": this fails." if sure else ": this may fail."
        return [finding("vector-index-memory", words + ending, severity="fail" if sure else "unknown", **where)]


def _hnsw(table: Table, value: tuple[int, int], m: int, memory: int, where: Where) -> list[Finding]:
    needed = hnsw_bytes(max(table.rows, 0), value[0], m, value[1])
    if needed <= memory:
        return []
    words = (
        f"hnsw on {where['table']} (about {table.rows} rows) needs about {size(needed)} to be built in memory, and"
        f" maintenance_work_mem is {size(memory)}: beyond that each row is searched for and written on disk."
    )
    return [finding("vector-index-memory", words, **where)]


def _value(node: t.Any, table: Table | None) -> tuple[int, int] | None:
    """Dimensions of the indexed value and bytes of each; None where it is no vector, or of no certain length."""
    item = node.indexParams[0] if node.indexParams else None
    if item is None:
        return None
    if item.name:
        column = table.columns.get(item.name) if table else None
        kind, dimensions = (column.type, column.modifier) if column else ("", -1)
    elif isinstance(item.expr, ast.TypeCast):
        typed: t.Any = item.expr.typeName
        kind = typed.names[-1].sval
        given = [part.val.ival for part in typed.typmods or () if isinstance(getattr(part, "val", None), ast.Integer)]
        dimensions = given[0] if given else -1
    else:
        return None
    return (dimensions, _DIMENSION[kind]) if kind in _DIMENSION and dimensions > 0 else None


def _option(node: t.Any, name: str, default: int) -> int:
    """A storage parameter of the index."""
    for option in node.options or ():
        value = getattr(option.arg, "ival", None)
        if option.defname == name and isinstance(value, int):
            return value
    return default


__all__ = ("VectorIndexJudge", "hnsw_bytes", "ivfflat_bytes")
