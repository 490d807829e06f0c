"""Whether a trigger's function only fills columns of its row, so that it neither refuses it nor does anything else."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ParseError, ast, parse_sql
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import TriggerRow

# Functions that only compute, and fail for no argument that a row can have.
_FUNCTIONS: t.Final = {"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timezone", "lower",
                       "upper", "btrim", "ltrim", "rtrim", "concat", "concat_ws", "to_tsvector", "setweight",
                       "gen_random_uuid", "md5", "nextval"}  # fmt: skip
# PostgreSQL's own, which a trigger calls directly.
_OWN: t.Final = {"tsvector_update_trigger", "tsvector_update_trigger_column", "suppress_redundant_updates_trigger"}
_COMMENT: t.Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_FRAME: t.Final = re.compile(r"\s*BEGIN\s+(.*?)\s*END\s*;?\s*", re.DOTALL | re.IGNORECASE)
_STEP: t.Final = re.compile(
    r"(?:(?:ELS(?:E\s*)?IF|IF)\s+(?P<condition>.+?)\s+THEN\s+|ELSE\s+)*"
    r"(?:RETURN\s+(?:NEW|OLD|NULL)|END\s+IF|NEW\.\w+\s*:?=\s*(?P<value>.+))?",
    re.DOTALL | re.IGNORECASE,
)


def harmless(row: TriggerRow) -> bool:
    """Whether the trigger of this row (write_facts.collect, `triggers`) only fills columns."""
    if row["schema"] == "pg_catalog":
        return row["function"] in _OWN
    if row["language"] != "plpgsql" or not row["source"]:
        return False
    # A comment mark in a string makes the rest unreadable, and so not harmless.
    frame = _FRAME.fullmatch(_COMMENT.sub(" ", row["source"]))
    return frame is not None and all(_step(step.strip()) for step in frame.group(1).split(";"))


def _step(text: str) -> bool:
    found = _STEP.fullmatch(text)
    if found is None:
        return False
    return all(_plain(part) for part in (found.group("condition"), found.group("value")) if part)


def _plain(expression: str) -> bool:
    """Calls of listed functions, operators and constants; no query."""
    try:
        parsed: t.Any = parse_sql(f"SELECT {expression}")
    except ParseError:
        return False
    query = parsed[0].stmt
    if len(parsed) > 1 or not isinstance(query, ast.SelectStmt) or query.fromClause or len(query.targetList or ()) != 1:
        return False
    for part in walk(query.targetList):
        if isinstance(part, (ast.SubLink, ast.TypeCast)):
            return False
        if isinstance(part, ast.FuncCall) and qualified_name(part.funcname or ())[1] not in _FUNCTIONS:
            return False
        if isinstance(part, ast.A_Expr) and part.name and str(part.name[-1].sval) in {"/", "%", "^"}:
            return False
    return True


__all__ = ("harmless",)
