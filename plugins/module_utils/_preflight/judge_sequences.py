"""Sequences that an upgrade makes, changes or sets: what the server refuses, and which numbers INSERTs get then.

Each statement is judged as it comes, the numbers after the last: a later one may set the sequence right. Pure functions
over facts. Source: src/backend/commands/sequence.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import Refusal, refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.sequence_inserts import (
    advanced,
    conflicts,
    is_first,
    too_many,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.sequence_values import (
    KEYS,
    FormerSequences,
    NumberedColumn,
    Range,
    Written,
    columns_of,
    free_sequence,
    given_numbers,
    narrow,
    overtaken,
    renamed,
    sequences_of,
    single_keys,
    takes_number,
    too_few,
    value_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.default_names import object_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sequence_questions import (
    default_sequence,
    integer_type,
    own_sequence,
    sequence_calls,
    whole_table,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sequences import (
    MOST,
    Sequence,
    altered,
    changes_numbers,
    with_kind,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement


class SequenceJudge:
    """Judges each statement of the upgrade, in order; finish() comes after the last."""

    def __init__(self, catalog: Catalog, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog = catalog
        known = facts.get("sequences")
        self._sequences, self._identities = sequences_of(known)
        self._columns = columns_of(known)
        self._before = dict(self._sequences)
        # By sequence or column the statement that changed the numbers last.
        self._moved: dict[Name, Where] = {}
        self._refilled: dict[tuple[Name, str], Where] = {}
        # By column, the numbers that this upgrade writes itself, and the last statement that does; new integer types.
        self._written: dict[tuple[Name, str], tuple[Written, Where]] = {}
        self._widened: dict[tuple[Name, str], Where] = {}
        self._certain, self._former = True, FormerSequences(catalog)

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the objects
        """
        self._certain = self._certain and certain
        handler = self._HANDLERS.get(type(statement.node))
        written = {place: numbers for place, (numbers, _at) in self._written.items()}
        about = (self._columns, self._sequences, written, self._catalog)
        met = list(conflicts(statement.node, *about, where=where, certain=certain))
        words = [*(handler(self, statement.node, where) if handler else ()), *self._calls(statement.node, where)]
        return [*met, *(refusal("definition-refused", said, where, sure=sure and certain) for said, sure in words)]

    def finish(self) -> list[Finding]:
        """Which numbers the columns get after the upgrade."""
        found = []
        for place, at in self._widened.items():
            if said := narrow(place, self._columns[place], self._sequences):
                found.append(finding("sequence-narrow", said, **(at | {"table": dotted(place[0])})))
        for place, column in self._columns.items():
            where = self._refilled.get(place) or (self._moved.get(column.sequence) if column.sequence else None)
            if where is not None and column.sequence in self._sequences:
                found += self._numbers(place, column, self._sequences[column.sequence], where)
            elif place in self._written:
                written, where = self._written[place]
                made = self._sequences.get(column.sequence) if column.sequence else None
                words = overtaken(f"{dotted(place[0])}.{place[1]}", written, made) if made and column.unique else None
                about: Where = where | {"table": dotted(place[0])}
                found += [finding("sequence-behind", words, severity="warn", **about)] if words else []
        return found

    def _numbers(
        self, place: tuple[Name, str], column: NumberedColumn, made: Sequence, where: Where
    ) -> t.Iterator[Finding]:
        label = f"{dotted(place[0])}.{place[1]}"
        about: Where = where | {"table": dotted(place[0])}
        number = made.next_number()
        most = MOST.get(column.kind)
        if made.is_used_up() or (number is not None and most is not None and number > most):
            words = f"After this the sequence of {label} has no number any more that it takes: INSERTs fail."
            yield finding("key-near-end", words, severity="fail" if self._certain else "unknown", **about)
            return
        if not column.unique:
            return
        written = self._written.get(place)
        if written and (met := overtaken(label, written[0], made)):
            yield finding("sequence-behind", met, severity="warn", **about)
            return
        if number is not None and column.range is not None:
            if column.range.is_reached(number, made.increment):
                words = (
                    f"After this the next number of {label} is {number}, and rows up to"
                    f" {column.range.end(made.increment)} are there: INSERTs meet keys that are there."
                )
                doubt = self._former.doubt(place)
                severity: t.Any = "fail" if self._certain and not doubt else "unknown"
                yield finding("sequence-behind", words + doubt, severity=severity, **about)
            return
        before = self._before.get(column.sequence) if column.sequence else None
        old = before.next_number() if before else None
        if old is None or number is None or (number - old) * made.increment < 0 or place in self._refilled:
            words = f"Whether {label} has the next numbers of its sequence already is not known."
            yield finding("sequence-behind", words, severity="unknown", **about)

    def _full(self, name: Name) -> Name:
        return self._catalog.qualified(name)

    def _alter_sequence(self, node: t.Any, where: Where) -> t.Iterator[Refusal]:
        name = self._full(relation_name(node.sequence))
        if (there := self._catalog.table(name)) is not None and there.kind != "S":
            yield f"{dotted(name)} is no sequence", True
            return
        self._former.released(name, node.options or ())
        if any(option.defname == "owned_by" for option in node.options or ()) and name in self._identities:
            yield f"{dotted(name)} belongs to an identity column, and OWNED BY of it cannot be changed", True
        elif changes_numbers(node.options or ()):
            yield from self._altered(name, node.options or (), where)

    def _altered(self, name: Name, options: t.Iterable[t.Any], where: Where) -> t.Iterator[Refusal]:
        before = self._sequences.get(name)
        if before is None:
            if not self._catalog.is_new(name):
                yield (
                    f"Where the sequence {dotted(name)} stands is not known, so that its new options may not fit",
                    False,
                )
            return
        made, wrong = altered(before, options)
        if wrong:
            yield f"{wrong}: the sequence {dotted(name)}", True
            return
        narrowed = made.least > before.least or made.most < before.most
        if made.last is None and narrowed:
            yield f"Where the sequence {dotted(name)} stands is not known, so that its new bounds may not fit", False
        self._sequences[name] = made
        self._moved[name] = where

    def _make_sequence(self, node: t.Any, _where: Where) -> t.Iterator[Refusal]:
        name = self._full(relation_name(node.sequence))
        if node.if_not_exists and self._catalog.known(name):
            return
        made, wrong = altered(None, node.options or ())
        if wrong:
            yield f"{wrong}: the sequence {dotted(name)}", True
        else:
            self._sequences[name] = self._before[name] = made

    def _table(self, node: t.Any, _where: Where) -> t.Iterator[Refusal]:
        table = self._full(relation_name(node.relation))
        if node.if_not_exists and self._catalog.known(table):
            return
        keys = single_keys(node)
        for item in node.tableElts or ():
            if isinstance(item, ast.ColumnDef) and (own := own_sequence(item)):
                kind, options = own
                made, wrong = altered(None, options, kind)
                if wrong:
                    yield f"{wrong}: the sequence of {dotted(table)}.{item.colname}", True
                    continue
                unique = item.colname in keys or any(part.contype in KEYS for part in item.constraints or ())
                column = NumberedColumn(kind, unique, Range(None, None), None, item is node.tableElts[0])
                self._fill((table, str(item.colname)), column, made)

    def _fill(self, place: tuple[Name, str], column: NumberedColumn, made: Sequence) -> None:
        """A column gets a sequence of its own."""
        (schema, table), name = place
        sequence = free_sequence((schema, object_name(table, name, "seq")), self._sequences, self._catalog)
        self._sequences[sequence] = made
        self._columns[place] = dataclasses.replace(column, sequence=sequence)

    def _alter_table(self, node: t.Any, where: Where) -> t.Iterator[Refusal]:
        if node.objtype != ObjectType.OBJECT_TABLE:
            return
        table = self._full(relation_name(node.relation))
        for command in node.cmds or ():
            kind, part = Command(command.subtype), command.def_
            place = (table, command.name)
            if kind == Command.AT_AddColumn:
                yield from self._add_column(table, part, lenient=bool(command.missing_ok))
            elif kind == Command.AT_AddIdentity:
                old = self._catalog.column(*place)
                column = self._columns.get(place) or NumberedColumn(old.type if old else "int8", False, None, None)
                made, wrong = altered(None, part.options or (), column.kind)
                if wrong:
                    yield f"{wrong}: the identity of {dotted(table)}.{command.name}", True
                else:
                    self._fill(place, column, made)
                    self._refilled[place] = where
            elif kind == Command.AT_SetIdentity and changes_numbers(part or ()):
                known = self._columns.get(place)
                if known and known.sequence:
                    yield from self._altered(known.sequence, part, where)
                elif not self._catalog.is_new(table):
                    yield f"Where the identity of {dotted(table)}.{command.name} stands is not known", False
            elif kind == Command.AT_ColumnDefault:
                self._default(place, part, where)
            elif (wider := integer_type(command)) and place in self._columns:
                self._retyped(place, wider, where)
            elif kind == Command.AT_DropIdentity and place in self._columns:
                self._columns[place].sequence = None

    def _retyped(self, place: tuple[Name, str], kind: str, where: Where) -> None:
        """An identity's sequence takes the type of its column: transformAlterTableStmt in parser/parse_utilcmd.c."""
        column, sequence = self._columns[place], self._columns[place].sequence
        column.kind = kind
        if sequence in self._identities and sequence in self._sequences:
            self._sequences[sequence] = with_kind(self._sequences[sequence], kind)
        elif sequence:
            self._widened[place] = where

    def _default(self, place: tuple[Name, str], expression: t.Any, where: Where) -> None:
        column = self._columns.get(place)
        if column is None:
            return
        calls = [call for call in sequence_calls(expression) if call.function == "nextval" and call.sequence]
        own = calls[0].sequence if len(calls) == 1 else None
        self._former.left(place, column.sequence)
        column.sequence = self._full(own) if own else None
        if own:
            self._refilled[place] = where

    def _add_column(self, table: Name, part: t.Any, *, lenient: bool) -> t.Iterator[Refusal]:
        known = self._catalog.table(table)
        if known is not None and part.colname in known.columns:
            return
        made: Sequence | None = None
        label = f"{dotted(table)}.{part.colname}"
        if own := own_sequence(part):
            kind, options = own
            made, wrong = altered(None, options, kind)
            if wrong:
                yield f"{wrong}: the sequence of {label}", True
                return
            unique = any(item.contype in KEYS for item in part.constraints or ())
            # Its rows get the first numbers, so that the next is a free one.
            if not lenient:
                self._fill((table, part.colname), NumberedColumn(kind, unique, None, None), made)
        elif of_default := default_sequence(part):
            made = self._sequences.get(self._full(of_default))
        rows = self._catalog.with_rows(known) if known else None
        yield from too_few(made, rows, label) if made and rows else ()

    def _rename(self, node: t.Any, _where: Where) -> t.Iterator[Refusal]:
        if node.renameType == ObjectType.OBJECT_SEQUENCE and node.relation is not None:
            old = self._full(relation_name(node.relation))
            renamed(old, (old[0], str(node.newname)), self._columns, self._sequences, self._before, self._moved)
        yield from ()

    def _truncate(self, node: t.Any, where: Where) -> t.Iterator[Refusal]:
        for relation in node.relations or ():
            table = self._full(relation_name(relation))
            for place, column in self._columns.items():
                if place[0] == table:
                    column.range = Range(None, None)
                    self._written.pop(place, None)
                    made = self._sequences.get(column.sequence) if column.sequence else None
                    if node.restart_seqs and made and column.sequence:
                        self._sequences[column.sequence] = dataclasses.replace(made, last=made.start, called=False)
                        self._moved[column.sequence] = where
        yield from ()

    def _delete(self, node: t.Any, _where: Where) -> t.Iterator[Refusal]:
        table = self._full(relation_name(node.relation))
        for place, column in self._columns.items():
            if place[0] == table:
                every = node.whereClause is None and not node.usingClause
                column.range = Range(None, None) if every else None
                if every:
                    self._written.pop(place, None)
        yield from ()

    def _insert(self, node: t.Any, where: Where) -> t.Iterator[Refusal]:
        for write in own_writes(node):
            table = self._full(write.table)
            for place, column in self._columns.items():
                if write.kind == "INSERT" and place[0] == table and column.sequence:
                    yield from self._inserted(write, place, column, where)

    def _inserted(
        self, write: Write, place: tuple[Name, str], column: NumberedColumn, where: Where
    ) -> t.Iterator[Refusal]:
        made = self._sequences.get(column.sequence) if column.sequence else None
        given = write.columns is None or place[1] in write.columns
        if takes_number(write, place[1]):
            if made and column.sequence not in self._moved:
                yield from too_many(write, f"{dotted(place[0])}.{place[1]}", made, self._catalog)
            if made and column.sequence:
                self._sequences[column.sequence] = advanced(made, write, taken=1 if given else len(write.rows or ()))
        placed = write.columns is not None or is_first(place, column, self._catalog)
        if placed and given and write.overriding != "user" and made:
            before = self._written.pop(place, (Written(), where))
            written = given_numbers(write, place[1], before[0])
            self._written |= {place: (written, where)} if written.numbers or written.by_query else {}

    def _calls(self, node: t.Any, where: Where) -> t.Iterator[Refusal]:
        """setval(), and nextval() outside of definitions."""
        if not isinstance(node, (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt)):
            return
        for call in sequence_calls(node):
            place = (self._full(call.column[0]), call.column[1]) if call.column else None
            column = self._columns.get(place) if place else None
            name = self._full(call.sequence) if call.sequence else column.sequence if column else None
            made = self._sequences.get(name) if name else None
            if name is None or made is None or (place and self._former.hides(place, name)):
                continue
            if call.function == "nextval":
                if made.is_used_up() and isinstance(node, ast.SelectStmt) and not node.fromClause:
                    yield f"The sequence {dotted(name)} is at its end, and gives no number", True
                continue
            yield from self._set(name, made, call.node.args or (), whole_table(node), where)

    def _set(
        self, name: Name, made: Sequence, arguments: t.Sequence[t.Any], table: Name | None, where: Where
    ) -> t.Iterator[Refusal]:
        value, sure = value_of(arguments[1], self._range_of, table) if len(arguments) > 1 else (None, False)
        called: t.Any = constant(arguments[2]) if len(arguments) > 2 else None
        self._moved[name] = where
        if not sure or (len(arguments) > 2 and (called is None or called.kind != "boolean")):
            self._sequences[name] = dataclasses.replace(made, last=None, called=None)
            # It follows the rows, whatever they are.
            self._moved.pop(name)
            for place in [place for place in self._refilled if self._columns[place].sequence == name]:
                self._refilled.pop(place)
        elif value is not None and not made.least <= value <= made.most:
            yield (
                f"setval() to {value} is out of the bounds of {dotted(name)}, which are {made.least} and {made.most}",
                True,
            )
        elif value is not None:
            self._sequences[name] = dataclasses.replace(
                made, last=value, called=bool(called.value) if called is not None else True
            )

    def _range_of(self, table: Name, column: str) -> Range | None:
        known = self._columns.get((self._full(table), column))
        written = (self._full(table), column) in self._written
        return known.range if known and not written else None

    _HANDLERS: t.ClassVar[dict[type, t.Callable[[SequenceJudge, t.Any, Where], t.Iterator[Refusal]]]] = {
        ast.AlterSeqStmt: _alter_sequence,
        ast.CreateSeqStmt: _make_sequence,
        ast.CreateStmt: _table,
        ast.AlterTableStmt: _alter_table,
        ast.RenameStmt: _rename,
        ast.TruncateStmt: _truncate,
        ast.DeleteStmt: _delete,
        ast.InsertStmt: _insert,
    }


__all__ = ("SequenceJudge",)
