"""Whether a definition is about an object of the right kind, and says what that can have. Pure functions over facts.

Source: ATSimplePermissions and ATPrepChangePersistence in src/backend/commands/tablecmds.c, DefineIndex in
commands/indexcmds.c, the amcan… fields of each handler in access/, anychar_typmodin in utils/adt/varchar.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_clauses import at_odds
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import Refusal, refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.address_questions import named_routines
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ObjectType,
    ParseError,
    ast,
    parse_plpgsql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.signatures import ROUTINES, internal_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

_KINDS: t.Final = {"r": "table", "p": "table", "v": "view", "m": "materialized view", "f": "foreign table",
                   "S": "sequence", "i": "index", "I": "index", "c": "type"}  # fmt: skip
_DROPPED: t.Final = {ObjectType.OBJECT_VIEW: "view", ObjectType.OBJECT_MATVIEW: "materialized view",
                     ObjectType.OBJECT_SEQUENCE: "sequence", ObjectType.OBJECT_INDEX: "index"}  # fmt: skip
# Commands that a view takes.
_OF_VIEWS: t.Final = {Command.AT_ColumnDefault, Command.AT_ChangeOwner, Command.AT_SetRelOptions,
                      Command.AT_ResetRelOptions}  # fmt: skip
_ONE_COLUMN: t.Final = {"hash", "spgist"}
_NO_INCLUDE: t.Final = {"hash", "gin", "brin"}
_UNORDERED: t.Final = {"hash", "gin", "gist", "spgist", "brin"}
# Types whose values have no collation; of others it is not known here.
_NOT_COLLATABLE: t.Final = {"int2", "int4", "int8", "float4", "float8", "numeric", "bool", "uuid", "date", "timestamp",
                            "timestamptz", "time", "timetz", "interval", "json", "jsonb", "bytea"}  # fmt: skip
_MOST: t.Final = {"varchar": 10_485_760, "bpchar": 10_485_760, "numeric": 1000}
_AUTOVACUUM: t.Final = {
    "enabled", "vacuum_threshold", "vacuum_insert_threshold", "vacuum_cost_delay", "vacuum_cost_limit",
    "vacuum_scale_factor", "vacuum_insert_scale_factor", "freeze_min_age", "freeze_max_age", "freeze_table_age",
    "multixact_freeze_min_age", "multixact_freeze_max_age", "multixact_freeze_table_age", "analyze_threshold",
    "analyze_scale_factor", "vacuum_max_threshold",
}  # fmt: skip
# reloptions.c; the parameters of extensions' access methods are others.
_PARAMETERS: t.Final = {
    "fillfactor", "toast_tuple_target", "parallel_workers", "vacuum_index_cleanup", "vacuum_truncate",
    "user_catalog_table", "log_autovacuum_min_duration", "vacuum_max_eager_freeze_failure_rate", "oids",
    "log_autoanalyze_min_duration", *(f"autovacuum_{name}" for name in _AUTOVACUUM),
}  # fmt: skip
# Types of one family compare with each other; those of two families do not.
_FAMILIES: t.Final = (
    {"int2", "int4", "int8", "numeric", "float4", "float8"}, {"text", "varchar", "bpchar", "name"}, {"uuid"}, {"bool"},
    {"jsonb"}, {"date", "timestamp", "timestamptz"}, {"inet", "cidr"}, {"bytea"},
)  # fmt: skip
# Of these, the time zone of a session may decide what a function or a cast gives.
_OF_SESSION: t.Final = {"date", "time", "timetz", "timestamp", "timestamptz"}


class ObjectKindJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        self._checks_bodies = True

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the objects
        """
        node: t.Any = statement.node
        if not self._rules.known or node is None:
            return []
        handler = self._HANDLERS.get(type(node))
        found = [
            refusal("definition-refused", words, where, sure=sure and certain)
            for words, sure in (*_types(node), *at_odds(node), *(handler(self, node) if handler else ()))
        ]
        if isinstance(node, ast.VariableSetStmt) and node.name == "check_function_bodies":
            self._checks_bodies = False
        if self._checks_bodies and (words := _plpgsql_syntax_error(statement)):
            found.append(finding("statement-refused", f"The server refuses it: {words}.", **where))
        return found

    def _altered(self, node: t.Any) -> t.Iterator[Refusal]:
        if node.objtype != ObjectType.OBJECT_TABLE:
            return
        table = self._catalog.table(relation_name(node.relation))
        for command in node.cmds or ():
            kind, part = Command(command.subtype), command.def_
            if kind == Command.AT_AddColumn:
                yield from _collated(part)
            elif kind == Command.AT_AlterColumnType:
                yield from _collated(part, command.name)
            elif kind == Command.AT_SetRelOptions:
                yield from _parameters(part)
            if table is None:
                continue
            if table.kind == "v" and kind not in _OF_VIEWS:
                yield f"{dotted(table.name)} is a view, on which this ALTER TABLE command does not work", True
            yield from self._column(table, kind, command)
            if kind == Command.AT_ReplicaIdentity and part.name:
                yield from self._identity(table, part.name)
            yield from self._persistence(table, kind, part)

    def _column(self, table: Table, kind: Command, command: t.Any) -> t.Iterator[Refusal]:
        label = f"{dotted(table.name)}.{command.name}"
        if kind == Command.AT_DropNotNull:
            if any(item.kind == "p" and command.name in item.columns for item in table.constraints):
                yield f"{label} belongs to the primary key, which is NOT NULL", True
        elif kind == Command.AT_AlterColumnType and (column := table.columns.get(command.name)):
            new, _modifier, array = type_changes.type_name(command.def_.typeName)
            old_family, new_family = _family(column.type), None if array else _family(new)
            if column.type == new and not array:
                return
            if column.identity and new not in {"int2", "int4", "int8"}:
                yield f"{label} is an identity column, which is smallint, integer or bigint", True
            if old_family is not None and old_family == new_family:
                if column.computed and {column.type, new} & _OF_SESSION:
                    # What they compare as is one thing, and what a function gives of them another.
                    yield f"Whether all that an index calls over {label} is IMMUTABLE for {new} is not known", False
                return
            yield from self._retyped(table, command.name, label, new_family)
            if column.computed:
                yield (
                    f"Whether indexes with an expression or a predicate over {label} take {new} is not known",
                    False,
                )
            if any(item.kind == "c" and command.name in item.columns for item in table.constraints):
                yield f"Whether the check over {label} takes {new} is not known", False

    def _identity(self, table: Table, name: str) -> t.Iterator[Refusal]:
        """Source: ATExecReplicaIdentity in src/backend/commands/tablecmds.c."""
        key = next((key for key in self._rules.uniques.of(table) if key.name == name), None)
        index = self._catalog.table((table.name[0], name))
        wrong = None
        if key is None:
            wrong = "is not unique" if index and index.table == table.name and not index.unique else None
        elif key.partial or not key.immediate or None in key.columns:
            wrong = "is partial" if key.partial else "has an expression" if key.immediate else "is deferrable"
        else:
            known = [(column, table.columns.get(column or "")) for column in key.columns]
            free = [column for column, found in known if found and not found.not_null]
            wrong = f"holds {free[0]}, which may be NULL" if free else None
        if wrong:
            yield f"The index {name} {wrong}, and no such index is a replica identity", True

    def _policy(self, node: t.Any) -> t.Iterator[Refusal]:
        table = self._catalog.table(relation_name(node.table))
        if table and table.kind not in {"r", "p"}:
            yield f"{dotted(table.name)} is a {_KINDS.get(table.kind, 'relation')}, which has no policies", True

    def _retyped(self, table: Table, column: str, label: str, new: int | None) -> t.Iterator[Refusal]:
        """Foreign keys in both directions."""
        for key, other in table.foreign_keys():
            if column not in key.columns or len(key.columns) > 1:
                continue
            known = self._catalog.table(other)
            back = next((item for item in known.constraints if item.name == key.name), None) if known else None
            end = known.columns.get(back.columns[0]) if known and back and back.columns else None
            if end is None:
                continue
            family = _family(end.type)
            if family != new and None not in {family, new}:
                yield f"{key.name} compares {label} with {dotted(other)}, which is of type {end.type}", True
            elif None in {family, new}:
                yield f"Whether {key.name} can compare the new type of {label} is not known", False

    def _persistence(self, table: Table, kind: Command, part: t.Any) -> t.Iterator[Refusal]:
        if kind in {Command.AT_SetUnLogged, Command.AT_SetLogged}:
            logged = kind == Command.AT_SetLogged
            for key, other in table.foreign_keys():
                known = self._catalog.table(other)
                if (
                    known
                    and known is not table
                    and key.outgoing == logged
                    and known.persistence == ("u" if logged else "p")
                ):
                    yield f"{key.name} would lead from a logged table to an unlogged one", True
        elif kind == Command.AT_AddConstraint and part.contype == ConstrType.CONSTR_FOREIGN:
            yield from self._foreign_key_target(part, table.persistence)
        elif kind == Command.AT_AddColumn:
            for item in part.constraints or ():
                if item.contype == ConstrType.CONSTR_FOREIGN:
                    yield from self._foreign_key_target(item, table.persistence)

    def _foreign_key_target(self, constraint: t.Any, persistence: str) -> t.Iterator[Refusal]:
        other = self._catalog.table(relation_name(constraint.pktable))
        if other is None:
            return
        if other.kind not in {"r", "p"}:
            yield (
                f"The foreign key leads to {dotted(other.name)}, which is a {_KINDS.get(other.kind, 'relation')}",
                True,
            )
        elif persistence == "p" and other.persistence == "u":
            yield f"The foreign key leads to {dotted(other.name)}, which is unlogged", True

    def _created(self, node: t.Any) -> t.Iterator[Refusal]:
        persistence = str(node.relation.relpersistence or "p")
        for item in node.tableElts or ():
            if isinstance(item, ast.ColumnDef):
                yield from _collated(item)
            inline = item.constraints or () if isinstance(item, ast.ColumnDef) else ()
            for constraint in [item] if isinstance(item, ast.Constraint) else inline:
                if constraint.contype == ConstrType.CONSTR_FOREIGN:
                    yield from self._foreign_key_target(constraint, persistence)
        yield from _parameters(node.options or ())

    def _index(self, node: t.Any) -> t.Iterator[Refusal]:
        method = node.accessMethod or "btree"
        table = self._catalog.table(relation_name(node.relation))
        if table and table.kind not in {"r", "p", "m"}:
            yield f"{dotted(table.name)} is a {_KINDS.get(table.kind, 'relation')}, which has no indexes", True
        if node.unique and method in _UNORDERED:
            yield f"The access method {method} does not support unique indexes", True
        if len(node.indexParams or ()) > 1 and method in _ONE_COLUMN:
            yield f"The access method {method} does not support multicolumn indexes", True
        if node.indexIncludingParams and method in _NO_INCLUDE:
            yield f"The access method {method} does not support included columns", True
        # SORTBY_DEFAULT and SORTBY_NULLS_DEFAULT are 0.
        if method in _UNORDERED and any(
            int(item.ordering) or int(item.nulls_ordering) for item in node.indexParams or ()
        ):
            yield f"The access method {method} does not support ASC/DESC options", True

    def _dropped(self, node: t.Any) -> t.Iterator[Refusal]:
        kind = ObjectType(node.removeType)
        for item in node.objects or ():
            if kind in _DROPPED:
                there = self._catalog.table(qualified_name(item))
                if there and _KINDS.get(there.kind) != _DROPPED[kind]:
                    yield (
                        f"{dotted(there.name)} is a {_KINDS.get(there.kind, 'relation')} and no {_DROPPED[kind]}",
                        True,
                    )
            elif kind in ROUTINES:
                yield from self._function(item, lenient=bool(node.missing_ok))

    def _function(self, item: t.Any, *, lenient: bool) -> t.Iterator[Refusal]:
        name = qualified_name(item.objname)[1]
        routines = self._rules.routines
        known = {item.inputs for item in routines.certain(name)}
        if not known and routines.made(name):
            known = {item.inputs for item in (*routines.made(name), *routines.possible(name))}
        if not known:
            return
        if item.args_unspecified:
            if len(known) > 1:
                yield f"There are {len(known)} functions {name}, and which one is not said", True
            return
        given = tuple(None if arg is None else internal_name(arg) for arg in item.objargs or ())
        if None not in given and given not in known and not lenient and not routines.types_renamed:
            yield f"There is no function {name}({', '.join(map(str, given))})", True

    def _named(self, node: t.Any) -> t.Iterator[Refusal]:
        """Routines of this upgrade, of which the server cannot be asked; it is of others (address_questions)."""
        for item in named_routines(node):
            if self._rules.routines.made(qualified_name(item.objname)[1]):
                yield from self._function(item, lenient=False)

    def _schema(self, node: t.Any) -> t.Iterator[Refusal]:
        """Source: IsReservedName in src/backend/catalog/catalog.c."""
        if str(node.schemaname or "").startswith("pg_"):
            yield f"A schema must not begin with pg_, as {node.schemaname} does", True

    def _granted(self, node: t.Any) -> t.Iterator[Refusal]:
        yield from self._named(node)
        if node.objtype != ObjectType.OBJECT_TABLE:
            return
        names = [column.sval for right in node.privileges or () for column in right.cols or ()]
        for relation in node.objects or () if names else ():
            table = self._catalog.table(relation_name(relation)) if isinstance(relation, ast.RangeVar) else None
            for name in names if table and table.columns else ():
                if table and name not in table.columns:
                    yield f"{dotted(table.name)} has no column {name}", True

    _HANDLERS: t.ClassVar[dict[type, t.Callable[[ObjectKindJudge, t.Any], t.Iterator[Refusal]]]] = {
        ast.AlterTableStmt: _altered,
        ast.CreateStmt: _created,
        ast.IndexStmt: _index,
        ast.DropStmt: _dropped,
        ast.GrantStmt: _granted,
        ast.CreateSchemaStmt: _schema,
        **dict.fromkeys((ast.CommentStmt, ast.AlterOwnerStmt, ast.AlterObjectSchemaStmt, ast.RenameStmt), _named),
        ast.AlterFunctionStmt: _named,
        ast.CreatePolicyStmt: _policy,
    }


def _plpgsql_syntax_error(statement: Statement) -> str | None:
    """What PL/pgSQL's grammar says of a body; what pglast says of variables is left out, for it knows no tables."""
    node: t.Any = statement.node
    if not isinstance(node, (ast.CreateFunctionStmt, ast.DoStmt)):
        return None
    options = {
        option.defname: option.arg for option in ((node.args if isinstance(node, ast.DoStmt) else node.options) or ())
    }
    given = options.get("language")
    if (given.sval if given is not None else "plpgsql") != "plpgsql" or (given is None and "as" not in options):
        return None
    try:
        parse_plpgsql(statement.sql)
    except ParseError as error:
        words = str(error.args[0])
        return words if words.startswith("syntax error") else None
    return None


def _types(node: t.Any) -> t.Iterator[Refusal]:
    """Lengths that no type has."""
    for part in walk(node):
        if isinstance(part, ast.TypeName) and part.names and part.typmods:
            kind = qualified_name(part.names)[1]
            first = part.typmods[0]
            number = first.val.ival if isinstance(first, ast.A_Const) and isinstance(first.val, ast.Integer) else None
            if kind in _MOST and number is not None and not 1 <= (number or 0) <= _MOST[kind]:
                yield f"A {kind} has a length between 1 and {_MOST[kind]}, and not {number or 0}", True


def _collated(column: t.Any, name: str | None = None) -> t.Iterator[Refusal]:
    if column.collClause is not None and column.typeName is not None and not column.typeName.arrayBounds:
        kind = qualified_name(column.typeName.names or ())[1]
        if kind in _NOT_COLLATABLE:
            yield f"{name or column.colname} is of type {kind}, which has no collation", True


def _parameters(options: t.Iterable[t.Any]) -> t.Iterator[Refusal]:
    for option in options or ():
        name = str(option.defname)
        if option.defnamespace not in {None, "toast"}:
            continue
        if name not in _PARAMETERS:
            yield f"There is no storage parameter {name}", True
        elif name == "fillfactor" and isinstance(option.arg, ast.Integer) and not 10 <= (option.arg.ival or 0) <= 100:
            yield f"fillfactor is between 10 and 100, and not {option.arg.ival or 0}", True


def _family(kind: str) -> int | None:
    return next((place for place, kinds in enumerate(_FAMILIES) if kind in kinds), None)


__all__ = ("ObjectKindJudge",)
