"""What a trace adds to the rendered SQL: what could not be rendered becomes known, claims are compared. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import json
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Severity, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_rows import (
    Rows,
    calls,
    from_client,
    parsed,
    tables,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import RawStream, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_log import Traced

SHOWN_CHARACTERS = 120
# SQLSTATEs that rows may bring, or files and libraries of the server, of which the copy has none.
# Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
_NOT_OF_SCHEMA = ("02", "21", "22", "23", "P0", "55000", "58")
# SQLSTATE classes of errors from foreign servers, which the copy cannot reach.
_FOREIGN = ("HV", "08")
# Identifiers and times that a revision makes up, others each time that it runs.
_MADE_UP: t.Final = re.compile(
    r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+\d\d(?::?\d\d)?)?"
)


@dataclasses.dataclass(frozen=True)
class Trace:
    """The real upgrade on a copy of the schema.

    :param statements: what the server got, in order
    :param error: for which it ended early, None where it did not
    :param revision: that ran last; "" is env.py
    :param seconds: of each revision, on tables without rows
    :param phases: seconds for server, schema and upgrade
    """

    statements: t.Sequence[Traced]
    error: str | None
    revision: str
    seconds: t.Mapping[str, float]
    phases: t.Mapping[str, float]

    @functools.cached_property
    def _by_revision(self) -> dict[str, list[Traced]]:
        found: dict[str, list[Traced]] = {}
        for item in self.statements:
            found.setdefault(item.revision, []).append(item)
        return found

    def of(self, revision: str) -> list[Traced]:
        """The statements of one revision, in order."""
        return self._by_revision.get(revision, [])


def known(
    rendered: Rendered, trace: Trace, version_table: Name, empty: t.Iterable[Name] = (), *, bare: bool = False
) -> Rendered:
    """The SQL with what the trace saw in place of revisions that could not be rendered, as far as it went.

    :param version_table: Alembic's, whose rows the copy has
    :param empty: tables of the live database that have no row
    :param bare: the live database has no table but that
    """
    read = Rows([version_table], empty, bare=bare).read_by(trace.statements)
    parts: list[str] = []
    segments: list[Segment] = []
    end, length = 0, 0
    for segment in rendered.segments:
        between, start = rendered.sql[end : segment.start], length + segment.start - end
        text = rendered.sql[segment.start : segment.end]
        if _opaque(segment) and segment.revision in trace.seconds:
            seen = trace.of(segment.revision)
            text = "".join(f"{item.sql.rstrip().rstrip(';')};\n" for item in seen if _counts(item))
            reads = read.get(segment.revision)
            why = f"it reads {', '.join(reads)}, of which the trace's copy has nothing" if reads else None
            now = dataclasses.replace(segment, error=None, inspects=why, lines=(), checkfirst_spans=())
        else:
            now = _moved(segment, start - segment.start)
        segments.append(dataclasses.replace(now, start=start, end=start + len(text)))
        parts += [between, text]
        end, length = segment.end, start + len(text)
    return Rendered("".join([*parts, rendered.sql[end:]]), segments, rendered.read)


def _opaque(segment: Segment) -> bool:
    return segment.error is not None or segment.inspects is not None


def _moved(segment: Segment, by: int) -> Segment:
    return dataclasses.replace(
        segment,
        lines=tuple((position + by, line) for position, line in segment.lines),
        checkfirst_spans=tuple((begin + by, end + by) for begin, end in segment.checkfirst_spans),
    )


def _asks_only(sql: str) -> bool:
    """Whether it changes and locks nothing that matters: a look at the catalogues, a savepoint, the end of a cursor."""
    nodes = parsed(sql)
    return nodes is not None and all(_harmless(node) for node in nodes)


def _counts(item: Traced) -> bool:
    """Whether it is judged: it did something, and what the revision caught itself did not."""
    return item.refusal is None and not _asks_only(item.sql) and not from_client(item.sql)


def _harmless(node: t.Any) -> bool:
    if isinstance(node, ast.VariableShowStmt | ast.DeallocateStmt | ast.ClosePortalStmt | ast.FetchStmt):
        return True
    return isinstance(node, ast.SelectStmt) and not tables(node) and not calls(node)


def findings(rendered: Rendered, trace: Trace) -> list[Finding]:
    """What the trace says that the rules do not: what the server refused, and what runs otherwise than it was rendered.

    :param rendered: as Alembic rendered it, without the trace
    """
    found: list[Finding] = []
    if trace.error:
        found.append(_failure(trace))
    for segment in rendered.segments:
        if not _opaque(segment) and segment.revision in trace.seconds:
            found += _differing(segment, rendered.sql[segment.start : segment.end], trace)
    return found


def _failure(trace: Trace) -> Finding:
    revision, error = trace.revision or None, trace.error or ""
    # What the revision caught itself was no end.
    refused = [item for item in trace.of(trace.revision) if item.refusal and item.refusal[1].splitlines()[0] in error]
    if not refused or not refused[-1].refusal:
        words = f"On a copy of the schema without rows the upgrade fails: {error}."
        return finding("trace-failed", words, revision=revision)
    state, message = refused[-1].refusal
    shown = without_named(" ".join(refused[-1].sql.split()))[:SHOWN_CHARACTERS]
    words = f"On a copy of the schema the server refuses it: {message} ({state}), in: {shown}"
    # Subscriptions and user mappings are not copied: their definitions hold passwords.
    kept_back = "SUBSCRIPTION" in shown.upper() or "user mapping" in message
    absent = kept_back or state.startswith((*_NOT_OF_SCHEMA, *_FOREIGN))
    severity: Severity | None = "unknown" if absent else None
    return finding("trace-refused", words, severity=severity, revision=revision)


def _differing(segment: Segment, rendered: str, trace: Trace) -> list[Finding]:
    """A static revision whose statements were others online."""
    seen = [item.sql for item in trace.of(segment.revision) if _counts(item)]
    online = _comparable(kind for sql in seen for kind in _kinds(sql))
    offline = _comparable(_kinds(rendered))
    if online == offline:
        return []
    surplus = [kind for kind in online if kind not in offline] or [kind for kind in offline if kind not in online]
    what = f", among them {without_named(surplus[0])[:SHOWN_CHARACTERS]}" if surplus else ""
    words = f"{segment.path}: online it ran {len(online)} statements, offline it renders {len(offline)}{what}."
    return [finding("trace-differs", words, revision=segment.revision)]


def _comparable(spellings: t.Iterable[str]) -> list[str]:
    """Statements without what differs from one run to the next: values that are made up, and the order of indexes.

    SQLAlchemy takes the indexes of a new table from a set.
    """
    masked = [_MADE_UP.sub("…", text) for text in spellings]
    groups = itertools.groupby(masked, lambda text: text.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")))
    return [text for indexes, group in groups for text in (sorted(group) if indexes else group)]


def _kinds(sql: str) -> list[str]:
    """The statements in one spelling, without transactions; of an INSERT each row, which drivers put together."""
    nodes = parsed(sql)
    if nodes is None:
        return [" ".join(sql.split())]
    single = (part for node in nodes if not isinstance(node, ast.TransactionStmt) for part in _rows_apart(node))
    return [_spelling(node) for node in single]


def _rows_apart(node: t.Any) -> t.Iterator[t.Any]:
    """An INSERT of several rows as one for each; any other statement as it is."""
    query = node.selectStmt if isinstance(node, ast.InsertStmt) else None
    rows: t.Sequence[t.Any] = getattr(query, "valuesLists", None) or ()
    if query is None or len(rows) < 2:
        yield node
        return
    for row in rows:
        one, of_one = copy.copy(node), copy.copy(query)
        of_one.valuesLists, one.selectStmt = (row,), of_one
        yield one


def _spelling(node: t.Any) -> str:
    """A statement as pglast writes it; the tree itself where it cannot, as with an enumeration without a value."""
    try:
        return str(RawStream()(node))
    except (AttributeError, NotImplementedError, TypeError):
        return json.dumps(_without_places(node(skip_none=True)), default=str)


def _without_places(tree: t.Any) -> t.Any:
    if isinstance(tree, dict):
        return {name: _without_places(part) for name, part in tree.items() if name != "location"}
    return [_without_places(part) for part in tree] if isinstance(tree, list | tuple) else tree


def disagreements(
    trace: Trace, statements: t.Iterable[t.Mapping[str, t.Any]], unclaimed: t.Container[str | None]
) -> list[Finding]:
    """Locks and rewrites that the server was seen to take, and that no rule had claimed.

    :param statements: as Judgement has them, with the claims
    :param unclaimed: revisions with a statement of which no rule claims to know all
    """
    claimed: dict[str, tuple[dict[str, Mode], set[str]]] = {}
    for item in statements:
        modes, rewrites = claimed.setdefault(item["revision"], ({}, set()))
        for lock in item["locks"]:
            modes[lock["table"]] = max(Mode.of_words(lock["mode"]), modes.get(lock["table"], Mode.NONE))
            rewrites |= {lock["table"]} if lock["rewrite"] else set()
    found: list[Finding] = []
    made, so_far = _made(trace), dict[str, Mode]()
    for revision in trace.seconds:
        modes, rewrites = claimed.get(revision, ({}, set()))
        # What an earlier revision of the same transaction has locked stays locked.
        so_far |= {table: max(mode, so_far.get(table, Mode.NONE)) for table, mode in modes.items()}
        if revision in unclaimed:
            continue
        for table, mode in _strongest(trace, revision).items():
            if mode > max(so_far.get(table, Mode.NONE), Mode.ROW_EXCLUSIVE) and table not in made:
                words = f"On a copy of the schema the server took {mode} on {table}, the rules claim"
                words += f" {so_far[table]}." if table in so_far else " no lock."
                found.append(finding("trace-differs", words, revision=revision, table=table))
        for table in sorted(_rewritten(trace, revision) - rewrites - made):
            words = f"On a copy of the schema the server wrote {table} anew, which no rule claims."
            found.append(finding("trace-differs", words, revision=revision, table=table))
    return found


def _made(trace: Trace) -> set[str]:
    """Tables that the upgrade itself makes: whatever locks them, nobody waits."""
    return {
        ".".join(table)
        for item in trace.statements
        for node in parsed(item.sql) or ()
        for name in [_new_table(node)]
        for table in item.locks or ()
        if table[1] == name
    }


def _new_table(node: t.Any) -> str | None:
    if isinstance(node, ast.CreateStmt) and node.relation is not None:
        return t.cast("str", node.relation.relname)
    if isinstance(node, ast.CreateTableAsStmt) and node.into is not None and node.into.rel is not None:
        return t.cast("str", node.into.rel.relname)
    return None


def _strongest(trace: Trace, revision: str) -> dict[str, Mode]:
    """The strongest lock on each table that a revision's transaction held."""
    found: dict[str, Mode] = {}
    for item in trace.of(revision):
        for table, modes in (item.locks or {}).items():
            name = ".".join(table)
            found[name] = max([found.get(name, Mode.NONE), *map(Mode.of_server, modes)])
    return found


def _rewritten(trace: Trace, revision: str) -> set[str]:
    return {".".join(table) for item in trace.of(revision) for table in item.rewrites}


def summary(trace: Trace) -> dict[str, t.Any]:
    """For the report: seconds of the phases, and of each revision: seconds, statements, strongest locks, rewrites."""
    revisions = [
        {
            "revision": revision,
            "seconds": round(seconds, 3),
            "statements": sum(_counts(item) for item in trace.of(revision)),
            "locks": [
                {"table": table, "mode": str(mode)}
                for table, mode in sorted(_strongest(trace, revision).items())
                if mode > Mode.ACCESS_SHARE
            ],
            "rewrites": sorted(_rewritten(trace, revision)),
        }
        for revision, seconds in trace.seconds.items()
    ]
    return {"phases": {name: round(value, 3) for name, value in trace.phases.items()}, "revisions": revisions}


__all__ = ("Trace", "disagreements", "findings", "known", "summary")
