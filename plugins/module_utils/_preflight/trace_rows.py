"""Which of the rows that a traced upgrade read the live database has as well. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.constant_texts import constant_text
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    AlterTableType,
    ObjectType,
    ParseError,
    TransactionStmtKind,
    VariableSetKind,
    ast,
    parse_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    functions,
    qualified_name,
    relation_name,
    relations,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_log import Traced
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import TableFacts

_CATALOGUES = {"pg_catalog", "information_schema"}
# Of the functions that begin with pg_, and what the reflection of SQLAlchemy calls beside those.
_CHANGING = ("pg_advisory", "pg_try_advisory", "pg_terminate", "pg_cancel", "pg_create_", "pg_drop_", "pg_replication_")
_PLAIN = {
    "any_value", "array_agg", "array_length", "array_position", "array_to_string", "bool_and", "bool_or", "coalesce",
    "col_description", "count", "current_database", "current_schema", "current_schemas", "current_setting",
    "format_type", "generate_subscripts", "generate_series", "has_schema_privilege", "has_table_privilege",
    "information_schema", "json_agg", "json_build_object", "json_object_agg", "lower", "max", "min", "obj_description",
    "quote_ident", "regexp_replace", "row_number", "shobj_description", "string_agg", "to_regclass", "to_regtype",
    "unnest", "upper", "version",
}  # fmt: skip
# What the copy has otherwise than the live database: statistics, sizes, large objects, settings of the machine.
_OF_INSTANCE = (
    "pg_stat", "pg_settings", "pg_largeobject", "pg_sequences", "pg_locks", "pg_file_settings", "pg_prepared_",
    "pg_replication_", "pg_subscription", "pg_available_", "pg_hba_", "pg_current_", "pg_last_", "pg_is_",
    "pg_postmaster_", "current_setting", "query_to_xml", "table_to_xml", "schema_to_xml", "database_to_xml",
    "txid_", "inet_server_", "lo_", "dblink",
)  # fmt: skip
_COUNTED = {"reltuples", "relpages", "relallvisible", "last_value"}
# Functions that only compute a value, which the revision never sees; nextval and setval change a sequence as well.
_COMPUTING = {
    "clock_timestamp", "concat", "date_trunc", "gen_random_uuid", "json_build_array", "jsonb_build_array",
    "jsonb_build_object", "jsonb_set", "length", "md5", "nextval", "now", "random", "replace", "row_to_json", "setval",
    "substring", "timezone", "to_json", "to_jsonb", "to_timestamp", "trim", "uuid_generate_v4",
}  # fmt: skip
_SETTING = "current_setting"
# Each table was copied with its access method, and SQLAlchemy 2.1 asks whether that is the default one.
_OF_SCHEMA = {"default_table_access_method"}
# Settings by which a name becomes another table's.
_NAMING = {"search_path", "role", "session_authorization"}
_WRITING = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.TruncateStmt, ast.CopyStmt)
# What runs texts of which nothing is read here, or gives a name to another table.
_FORGETTING = (
    ast.AlterObjectSchemaStmt, ast.CallStmt, ast.DiscardStmt, ast.DoStmt, ast.ExecuteStmt, ast.RefreshMatViewStmt,
)  # fmt: skip
# What drivers and SQLAlchemy ask when they connect.
_ASKED_BY_DRIVERS = {"standard_conforming_strings", "transaction_isolation", "server_version"}


@functools.cache
def parsed(sql: str) -> list[t.Any] | None:
    """The statements of a text, which nobody may change; None where the grammar refuses it."""
    try:
        return [raw.stmt for raw in parse_sql(sql)]
    except ParseError:
        return None


def from_client(sql: str) -> bool:
    """COPY, whose rows come from the driver and are in no log."""
    return any(isinstance(node, ast.CopyStmt) and node.is_from and not node.filename for node in parsed(sql) or ())


def tables(node: t.Any) -> list[Name]:
    """Tables that are nobody's catalogue. Without a schema, PostgreSQL's own are told by their name."""
    return [
        name for name in relations(node)
        if name[0] not in _CATALOGUES and not (name[0] is None and name[1].startswith("pg_"))
    ]  # fmt: skip


def calls(node: t.Any, others: t.Container[str] = ()) -> bool:
    """Whether a function is called that is not known to read catalogues or to compute: it may change anything.

    :param others: more that are known
    """
    return any(
        schema not in {None, "pg_catalog"}
        or name.startswith(_CHANGING)
        or not (name in _PLAIN or name in others or name.startswith("pg_"))
        for schema, name in functions(node)
    )


def _of_instance(node: t.Any) -> list[str]:
    """Names in a query whose answer is another in a database with rows, of another age, on another machine."""
    names = [name for _schema, name in [*relations(node), *functions(node)]]
    if _SETTING in names and not any(_tells_more(part) for part in walk(node)):
        names.remove(_SETTING)
    found = [name for name in names if name.startswith(_OF_INSTANCE) or name.endswith("_size")]
    for part in walk(node):
        if isinstance(part, ast.ColumnRef) and part.fields:
            column = getattr(part.fields[-1], "sval", None)
            found += [column] if column in _COUNTED else []
    return found


def _tells_more(node: t.Any) -> bool:
    """Whether it calls current_setting() for a setting that the copy may have otherwise."""
    if not isinstance(node, ast.FuncCall) or qualified_name(node.funcname or ())[1] != _SETTING:
        return False
    return not node.args or constant_text(node.args[0]) not in _OF_SCHEMA


def _runs_anything(node: t.Any) -> bool:
    return calls(node, _COMPUTING)


def _joins(command: t.Any) -> bool:
    """Whether rows of one table are seen in another from now on."""
    return getattr(command, "subtype", None) in {AlterTableType.AT_AttachPartition, AlterTableType.AT_AddInherit}


def empty_tables(facts: TableFacts) -> set[Name]:
    """Plain tables without a row, by each name by which they were asked for: their files have no length."""
    parents = {row["root"] for row in facts["descendants"]}
    found = {
        row["oid"]
        for row in facts["classes"]
        if row["kind"] == "r" and row["oid"] not in parents and "total_bytes" in row and not row["bytes"]
    }
    return {(name["schema"], name["name"]) for name in facts["names"] if name["oid"] in found}


class Rows:
    """Tables whose rows are the same in the copy and in the live database, statement by statement.

    A table that the upgrade itself makes is empty there as here, and then holds what the upgrade writes: the same, as
    long as nothing of that comes from a table whose rows the copy does not have. In doubt a table is not the same.
    """

    def __init__(self, copied: t.Iterable[Name], empty: t.Iterable[Name] = (), *, bare: bool = False) -> None:
        """Begin with a copy of the live database.

        :param copied: tables whose rows were copied: Alembic's own
        :param empty: tables without a row in the live database, as in the copy
        :param bare: the live database has no other table at all, so that the copy is the same, whatever runs there
        """
        self._bare = bare
        self._begin = frozenset(copied)
        self._empty = set(empty)
        self._same = set(self._begin | self._empty)
        self._points: dict[str, set[Name]] = {}
        self._hidden = False

    def read_by(self, statements: t.Iterable[Traced]) -> dict[str, list[str]]:
        """By revision, what it was told that the live database may tell it otherwise.

        :param statements: of the whole upgrade, in order
        """
        found: dict[str, dict[str, None]] = {}
        for item in statements:
            names = found.setdefault(item.revision, {})
            read = [name for node in parsed(item.sql) or () for name in self._read(node)]
            read += ["rows that the driver copies"] if from_client(item.sql) else []
            names |= dict.fromkeys(read)
            if read or (names and item.revision):
                # What it was not told may have made it write anywhere.
                self._forget()
            elif item.refusal is None:
                self._after(item.sql)
        return {revision: list(names) for revision, names in found.items() if names}

    def _read(self, node: t.Any) -> list[str]:
        """Tables whose rows came back to the revision, which may have decided what it ran next."""
        if isinstance(node, ast.VariableShowStmt) and node.name not in _ASKED_BY_DRIVERS:
            return [f"the setting {node.name}"]
        returning = getattr(node, "returningList", None) or getattr(node, "returningClause", None)
        if not (isinstance(node, ast.SelectStmt) or returning):
            return []
        rows = [name[1] for name in tables(node) if name not in self._same and not self._bare]
        return rows + _of_instance(node)

    def _after(self, sql: str) -> None:
        nodes = parsed(sql)
        if nodes is None:
            self._forget()
        for node in nodes or ():
            self._run(node)

    def _run(self, node: t.Any) -> None:
        """What a statement leaves of them."""
        if isinstance(node, ast.TransactionStmt):
            self._transaction(node)
        elif isinstance(node, ast.CreateStmt):
            if not node.if_not_exists and not self._hidden:
                self._same.add(relation_name(node.relation))
        elif isinstance(node, ast.CreateTableAsStmt):
            self._filled(node)
        elif isinstance(node, ast.RenameStmt):
            self._renamed(node)
        elif isinstance(node, ast.DropStmt):
            self._same -= {qualified_name(name) for name in node.objects or () if isinstance(name, tuple)}
        elif self._in_doubt(node):
            self._forget()

    def _in_doubt(self, node: t.Any) -> bool:
        """Whether rows may come from elsewhere, or a name be another table's."""
        if isinstance(node, ast.CreateTrigStmt | ast.RuleStmt):
            self._hidden = True
            return True
        if isinstance(node, _WRITING):
            # Triggers and keys carry what is written to a table of the live database into others.
            live = self._empty | {name for name in tables(node) if name not in self._same}
            return _runs_anything(node) or not live.isdisjoint(tables(node))
        if isinstance(node, ast.SelectStmt):
            return _runs_anything(node)
        if isinstance(node, ast.VariableSetStmt):
            names = node.kind == VariableSetKind.VAR_RESET_ALL or node.name in _NAMING
            # SET LOCAL ends with the transaction, without a statement of its own.
            self._hidden |= names and bool(node.is_local)
            return names
        return isinstance(node, _FORGETTING) or any(_joins(command) for command in getattr(node, "cmds", None) or ())

    def _filled(self, node: t.Any) -> None:
        name = relation_name(node.into.rel)
        if _runs_anything(node):
            self._forget()
        elif node.if_not_exists or self._hidden or any(source not in self._same for source in tables(node.query)):
            self._same.discard(name)
        else:
            self._same.add(name)

    def _transaction(self, node: t.Any) -> None:
        kind = node.kind
        if kind in {TransactionStmtKind.TRANS_STMT_BEGIN, TransactionStmtKind.TRANS_STMT_START}:
            self._points = {"": set(self._same)}
        elif kind == TransactionStmtKind.TRANS_STMT_SAVEPOINT:
            self._points[node.savepoint_name] = set(self._same)
        elif kind in {TransactionStmtKind.TRANS_STMT_ROLLBACK, TransactionStmtKind.TRANS_STMT_ROLLBACK_TO}:
            # What was made since is gone again, and may be another's by its name.
            name = node.savepoint_name if kind == TransactionStmtKind.TRANS_STMT_ROLLBACK_TO else ""
            self._same &= self._points.get(name, set())

    def _renamed(self, node: t.Any) -> None:
        if node.renameType != ObjectType.OBJECT_TABLE:
            return
        old = relation_name(node.relation)
        new = (old[0], node.newname)
        if old in self._same:
            self._same = self._same - {old} | {new}
            self._empty |= {new} if old in self._empty else set()
        else:
            self._same.discard(new)

    def _forget(self) -> None:
        self._same = set(self._begin)


__all__ = ("Rows", "calls", "empty_tables", "from_client", "parsed", "tables")
