"""The statements of an upgrade, parsed with PostgreSQL's own grammar (pglast)."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.do_blocks import inner_statements
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    BoolExprType,
    ObjectType,
    ParseError,
    TransactionStmtKind,
    ast,
    parse_sql,
    scan,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.conditions import Condition
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment

# A schema (None: found on the search path) and a name, as the statement writes them.
Name = tuple[str | None, str]  # pylint: disable=unsupported-binary-operation

_BEGIN = {TransactionStmtKind.TRANS_STMT_BEGIN, TransactionStmtKind.TRANS_STMT_START}
_END = {TransactionStmtKind.TRANS_STMT_COMMIT, TransactionStmtKind.TRANS_STMT_ROLLBACK}


@dataclasses.dataclass(frozen=True)
class Statement:
    """One statement.

    :param node: None where the grammar refuses it
    :param transaction: the number of the transaction it runs in; None means that it commits by itself
    :param problem: why the grammar refuses it
    :param line: that of the revision's file which wrote it, None where that is not known
    :param looks_first: it is run only where what it makes is not there yet, or what it drops is
    :param in_block: it stands in a DO block
    :param condition: on which it runs there; those of one IF have the same object
    """

    number: int
    revision: str
    sql: str
    node: t.Any
    transaction: int | None
    problem: str | None = None
    line: int | None = None
    looks_first: bool = False
    in_block: bool = False
    condition: Condition | None = None


def name_schema(node: t.Any, role: str) -> None:
    """Write the name that CREATE SCHEMA AUTHORIZATION leaves out: that of the owner.

    :param role: CURRENT_USER and its like
    """
    if isinstance(node, ast.CreateSchemaStmt) and not node.schemaname and node.authrole is not None:
        node.schemaname = str(node.authrole.rolename or role)


def relation_name(relation: t.Any) -> Name:
    """The name of a RangeVar."""
    return relation.schemaname, relation.relname


def is_temporary(relation: t.Any) -> bool:
    """Whether a RangeVar that is made is one of the session alone."""
    return bool(relation.relpersistence == "t" or relation.schemaname == "pg_temp")


def made_name(relation: t.Any) -> Name:
    """The name of a RangeVar that is made, with the schema of temporary relations where it is one."""
    return ("pg_temp", relation.relname) if is_temporary(relation) else relation_name(relation)


def lifetime(relation: t.Any, on_commit: t.Any = None) -> dict[str, bool]:
    """`temporary` and `vanishing` of a relation that is made, as Catalog.create() takes them."""
    return {"temporary": is_temporary(relation), "vanishing": getattr(on_commit, "name", "") == "ONCOMMIT_DROP"}


def dotted(name: Name) -> str:
    """A name for a sentence: with its schema, where one is known."""
    return name[1] if name[0] is None else f"{name[0]}.{name[1]}"


def qualified_name(parts: t.Iterable[t.Any]) -> Name:
    """The name in a list of String nodes; a leading database name is left out. A domain's comes as a TypeName."""
    plain: list[t.Any] = [part.names[-1] if isinstance(part, ast.TypeName) and part.names else part for part in parts]
    values = [part.sval for part in plain]
    return (values[-2] if len(values) > 1 else None), values[-1]


# The nodes that were walked last, by identity, and what is below each: every rule looks at the same few once more.
_WALKED: dict[int, tuple[t.Any, list[t.Any]]] = {}
_MOST_WALKED = 64


def conjuncts(node: t.Any) -> t.Iterator[t.Any]:
    """The conditions that are joined by AND, at any depth; one that is joined by nothing is its only one."""
    if isinstance(node, ast.BoolExpr) and node.boolop == BoolExprType.AND_EXPR:
        for part in node.args or ():
            yield from conjuncts(part)
    else:
        yield node


# By kind of node, what `_slots` says of it.
_SLOTS: dict[type, tuple[str, ...]] = {}


def _slots(kind: type) -> tuple[str, ...]:
    """The slots of a kind of node that may hold others; most hold a text, a number or a switch."""
    if kind in _SLOTS:
        return _SLOTS[kind]
    slots: dict[str, t.Any] = kind.__dict__["__slots__"]

    def plain(info: t.Any) -> bool:
        kinds = info.py_type if isinstance(info.py_type, tuple) else (info.py_type,)
        return all(issubclass(one, (str, int, float)) for one in kinds)

    _SLOTS[kind] = tuple(name for name, info in slots.items() if not plain(info))
    return _SLOTS[kind]


def walk(node: t.Any) -> t.Sequence[t.Any]:
    """`node` and every node under it. pglast's own Visitor does more for each node, and takes ten times as long."""
    known = _WALKED.get(id(node))
    if known is not None and known[0] is node:
        return known[1]
    todo, found = [node], []
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):
            todo += part
        elif isinstance(part, ast.Node):
            found.append(part)
            names = _slots(type(part))
            todo += [value for name in names if isinstance(value := getattr(part, name), (tuple, ast.Node))]
    if isinstance(node, ast.Node):
        if len(_WALKED) >= _MOST_WALKED:
            _WALKED.clear()
        _WALKED[id(node)] = node, found
    return found


def relation_nodes(node: t.Any) -> list[t.Any]:
    """Every RangeVar anywhere below `node`, without those that name its WITH queries.

    :param node: also a tuple of nodes, of which each may name the WITH queries of another
    """
    parts = walk(node)
    local = {part.ctename for part in parts if isinstance(part, ast.CommonTableExpr)}
    named = (part for part in parts if isinstance(part, ast.RangeVar))
    return [part for part in named if part.schemaname is not None or part.relname not in local]


def relations(node: t.Any) -> list[Name]:
    """Every table named anywhere below `node`, without the names of its WITH queries."""
    return list(dict.fromkeys(relation_name(part) for part in relation_nodes(node)))


def functions(node: t.Any) -> list[Name]:
    """Every function called anywhere below `node`."""
    return list({qualified_name(part.funcname or ()): None for part in walk(node) if isinstance(part, ast.FuncCall)})


_WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def writes(node: t.Any) -> list[t.Any]:
    """Every INSERT, UPDATE, DELETE and MERGE at or below `node`."""
    return [part for part in walk(node) if isinstance(part, _WRITES)]


def _cut(sql: str) -> list[tuple[int, str]]:
    """Position and text of the statements of a text that does not parse as a whole, by its tokens.

    pglast's own `split(with_parser=False)` leaves out statements that begin with no keyword.
    """
    try:
        tokens = scan(sql)
    except ParseError:
        return [(0, sql)]
    found: list[tuple[int, str]] = []
    start, depth, words = 0, 0, False
    for token in tokens:
        depth += (token.name == "ASCII_40") - (token.name == "ASCII_41")
        if token.name == "ASCII_59" and depth <= 0:
            found += [(start, sql[start : token.start])] if words else []
            start, depth, words = token.end + 1, 0, False
        elif "COMMENT" not in token.name:
            words = True
    return [*found, (start, sql[start:])] if words else found


@dataclasses.dataclass(frozen=True)
class _Piece:
    """One statement of a text: where it begins, its words, and what the grammar says of it."""

    begin: int
    text: str
    node: t.Any
    problem: str | None = None


def _parsed(sql: str) -> t.Iterator[_Piece]:
    """Each statement; one bad statement does not hide its neighbours."""
    try:
        yield from _pieces(sql)
    except ParseError:
        for begin, text in _cut(sql):
            try:
                yield from [dataclasses.replace(piece, begin=begin + piece.begin) for piece in _pieces(text)]
            except ParseError as error:
                yield _piece(begin, text, None, str(error.args[0]))


def _pieces(sql: str) -> list[_Piece]:
    found = []
    for raw in parse_sql(sql):
        begin = raw.stmt_location or 0
        found.append(_piece(begin, sql[begin : begin + raw.stmt_len if raw.stmt_len else None], _created(raw.stmt)))
    return found


def _created(node: t.Any) -> t.Any:
    """SELECT INTO as what it is: transformSelectStmt in src/backend/parser/analyze.c refuses it anywhere else."""
    into = node.intoClause if isinstance(node, ast.SelectStmt) else None
    if into is None:
        return node
    node.intoClause = None
    return ast.CreateTableAsStmt(query=node, into=into, objtype=ObjectType.OBJECT_TABLE)


def _piece(begin: int, text: str, node: t.Any, problem: str | None = None) -> _Piece:
    """Without the white space around `text`."""
    return _Piece(begin + len(text) - len(text.lstrip()), text.strip(), node, problem)


def _relax(node: t.Any) -> None:
    """What SQLAlchemy looks for before is what IF NOT EXISTS and IF EXISTS say, of statements that have them."""
    for name in ("if_not_exists", "missing_ok"):
        if hasattr(node, name):
            setattr(node, name, True)


class Reader:
    """Reads an upgrade part by part. `found`: its statements without Alembic's own BEGIN, COMMIT and version table.

    `version_table_statements`: the CREATE TABLE that Alembic itself wrote, for its version table.
    """

    def __init__(self, tick: t.Callable[[], object] = lambda: None) -> None:
        """:param tick: called before each statement; it may raise what shall end a reading that takes too long"""
        self.found: list[Statement] = []
        self._tick = tick
        self.version_table_statements: list[t.Any] = []
        self._transaction: int | None = None
        self._opened = 0
        self._end = 0

    @property
    def commits_between(self) -> bool:
        """Whether a revision ends the transaction that was begun for it, as autocommit_block() does."""
        return self._opened > 0 and any(statement.transaction is None for statement in self.found)

    def feed(self, sql: str, segments: t.Iterable[Segment]) -> None:
        """The text that follows what was fed before, and its revisions; their positions count from the beginning."""
        offset = self._end
        for segment in segments:
            self._take(None, sql[self._end - offset : segment.start - offset])
            self._take(segment, sql[segment.start - offset : segment.end - offset])
            self._end = segment.end

    def _inside(self, piece: _Piece) -> list[t.Any] | None:
        """The statements of a DO block that can be read; outside of a transaction it is one of its own."""
        if not isinstance(piece.node, ast.DoStmt) or self._transaction is None:
            return None
        return inner_statements(piece.text, piece.node)

    def _take(self, segment: Segment | None, sql: str) -> None:
        """The statements of a revision, or what Alembic itself wrote between two (None)."""
        for piece in _parsed(sql):
            node = piece.node
            self._tick()
            if isinstance(node, ast.TransactionStmt):
                if node.kind in _BEGIN:
                    self._opened += 1
                    self._transaction = self._opened
                elif node.kind in _END:
                    self._transaction = None
            elif segment is not None and (inner := self._inside(piece)):
                line = segment.line(segment.start + piece.begin)
                for text, part, first, condition in inner:
                    if first:
                        _relax(part)
                    more = (self._transaction, None, line, first, True, condition)
                    self.found.append(Statement(len(self.found) + 1, segment.revision, text, part, *more))
            elif segment is not None:
                number, place = len(self.found) + 1, segment.start + piece.begin
                first = segment.looks_first(place)
                if first:
                    _relax(node)
                about = (self._transaction, piece.problem, segment.line(place), first)
                self.found.append(Statement(number, segment.revision, piece.text, node, *about))
            elif isinstance(node, ast.CreateStmt):
                self.version_table_statements.append(node)


def statements(rendered: Rendered) -> list[Statement]:
    """The statements of all revisions in order."""
    reader = Reader()
    reader.feed(rendered.sql, rendered.segments)
    return reader.found


__all__ = (
    "Name",
    "Reader",
    "Statement",
    "conjuncts",
    "dotted",
    "functions",
    "is_temporary",
    "lifetime",
    "made_name",
    "name_schema",
    "qualified_name",
    "relation_name",
    "relation_nodes",
    "relations",
    "statements",
    "walk",
    "writes",
)
