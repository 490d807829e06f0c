"""Whether a statement will fail on the rows that are there. Pure functions over the collector's answers.

An answer holds for the rows as they are now, with what the questions reckon with. Where the upgrade changes rows before
in a way that they do not know of, it is not known: neither that it fails nor that it does not.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import size
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import row_casts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_questions import (
    OF_THE_REST,
    Question,
    row_questions,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
    walk,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.written_rows import computed_rows, may_be_refused

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_rows import RowAnswer
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Effect
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.unique_keys import UniqueKeys

CheckRows = t.Literal["auto", "always", "never"]
# All questions together, in a session that is given up after a minute.
SECONDS: t.Final = 20
# _in_pod/row_facts.py: MOST_COUNTED.
_MOST_COUNTED = 1000
_WRITING = {"write", "copy", "truncate"}
_WHY = {
    "size": "the table is larger than what is read here (check_rows: always reads it)",
    "never": "check_rows is never, so they were not read",
    "time": "reading them takes longer than the time-out allows",
    "rights": "the role may not read them",
    "security": "row-level security may hide some of them from the role, or they are elsewhere",
    "kind": "rows of inherited or foreign tables are not asked",
    "derived": "a trigger or a generated column may change what the upgrade writes before",
    "type": "there is no question for these types",
    "absent": "the server does not have what it names",
    "error": "the question could not be asked on this server",
    "file": "the facts come from a file, which holds no rows",
}


@dataclasses.dataclass(frozen=True)
class RowPolicy:
    """Which tables may be read.

    :param most_bytes: tables above are not, without one of `check` itself
    """

    check: CheckRows = "auto"
    bounded: bool = False
    most_bytes: int = 1 << 30
    milliseconds: int = 5000

    def request(self, questions: t.Sequence[Question]) -> dict[str, t.Any]:
        """What _in_pod/row_facts.py takes."""
        most = 0 if self.check == "never" else self.most_bytes if self.check == "auto" and self.bounded else None
        requests = [question.request for question in questions]
        return {"questions": requests, "most_bytes": most, "milliseconds": self.milliseconds, "seconds": SECONDS}


class _Write(t.NamedTuple):
    """A statement that writes rows.

    :param plain: its text alone says what it writes
    :param adds: there may be more rows after it
    """

    plain: bool
    adds: bool


class RowJudge:
    """Judges each statement of the upgrade, in order. The caller sets `certain` to False where it ends."""

    def __init__(
        self, catalog: Catalog, answers: t.Sequence[RowAnswer] | None, uniques: UniqueKeys | None = None
    ) -> None:
        """:param answers: those of live_facts.collect to the questions of these statements; None: nobody asked
        :param uniques: the caller updates them
        """
        self._uniques = uniques
        self.certain = True
        self._catalog, self._answers = catalog, answers
        self._by_statement: dict[int, list[tuple[Question, RowAnswer]]] = {}
        # By table, the statements that change its rows.
        self._writes: dict[Name, dict[int, _Write]] = {}
        # Partitioned tables whose default partition left them, and holds no row of theirs any more.
        self._without_rest: set[Name] = set()

    def take(self, statements: t.Sequence[Statement]) -> None:
        """Find the questions of the statements that will be judged."""
        if self._answers is not None:
            for question, answer in zip(row_questions(statements), self._answers, strict=True):
                self._by_statement.setdefault(question.statement, []).append((question, answer))

    def judge(self, statement: Statement, where: Where) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it."""
        found: list[Finding] = []
        for question, answer in self._by_statement.get(statement.number, ()):
            if question.kind == "domain":
                found += self._domain(question, answer, where)
            elif question.kind == "written":
                if answer.get("violated") or self._may_be_refused(statement):
                    found += self._finding(question, answer, where)
            elif not self._idle(question, statement):
                found += self._finding(question, answer, where)
        return found

    def without_default(self, number: int) -> t.Literal["fail", "unknown", "info"]:
        """How much it weighs that a NOT NULL column has no default, which fails as soon as the table has a row.

        :return: info where it has none for certain, unknown where what ran before may have filled it
        """
        asked = [item for item in self._by_statement.get(number, ()) if item[0].kind == "null"]
        if not asked or any(answer.get("violated") is not False for _question, answer in asked):
            return "fail"
        unseen = any(self._unseen(question, answer) for question, answer in asked)
        return "info" if self.certain and not unseen else "unknown"

    def _may_be_refused(self, statement: Statement) -> bool:
        made = computed_rows(statement.node)
        return self._uniques is None or any(may_be_refused(item, self._catalog, self._uniques) for item in made)

    def knows_written(self, number: int) -> bool:
        """Whether it is known of each row that this statement computes whether its table takes it."""
        asked = [item for item in self._by_statement.get(number, ()) if item[0].kind == "written"]
        known = all(answer.get("violated") is not None and not self._unseen(made, answer) for made, answer in asked)
        return bool(asked) and known and self.certain

    def after(self, statement: Statement, effects: t.Iterable[Effect]) -> None:
        """What the statement did to rows."""
        node: t.Any = statement.node
        plain = isinstance(node, ast.InsertStmt) and not getattr(node.selectStmt, "fromClause", True)
        removes = isinstance(node, (ast.UpdateStmt, ast.DeleteStmt, ast.TruncateStmt))
        write = _Write(plain, not removes or any(isinstance(part, ast.InsertStmt) for part in walk(node)))
        leaving = {self._catalog.qualified(name) for name in _leaving(node)}
        self._without_rest -= {self._catalog.qualified(name) for name in _with_new_rest(node)}
        for effect in effects:
            known = effect.table_before
            if known and known.partition_of and self._catalog.qualified(effect.table) in leaving:
                self._leaves(known, statement.number, certain=statement.condition is None)
            if effect.rule in _WRITING:
                self._write(known.name if known else self._catalog.qualified(effect.table), statement.number, write)
                if known and known.partition_of:
                    self._write(known.partition_of, statement.number, write)
        if isinstance(node, ast.CreateTableAsStmt) and node.into is not None:
            self._write(self._catalog.qualified(relation_name(node.into.rel)), statement.number, write)
        elif isinstance(node, ast.RenameStmt) and node.relation is not None:
            # A table of the server keeps its name here, a new one does not.
            schema = node.relation.schemaname or self._catalog.schema
            if written := self._writes.pop((schema, str(node.relation.relname)), None):
                self._writes[schema, str(node.newname)] = written

    def _leaves(self, part: Table, number: int, *, certain: bool) -> None:
        """A partition takes its rows along."""
        parent = part.partition_of
        known = self._catalog.table(parent) if parent else None
        if certain and known and known.default_partition == part.name:
            self._without_rest.add(known.name)
        if parent:
            self._write(parent, number, _Write(plain=False, adds=False))

    def _write(self, table: Name, number: int, write: _Write) -> None:
        self._writes.setdefault(table, {})[number] = write

    def _written(self, name: Name) -> dict[int, _Write]:
        known = self._catalog.table(name)
        return self._writes.get(known.name if known else self._catalog.qualified(name), {})

    def _domain(self, question: Question, answer: RowAnswer, where: Where) -> t.Iterator[Finding]:
        """The findings for each column in which the domain is stored."""
        asked: dict[tuple[Name, str], RowAnswer] = {}
        for use in answer.get("uses", ()):
            asked[(use["schema"], use["table"]), use["column"]] = t.cast("RowAnswer", use)
        not_null = question.what.startswith("NOT NULL")
        uses = [(table, column) for table, column, inside in self._catalog.uses_of_domain(question.table) if not inside]
        for table, column in dict.fromkeys((*asked, *uses)):
            known, said = self._catalog.table(table), asked.get((table, column))
            if said is not None and known is not None and column in known.columns:
                kind: t.Literal["null", "check"] = "null" if not_null else "check"
                one = dataclasses.replace(question, kind=kind, table=table, columns=(column,))
                if not (not_null and self._catalog.proves_not_null(table, column)):
                    yield from self._finding(one, said, where)
            elif known is not None or self._catalog.is_new(table):
                why = question.problem or _WHY.get(answer.get("why", ""), "the upgrade changes its columns before")
                words = f"Whether the rows of {dotted(table)} fulfil {question.what} is not known: {why}."
                yield finding("rows-unknown", words, **(where | {"table": dotted(table)}))
            elif said is not None and said.get("violated") is not False:
                words = f"Whether the rows of {dotted(table)} fulfil {question.what} is not known."
                yield finding("rows-unknown", words, **(where | {"table": dotted(table)}))

    def _idle(self, question: Question, statement: Statement) -> bool:
        """Whether the server looks at no row for it, or there is no such table."""
        node, table = statement.node, self._catalog.table(question.table)
        if isinstance(node, ast.IndexStmt) and node.if_not_exists:
            return self._catalog.table((self._catalog.qualified(question.table)[0], node.idxname or "")) is not None
        if question.kind == "null" and question.columns:
            return all(self._catalog.proves_not_null(question.table, name) for name in question.columns)
        if question.kind == "bound" and question.what.startswith(OF_THE_REST):
            return table is not None and table.name in self._without_rest
        if question.kind == "merged":
            return not self._built_again(question, statement)
        if question.kind == "cast":
            for command in node.cmds if table else ():
                if command.subtype == Command.AT_AlterColumnType and command.name in question.columns:
                    old = self._catalog.column(question.table, command.name)
                    using = command.def_.raw_default
                    change = type_changes.file_effect(old, command.def_.typeName, using, command.name, self._catalog)
                    return change == "none"
        return table is None and not self._catalog.is_new(question.table)

    def _built_again(self, question: Question, statement: Statement) -> bool:
        """Whether the column still has a unique index for which its new type may make values alike."""
        table, column = self._catalog.table(question.table), question.columns[0]
        old = self._catalog.column(question.table, column)
        keys = self._uniques.of(table) if self._uniques and table else []
        if not any(column in key.columns or None in key.columns for key in keys):
            return False
        node: t.Any = statement.node
        commands = [item for item in node.cmds if item.subtype == Command.AT_AlterColumnType and item.name == column]
        for command in commands:
            kind = type_changes.type_name(command.def_.typeName)[0]
            plain = command.def_.raw_default is None and command.def_.collClause is None
            if not (plain and old is not None and row_casts.keeps_apart(old.type, kind)):
                return True
        return False

    def _unseen(self, question: Question, answer: RowAnswer) -> list[int]:
        """The statements that changed the rows, and are no part of the question."""
        written = self._written(question.table)
        new, empty = self._catalog.is_new(question.table), answer.get("bytes") == 0
        # What a new table is given by its text alone, every run of the upgrade gives it.
        unseen = {number: write for number, write in written.items() if number not in question.followed_statements}
        # A table without a row has none either after an UPDATE.
        found = [number for number, write in unseen.items() if (write.adds or not empty) and not (new and write.plain)]
        validated = self._catalog.constraints(question.table, question.what.rpartition(" ")[2])
        others = {item.other for item in validated if item.other} if question.kind == "validate" else set()
        for other in others | ({question.other} if question.other else set()):
            found += list(self._written(other))
        return sorted(set(found))

    def _finding(self, question: Question, answer: RowAnswer, where: Where) -> t.Iterator[Finding]:
        table = self._catalog.table(question.table)
        label = dotted(table.name if table else self._catalog.qualified(question.table))
        where = where | {"table": label}
        unseen = self._unseen(question, answer)
        if self._catalog.is_new(question.table):
            if unseen:
                words = f"Whether the rows of {label} fulfil {question.what} is not known: {_by(unseen)} fill it."
                yield finding("rows-unknown", words, **where)
            return
        violated = answer.get("violated")
        if violated is not True and _silent(question, answer):
            return
        proven = _proven(question, answer) if violated is None and not unseen else None
        if violated is False and not unseen:
            return
        if proven:
            words = f"{proven} of {label} by the statistics of its last ANALYZE: {question.what} will fail."
            certain = self.certain and not question.overcounts
            yield finding("rows-violate", words, severity=None if certain else "unknown", **where)
        elif violated:
            many = _many(question, answer)
            words = f"{many} of {label} violate {question.what}"
            if unseen or question.overcounts or not self.certain:
                words += f"; whether they are corrected by {_by(unseen)} before it is not known."
                yield finding("rows-unknown", words, **where)
            else:
                yield finding("rows-violate", f"{words}: this will fail.", **where)
        elif violated is False:
            words = f"Whether the rows of {label} will fulfil {question.what} is not known: {_by(unseen)} change them."
            yield finding("rows-unknown", words, **where)
        else:
            why = question.problem or _WHY.get(answer.get("why", ""), _WHY["error"])
            words = f"Whether the rows of {label} fulfil {question.what} is not known: {why}"
            read = answer.get("bytes")
            words += "." if read is None else f" ({size(read)})."
            yield finding("rows-unknown", words, **where)


def _silent(question: Question, answer: RowAnswer) -> bool:
    """Where no answer is no reason to doubt: few values are that long, and few casts fail that are not of texts."""
    if question.kind == "long":
        return answer.get("violated") is False or answer.get("why") not in {"size", "never", "time", "file"}
    return question.kind == "expression" and answer.get("why") == "type"


def _with_new_rest(node: t.Any) -> set[Name]:
    """The table that a statement gives a table as its default partition."""
    if not isinstance(node, ast.AlterTableStmt):
        return set()
    commands: t.Any = node.cmds
    # Of an index, ATTACH PARTITION has no bounds.
    attached = [item.def_.bound for item in commands or () if item.subtype == Command.AT_AttachPartition]
    return {relation_name(node.relation)} if any(bound and bound.is_default for bound in attached) else set()


def _leaving(node: t.Any) -> set[Name]:
    """The tables that a statement takes out of what they are partitions of, where they are some."""
    if isinstance(node, ast.DropStmt) and node.removeType == ObjectType.OBJECT_TABLE:
        objects: t.Any = node.objects
        return {qualified_name(item) for item in objects or ()}
    if not isinstance(node, ast.AlterTableStmt):
        return set()
    commands: t.Any = node.cmds
    return {relation_name(item.def_.name) for item in commands or () if item.subtype == Command.AT_DetachPartition}


def _by(numbers: t.Sequence[int]) -> str:
    if not numbers:
        return "statements"
    return f"statement {numbers[0]}" if len(numbers) == 1 else f"statements {', '.join(map(str, numbers[:5]))}"


def _many(question: Question, answer: RowAnswer) -> str:
    """How many, in words; exact as far as was counted, else the statistics' order of magnitude."""
    count = answer.get("count")
    one, several = (
        ("row", "rows") if question.kind not in {"duplicate", "merged"} else ("repeated value", "repeated values")
    )
    if count is None:
        return f"At least one {one}"
    if count <= _MOST_COUNTED:
        return f"{count} {one if count == 1 else several}"
    statistics = answer.get("statistics") or {}
    nulls = max((row["null_frac"] for row in statistics.values()), default=0) * max(answer.get("rows", 0), 0)
    if question.kind == "null" and nulls > _MOST_COUNTED:
        return f"About {round(nulls, -math.floor(math.log10(nulls))):.0f} {several}"
    return f"More than {_MOST_COUNTED} {several}"


def _proven(question: Question, answer: RowAnswer) -> str | None:
    """What the statistics alone prove; they may not be older than the changes that could have mended it.

    Source: compute_scalar_stats in commands/analyze.c: only a value that the sample saw twice is a common one.
    """
    statistics, rows = answer.get("statistics") or {}, answer.get("rows", -1)
    if rows <= 0 or not statistics:
        return None
    if question.kind == "null":
        column, most = max(statistics.items(), key=lambda item: item[1]["null_frac"])
        nulls = most["null_frac"] * rows
        if nulls > answer.get("modified", 0):
            return f"About {nulls:.0f} of {rows} rows are NULL in {column}"
    single = question.kind == "duplicate" and len(statistics) == len(question.columns) == 1
    if single and answer.get("modified", 0) == 0:
        column, row = next(iter(statistics.items()))
        if row["repeated"]:
            return f"Values occur more than once in {column}"
    return None


__all__ = ("SECONDS", "CheckRows", "RowJudge", "RowPolicy")
