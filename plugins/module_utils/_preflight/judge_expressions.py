"""Whether the server takes the expressions that an upgrade keeps in definitions. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, qualified_name, walk
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.stored_expressions import (
    IMMUTABLE,
    StoredExpression,
    forbidden_construct,
    stored_expressions,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# A function in SQL may be looked through: then its body decides, whatever it says of itself (inline_function).
_UNSURE: t.Final = "?"
_VOLATILITY: t.Final = {"immutable": "i", "stable": "s", "volatile": "v"}
# What a text means as one of them depends on settings of the session.
_OF_SETTINGS: t.Final = {"date", "time", "timetz", "timestamp", "timestamptz", "interval", "regclass", "regproc"}


class ExpressionJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect
        :param rules: the caller updates them after this judge has seen a statement
        """
        self._catalog, self._rules = catalog, rules
        self._answers = {(row["number"], row["place"]): row["immutable"] for row in facts["immutable"]}
        self._volatility: dict[str, set[str]] = {}
        for row in facts["functions"]:
            # What is not PostgreSQL's own may be written in SQL.
            foreign = row["schema"] != "pg_catalog" and row["volatile"] != "i"
            self._volatility.setdefault(row["name"], set()).add(_UNSURE if foreign else row["volatile"])

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the objects
        """
        if not self._rules.known:
            return []
        node: t.Any = statement.node
        found: list[Finding] = []
        if isinstance(node, ast.CreateFunctionStmt):
            # One of several of that name: which one is called is not followed.
            self._volatility.setdefault(qualified_name(node.funcname or ())[1], set()).add(_volatility(node))
        for place, item in enumerate(stored_expressions(node)):
            if self._skipped(item):
                continue
            about: Where = where | {"table": dotted(self._catalog.qualified(item.table))}
            if words := forbidden_construct(item, self._generated(item, node), self._catalog):
                said = f"The {item.kind} of {dotted(item.table)} holds {words}, which the server refuses there"
                found.append(refusal("definition-refused", said, about, sure=certain))
            elif item.kind in IMMUTABLE:
                immutable = self._answers.get((statement.number, place))
                immutable = self._guess(item.node) if immutable is None else immutable
                if immutable is False:
                    said = f"The {item.kind} of {dotted(item.table)} calls functions or casts that are not IMMUTABLE"
                    found.append(refusal("definition-refused", said, about, sure=certain))
                elif immutable is None:
                    said = f"Whether all that the {item.kind} of {dotted(item.table)} calls is IMMUTABLE is not known"
                    found.append(refusal("definition-refused", said, about, sure=False))
        return found

    def _skipped(self, item: StoredExpression) -> bool:
        if not item.lenient:
            return False
        table = self._catalog.table(item.table)
        return table is not None and (item.column is None or item.column in table.columns)

    def _generated(self, item: StoredExpression, node: t.Any) -> set[str]:
        table = self._catalog.table(item.table)
        found = {name for name, column in table.columns.items() if column.generated} if table else set()
        parts = [*(getattr(node, "tableElts", None) or ()), *(getattr(node, "cmds", None) or ())]
        for part in parts:
            column: t.Any = getattr(part, "def_", part)
            kind: t.Any = type(column)
            if kind is ast.ColumnDef and column.colname != item.column:
                kinds = {constraint.contype for constraint in column.constraints or ()}
                found |= {column.colname} if ConstrType.CONSTR_GENERATED in kinds else set()
        return found

    def _guess(self, node: t.Any) -> bool | None:
        """By names alone, where the server could not be asked; None where they do not tell."""
        sure = True
        for part in walk(node):
            if isinstance(part, ast.SQLValueFunction):
                return False
            if isinstance(part, ast.FuncCall):
                kinds = self._volatility.get(qualified_name(part.funcname or ())[1], set())
                if kinds and kinds <= {"s", "v"}:
                    return False
                sure = sure and kinds == {"i"}
            elif isinstance(part, ast.TypeCast) and not isinstance(part.arg, ast.A_Const):
                sure = sure and _type_of(part) not in _OF_SETTINGS
        return True if sure else None


def _type_of(cast: t.Any) -> str:
    return qualified_name(cast.typeName.names or ())[1]


def _volatility(node: t.Any) -> str:
    options = {option.defname: option.arg for option in node.options or ()}
    said = _VOLATILITY.get(str(options["volatility"].sval), "v") if "volatility" in options else "v"
    language = str(options["language"].sval) if "language" in options else "sql"
    return said if said == "i" or language != "sql" else _UNSURE


__all__ = ("ExpressionJudge",)
