"""The rules of statements that read, write or maintain rows, and of those whose text does not tell what they do."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import DiscardMode, VariableSetKind, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    functions,
    qualified_name,
    relation_name,
    relations,
    walk,
    writes,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading

_OPAQUE = {ast.DoStmt: "a DO block", ast.CallStmt: "a procedure", ast.ExecuteStmt: "a prepared statement"}


def _session(node: t.Any, reading: Reading) -> None:
    if isinstance(node, ast.DiscardStmt) and node.target == DiscardMode.DISCARD_ALL:
        reading.standalone = "DISCARD ALL"
    if isinstance(node, ast.VariableSetStmt) and node.kind == VariableSetKind.VAR_SET_MULTI:
        words = "decides what may run from here on, and is refused behind another statement of its transaction"
        reading.say("statement-opaque", f"SET {node.name} {words}.")
    if isinstance(node, ast.VariableSetStmt) and node.name == "search_path" and node.args:
        _search_path(_words(node.args), reading)


def _search_path(values: list[str], reading: Reading) -> None:
    """With an empty search_path, which pg_dump sets first, no name without a schema is found, as Alembic's table."""
    words = "names without a schema may mean other tables from here on."
    if not any(value.strip() for value in values):
        words = "no name without a schema is found from here on, nor Alembic's version table where it is named so."
    reading.say("search-path-set", f"It changes search_path: {words}")


def _words(values: t.Iterable[t.Any]) -> list[str]:
    return [str(getattr(getattr(item, "val", None), "sval", "?")) for item in values]


def _truncate(node: t.Any, reading: Reading) -> None:
    for relation in node.relations:
        name = relation_name(relation)
        reading.lock(name, Mode.ACCESS_EXCLUSIVE, "truncate")
        known = reading.catalog.table(name)
        for child in known.children if known and relation.inh else ():
            reading.lock(child, Mode.ACCESS_EXCLUSIVE, "truncate")
        if node.behavior:
            for other in sorted(_referrers(name, reading)):
                reading.lock(other, Mode.ACCESS_EXCLUSIVE, "truncate")


def _referrers(name: Name, reading: Reading) -> set[Name]:
    """The tables that lead to this one over foreign keys, as far as these go, with their partitions."""
    found: set[Name] = set()
    todo = [reading.catalog.qualified(name)]
    while todo:
        known = reading.catalog.table(todo.pop())
        for other in {other for key, other in known.foreign_keys() if not key.outgoing} if known else ():
            for part in reading.catalog.with_partitions(other):
                if part not in found:
                    found.add(part)
                    todo.append(part)
    return found


def _lock(node: t.Any, reading: Reading) -> None:
    for relation in node.relations:
        name = relation_name(relation)
        known = reading.catalog.table(name)
        # Locking a view also locks what it reads: LockViewRecurse in commands/lockcmds.c.
        children = known.children if known and relation.inh else ()
        for table in (name, *children, *_tables_of_view(name, reading)):
            reading.lock(table, Mode(node.mode), "lock")


def _vacuum(node: t.Any, reading: Reading) -> None:
    full = any(option.defname == "full" for option in node.options or ())
    if node.is_vacuumcmd:
        reading.standalone = "VACUUM"
    if not node.rels:
        reading.say("statement-opaque", "VACUUM or ANALYZE without a name works on every table of the database.")
    for item in node.rels or ():
        mode = Mode.ACCESS_EXCLUSIVE if full else Mode.SHARE_UPDATE_EXCLUSIVE
        reading.lock(relation_name(item.relation), mode, "vacuum", rewrite=full, scan=None)


def _cluster(node: t.Any, reading: Reading) -> None:
    if node.relation is None:
        reading.standalone = "CLUSTER without a name"
        reading.say("statement-opaque", "CLUSTER without a name rewrites every table that was clustered before.")
    else:
        reading.lock(relation_name(node.relation), Mode.ACCESS_EXCLUSIVE, "cluster", rewrite=True)


def _refresh(node: t.Any, reading: Reading) -> None:
    mode = Mode.EXCLUSIVE if node.concurrent else Mode.ACCESS_EXCLUSIVE
    name = relation_name(node.relation)
    # CONCURRENTLY joins the new rows with the old ones, by a plan that the planner chooses.
    scan = None if node.concurrent else False
    reading.lock(name, mode, "refresh", rewrite=not node.concurrent, scan=scan)
    known = reading.catalog.table(name)
    for used in known.uses if known else ():
        _read(used, Mode.ACCESS_SHARE, reading)


def _read(name: Name, mode: Mode, reading: Reading) -> None:
    """A table that a query names, with what inherits from it and what a view reads."""
    reading.lock(name, mode, "read", scan=None)
    known = reading.catalog.table(name)
    if known:
        for other in (*known.uses, *(known.children if known.kind == "r" else ())):
            reading.lock(other, mode, "read", scan=None)


def _query(node: t.Any, reading: Reading) -> None:
    """SELECT and what changes rows, wherever in the statement: a WITH query may change rows, too."""
    changes = writes(node)
    for change in changes:
        _change(change, reading)
    targets = {relation_name(change.relation) for change in changes}
    _locked_rows(node, reading)
    mode = Mode.ROW_SHARE if getattr(node, "lockingClause", None) else Mode.ACCESS_SHARE
    for name in relations(node):
        if name not in targets:
            _read(name, mode, reading)
    if getattr(node, "intoClause", None):
        reading.catalog.create(relation_name(node.intoClause.rel))
    for call in (part for part in walk(node) if isinstance(part, ast.FuncCall)):
        setting, *values = _words(call.args or ())[:2] or [""]
        if qualified_name(call.funcname or ())[1] == "set_config" and setting.lower() == "search_path":
            _search_path(values, reading)
    _opaque_calls(node, reading)


def _locked_rows(node: t.Any, reading: Reading) -> None:
    """SELECT … FOR UPDATE of every row holds up writers as an UPDATE of them does."""
    clauses = getattr(node, "lockingClause", None)
    if clauses and node.whereClause is None and node.limitCount is None:
        for name in relations(node):
            words = f"SELECT of {dotted(name)} locks every row without WHERE until the commit."
            reading.say("full-table-write", words, name)


def _tables_of_view(view: Name, reading: Reading) -> list[Name]:
    """The tables that a view reads, through other views as well."""
    found: dict[Name, None] = {}
    todo = [view]
    while todo:
        for used in reading.catalog.view_sources(todo.pop()):
            if used not in found:
                found[used] = None
                todo.append(used)
    return list(found)


def _cascade(target: Name, node: t.Any, reading: Reading) -> None:
    """Tables whose rows a DELETE deletes or changes over foreign keys, or an UPDATE of the columns they lead to."""
    deletes = isinstance(node, ast.DeleteStmt)
    columns = set() if deletes else {item.name for item in node.targetList or ()}
    seen, todo = {reading.catalog.qualified(target)}, [reading.catalog.qualified(target)]
    while todo:
        known = reading.catalog.table(todo.pop())
        for key, other in known.foreign_keys() if known else ():
            acts = (key.on_delete if deletes else key.on_update) in {"c", "n", "d"}
            if key.outgoing or not acts or other in seen or not (deletes or columns & set(key.columns)):
                continue
            seen.add(other)
            for name in reading.catalog.with_partitions(other):
                reading.lock(name, Mode.ROW_EXCLUSIVE, "write", scan=None)
            what = "deletes" if deletes and key.on_delete == "c" else "changes"
            words = f"The foreign key {key.name} {what} rows of {dotted(other)}, which stay locked until the commit."
            reading.say("full-table-write", words, other)
            if what == "deletes":
                todo.append(other)


def _change(node: t.Any, reading: Reading) -> None:
    if isinstance(node, ast.MergeStmt):
        reading.needs_version("MERGE", 15)
    target = relation_name(node.relation)
    whole = isinstance(node, (ast.UpdateStmt, ast.DeleteStmt))
    scan = False if isinstance(node, ast.InsertStmt) else True if whole and node.whereClause is None else None
    reading.lock(target, Mode.ROW_EXCLUSIVE, "write", scan=scan)
    if whole:
        how = "without WHERE" if node.whereClause is None else "in one statement"
        verb = "UPDATE" if isinstance(node, ast.UpdateStmt) else "DELETE"
        words = f"{verb} of {dotted(target)} {how}: its rows stay locked until the commit."
        reading.say("full-table-write", words, target)
        _cascade(target, node, reading)
    elif isinstance(node, ast.MergeStmt):
        words = f"MERGE into {dotted(target)} in one statement: its rows stay locked until the commit."
        reading.say("full-table-write", words, target)
    elif _changes_what_is_there(node):
        words = f"INSERT … DO UPDATE of {dotted(target)} in one statement: its rows stay locked until the commit."
        reading.say("full-table-write", words, target)
    # What an updatable view writes to.
    for used in _tables_of_view(target, reading):
        reading.lock(used, Mode.ROW_EXCLUSIVE, "write", scan=scan)
        if whole:
            words = (
                f"{verb} of {dotted(used)} through the view {dotted(target)}: its rows stay locked until the commit."
            )
            reading.say("full-table-write", words, used)
            _cascade(used, node, reading)


def _changes_what_is_there(node: t.Any) -> bool:
    """Whether an INSERT of what a query finds updates the rows that it meets."""
    conflict, query = node.onConflictClause, node.selectStmt
    updates = conflict is not None and bool(conflict.targetList)
    return updates and isinstance(query, ast.SelectStmt) and bool(query.fromClause)


# PostgreSQL's own: "Functions and Operators" in its documentation.
_RUNS_A_TEXT: t.Final = {"query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "ts_stat"}


def _opaque_calls(node: t.Any, reading: Reading) -> None:
    """PostgreSQL's own functions do what its documentation says; a user's volatile function does what it likes."""
    catalog = reading.catalog
    for name in functions(node):
        if name[1] in _RUNS_A_TEXT and name[0] in {None, "pg_catalog"}:
            reading.say("statement-opaque", f"{dotted(name)}() runs a query that it is given as a text, unread here.")
        unknown = catalog.complete and name not in catalog.volatility
        if unknown or (name in catalog.user_functions and catalog.volatility[name] == "v"):
            reading.say(
                "statement-opaque", f"What the function {dotted(name)}() does cannot be read from the statement."
            )


def _cursor(node: t.Any, reading: Reading) -> None:
    """The query is opened at once; what FETCH reads is locked then."""
    _query(node.query, reading)


def _copy(node: t.Any, reading: Reading) -> None:
    if node.relation is not None:
        mode = Mode.ROW_EXCLUSIVE if node.is_from else Mode.ACCESS_SHARE
        reading.lock(relation_name(node.relation), mode, "copy", scan=None)


def _opaque(node: t.Any, reading: Reading) -> None:
    reading.say("statement-opaque", f"What {_OPAQUE[type(node)]} does cannot be read from the statement.")


HANDLERS: t.Final[dict[type, t.Callable[[t.Any, Reading], None]]] = {
    **dict.fromkeys(_OPAQUE, _opaque),
    **dict.fromkeys(
        (ast.VariableSetStmt, ast.VariableShowStmt, ast.NotifyStmt, ast.DiscardStmt, ast.ConstraintsSetStmt), _session
    ),
    ast.TruncateStmt: _truncate,
    ast.LockStmt: _lock,
    ast.VacuumStmt: _vacuum,
    ast.ClusterStmt: _cluster,
    ast.RefreshMatViewStmt: _refresh,
    ast.InsertStmt: _query,
    ast.UpdateStmt: _query,
    ast.DeleteStmt: _query,
    ast.MergeStmt: _query,
    ast.SelectStmt: _query,
    ast.DeclareCursorStmt: _cursor,
    ast.CopyStmt: _copy,
}

__all__ = ("HANDLERS",)
