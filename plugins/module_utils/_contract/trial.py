"""An image is tried: the order of the tries, and what each of them makes of what a place and a desk say.

A place starts and ends what the image runs (place_cluster.py: pods); the desk asks it and takes servers away.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.facts import (
    Ahead,
    Asked,
    Away,
    Ended,
    Facts,
    Probe,
    Started,
    Stopped,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.plan import PATHS

Row = dict[str, t.Any]

# No image has a revision of this name.
UNKNOWN_REVISION: t.Final = "a_later_version"
THREADS: t.Final = 8
LOADED_SECONDS: t.Final = 1.0
# A request that begins so short a time before SIGTERM may come too late for the server to take it.
TOO_LATE_SECONDS: t.Final = 0.1
POLL_SECONDS: t.Final = 0.5
PROBE_SECONDS: t.Final = 10.0


@dataclasses.dataclass(frozen=True)
class Target:
    """Where the server answers, as the chart's values say.

    :param probes: kind, path and port by the probe's name
    :param tool: migration.tool
    :param version_table: Alembic's
    :param ledger: the chart's own, where the migration is a program of the image; else empty
    :param request: more of a request under load than its path: method, body, headers, path
    """

    image: str
    tool: str
    version_table: str
    probes: t.Mapping[str, tuple[str, str, int]]
    request: Row = dataclasses.field(default_factory=dict)
    ledger: str = ""
    away_seconds: float = 20
    back_seconds: float = 60


@dataclasses.dataclass(frozen=True)
class End:
    """How a server ended: exit code, when it was told to (seconds since 1970), seconds from then, and its grace."""

    code: int | None
    told: float
    seconds: float
    grace: float


class Place(t.Protocol):
    """Where the image runs."""

    def migrate(self, copies: int) -> list[Ended]:
        """Run the migration, so many at once; none where there is none."""

    def start(self, *, writable: bool = False, own_user: bool = False, kept: bool = False) -> Started:
        """Start the server and wait until it is ready, or until it is known that it will not be."""

    def address(self) -> str:
        """The address of the server, as the desk reaches it."""

    def restarts(self) -> int:
        """How often its process ended since it was started."""

    def stop(self) -> End:
        """End it as Kubernetes does."""

    def remove(self) -> None:
        """End it in any way."""

    def desk(self, request: Row) -> Row:
        """What the desk answers."""

    def servers(self) -> t.Collection[str]:
        """Which servers can be taken away: database, cache."""

    def url(self) -> str:
        """The URL of the database, as the desk reaches it."""


def run(place: Place, target: Target) -> Facts:
    """All that is seen of the image.

    :raises FindingError: the place does not work
    """
    facts = Facts(target.image, target.tool)
    together = place.migrate(2)
    if together:
        facts = dataclasses.replace(facts, together=tuple(together))
        if any(end.code != 0 for end in together):
            return facts
        facts = dataclasses.replace(facts, again=place.migrate(1)[0])
    started = place.start(kept=True)
    facts = dataclasses.replace(facts, started=started)
    if started.seconds is not None:
        return _Trial(place, target).of_running(facts)
    if started.ports:
        # The server runs, and does not answer where it is asked.
        probes = _Trial(place, target).of_probes()
        place.remove()
        return dataclasses.replace(facts, probes=probes)
    place.remove()
    return _why_not(place, facts)


def _why_not(place: Place, facts: Facts) -> Facts:
    """Whether it starts where it is held less tightly."""
    writable = place.start(writable=True)
    place.remove()
    if writable.seconds is not None:
        return dataclasses.replace(facts, writable=writable)
    own = place.start(writable=True, own_user=True)
    place.remove()
    return dataclasses.replace(facts, writable=writable, own_user=own)


class _Trial:
    """The trial of a server that runs."""

    def __init__(self, place: Place, target: Target) -> None:
        self._place, self._target = place, target
        self._unknown: dict[str, str] = {}

    def of_running(self, facts: Facts) -> Facts:
        """All that is seen of it; afterwards it does not run any more."""
        probes = self.of_probes()
        away = {}
        for name in ("database", "cache"):
            if name in self._place.servers():
                away[name] = self._away(name)
        stopped = self._stopped()
        ahead = self._ahead()
        return dataclasses.replace(
            facts,
            probes=probes,
            stopped=stopped,
            ahead=ahead,
            database=away.get("database"),
            cache=away.get("cache"),
            unknown=self._unknown,
        )

    def of_probes(self) -> dict[str, Probe]:
        """What each probe gets."""
        return {name: self._probe(name) for name in self._target.probes}

    def _desk(self, **request: t.Any) -> Row:
        answer = self._place.desk(request)
        if "error" in answer:
            raise FindingError("cluster-unreachable", f"The pod that asks the server says {answer['error']}.")
        return answer

    def _ask(self, path: str, port: int, seconds: float = PROBE_SECONDS) -> int | None:
        target = {"host": self._place.address(), "port": port, "path": path, "seconds": seconds}
        found = self._desk(do="ask", target=target)
        return int(found["status"]) if found["outcome"] == "answered" else None

    def _probe(self, name: str) -> Probe:
        kind, path, port = self._target.probes[name]
        if kind not in {"http", "tcp"}:
            return Probe(kind)
        status = self._ask(path, port)
        others: tuple[str, ...] = ()
        if kind == "http" and not _well(status):
            others = tuple(other for other in PATHS[name] if other != path and self._ask(other, port) == 200)
        return Probe(kind, Asked(path, status), others)

    def _ready(self) -> bool | None:
        """Whether it says so; None where it cannot be asked."""
        kind, path, port = self._target.probes.get("readiness", ("none", "", 0))
        if kind not in {"http", "tcp"}:
            return None
        return _well(self._ask(path, port))

    def _alive(self) -> bool:
        kind, path, port = self._target.probes.get("liveness", ("none", "", 0))
        return _well(self._ask(path, port)) if kind in {"http", "tcp"} else True

    def _away(self, name: str) -> Away:
        before = self._place.restarts()
        self._desk(do="shut", name=name)
        ready, alive = self._ready(), True
        try:
            end = time.monotonic() + self._target.away_seconds
            while time.monotonic() < end:
                alive = self._alive() and alive
                # One answer that is late says nothing yet, as one failed probe does not.
                if ready and self._ready() is False:
                    ready = self._ready()
                time.sleep(POLL_SECONDS)
        finally:
            self._desk(do="open", name=name)
        began = time.monotonic()
        back = None
        while back is None and time.monotonic() - began < self._target.back_seconds:
            if self._ready() is not False and self._alive():
                back = time.monotonic() - began
            else:
                time.sleep(POLL_SECONDS)
        return Away(ready, alive, self._place.restarts() > before, back)

    def _stopped(self) -> Stopped | None:
        host = self._place.address()
        target = self._load_target(host)
        if target is None:
            self._unknown["SIGTERM under load"] = (
                "It has no path and no port to ask: name one in ai_agent_check_request."
            )
            return None
        # The pod's clock is read before this one, so that the difference errs towards an earlier moment.
        clocks = self._desk(do="load", target=target, threads=THREADS)["now"] - time.time()
        time.sleep(LOADED_SECONDS)
        end = self._place.stop()
        told = self._desk(do="stop")
        before = end.told + clocks - TOO_LATE_SECONDS
        lost = sum(each["began"] < before for each in told["lost"])
        errors = sum(number for status, number in told["statuses"].items() if int(status) >= 500)
        return Stopped(told["requests"], lost, errors, end.code, end.seconds, end.grace)

    def _load_target(self, host: str) -> Row | None:
        """A path that is answered also while readiness is off; a request of one's own comes before it."""
        asked = {name: probe for name, probe in self._target.probes.items() if probe[0] in {"http", "tcp"}}
        if not asked:
            return None
        probe = asked.get("liveness") or asked.get("startup") or asked["readiness"]
        if probe[0] == "tcp":
            probe = next((each for each in asked.values() if each[0] == "http"), probe)
        return {"host": host, "port": probe[2], "path": probe[1]} | self._target.request

    def _ahead(self) -> Ahead | None:
        part, table = "schema ahead", self._target.version_table
        # After an upgrade both say so: Alembic's table, and the ledger by which the chart knows a rollback.
        asked: Row = {"url": self._place.url(), "table": table, "revision": UNKNOWN_REVISION}
        asked |= {"ledger": self._target.ledger} if self._target.ledger else {}
        answer = self._place.desk({"do": "ahead", **asked})
        if "error" in answer:
            self._unknown[part] = f"The version table cannot be written: {answer['error']}."
            return None
        if not answer["rows"]:
            self._unknown[part] = f"There is no version table {table} of Alembic in which a later revision could stand."
            return None
        try:
            ends = self._place.migrate(1)
            migration = ends[0] if ends else None
            started = self._place.start() if migration is None or migration.code == 0 else Started(None)
            self._place.remove()
        finally:
            with contextlib.suppress(FindingError):
                self._desk(do="back", rows=answer["rows"], **asked)
        return Ahead(migration, started)


def _well(status: int | None) -> bool:
    """Whether the kubelet would take the status for healthy; a mere connection has the status 0."""
    return status is not None and (status == 0 or 200 <= status < 400)


__all__ = ("End", "Place", "Target", "run")
