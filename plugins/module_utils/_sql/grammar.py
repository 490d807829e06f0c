"""PostgreSQL's grammar, as pglast brings it: its nodes, enumerations and parser, by one import.

`ansible-test sanity` imports every file without any library, and `ansible-doc` may run where none is installed. There
this file offers stand-ins that can be named in tables and annotations, and nothing more: `assert_libraries` has
refused to work without pglast before a statement is read.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

try:
    from pglast import ast, parse_plpgsql, parse_sql, scan
    from pglast.enums.nodes import JoinType
    from pglast.enums.parsenodes import (
        AlterTableType,
        ConstrType,
        DiscardMode,
        GrantTargetType,
        ObjectType,
        ReindexObjectType,
        RoleSpecType,
        SortByDir,
        SortByNulls,
        TransactionStmtKind,
        VariableSetKind,
    )
    from pglast.enums.primnodes import BoolExprType, NullTestType, OverridingKind
    from pglast.parser import ParseError
    from pglast.stream import RawStream
except ImportError:
    if not t.TYPE_CHECKING:

        class _Absent(type):
            """A name of pglast, and whatever is named below it."""

            def __getattr__(cls, name: str) -> type:
                if name.startswith("__"):
                    raise AttributeError(name)
                return _Absent(name, (), {})

        class ParseError(Exception):
            """Never raised."""

        ast = AlterTableType = BoolExprType = ConstrType = DiscardMode = NullTestType = ObjectType = _Absent(
            "pglast", (), {}
        )
        OverridingKind = ReindexObjectType = TransactionStmtKind = VariableSetKind = ast
        GrantTargetType = RoleSpecType = SortByDir = SortByNulls = ast
        JoinType = RawStream = parse_plpgsql = parse_sql = scan = ast

__all__ = (
    "AlterTableType",
    "BoolExprType",
    "ConstrType",
    "DiscardMode",
    "GrantTargetType",
    "JoinType",
    "NullTestType",
    "ObjectType",
    "OverridingKind",
    "ParseError",
    "RawStream",
    "ReindexObjectType",
    "RoleSpecType",
    "SortByDir",
    "SortByNulls",
    "TransactionStmtKind",
    "VariableSetKind",
    "ast",
    "parse_plpgsql",
    "parse_sql",
    "scan",
)
