"""What the page shows of a report, in the order in which a person wants to read it. Pure functions over report.json."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import size

# A page that a phone opens without effort; report.json has everything.
SHOWN_MESSAGES = 5
SHOWN_REVISIONS = 100
SHOWN_STATEMENTS = 300
SHOWN_CLIENTS = 12
SHOWN_LOCKS = 3
_SHORTEST = 0.01
_ORDER = {"fail": 0, "unknown": 1, "warn": 2, "skip": 3, "info": 4}
# What the preflight says of a database that is not up yet, and what a verification after it has shown.
_AWAY = frozenset({"database-unreachable", "database-host-unknown", "database-refused", "database-timeout"})
_PROVEN = "Shown since: the verification reached the database from the agent's pods."
_SOURCES = {"migration_preflight": "Preflight", "connectivity_test": "Connectivity", "release_soak": "Soak"}
# The page uses these words as names of CSS classes; any other word of a report is shown as unknown.
_RISKS = frozenset({"none", "low", "unknown", "high"})
_STATUSES = frozenset({"pass", "warn", "fail", "skip"})


def _known(value: t.Any, words: frozenset[str]) -> str:
    return str(value) if value in words else "unknown"


@dataclasses.dataclass(frozen=True)
class Message:
    """One finding of a group: what it says, and where."""

    text: str
    where: str
    accepted: str


@dataclasses.dataclass(frozen=True)
class Group:
    """Findings of one id: said once what to do, then each occurrence."""

    id: str
    source: str
    severity: str
    hint: str
    runbook: str
    messages: tuple[Message, ...]
    accepted: bool

    @property
    def first(self) -> tuple[Message, ...]:
        """The messages that are shown at once."""
        return self.messages[:SHOWN_MESSAGES]

    @property
    def others(self) -> tuple[Message, ...]:
        """The messages that unfold."""
        return self.messages[SHOWN_MESSAGES:]


def groups(reports: t.Mapping[str, t.Any], runbook_url: str) -> list[Group]:
    """The findings of all reports, worst first, accepted ones last; those of one id and severity together."""
    found: dict[tuple[t.Any, ...], list[dict[str, t.Any]]] = {}
    proven = _AWAY if _reached(reports.get("connectivity_test") or {}) else frozenset()
    for kind, report in reports.items():
        for item in report.get("findings", ()):
            accepted = item.get("accepted") is not None
            severity = item.get("severity") if item.get("severity") in _ORDER else "unknown"
            key = (accepted, _ORDER[severity], _SOURCES.get(kind, kind), str(item.get("id")), severity)
            found.setdefault(key, []).append(item)
    # The order in which the modules found them says more than the alphabet; only the severity comes before it.
    return [
        Group(
            id=name,
            source=source,
            severity=severity,
            hint=_PROVEN if source == "Preflight" and name in proven else str(items[0].get("hint") or ""),
            runbook=_link(items[0], name, runbook_url),
            messages=tuple(_message(item) for item in items),
            accepted=accepted,
        )
        for (accepted, _number, source, name, severity), items in sorted(found.items(), key=lambda pair: pair[0][:2])
    ]


def _reached(connectivity: t.Mapping[str, t.Any]) -> bool:
    """Whether every pod that was asked has used the database."""
    phases = [
        phase
        for item in connectivity.get("dependencies") or ()
        if item.get("name") == "postgresql"
        for phase in item.get("phases") or ()
    ]
    return bool(phases) and all(phase.get("status") == "pass" for phase in phases)


def _link(item: dict[str, t.Any], name: str, runbook_url: str) -> str:
    anchor = str(item.get("runbook") or f"#{name}").partition("#")[2]
    return f"{runbook_url}#{anchor}"


_PLACES = ("revision", "statement", "table", "dependency")
# How many of the pods that saw the same finding are named.
_SHOWN_PODS = 3


def _message(item: dict[str, t.Any]) -> Message:
    words = {"revision": "revision ", "statement": "statement "}
    where = [f"{words.get(name, '')}{item[name]}" for name in _PLACES if item.get(name) is not None]
    pods = [str(pod) for pod in item.get("pods") or ()]
    where += (
        pods if len(pods) <= _SHOWN_PODS else [*pods[: _SHOWN_PODS - 1], f"{len(pods) - _SHOWN_PODS + 1} more pods"]
    )
    return Message(str(item.get("message") or ""), ", ".join(where), str(item.get("accepted") or ""))


@dataclasses.dataclass(frozen=True)
class Lock:
    """One lock of a statement with the table's live figures; `work` says what is done to every row."""

    mode: str
    table: str
    size: str
    rows: str
    work: str


@dataclasses.dataclass(frozen=True)
class Statement:
    """One statement; `more` counts the locks that the report leaves out."""

    number: t.Any
    sql: str
    risk: str
    locks: tuple[Lock, ...]
    more: int


@dataclasses.dataclass(frozen=True)
class Revision:
    """One pending revision, with the strongest lock of its statements.

    :param traced: what a trace saw of it, in words; empty where there was none
    """

    id: str
    title: str
    risk: str
    strongest: Lock | None
    statements: tuple[Statement, ...]
    traced: str


@dataclasses.dataclass(frozen=True)
class Migrations:
    """Pending revisions in their order, or applied ones where the run went past the release; how many are left out.

    :param live: revisions in words, empty where there are none or nobody asked
    :param target: the same
    :param unknown: the finding for which it is not known what is pending; then `revisions` are all that the image has,
        and some may have been applied before
    """

    applied: bool
    state: str
    live: str
    target: str
    revisions: tuple[Revision, ...]
    left_out: int
    statements_left_out: int
    unknown: str


def migrations(report: t.Mapping[str, t.Any] | None, *, released: bool) -> Migrations | None:
    """The migrations of a preflight's report, or None where there is no verdict on any."""
    if not report or "pending" not in report:
        return None
    pending, left = report["pending"], SHOWN_STATEMENTS
    traced = {item["revision"]: item for item in (report.get("trace") or {}).get("revisions", ())}
    omitted = int(report.get("statements_omitted") or 0)
    shown = []
    for revision in pending[:SHOWN_REVISIONS]:
        statements = revision.get("statements", [])
        kept = statements[: max(0, left)]
        left -= len(kept)
        omitted += len(statements) - len(kept)
        forms = tuple(_statement(item) for item in kept)
        strongest = revision.get("strongest_lock")
        shown.append(
            Revision(
                str(revision.get("revision", "")),
                str(revision.get("title") or ""),
                _known(revision.get("risk", "none"), _RISKS),
                _lock(strongest) if strongest else None,
                forms,
                _traced(traced.get(revision.get("revision"))),
            )
        )
    omitted += sum(len(revision.get("statements", ())) for revision in pending[SHOWN_REVISIONS:])
    return Migrations(
        applied=released and bool(pending or report.get("pending_unknown")),
        state=str(report.get("state") or ""),
        live=", ".join(map(str, report.get("live_revisions", ()))),
        target=", ".join(map(str, report.get("target_revisions", ()))),
        revisions=tuple(shown),
        left_out=max(len(pending), int(report.get("pending_count") or 0)) - len(shown),
        statements_left_out=omitted,
        unknown=str(report.get("pending_unknown") or ""),
    )


def _traced(seen: t.Mapping[str, t.Any] | None) -> str:
    """What a trace saw of a revision: migration_preflight's `trace`, an item of `revisions`."""
    if seen is None:
        return ""
    seconds = float(seen["seconds"])
    words = f"in {seconds:.2f} s" if seconds >= _SHORTEST else f"in less than {_SHORTEST} s"
    locks = [f"{lock['mode']} on {lock['table']}" for lock in seen["locks"]]
    parts = [words, *([f"locks {', '.join(locks[:SHOWN_LOCKS])}"] if locks else [])]
    if len(locks) > SHOWN_LOCKS:
        parts[-1] += f" and {len(locks) - SHOWN_LOCKS} more"
    return "; ".join([*parts, *([f"writes {', '.join(seen['rewrites'])} anew"] if seen["rewrites"] else [])])


def _statement(item: dict[str, t.Any]) -> Statement:
    locks = tuple(_lock(lock) for lock in item.get("locks", ()))
    sql, number = str(item.get("sql", "")), item.get("statement", "")
    return Statement(number, sql, _known(item.get("risk", "none"), _RISKS), locks, int(item.get("locks_omitted") or 0))


def _lock(lock: dict[str, t.Any]) -> Lock:
    bytes_, rows = lock.get("total_bytes"), lock.get("rows")
    return Lock(
        mode=str(lock.get("mode", "")),
        table=str(lock.get("table", "")),
        size="new" if lock.get("new") else "" if bytes_ is None else size(float(bytes_)),
        rows="" if rows is None else "never analysed" if rows < 0 else f"{rows:,.0f}".replace(",", "\u202f"),
        work="rewrites" if lock.get("rewrite") else "scans" if lock.get("scan") else "",
    )


@dataclasses.dataclass(frozen=True)
class Cell:
    """One attempt from a pod to a target: `got` in a word, what was `expected`, how long it took in milliseconds."""

    got: str
    status: str
    expected: str = ""
    took: float | None = None


@dataclasses.dataclass(frozen=True)
class Matrix:
    """Rows are who asked, columns what was asked; a cell is None where nobody tried."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def negatives(connectivity: t.Mapping[str, t.Any]) -> Matrix | None:
    """The attempts that should have failed; None where none was made."""
    return _matrix(
        (
            _client(item),
            f"to {item.get('to')}",
            _cell(item, str(item.get("got") or "").replace("timeout", "timed out").replace("-", " "), "expected"),
        )
        for item in connectivity.get("negatives") or ()
    )


def answers(connectivity: t.Mapping[str, t.Any]) -> Matrix | None:
    """What the agent answered to HTTP requests, from each pod and through the Service; None where none was made."""
    return _matrix(
        (
            # The agent's pods are told apart; of another it matters only that it is none of them.
            str(item.get("pod")) if item.get("from") == "agent" else _client(item),
            f"{item.get('path')} {_WAYS.get(str(item.get('via')), item.get('via'))}",
            _cell(item, str(item.get("error") or item.get("http_status") or "no answer"), ""),
        )
        for item in connectivity.get("agent") or ()
    )


_WAYS = {"itself": "directly", "service": "through the Service"}
_CLIENTS = {"stranger": "Pod without the client label", "elsewhere": "Pod in another namespace", "agent": "Agent pods"}


def _client(item: t.Mapping[str, t.Any]) -> str:
    return _CLIENTS.get(str(item.get("from")), str(item.get("from")))


_WORST = ("pass", "skip", "warn", "unknown", "fail")


def _cell(item: t.Mapping[str, t.Any], got: str, expected: str) -> Cell:
    took = item.get("ms")
    wanted = str(item.get(expected) or "").replace("timeout", "timed out")
    return Cell(got, _known(item.get("status", "skip"), _STATUSES), wanted, None if took is None else float(took))


def _matrix(tried: t.Iterable[tuple[str, str, Cell]]) -> Matrix | None:
    """The worst attempt where several pods tried the same target."""
    cells: dict[tuple[str, str], Cell] = {}
    for client, target, cell in tried:
        known = cells.get((client, target))
        if known is None or _WORST.index(cell.status) > _WORST.index(known.status):
            cells[client, target] = cell
    if not cells:
        return None
    columns = tuple(dict.fromkeys(target for _name, target in cells))
    clients = list(dict.fromkeys(client for client, _target in cells))
    ordered = sorted(
        clients,
        key=lambda client: -max(_WORST.index(cells[client, to].status) for to in columns if (client, to) in cells),
    )
    rows = [(client, tuple(cells.get((client, target)) for target in columns)) for client in ordered]
    return Matrix(columns, tuple(rows[:SHOWN_CLIENTS]))


def soak(report: t.Mapping[str, t.Any] | None) -> list[Change]:
    """What the pods before a release and the new ones counted; empty where nothing was watched."""
    if not report or not report.get("soaked"):
        return []
    old, new = report["before"], report["after"]
    rows = [Change("Pods", str(old["pods"]), str(new["pods"])), Change("Restarts", "", str(new["restarts"]))]
    rows.insert(1, Change("Requests", f"{old['requests']:,}", f"{new['requests']:,}"))
    for what, name, form in (
        ("Without an error", "success", "{:.2f} %"),
        ("95 of 100 within", "p95_seconds", "{:.3g} s"),
    ):
        shown = [
            ""
            if each[name] is None
            else "more than " * (name == "p95_seconds" and each["p95_beyond"]) + form.format(each[name])
            for each in (old, new)
        ]
        rows.insert(-1, Change(what, *shown))
    return rows


@dataclasses.dataclass(frozen=True)
class Change:
    """Something that the run may have changed, before and after; both empty where it is not known."""

    what: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether both are known and differ."""
        return bool(self.after) and self.before != self.after


def changes(run: t.Mapping[str, t.Any]) -> list[Change]:
    """Chart, images and Helm revision."""
    chart, revision, images = run.get("chart") or {}, run.get("revision") or {}, run.get("images") or {}
    old, new = images.get("before") or {}, images.get("after") or {}
    found = [Change("Chart", str(chart.get("before") or ""), str(chart.get("after") or ""))]
    for name in dict.fromkeys([*new, *old]):
        found.append(Change(f"Image {name}", str(old.get(name) or ""), str(new.get(name) or "")))
    found.append(Change("Helm revision", str(revision.get("before") or ""), str(revision.get("after") or "")))
    return [item for item in found if item.before or item.after]


__all__ = (
    "Cell", "Change", "Group", "Lock", "Matrix", "Message", "Migrations", "Revision", "Statement", "answers", "changes",
    "groups", "migrations", "negatives", "soak",
)  # fmt: skip
