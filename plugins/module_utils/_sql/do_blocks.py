"""What a DO block runs, where its text says all of it: its statements as if they stood without the block.

Read are blocks of plain SQL statements, also behind a condition that conditions.py reads and before or behind a RETURN,
EXECUTE of a text that is made of constants, and CREATE behind an EXCEPTION that says it is there already, as CREATE
TYPE has no IF NOT EXISTS. Others stay unread.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.conditions import Combined, Look, condition_of
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.constant_texts import constant_text
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    AlterTableType,
    ObjectType,
    ParseError,
    ast,
    parse_plpgsql,
    parse_sql,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.conditions import Condition

# Statements of a block: their text, their node, whether they run only where what they make is not there yet, and the
# condition on which they run.
Inner = tuple[str, t.Any, bool, "Condition | None"]

# Source: utils/elog.h.
_WARNING, _ERROR = 19, 21
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
    block = function["action"].get("PLpgSQL_stmt_block", {})
    body = list(block.get("body", ()))
    # PL/pgSQL ends every block with one.
    while body and "PLpgSQL_stmt_return" in body[-1]:
        body.pop()
    return _block(block | {"body": _until_return(body)})


def _until_return(body: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """What runs at all: nothing after RETURN, and what follows `IF … THEN RETURN; END IF` as its ELSE."""
    for place, item in enumerate(body):
        if "PLpgSQL_stmt_return" in item:
            return body[:place]
        step = item.get("PLpgSQL_stmt_if")
        ends = [list(part) for part in (step or {}).get("then_body") or ()]
        if step and ends == [["PLpgSQL_stmt_return"]] and not step.get("elsif_list") and not step.get("else_body"):
            rest = _until_return(body[place + 1 :])
            return [*body[:place], {"PLpgSQL_stmt_if": step | {"then_body": [], "else_body": rest}}]
    return body


def _block(block: dict[str, t.Any]) -> list[Inner] | None:
    found: list[Inner] = []
    for item in block.get("body", ()):
        # A RETURN before the end leaves out what follows it, whatever that is.
        ((kind, step),) = item.items()
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


def _executed(step: dict[str, t.Any]) -> list[Inner] | None:
    """EXECUTE of a text that is made of constants."""
    try:
        parsed: t.Any = parse_sql(f"SELECT {step['query']['PLpgSQL_expr']['query']}")
    except ParseError:
        return None
    items: list[t.Any] = list(parsed[0].stmt.targetList or ())
    text = constant_text(items[0].val) if len(items) == 1 else None
    if step.get("into") or step.get("params") or text is None:
        return None
    return _parsed(text, queries=False)


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
    return None if refused or isinstance(node, ast.SelectStmt) is not queries else [(text.strip(), node, False, None)]


def _unless_there(found: list[Inner], exceptions: dict[str, t.Any]) -> list[Inner] | None:
    """A statement whose failure is caught: only where that is one which the name alone decides, and nothing follows."""
    handlers = exceptions["PLpgSQL_exception_block"].get("exc_list", ())
    names = {
        condition["PLpgSQL_condition"]["condname"]
        for handler in handlers
        for condition in handler["PLpgSQL_exception"].get("conditions", ())
    }
    # NULL leaves no trace in the tree, and a notice none in the database.
    steps = [step for handler in handlers for step in handler["PLpgSQL_exception"].get("action") or ()]
    idle = all(_said(step.get("PLpgSQL_stmt_raise")) is not None for step in steps)
    if len(found) != 1 or not idle:
        return None
    text, node, _first, condition = found[0]
    if condition is not None or names != {_caught(node)}:
        return None
    if isinstance(node, ast.AlterTableStmt):
        commands: t.Any = node.cmds
        commands[0].missing_ok = True
        return [(text, node, False, None)]
    if isinstance(node, _TYPES):
        # The name is taken where the type would be made, by a type or by a table, whose rows are one.
        schema, name = _name_of_type(node)
        look = Look("type", name, "current" if schema is None else "one", schema)
        return [(text, node, True, Combined("not", (look,)))]
    return [(text, node, True, None)]


def _said(step: dict[str, t.Any] | None) -> list[Inner] | None:
    """RAISE of a notice, which runs nothing; None of an error."""
    return [] if step is not None and step.get("elog_level", _ERROR) < _WARNING + 1 else None


def _caught(node: t.Any) -> str | None:
    """The condition with which a statement fails where what it makes is there already."""
    if isinstance(node, ast.AlterTableStmt):
        kinds = [command.subtype for command in t.cast("t.Iterable[t.Any]", node.cmds or ())]
        return "duplicate_column" if kinds == [AlterTableType.AT_AddColumn] else None
    return _THERE.get(type(node))


def _guarded(step: dict[str, t.Any]) -> list[Inner] | None:
    """`IF NOT EXISTS (SELECT … FROM pg_type WHERE typname = 'mood') THEN CREATE TYPE mood …; END IF`."""
    branches = [(step["cond"], step.get("then_body"))]
    branches += [
        (item["PLpgSQL_if_elsif"]["cond"], item["PLpgSQL_if_elsif"].get("stmts")) for item in step.get("elsif_list", ())
    ]
    found: list[Inner] = []
    # That none of the conditions before holds.
    before: list[Condition] = []
    for asked, body in (*branches, (None, step.get("else_body"))):
        condition = condition_of(asked["PLpgSQL_expr"]["query"]) if asked else None
        if asked and condition is None:
            return None
        parts = [*before, *([condition] if condition else [])]
        wanted = parts[0] if len(parts) == 1 else Combined("and", tuple(parts))
        before += [Combined("not", (condition,))] if condition else []
        inner = _block({"body": body or ()})
        if inner is None or any(item[3] is not None or not _is_followed(item[1]) for item in inner):
            return None
        found += [(text, node, first, wanted) for text, node, first, _none in inner]
    return found


def _is_followed(node: t.Any) -> bool:
    """Whether it can be left out later: what was asked about a table is asked by the name it then has."""
    moves = isinstance(node, ast.AlterObjectSchemaStmt)
    moves = moves or (isinstance(node, ast.RenameStmt) and node.renameType in _MOVED)
    return not moves and not isinstance(node, ast.VariableSetStmt)


def _name_of_type(node: t.Any) -> tuple[str | None, str]:
    if isinstance(node, ast.CompositeTypeStmt):
        made: t.Any = node.typevar
        return made.schemaname, str(made.relname)
    parts = [str(part.sval) for part in (node.domainname if hasattr(node, "domainname") else node.typeName)]
    return (parts[-2] if len(parts) > 1 else None), parts[-1]


_MOVED: t.Final = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_SCHEMA}
_STEPS: t.Final[dict[str, t.Callable[[dict[str, t.Any]], list[Inner] | None]]] = {
    "PLpgSQL_stmt_execsql": _plain,
    "PLpgSQL_stmt_perform": _performed,
    "PLpgSQL_stmt_raise": _said,
    "PLpgSQL_stmt_dynexecute": _executed,
    "PLpgSQL_stmt_block": _block,
    "PLpgSQL_stmt_if": _guarded,
}

__all__ = ("inner_statements",)
