"""Rows that an upgrade writes or deletes where other rows, or code that nobody read here, decide whether it may.

Keys and parents that are constants were looked up by the collector (_in_pod/key_facts.py); of everything else is said
that it is not known, and why. Pure functions over facts.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_writes import DELETE, INSERT, UPDATE
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.session_settings import ReplicationRole
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.data_exceptions import data_exceptions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
    walk,
    writes,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.trigger_body import harmless

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Constraint, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

_BITS: t.Final = {"INSERT": INSERT, "UPDATE": UPDATE, "DELETE": DELETE}
# Each row gets a value of its own from them.
_DISTINCT: t.Final = {"gen_random_uuid", "uuid_generate_v4", "uuidv7", "uuidv4", "nextval"}
_REFUSES: t.Final = {"a", "r"}


@dataclasses.dataclass(frozen=True)
class Lookup:
    """Keys of which something is known about an INSERT of constants.

    :param absent_keys: unique, and none of its keys is there
    :param present_keys: unique, and one is there
    :param present_parents: foreign, and all parents are there
    :param absent_parents: foreign, and a parent is missing
    :param next_number_taken: unique, and the next number of its sequence is there
    :param later_number_taken: unique, and a later number of its sequence is there
    """

    absent_keys: frozenset[str] = frozenset()
    present_keys: frozenset[str] = frozenset()
    present_parents: frozenset[str] = frozenset()
    absent_parents: frozenset[str] = frozenset()
    next_number_taken: frozenset[str] = frozenset()
    later_number_taken: frozenset[str] = frozenset()


class DataJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect
        :param rules: the caller updates them after this judge has seen a statement
        """
        self._catalog, self._rules = catalog, rules
        self._looked_up = {(row["number"], tuple(row["table"])): row for row in facts["keys"]}
        secured = facts["relations"]["row_security"]
        # Tables whose rows a policy may hide from the role.
        self._secured = {
            rules.name_of_oid[row["oid"]] for row in secured if row["active"] and row["oid"] in rules.name_of_oid
        }
        # Tables whose rows this upgrade has changed: what was looked up in them does not hold any more.
        self._changed: set[Name] = set()
        # Tables without a row for certain: as found, or emptied by this upgrade.
        self._emptied: set[Name] = set()
        self._filled: set[Name] = set()
        # Constants that this upgrade put into a column for certain.
        self._given: set[tuple[Name, str, t.Any]] = set()
        # Tables whose foreign keys are not kept, as this upgrade has it.
        self._unwatched: set[Name] = set()
        self._role = ReplicationRole()
        self._rows_asked = facts["rows"] is not None
        # Whether the upgrade sets sequences itself.
        self._sets_sequences = False

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the tables
        """
        if not self._rules.known:
            return []
        if not certain:
            self._emptied.clear()
            self._given.clear()
        node, found = statement.node, []
        self._sets_sequences = self._sets_sequences or _sets_sequence(node)
        self._role.after(statement)
        self._switched(node)
        for write in own_writes(node):
            table = self._catalog.table(write.table)
            known = table is not None and table.kind in {"r", "p"}
            lookup = self._lookup(statement, write, table) if certain else Lookup()
            if table and known and (refusals := list(self._refusals(write, table, lookup))):
                words = f"INSERT into {dotted(table.name)} will fail: {'; '.join(refusals[:3])}."
                found.append(finding("data-refused", words, **(where | {"table": dotted(table.name)})))
                self._after(write)
                continue
            reasons = list(dict.fromkeys(self._reasons(write, table, lookup))) if table and known else []
            if table and reasons:
                more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
                words = f"Whether {write.kind} of {dotted(table.name)} succeeds is not known: "
                about: Where = where | {"table": dotted(table.name)}
                found.append(finding("data-unknown", words + "; ".join(reasons[:3]) + more + ".", **about))
            self._after(write)
        for words, table in (*self._merged(node), *self._partitions(node)):
            found.append(finding("data-unknown", words, **(where | {"table": dotted(table.name)})))
        if isinstance(node, ast.TruncateStmt):
            tables = {
                table.name for item in node.relations or () if (table := self._catalog.table(relation_name(item)))
            }
            self._emptied |= tables
            self._changed |= tables
        return found

    def _switched(self, node: t.Any) -> None:
        """ENABLE and DISABLE TRIGGER ALL, which those are among that keep foreign keys."""
        table = self._catalog.table(relation_name(node.relation)) if isinstance(node, ast.AlterTableStmt) else None
        for command in node.cmds or () if table else ():
            if table and command.subtype == Command.AT_DisableTrigAll:
                self._unwatched.add(table.name)
            elif table and command.subtype == Command.AT_EnableTrigAll:
                self._unwatched.discard(table.name)

    def _lookup(self, statement: Statement, write: Write, table: Table | None) -> Lookup:
        """What was looked up for this INSERT, as far as it still holds."""
        answer = self._looked_up.get((statement.number, write.table))
        if answer is None or table is None or write.kind != "INSERT" or table.name in self._changed:
            return Lookup()
        moved = {
            key.name
            for key in table.constraints
            if key.kind == "f" and key.outgoing and key.other and self._catalog.qualified(key.other) in self._changed
        }
        lists = (answer["absent_keys"], answer["present_keys"], answer["present_parents"], answer["absent_parents"])
        sequences = () if self._sets_sequences else (answer["next_number_taken"], answer["later_number_taken"])
        return Lookup(*(frozenset(names) - moved for names in (*lists, *sequences)))

    def _refusals(self, write: Write, table: Table, lookup: Lookup) -> t.Iterator[str]:
        """Keys that are taken, and parents that are missing."""
        if not write.certain:
            return
        for key in self._rules.uniques.of(table):
            if key.name in lookup.next_number_taken and not _skips(write, key.columns):
                yield f"the next number of its sequence is there already ({key.name} is unique)"
            if key.name in lookup.present_keys and not _skips(write, key.columns):
                yield f"it duplicates a key of {key.name}"
        for item in table.constraints if not self._role.replica and table.name not in self._unwatched else ():
            if item.name in lookup.absent_parents and item.other:
                yield f"{dotted(item.other)} lacks the row that {item.name} wants"

    def _after(self, write: Write) -> None:
        table = self._catalog.table(write.table)
        name = table.name if table else self._catalog.qualified(write.table)
        self._changed.add(name)
        if write.kind == "DELETE" and write.node.whereClause is None and not write.node.usingClause:
            self._emptied.add(name)
        elif write.kind == "INSERT":
            self._filled.add(name)
            self._emptied.discard(name)
            if write.certain and write.columns and (write.conflict is None or write.conflict.infer is None):
                for row in write.rows or ():
                    for column, value in zip(write.columns, row, strict=False):
                        given = constant(value)
                        if given and given.kind not in {"null", "default"}:
                            self._given.add((name, column, str(given.value)))
        else:
            self._given = {item for item in self._given if item[0] != name}

    def _is_empty(self, table: Table) -> bool:
        """No row for certain; the files of a partitioned table are those of its partitions."""
        if table.name in self._emptied:
            return True
        parts = [table, *(self._catalog.table(name) for name in table.children), *self._below(table)]
        bare = all(
            part is not None and (part.kind == "p" or (part.bytes == 0 and part.name in self._rules.with_size))
            for part in parts
        )
        return bare and table.name not in self._filled

    def _below(self, table: Table) -> t.Iterator[Table]:
        """Partitions of a table that is not named, whose descendants nobody asked for."""
        for part in self._catalog.tables.values():
            if part.partition_of == table.name and part is not table:
                yield part
                yield from self._below(part)

    def _reasons(self, write: Write, table: Table, lookup: Lookup) -> t.Iterator[str]:
        yield from self._triggers(write, table)
        yield from data_exceptions(write, table, self._catalog, self._rules.uniques)
        if table.name in self._secured:
            yield "row-level security hides rows from the role, so that it may miss some or be refused"
        if write.kind == "DELETE":
            yield from self._referred(table, None, {table.name})
            return
        columns = write.columns if write.columns is not None else tuple(self._rules.order.get(table.name, ()))
        values: dict[str, list[t.Any]] = {
            name: [row[place] for row in write.rows if place < len(row)] if write.rows is not None else [None]
            for place, name in enumerate(columns)
        }
        written = {name: exprs for name, exprs in values.items() if exprs and not all(map(_is_default, exprs))}
        if write.kind == "UPDATE":
            if write.node.whereClause is None and self._is_empty(table):
                return
            yield from self._referred(table, set(written), {table.name})
        for item in table.constraints:
            known = item.name in lookup.present_parents
            if item.kind == "f" and item.outgoing and item.other and set(item.columns) & written.keys() and not known:
                yield from self._parent(item, item.other, written)
        yield from self._repeated(write, table, written, lookup)

    def _triggers(self, write: Write, table: Table) -> t.Iterator[str]:
        for row in self._rules.triggers(table):
            columns = set(row["columns"])
            watched = write.kind != "UPDATE" or not columns or columns & set(write.columns or ())
            if row["type"] & _BITS[write.kind] and watched and not harmless(row):
                yield f"it fires the trigger {row['name']}, whose function {row['function']}() is not read here"
        if table.name in self._rules.with_rules:
            yield "the table has rules, which rewrite it"

    def _referred(self, table: Table, columns: set[str] | None, seen: set[Name]) -> t.Iterator[str]:
        """Foreign keys that refuse a DELETE, or an UPDATE of these columns, while rows refer to the row."""
        for key, other in table.foreign_keys():
            if key.outgoing or not (columns is None or columns & set(key.columns)):
                continue
            action, referrer = key.on_delete if columns is None else key.on_update, self._catalog.table(other)
            if referrer and self._is_empty(referrer):
                continue
            if action in _REFUSES:
                yield f"rows of {dotted(other)} may refer to it by {key.name}"
            elif action == "c" and columns is None and referrer and other not in seen:
                yield from self._referred(referrer, None, seen | {other})

    def _parent(self, key: Constraint, other: Name, written: dict[str, list[t.Any]]) -> t.Iterator[str]:
        if len(key.columns) == 1:
            exprs = written[key.columns[0]]
            constants = [constant(expr) for expr in exprs]
            parent = self._catalog.table(other)
            target = next((item for item in parent.constraints if item.kind == "p"), None) if parent else None
            name = target.columns[0] if target and len(target.columns) == 1 else None
            if all(
                given is not None
                and (
                    given.kind in {"null", "default"}
                    or (parent and (parent.name, name, str(given.value)) in self._given)
                )
                for given in constants
            ):
                return
        yield f"{dotted(other)} may lack the row that {key.name} wants"

    def _repeated(self, write: Write, table: Table, written: dict[str, list[t.Any]], lookup: Lookup) -> t.Iterator[str]:
        if write.kind == "INSERT" and _guarded(write, table):
            return
        single = write.kind == "INSERT" and write.rows is not None and len(write.rows) == 1
        if write.kind == "INSERT" and self._is_empty(table) and single:
            return
        for key in self._rules.uniques.of(table):
            names = {name for name in key.columns if name}
            if key.name in lookup.next_number_taken | lookup.later_number_taken and not _skips(write, key.columns):
                yield f"the sequence of its key is behind the numbers that are there ({key.name} is unique)"
            # An expression may use any column.
            looked_up = key.name in lookup.absent_keys or _skips(write, key.columns)
            if looked_up or not (names & written.keys() or None in key.columns):
                continue
            exprs = [expr for name in names for expr in written.get(name, ())]
            if any(_is_distinct(written.get(name, ())) for name in names) and None not in key.columns:
                continue
            if exprs and all(expr is not None and (given := constant(expr)) and given.kind == "null" for expr in exprs):
                continue
            if (
                write.kind == "INSERT"
                and names - written.keys()
                and None not in key.columns
                and self._own_value(table, names - written.keys())
            ):
                continue
            yield f"the values may be there already ({key.name} is unique)"

    def _own_value(self, table: Table, names: set[str]) -> bool:
        """Columns left out: a serial or identity column has a value of its own, one without a default has NULL."""
        columns = [table.columns[name] for name in names if name in table.columns]
        return any(column.identity or not column.not_null for column in columns) or any(
            column.has_default for column in columns
        )

    def _merged(self, node: t.Any) -> t.Iterator[tuple[str, Table]]:
        """Writes whose rows nobody follows: MERGE, and those through a view or a foreign table."""
        for part in writes(node):
            table = self._catalog.table(relation_name(part.relation))
            if table and table.kind == "v":
                words = "the view leads it to other tables, whose keys and columns decide"
            elif table and table.kind == "f":
                words = "a foreign table leads it to where its wrapper and another server decide"
            elif table and isinstance(part, ast.MergeStmt):
                words = "which rows it meets, and whether one of them twice, the tables decide"
            else:
                continue
            yield f"Whether this write to {dotted(table.name)} succeeds is not known: {words}.", table

    def _partitions(self, node: t.Any) -> t.Iterator[tuple[str, Table]]:
        """Rows that belong into no or another partition."""
        kind: t.Any = type(node)
        if self._rows_asked:
            # judge_rows.py knows more, of tables that are there.
            return
        if kind is ast.CreateStmt and node.partbound is not None and node.inhRelations:
            parent = self._catalog.table(relation_name(node.inhRelations[0]))
            if not node.partbound.is_default:
                yield from self._default(parent)
        elif kind is ast.AlterTableStmt and node.objtype == ObjectType.OBJECT_TABLE:
            for command in node.cmds or ():
                if command.subtype != Command.AT_AttachPartition:
                    continue
                part = self._catalog.table(relation_name(command.def_.name))
                if part and not self._is_empty(part):
                    words = (
                        f"Whether all rows of {dotted(part.name)} lie within the bounds of the partition is not known."
                    )
                    yield words, part
                if not command.def_.bound.is_default:
                    yield from self._default(self._catalog.table(relation_name(node.relation)))

    def _default(self, parent: Table | None) -> t.Iterator[tuple[str, Table]]:
        rest = self._catalog.table(parent.default_partition) if parent and parent.default_partition else None
        if rest and not self._is_empty(rest):
            words = f"Whether {dotted(rest.name)}, the default partition, holds rows of the new one is not known."
            yield words, rest


def _sets_sequence(node: t.Any) -> bool:
    if isinstance(node, ast.AlterSeqStmt):
        return True
    identity = {Command.AT_SetIdentity, Command.AT_AddIdentity, Command.AT_ColumnDefault}
    if isinstance(node, ast.AlterTableStmt):
        return any(getattr(command, "subtype", None) in identity for command in node.cmds or ())
    calls = (part for part in walk(node) if isinstance(part, ast.FuncCall))
    return any(qualified_name(call.funcname or ())[1] == "setval" for call in calls)


def _is_default(expr: t.Any) -> bool:
    given = constant(expr) if expr is not None else None
    return given is not None and given.kind == "default"


def _is_distinct(exprs: t.Iterable[t.Any]) -> bool:
    """Whether each of these expressions gives each row a value of its own."""
    found = False
    for given in exprs:
        expr = given
        while isinstance(expr, ast.TypeCast):
            expr = expr.arg
        if not (isinstance(expr, ast.FuncCall) and qualified_name(expr.funcname or ())[1] in _DISTINCT):
            return False
        found = True
    return found


def _skips(write: Write, columns: t.Sequence[str | None]) -> bool:
    """Whether ON CONFLICT takes care of a value that is there already."""
    if write.conflict is None:
        return False
    infer = write.conflict.infer
    if infer is None:
        return True
    # By name: which columns that has is not looked up, and an expression matches none.
    names = {element.name for element in infer.indexElems or () if element.name}
    return bool(infer.conname) or names == {name for name in columns if name}


def _guarded(write: Write, table: Table) -> bool:
    """Whether a query writes only what is not there, as far as it says so: it looks into the table itself."""
    query = write.node.selectStmt
    where = getattr(query, "whereClause", None)
    return where is not None and any(
        isinstance(part, ast.RangeVar) and part.relname == table.name[1] for part in walk(where)
    )


__all__ = ("DataJudge",)
