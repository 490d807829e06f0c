"""Names that PostgreSQL gives to indexes, constraints and sequences for which a statement has none."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast

# NAMEDATALEN less the zero at its end, in bytes.
_BYTES: t.Final = 63


def object_name(table: str, addition: str | None, label: str) -> str:
    """A name as PostgreSQL makes one: the longer of the two names is cut until all fits. Source: makeObjectName."""
    first, second = table.encode(), (addition or "").encode()
    overhead = len(label) + 1 + (1 if addition else 0)
    one, two = len(first), len(second)
    while one + two > _BYTES - overhead:
        if one > two:
            one -= 1
        else:
            two -= 1
    words = [_clipped(first, one), *([_clipped(second, two)] if addition else []), label]
    return "_".join(words)


def _clipped(text: bytes, length: int) -> str:
    """Whole characters only."""
    return text[:length].decode(errors="ignore")


def joined(columns: t.Iterable[str]) -> str:
    """The columns of an index in its name. Source: ChooseIndexColumnNames and ChooseIndexNameAddition."""
    used: list[str] = []
    for column in columns:
        name, number = column, 0
        while name in used:
            number += 1
            name = f"{_clipped(column.encode(), _BYTES - len(str(number)))}{number}"
        used.append(name)
    text = ""
    for name in used:
        text += ("_" if text else "") + name
        if len(text.encode()) >= _BYTES + 1:
            break
    return text


def clipped(text: str, length: int) -> str:
    """The first bytes of a name, as far as they are whole characters."""
    return _clipped(text.encode(), length)


def index_name(node: t.Any) -> str | None:
    """The name that a CREATE INDEX without one gets; None where an expression is part of it."""
    if any(not item.name for item in node.indexParams):
        return None
    columns = (item.name for item in (*node.indexParams, *(node.indexIncludingParams or ())))
    return object_name(node.relation.relname, joined(columns), "idx")


def key_name(table: str, constraint: t.Any) -> str:
    """The name that the index of a UNIQUE or PRIMARY KEY without one gets."""
    if constraint.contype == ConstrType.CONSTR_PRIMARY:
        return object_name(table, None, "pkey")
    columns = (item.sval for part in (constraint.keys, constraint.including) for item in part or ())
    return object_name(table, joined(columns), "key")


def relations_made(node: t.Any) -> t.Iterator[str]:
    """Relations that a statement makes on a table without naming them."""
    kind: t.Any = type(node)
    if kind is ast.IndexStmt and node.idxname is None and (name := index_name(node)):
        yield name
    for command in (node.cmds or ()) if kind is ast.AlterTableStmt and node.relation is not None else ():
        table, made = node.relation.relname, command.def_
        if command.subtype == Command.AT_AddConstraint and made.contype in _KEYS:
            yield from [] if made.conname or made.indexname else [key_name(table, made)]
        elif command.subtype == Command.AT_AddColumn:
            kinds = {item.contype for item in made.constraints or ()}
            yield from [object_name(table, None, "pkey")] if ConstrType.CONSTR_PRIMARY in kinds else []
            yield from [object_name(table, made.colname, "key")] if ConstrType.CONSTR_UNIQUE in kinds else []
            serial = made.typeName is not None and made.typeName.names[-1].sval.strip("24568").endswith("serial")
            yield from [object_name(table, made.colname, "seq")] if serial else []


_KEYS = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}

__all__ = ("clipped", "index_name", "joined", "key_name", "object_name", "relations_made")
