# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""The lock, rewrite and scan that each kind of statement costs, for a server's major version."""

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._alter_table import alter_table
from ansible_collections.ai_platform.agent.plugins.module_utils._lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._reading import Reading
from ansible_collections.ai_platform.agent.plugins.module_utils._statements import (
    dotted,
    functions,
    named,
    relations,
    strings,
)
from pglast import ast
from pglast.enums.parsenodes import ConstrType, ObjectType, ReindexObjectType

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._catalog import Catalog

# Objects that live in catalogues only: no lock on any table that others use.
_NO_TABLE = (
    ast.AlterEnumStmt, ast.CreateEnumStmt, ast.CreateSchemaStmt, ast.CreateDomainStmt, ast.CompositeTypeStmt, ast.CreateExtensionStmt,
    ast.AlterExtensionStmt, ast.CreateFunctionStmt, ast.AlterFunctionStmt, ast.GrantRoleStmt, ast.AlterDefaultPrivilegesStmt,
    ast.CreateRoleStmt, ast.AlterRoleStmt, ast.AlterRoleSetStmt, ast.DefineStmt, ast.CreateRangeStmt, ast.VariableSetStmt,
    ast.VariableShowStmt, ast.CreateCastStmt, ast.NotifyStmt, ast.DiscardStmt, ast.CreateSeqStmt, ast.TransactionStmt,
    ast.AlterDatabaseSetStmt,
)  # fmt: skip
# Functions of PostgreSQL itself that only read or set something of the session or a sequence.
_HARMLESS = frozenset(
    [
        "setval",
        "nextval",
        "currval",
        "set_config",
        "current_setting",
        "now",
        "count",
        "max",
        "min",
        "sum",
        "coalesce",
        "lower",
        "upper",
        "length",
        "to_regclass",
    ]
)


def read(node: t.Any, catalog: Catalog, version: int) -> Reading:
    """What `node` does, given what is known of the tables. `catalog` is moved on to the state after the statement."""
    reading = Reading()
    if isinstance(node, ast.AlterTableStmt):
        alter_table(node, catalog, version, reading)
    elif isinstance(node, _NO_TABLE):
        pass
    elif handler := _HANDLERS.get(type(node)):
        handler(node, catalog, version, reading)
    else:
        reading.say(
            "statement-unruled",
            f"{type(node).__name__.removesuffix('Stmt')}: there is no rule for this kind of statement.",
        )
    return reading


def _create(node: ast.CreateStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    for element in node.tableElts or ():
        constraints = [element] if isinstance(element, ast.Constraint) else getattr(element, "constraints", None) or ()
        for constraint in constraints:
            if constraint.contype == ConstrType.CONSTR_FOREIGN and named(constraint.pktable) != named(node.relation):
                reading.lock(named(constraint.pktable), Mode.SHARE_ROW_EXCLUSIVE, "create-table-references")
        if isinstance(element, ast.TableLikeClause):
            reading.lock(named(element.relation), Mode.ACCESS_SHARE, "create-table")
    for parent in node.inhRelations or ():
        partition = node.partbound is not None
        mode = Mode.ACCESS_EXCLUSIVE if partition else Mode.SHARE_UPDATE_EXCLUSIVE
        reading.lock(named(parent), mode, "create-partition" if partition else "inherit-parent")
    if catalog.table(named(node.relation)) is None or not node.if_not_exists:
        catalog.created.add(named(node.relation))


def _create_as(node: ast.CreateTableAsStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    for name in relations(node.query):
        reading.lock(name, Mode.ACCESS_SHARE, "read", scan=True)
    catalog.created.add(named(node.into.rel))


def _drop(node: ast.DropStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    kind = ObjectType(node.removeType)
    for item in node.objects:
        if kind in {
            ObjectType.OBJECT_TABLE,
            ObjectType.OBJECT_VIEW,
            ObjectType.OBJECT_MATVIEW,
            ObjectType.OBJECT_SEQUENCE,
            ObjectType.OBJECT_FOREIGN_TABLE,
        }:
            name = strings(item)
            if node.missing_ok and catalog.complete and catalog.table(name) is None and not catalog.is_new(name):
                continue
            reading.lock(name, Mode.ACCESS_EXCLUSIVE, "drop")
            known = catalog.table(name)
            for constraint in known.constraints if known else ():
                if constraint.kind == "f" and constraint.other:
                    reading.lock(constraint.other, Mode.ACCESS_EXCLUSIVE, "drop")
            for child in known.children if known else ():
                reading.lock(child, Mode.ACCESS_EXCLUSIVE, "drop")
            catalog.dropped.add(name)
        elif kind == ObjectType.OBJECT_INDEX:
            mode = Mode.SHARE_UPDATE_EXCLUSIVE if node.concurrent else Mode.ACCESS_EXCLUSIVE
            if node.concurrent:
                reading.alone = "DROP INDEX CONCURRENTLY"
            index = catalog.table(strings(item))
            if index and index.table:
                reading.lock(index.table, mode, "drop-index")
            elif not catalog.is_new(strings(item)) and not (node.missing_ok and catalog.complete):
                reading.lock(strings(item), mode, "drop-index")
        elif kind in {ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_POLICY, ObjectType.OBJECT_RULE}:
            reading.lock(
                strings(item[:-1]), Mode.ACCESS_EXCLUSIVE, "trigger" if kind == ObjectType.OBJECT_TRIGGER else "policy"
            )
        elif (
            kind
            in {ObjectType.OBJECT_SCHEMA, ObjectType.OBJECT_EXTENSION, ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}
            and node.behavior
        ):
            reading.say(
                "statement-opaque",
                f"DROP … CASCADE of {getattr(item, 'sval', 'an object')} may drop columns and tables that it does not name.",
            )


def _index(node: ast.IndexStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    table = named(node.relation)
    if node.nulls_not_distinct:
        reading.since(f"NULLS NOT DISTINCT on {dotted(table)}", 15, version)
    if node.concurrent:
        reading.alone = "CREATE INDEX CONCURRENTLY"
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if node.concurrent else Mode.SHARE
    reading.lock(table, mode, "create-index", scan=True)
    if (known := catalog.table(table)) and node.relation.inh:
        for child in known.children:
            reading.lock(child, mode, "create-index", scan=True)
    if node.idxname:
        catalog.created.add((table[0], node.idxname))


def _reindex(node: ast.ReindexStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    concurrent = any(option.defname == "concurrently" for option in node.params or ())
    if concurrent:
        reading.alone = "REINDEX CONCURRENTLY"
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if concurrent else Mode.SHARE
    if node.relation is None:
        reading.alone = reading.alone or "REINDEX of a schema or database"
        reading.say(
            "statement-opaque", "REINDEX of a schema or database names no table: every table of it is locked in turn."
        )
        return
    name = named(node.relation)
    if node.kind == ReindexObjectType.REINDEX_OBJECT_INDEX:
        index = catalog.table(name)
        reading.lock(
            name,
            Mode.SHARE_UPDATE_EXCLUSIVE if concurrent else Mode.ACCESS_EXCLUSIVE,
            "reindex",
            rewrite=not concurrent,
        )
        if index and index.table:
            reading.lock(index.table, mode, "reindex", scan=True)
    else:
        reading.lock(name, mode, "reindex", scan=True)


def _rename(node: ast.RenameStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    kind = ObjectType(node.renameType)
    if node.relation is None:
        return
    name = named(node.relation)
    if kind == ObjectType.OBJECT_INDEX:
        reading.lock(name, Mode.SHARE_UPDATE_EXCLUSIVE, "rename")
    elif kind not in {ObjectType.OBJECT_ATTRIBUTE}:
        reading.lock(name, Mode.ACCESS_EXCLUSIVE, "rename")
        known = catalog.table(name)
        if kind in {ObjectType.OBJECT_COLUMN, ObjectType.OBJECT_TABCONSTRAINT} and known and node.relation.inh:
            for child in known.children:
                reading.lock(child, Mode.ACCESS_EXCLUSIVE, "rename")
    if kind in {
        ObjectType.OBJECT_TABLE,
        ObjectType.OBJECT_VIEW,
        ObjectType.OBJECT_MATVIEW,
        ObjectType.OBJECT_SEQUENCE,
        ObjectType.OBJECT_INDEX,
    }:
        catalog.renamed[name[0], node.newname] = name


def _at_relation(mode: Mode, rule: str, *, scan: bool = False, rewrite: bool = False) -> t.Callable[..., None]:
    def handler(node: t.Any, catalog: Catalog, version: int, reading: Reading) -> None:
        relation = getattr(node, "relation", None) or getattr(node, "table", None)
        if relation is not None:
            reading.lock(named(relation), mode, rule, scan=scan, rewrite=rewrite)

    return handler


def _trigger(node: ast.CreateTrigStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    reading.lock(named(node.relation), Mode.SHARE_ROW_EXCLUSIVE, "trigger")
    reading.say(
        "trigger-created",
        f"Trigger {node.trigname} runs inside every matching write to {dotted(named(node.relation))}.",
        named(node.relation),
    )


def _statistics(node: ast.CreateStatsStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    for relation in node.relations:
        reading.lock(named(relation), Mode.SHARE_UPDATE_EXCLUSIVE, "statistics")


def _comment(node: ast.CommentStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    kind = ObjectType(node.objtype)
    if kind in {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_SEQUENCE}:
        reading.lock(strings(node.object), Mode.SHARE_UPDATE_EXCLUSIVE, "comment")
    elif kind == ObjectType.OBJECT_COLUMN:
        reading.lock(strings(node.object[:-1]), Mode.SHARE_UPDATE_EXCLUSIVE, "comment")
    elif kind in {
        ObjectType.OBJECT_TABCONSTRAINT,
        ObjectType.OBJECT_TRIGGER,
        ObjectType.OBJECT_POLICY,
        ObjectType.OBJECT_RULE,
    }:
        # get_object_address locks the constraint's table like the constraint.
        reading.lock(strings(node.object[:-1]), Mode.SHARE_UPDATE_EXCLUSIVE, "comment")


def _truncate(node: ast.TruncateStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    for relation in node.relations:
        name = named(relation)
        reading.lock(name, Mode.ACCESS_EXCLUSIVE, "truncate")
        known = catalog.table(name)
        for child in known.children if known and relation.inh else ():
            reading.lock(child, Mode.ACCESS_EXCLUSIVE, "truncate")


def _lock(node: ast.LockStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    for relation in node.relations:
        reading.lock(named(relation), Mode(node.mode), "lock")


def _vacuum(node: ast.VacuumStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    options = {option.defname for option in node.options or ()}
    full = "full" in options
    if node.is_vacuumcmd:
        reading.alone = "VACUUM"
    for item in node.rels or ():
        mode = Mode.ACCESS_EXCLUSIVE if full else Mode.SHARE_UPDATE_EXCLUSIVE
        reading.lock(named(item.relation), mode, "vacuum", rewrite=full, scan=True)


def _refresh(node: ast.RefreshMatViewStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    mode = Mode.EXCLUSIVE if node.concurrent else Mode.ACCESS_EXCLUSIVE
    reading.lock(named(node.relation), mode, "refresh", rewrite=not node.concurrent)


def _view(node: ast.ViewStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    view = named(node.view)
    if node.replace and catalog.table(view) is not None:
        reading.lock(view, Mode.ACCESS_EXCLUSIVE, "view")
    else:
        catalog.created.add(view)
    for name in relations(node.query):
        reading.lock(name, Mode.ACCESS_SHARE, "view")


def _write(node: t.Any, catalog: Catalog, version: int, reading: Reading) -> None:
    if isinstance(node, ast.MergeStmt):
        reading.since("MERGE", 15, version)
    target = named(node.relation)
    reading.lock(target, Mode.ROW_EXCLUSIVE, "write", scan=not isinstance(node, ast.InsertStmt))
    for name in relations(node):
        if name != target:
            reading.lock(name, Mode.ACCESS_SHARE, "read")
    whole = isinstance(node, (ast.UpdateStmt, ast.DeleteStmt))
    _opaque_calls(node, catalog, reading)
    if whole and not catalog.is_new(target):
        how = "without WHERE" if node.whereClause is None else "in one statement"
        verb = "UPDATE" if isinstance(node, ast.UpdateStmt) else "DELETE"
        reading.say(
            "full-table-write", f"{verb} of {dotted(target)} {how}: its rows stay locked until the commit.", target
        )


def _select(node: ast.SelectStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    mode = Mode.ROW_SHARE if node.lockingClause else Mode.ACCESS_SHARE
    for name in relations(node):
        reading.lock(name, mode, "read", scan=True)
    if node.intoClause:
        catalog.created.add(named(node.intoClause.rel))
    _opaque_calls(node, catalog, reading)


def _opaque_calls(node: t.Any, catalog: Catalog, reading: Reading) -> None:
    for name in functions(node):
        if name[1] not in _HARMLESS and catalog.volatility.get(name, "v") == "v" and name[0] != "pg_catalog":
            reading.say(
                "statement-opaque", f"What the function {dotted(name)}() does cannot be read from the statement."
            )


def _copy(node: ast.CopyStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    if node.relation is not None:
        reading.lock(named(node.relation), Mode.ROW_EXCLUSIVE if node.is_from else Mode.ACCESS_SHARE, "copy")


def _sequence(node: ast.AlterSeqStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    reading.lock(named(node.sequence), Mode.SHARE_ROW_EXCLUSIVE, "sequence")


def _opaque(node: t.Any, catalog: Catalog, version: int, reading: Reading) -> None:
    what = {ast.DoStmt: "a DO block", ast.CallStmt: "a procedure", ast.ExecuteStmt: "a prepared statement"}.get(
        type(node), "this statement"
    )
    reading.say("statement-opaque", f"What {what} does cannot be read from the statement.")


def _schema_change(node: ast.AlterObjectSchemaStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    if node.relation is not None:
        reading.lock(named(node.relation), Mode.ACCESS_EXCLUSIVE, "rename")
        catalog.renamed[node.newschema, node.relation.relname] = named(node.relation)


def _grant(node: ast.GrantStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    return


def _domain(node: ast.AlterDomainStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    reading.say("statement-opaque", "ALTER DOMAIN reads every table that uses the domain; it names none of them.")


_HANDLERS: t.Final[dict[type, t.Callable[..., None]]] = {
    ast.CreateStmt: _create,
    ast.CreateTableAsStmt: _create_as,
    ast.DropStmt: _drop,
    ast.IndexStmt: _index,
    ast.ReindexStmt: _reindex,
    ast.RenameStmt: _rename,
    ast.AlterObjectSchemaStmt: _schema_change,
    ast.CreateTrigStmt: _trigger,
    ast.CreatePolicyStmt: _at_relation(Mode.ACCESS_EXCLUSIVE, "policy"),
    ast.AlterPolicyStmt: _at_relation(Mode.ACCESS_EXCLUSIVE, "policy"),
    ast.RuleStmt: _at_relation(Mode.ACCESS_EXCLUSIVE, "policy"),
    ast.CreateStatsStmt: _statistics,
    ast.CommentStmt: _comment,
    ast.TruncateStmt: _truncate,
    ast.LockStmt: _lock,
    ast.VacuumStmt: _vacuum,
    ast.RefreshMatViewStmt: _refresh,
    ast.ViewStmt: _view,
    ast.InsertStmt: _write,
    ast.UpdateStmt: _write,
    ast.DeleteStmt: _write,
    ast.MergeStmt: _write,
    ast.SelectStmt: _select,
    ast.CopyStmt: _copy,
    ast.AlterSeqStmt: _sequence,
    ast.GrantStmt: _grant,
    ast.DoStmt: _opaque,
    ast.CallStmt: _opaque,
    ast.ExecuteStmt: _opaque,
    ast.AlterDomainStmt: _domain,
}

__all__ = ("read",)
