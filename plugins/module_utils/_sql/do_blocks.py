"""What a DO block runs, where its text says all of it: its statements as if they stood without the block.

Read are blocks of plain SQL statements, and the ways in which PL/pgSQL says IF NOT EXISTS where PostgreSQL has none:
CREATE TYPE behind `EXCEPTION WHEN duplicate_object`, or behind a look for its name in pg_type. Others stay unread.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ParseError,
    ast,
    parse_plpgsql,
    parse_sql,
)

# Statements of a block: their text, their node, and whether they run only where what they make is not there yet.
Inner = tuple[str, t.Any, bool]

# Variables that every block has; a statement that uses one depends on what ran before.
_VARIABLES: t.Final = re.compile(r"\b(?:found|sqlstate|sqlerrm)\b", re.IGNORECASE)
# What a block may not run, or runs otherwise: it has one transaction.
_NOT_INSIDE = (ast.TransactionStmt, ast.VacuumStmt, ast.DoStmt, ast.CallStmt, ast.CopyStmt, ast.DeclareCursorStmt)
# By statement the condition with which it fails where what it makes is there already.
_TYPES = (ast.CreateEnumStmt, ast.CreateDomainStmt, ast.CompositeTypeStmt, ast.CreateRangeStmt)
_THERE: t.Final[dict[type, str]] = {
    **dict.fromkeys(_TYPES, "duplicate_object"), ast.CreateSchemaStmt: "duplicate_schema",
    **dict.fromkeys((ast.CreateStmt, ast.CreateSeqStmt, ast.IndexStmt), "duplicate_table"),
}  # fmt: skip


def inner_statements(sql: str, node: t.Any) -> list[Inner] | None:
    """The statements in their order; None where the block's text does not say them.

    :param sql: the text of the DO statement *node*
    """
    options = {option.defname: option.arg for option in node.args or ()}
    language = options.get("language")
    if language is not None and language.sval != "plpgsql":
        return None
    try:
        parsed = parse_plpgsql(sql)
    except ParseError:
        return None
    function = parsed[0]["PLpgSQL_function"] if len(parsed) == 1 else {}
    # `found` is the first; those of an exception are constants.
    own = [item for item in function.get("datums", ())[1:] if not item.get("PLpgSQL_var", {}).get("isconst")]
    if own or "action" not in function:
        return None
    return _block(function["action"].get("PLpgSQL_stmt_block", {}))


def _block(block: dict[str, t.Any]) -> list[Inner] | None:
    found: list[Inner] = []
    for item in block.get("body", ()):
        ((kind, step),) = item.items()
        if kind == "PLpgSQL_stmt_return":
            continue
        handler = _STEPS.get(kind)
        inner = handler(step) if handler else None
        if inner is None:
            return None
        found += inner
    if "exceptions" not in block:
        return found
    return _unless_there(found, block["exceptions"])


def _plain(step: dict[str, t.Any]) -> list[Inner] | None:
    text = step["sqlstmt"]["PLpgSQL_expr"]["query"]
    if step.get("into"):
        return None
    return _parsed(text, queries=False)


def _performed(step: dict[str, t.Any]) -> list[Inner] | None:
    return _parsed(step["expr"]["PLpgSQL_expr"]["query"], queries=True)


def _parsed(text: str, *, queries: bool) -> list[Inner] | None:
    """One statement. A query whose rows nobody takes is refused, so that it is left to the server."""
    try:
        parsed: t.Any = parse_sql(text)
    except ParseError:
        return None
    if len(parsed) != 1 or _VARIABLES.search(text):
        return None
    node = parsed[0].stmt
    refused = isinstance(node, _NOT_INSIDE) or getattr(node, "concurrent", False)
    return None if refused or isinstance(node, ast.SelectStmt) is not queries else [(text.strip(), node, False)]


def _unless_there(found: list[Inner], exceptions: dict[str, t.Any]) -> list[Inner] | None:
    """A statement whose failure is caught: only where that is one which the name alone decides, and nothing follows."""
    handlers = exceptions["PLpgSQL_exception_block"].get("exc_list", ())
    names = {
        condition["PLpgSQL_condition"]["condname"]
        for handler in handlers
        for condition in handler["PLpgSQL_exception"].get("conditions", ())
    }
    # NULL, which is all that may follow, leaves no trace in the tree.
    idle = all(not handler["PLpgSQL_exception"].get("action") for handler in handlers)
    if len(found) != 1 or not idle:
        return None
    text, node, _first = found[0]
    return [(text, node, True)] if names == {_THERE.get(type(node))} else None


def _guarded(step: dict[str, t.Any]) -> list[Inner] | None:
    """`IF NOT EXISTS (SELECT … FROM pg_type WHERE typname = 'mood') THEN CREATE TYPE mood …; END IF`."""
    if step.get("elsif_list") or step.get("else_body"):
        return None
    inner = _block({"body": step.get("then_body", ())})
    if inner is None or len(inner) != 1 or not isinstance(inner[0][1], _TYPES):
        return None
    text, node, _first = inner[0]
    parts: t.Any = node.domainname if hasattr(node, "domainname") else getattr(node, "typeName", None)
    whole: t.Any = node
    name = whole.typevar.relname if isinstance(node, ast.CompositeTypeStmt) else parts[-1].sval
    return [(text, node, True)] if _looks_for(step["cond"]["PLpgSQL_expr"]["query"]) == name else None


def _looks_for(condition: str) -> str | None:
    """The type whose absence a condition asks for, by its name alone; None for any other condition."""
    found = _ABSENT.fullmatch(condition.strip())
    return found["name"].replace("''", "'") if found else None


_ABSENT: t.Final = re.compile(
    r"NOT\s+EXISTS\s*\(\s*SELECT\s+(?:1|\*|typname|oid)?\s*FROM\s+(?:pg_catalog\.)?pg_type(?:\s+(?:AS\s+)?\w+)?"
    r"\s+WHERE\s+(?:\w+\.)?typname\s*=\s*'(?P<name>(?:[^']|'')+)'\s*\)",
    re.IGNORECASE,
)
_STEPS: t.Final[dict[str, t.Callable[[dict[str, t.Any]], list[Inner] | None]]] = {
    "PLpgSQL_stmt_execsql": _plain,
    "PLpgSQL_stmt_perform": _performed,
    "PLpgSQL_stmt_block": _block,
    "PLpgSQL_stmt_if": _guarded,
}

__all__ = ("inner_statements",)
