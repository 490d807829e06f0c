"""The rules of statements that make, drop, rename or describe objects."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Constraint
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ObjectType,
    ReindexObjectType,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rules_constraint import (
    columns_below,
    foreign_key,
    inline,
    note_index,
    referenced,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    lifetime,
    qualified_name,
    relation_name,
    relations,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading

# Objects that live in catalogues only: no lock on any table that others use.
_NO_TABLE = (
    ast.AlterEnumStmt, ast.CreateExtensionStmt,
    ast.AlterExtensionStmt, ast.CreateFunctionStmt, ast.AlterFunctionStmt, ast.GrantRoleStmt,
    ast.AlterDefaultPrivilegesStmt, ast.CreateRoleStmt, ast.AlterRoleStmt, ast.AlterRoleSetStmt,
    ast.CreateCastStmt, ast.AlterDatabaseSetStmt,
)  # fmt: skip
_TYPES = (ast.CreateEnumStmt, ast.CompositeTypeStmt, ast.CreateRangeStmt)
_RELATIONS = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_SEQUENCE,
              ObjectType.OBJECT_FOREIGN_TABLE}  # fmt: skip
_ON_TABLE = {ObjectType.OBJECT_TRIGGER: "trigger", ObjectType.OBJECT_POLICY: "policy", ObjectType.OBJECT_RULE: "policy",
             ObjectType.OBJECT_TABCONSTRAINT: "policy"}  # fmt: skip


def _none(_node: t.Any, _reading: Reading) -> None:
    return


def _defined(node: t.Any, reading: Reading) -> None:
    if any(
        item.defname == "provider" and "builtin" in str(getattr(item.arg, "names", item.arg))
        for item in node.definition or ()
    ):
        reading.needs_version("The collation provider builtin", 17)


def _type(node: t.Any, reading: Reading) -> None:
    composite = isinstance(node, ast.CompositeTypeStmt)
    name = relation_name(node.typevar) if composite else qualified_name(node.typeName)
    reading.catalog.created_types.add(name[1])
    if isinstance(node, ast.CreateEnumStmt):
        reading.catalog.created_enums.add(name[1])


def _domain_made(node: t.Any, reading: Reading) -> None:
    reading.catalog.created_types.add(qualified_name(node.domainname)[1])


def _sequence_made(node: t.Any, reading: Reading) -> None:
    reading.catalog.create(relation_name(node.sequence), **lifetime(node.sequence))


def _schema_made(node: t.Any, reading: Reading) -> None:
    reading.catalog.created_schemas.add(node.schemaname or "")


def _create(node: t.Any, reading: Reading) -> None:
    """CREATE TABLE. Source: DefineRelation and ATAddForeignKeyConstraint in src/backend/commands/tablecmds.c."""
    keys: list[Constraint] = []
    _newer(node, reading)
    for element in node.tableElts or ():
        constraints = [element] if isinstance(element, ast.Constraint) else getattr(element, "constraints", None) or ()
        for constraint in constraints:
            other = relation_name(constraint.pktable) if constraint.contype == ConstrType.CONSTR_FOREIGN else None
            if other and other != relation_name(node.relation):
                referenced(other, "create-table-references", reading)
                columns = (element.colname,) if element is not constraint else None
                columns = columns or tuple(key.sval for key in constraint.fk_attrs or ())
                key = foreign_key(relation_name(node.relation), constraint, columns, reading)
                keys.append(key if element is constraint else inline(key, constraint, constraints))
        if isinstance(element, ast.TableLikeClause):
            reading.lock(relation_name(element.relation), Mode.ACCESS_SHARE, "create-table")
    for parent in node.inhRelations or ():
        if node.partbound is None:
            reading.lock(relation_name(parent), Mode.SHARE_UPDATE_EXCLUSIVE, "inherit-parent")
            continue
        reading.lock(relation_name(parent), Mode.ACCESS_EXCLUSIVE, "create-partition")
        keys.append(Constraint("", "parent", (), True, reading.catalog.qualified(relation_name(parent))))
        if (known := reading.catalog.table(relation_name(parent))) and known.default_partition:
            # Rows of the default partition might belong into the new one.
            reading.lock(known.default_partition, Mode.ACCESS_EXCLUSIVE, "create-partition", scan=True)
    name = relation_name(node.relation)
    reading.catalog.create(name, **lifetime(node.relation, node.oncommit))
    if reading.catalog.is_new(name):
        for key in keys:
            reading.catalog.add_constraint(name, key)


def _newer(node: t.Any, reading: Reading) -> None:
    """What a CREATE TABLE says that older servers do not know; where, the release notes of 15 to 18 say."""
    table = dotted(relation_name(node.relation))
    for element in node.tableElts or ():
        constraints = [element] if isinstance(element, ast.Constraint) else getattr(element, "constraints", None) or ()
        if getattr(element, "storage_name", None):
            reading.needs_version(f"STORAGE of a new column of {table}", 16)
        for item in constraints:
            if item.contype == ConstrType.CONSTR_GENERATED and item.generated_kind == "v":
                reading.needs_version(f"a virtual generated column of {table}", 18)
            if item.nulls_not_distinct:
                reading.needs_version(f"NULLS NOT DISTINCT on {table}", 15)
            if item.without_overlaps or item.fk_with_period:
                reading.needs_version(f"WITHOUT OVERLAPS or PERIOD on {table}", 18)
            if item.contype == ConstrType.CONSTR_ATTR_NOT_ENFORCED or (
                item.contype in _ENFORCEABLE and element is item and not item.is_enforced
            ):
                reading.needs_version(f"NOT ENFORCED on {table}", 18)
            if item.contype == ConstrType.CONSTR_NOTNULL and element is item:
                reading.needs_version(f"a NOT NULL constraint of the table {table}", 18)
            if item.fk_del_set_cols:
                reading.needs_version(f"columns after SET NULL on {table}", 15)


_ENFORCEABLE = {ConstrType.CONSTR_CHECK, ConstrType.CONSTR_FOREIGN}


def _create_as(node: t.Any, reading: Reading) -> None:
    for name in relations(node.query):
        reading.lock(name, Mode.ACCESS_SHARE, "read", scan=None)
    reading.catalog.create(relation_name(node.into.rel), **lifetime(node.into.rel, node.into.onCommit))


def _drop(node: t.Any, reading: Reading) -> None:
    kind = ObjectType(node.removeType)
    for item in node.objects:
        if kind in _RELATIONS:
            _drop_relation(qualified_name(item), node, reading)
        elif kind == ObjectType.OBJECT_INDEX:
            _drop_index(qualified_name(item), node, reading)
        elif kind in _ON_TABLE:
            table = qualified_name(item[:-1])
            # A trigger for each row is on every partition as well.
            for name in reading.catalog.with_partitions(table) if kind == ObjectType.OBJECT_TRIGGER else (table,):
                reading.lock(name, Mode.ACCESS_EXCLUSIVE, _ON_TABLE[kind])
        if node.behavior and kind not in _ON_TABLE and kind != ObjectType.OBJECT_INDEX:
            what = dotted(qualified_name(item)) if isinstance(item, tuple) else getattr(item, "sval", "an object")
            reading.say("statement-opaque", f"DROP {what} CASCADE drops objects that it does not name.")


def _drop_relation(name: Name, node: t.Any, reading: Reading) -> None:
    catalog = reading.catalog
    known = catalog.table(name)
    if node.missing_ok and catalog.complete and known is None and not catalog.is_new(name):
        return
    reading.lock(name, Mode.ACCESS_EXCLUSIVE, "drop")
    if known:
        others = [other for key, other in known.foreign_keys() if key.outgoing or node.behavior]
        # heap_drop_with_catalog: the parent's list of partitions changes.
        others += [known.partition_of] if known.partition_of else []
        parent = catalog.table(known.partition_of) if known.partition_of else None
        others += [parent.default_partition] if parent and parent.default_partition else []
        for other in (*others, *known.children):
            reading.lock(other, Mode.ACCESS_EXCLUSIVE, "drop")
    for key in catalog.references.get(catalog.qualified(name), ()):
        # A table of this upgrade, which leads to older ones.
        for other in catalog.with_partitions(key.other) if key.other and key.kind == "f" else ():
            reading.lock(other, Mode.ACCESS_EXCLUSIVE, "drop")
        if key.other and key.kind == "parent":
            parent = catalog.table(key.other)
            reading.lock(key.other, Mode.ACCESS_EXCLUSIVE, "drop")
            if parent and parent.default_partition:
                reading.lock(parent.default_partition, Mode.ACCESS_EXCLUSIVE, "drop")
    catalog.drop_constraints(name, lambda _key: True)
    catalog.drop(name)


def _drop_index(name: Name, node: t.Any, reading: Reading) -> None:
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if node.concurrent else Mode.ACCESS_EXCLUSIVE
    if node.concurrent:
        reading.standalone = "DROP INDEX CONCURRENTLY"
    index = reading.catalog.table(name)
    if index and index.table:
        reading.lock(index.table, mode, "drop-index")
        for child in index.children:
            part = reading.catalog.table(child)
            reading.lock(part.table if part and part.table else child, mode, "drop-index")
    elif own := reading.catalog.indexes.get(reading.catalog.qualified(name)):
        for table in reading.catalog.with_partitions(own):
            reading.lock(table, mode, "drop-index")
    reading.catalog.drop(name)


def _index(node: t.Any, reading: Reading) -> None:
    table = relation_name(node.relation)
    if node.nulls_not_distinct:
        reading.needs_version(f"NULLS NOT DISTINCT on {dotted(table)}", 15)
    if node.concurrent:
        reading.standalone = "CREATE INDEX CONCURRENTLY"
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if node.concurrent else Mode.SHARE
    known = reading.catalog.table(table)
    # A partitioned table has no rows of its own; its partitions have.
    full = (reading.catalog.qualified(table)[0], node.idxname or "")
    if node.if_not_exists and reading.catalog.known(full):
        reading.lock(table, mode, "create-index")
        return
    reading.lock(table, mode, "create-index", scan=known is None or known.kind != "p")
    if known and known.kind == "p":
        if node.concurrent:
            reading.say(
                "partitioned-concurrently",
                f"{dotted(table)} is partitioned: no index on it is built CONCURRENTLY.",
                table,
            )
        for child in known.children if node.relation.inh else ():
            part = reading.catalog.table(child)
            reading.lock(child, mode, "create-index", scan=part is None or part.kind != "p")
    keys = [item.name for item in node.indexParams or () if item.name]
    computed = bool(node.whereClause) or len(keys) < len(node.indexParams or ())
    note_index(table, {*keys, *columns_below((node.indexParams, node.whereClause))}, reading, computed=computed)
    # PostgreSQL's own name: ChooseIndexName in commands/indexcmds.c.
    full = (full[0], node.idxname or "_".join([table[1], *keys, "idx"]))
    reading.catalog.create(full)
    reading.catalog.indexes[full] = reading.catalog.qualified(table)
    if not computed:
        reading.catalog.keys_of_indexes[full] = tuple(keys)


def _reindex(node: t.Any, reading: Reading) -> None:
    concurrent = any(option.defname == "concurrently" for option in node.params or ())
    if concurrent:
        reading.standalone = "REINDEX CONCURRENTLY"
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if concurrent else Mode.SHARE
    if node.relation is None:
        reading.standalone = reading.standalone or "REINDEX of a schema or database"
        reading.say(
            "statement-opaque", "REINDEX of a schema or database names no table: each of its tables is locked in turn."
        )
        return
    name = relation_name(node.relation)
    if node.kind == ReindexObjectType.REINDEX_OBJECT_INDEX:
        index = reading.catalog.table(name)
        own_table = index.table if index else reading.catalog.indexes.get(reading.catalog.qualified(name))
        reading.lock(own_table or name, mode, "reindex", scan=True)
        if index:
            # Every plan on the table looks at its indexes: readers wait for the index as they would for the table.
            own = Mode.SHARE_UPDATE_EXCLUSIVE if concurrent else Mode.ACCESS_EXCLUSIVE
            reading.lock(name, own, "reindex", rewrite=not concurrent)
            index.valid = True
    else:
        reading.lock(name, mode, "reindex", scan=True)


def _rename(node: t.Any, reading: Reading) -> None:
    kind = ObjectType(node.renameType)
    if kind in {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}:
        old = qualified_name(node.object)[1]
        for names in (reading.catalog.created_types, reading.catalog.created_enums):
            names.update({node.newname} if old in names else ())
    if kind == ObjectType.OBJECT_SCHEMA and node.subname in reading.catalog.created_schemas:
        reading.catalog.created_schemas.add(node.newname)
    if kind == ObjectType.OBJECT_ATTRIBUTE and node.behavior:
        reading.say("statement-opaque", "RENAME ATTRIBUTE … CASCADE changes the tables of that type; it names none.")
    if node.relation is None or kind == ObjectType.OBJECT_ATTRIBUTE:
        return
    name, catalog = relation_name(node.relation), reading.catalog
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if kind == ObjectType.OBJECT_INDEX else Mode.ACCESS_EXCLUSIVE
    reading.lock(name, mode, "rename")
    known = catalog.table(name)
    if kind in {ObjectType.OBJECT_COLUMN, ObjectType.OBJECT_TABCONSTRAINT} and known and node.relation.inh:
        for child in known.children:
            reading.lock(child, Mode.ACCESS_EXCLUSIVE, "rename")
    if kind == ObjectType.OBJECT_COLUMN and known and node.subname in known.columns:
        known.columns[node.newname] = known.columns.pop(node.subname)
    elif kind in _RELATIONS | {ObjectType.OBJECT_INDEX}:
        catalog.move(name, to=node.newname)


def _schema_change(node: t.Any, reading: Reading) -> None:
    if node.relation is not None:
        reading.lock(relation_name(node.relation), Mode.ACCESS_EXCLUSIVE, "rename")
        reading.catalog.move(relation_name(node.relation), schema=node.newschema)


def _trigger(node: t.Any, reading: Reading) -> None:
    table = relation_name(node.relation)
    # One for each row is made on every partition as well.
    for name in reading.catalog.with_partitions(table) if node.row else (table,):
        reading.lock(name, Mode.SHARE_ROW_EXCLUSIVE, "trigger")
    reading.say(
        "trigger-created", f"Trigger {node.trigname} runs inside every matching write to {dotted(table)}.", table
    )


def _policy(node: t.Any, reading: Reading) -> None:
    reading.lock(relation_name(getattr(node, "table", None) or node.relation), Mode.ACCESS_EXCLUSIVE, "policy")


def _statistics(node: t.Any, reading: Reading) -> None:
    for relation in node.relations:
        reading.lock(relation_name(relation), Mode.SHARE_UPDATE_EXCLUSIVE, "statistics")


def _comment(node: t.Any, reading: Reading) -> None:
    kind = ObjectType(node.objtype)
    if kind in _RELATIONS | {ObjectType.OBJECT_INDEX}:
        reading.lock(qualified_name(node.object), Mode.SHARE_UPDATE_EXCLUSIVE, "comment")
    elif kind == ObjectType.OBJECT_COLUMN:
        reading.lock(qualified_name(node.object[:-1]), Mode.SHARE_UPDATE_EXCLUSIVE, "comment")
    elif kind in _ON_TABLE and isinstance(node.object, tuple):
        reading.lock(qualified_name(node.object[:-1]), Mode.ACCESS_SHARE, "comment")


def _grant(node: t.Any, reading: Reading) -> None:
    if any(getattr(item, "priv_name", None) == "maintain" for item in node.privileges or ()):
        reading.needs_version("MAINTAIN", 17)
    if node.objtype == ObjectType.OBJECT_TABLE and reading.version >= 18:
        for relation in node.objects or ():
            if isinstance(relation, ast.RangeVar):
                reading.lock(relation_name(relation), Mode.ACCESS_SHARE, "grant")


def _view(node: t.Any, reading: Reading) -> None:
    view = relation_name(node.view)
    if node.replace and reading.catalog.table(view) is not None:
        reading.lock(view, Mode.ACCESS_EXCLUSIVE, "view")
    else:
        reading.catalog.create(view, **lifetime(node.view))
        reading.catalog.views[reading.catalog.qualified(view)] = tuple(
            reading.catalog.qualified(name) for name in relations(node.query)
        )
    for name in relations(node.query):
        reading.lock(name, Mode.ACCESS_SHARE, "view")


def _sequence(node: t.Any, reading: Reading) -> None:
    reading.lock(relation_name(node.sequence), Mode.SHARE_ROW_EXCLUSIVE, "sequence")


def _domain(node: t.Any, reading: Reading) -> None:
    """ALTER DOMAIN. Source: get_rels_with_domain in src/backend/commands/typecmds.c, which locks what it reads."""
    catalog, name = reading.catalog, qualified_name(node.typeName)
    constraint = node.def_ if node.subtype == "C" else None
    if constraint is not None and constraint.contype == ConstrType.CONSTR_NOTNULL:
        reading.needs_version(f"A NOT NULL constraint of the domain {dotted(name)}", 17)
    # T (default), N (DROP NOT NULL) and X (DROP CONSTRAINT) read no rows: AlterDomainStmt in nodes/parsenodes.h.
    if node.subtype in {"T", "N", "X"} or (constraint is not None and constraint.skip_validation):
        return
    known = catalog.domains.get(name[1])
    if not catalog.domain_uses_known or (known is None and name[1] not in catalog.created_types):
        reading.say("statement-opaque", "ALTER DOMAIN reads every table that uses the domain; it names none of them.")
        return
    for table, _column, inside in catalog.uses_of_domain(name):
        if not inside and catalog.known(table):
            reading.lock(table, Mode.SHARE, "alter-domain", scan=True)
    if known is not None:
        catalog.domains[name[1]] = (known[0], known[1], True)


HANDLERS: t.Final[dict[type, t.Callable[[t.Any, Reading], None]]] = {
    **dict.fromkeys(_NO_TABLE, _none),
    **dict.fromkeys(_TYPES, _type),
    ast.CreateDomainStmt: _domain_made,
    ast.DefineStmt: _defined,
    ast.CreateSchemaStmt: _schema_made,
    ast.CreateStmt: _create,
    ast.CreateTableAsStmt: _create_as,
    ast.DropStmt: _drop,
    ast.IndexStmt: _index,
    ast.ReindexStmt: _reindex,
    ast.RenameStmt: _rename,
    ast.AlterObjectSchemaStmt: _schema_change,
    ast.CreateTrigStmt: _trigger,
    ast.CreatePolicyStmt: _policy,
    ast.AlterPolicyStmt: _policy,
    ast.RuleStmt: _policy,
    ast.CreateStatsStmt: _statistics,
    ast.CommentStmt: _comment,
    ast.GrantStmt: _grant,
    ast.ViewStmt: _view,
    ast.CreateSeqStmt: _sequence_made,
    ast.AlterSeqStmt: _sequence,
    ast.AlterDomainStmt: _domain,
}

__all__ = ("HANDLERS",)
