"""Whether an image keeps the contract of docs/agent-image.md, part by part. Facts go in, lines come out."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.log_line import spoken
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator, Mapping

    from ansible_collections.ai_platform.agent.plugins.module_utils._contract.facts import (
        Away,
        Ended,
        Facts,
        Probe,
        Started,
    )

Status = t.Literal["right", "set", "wrong", "missing", "unknown"]
Row = dict[str, t.Any]

# The words of a process that met a file system or a file that is not its own (errno EROFS and EACCES).
_READ_ONLY = ("Read-only file system", "Errno 30")
_DENIED = ("Permission denied", "Errno 13")
# Signals end a process with 128 and their number.
_KILLED, _TERMINATED = 137, 143
_USER = 1000


@dataclasses.dataclass(frozen=True)
class Line:
    """One part of the contract.

    :param status: right; set: right by a value that differs from the chart's default; wrong; missing: the image has
        nothing of the kind; unknown: it could not be tried
    :param words: a sentence with what was seen
    :param value: the chart's value that sets it, or that would
    """

    part: str
    status: Status
    words: str
    value: str = ""

    def as_dict(self) -> Row:
        """For the report."""
        return dataclasses.asdict(self)


def lines(facts: Facts, given: Mapping[str, t.Any]) -> list[Line]:
    """Every part of the contract, in the order in which an installation meets it.

    :param given: values that the inventory or a values file sets, by dotted name, with what they are
    """
    made = [*_migration(facts, given), *_start(facts, given)]
    made += _probes(facts, given)
    if facts.started and facts.started.seconds is not None:
        made += [*_user(facts), *_stop(facts)]
        made += [*_ahead(facts), *_database(facts), *_cache(facts)]
    return made


def _unknown(facts: Facts, part: str) -> Iterator[Line]:
    if part in facts.unknown:
        yield Line(part, "unknown", facts.unknown[part])


def _last(words: str) -> str:
    """The last line of a log that says something, short."""
    found = [line.strip() for line in words.splitlines() if line.strip()]
    return (printable(spoken(found[-1]))[:200] if found else "it says nothing").rstrip(".")


def _chosen(given: Mapping[str, t.Any], *names: str) -> list[str]:
    """Which of these values, or of what stands below them, are given."""
    return [key for key in given if any(key == name or key.startswith(f"{name}.") for name in names)]


def _ended(end: Ended) -> str:
    how = "did not end" if end.code is None else f"ended with exit code {end.code}"
    return f"{how}: {_last(end.words)}"


def _migration(facts: Facts, given: Mapping[str, t.Any]) -> Iterator[Line]:
    yield from _unknown(facts, "migration")
    if facts.tool == "none":
        yield Line("migration", "set", "The image migrates at its start, one pod first.", "migration.tool")
        return
    if not facts.together:
        return
    chosen = _chosen(given, "migration.tool", "migration.command", "migration.alembic", "migration.workingDir")
    failed = [end for end in facts.together if end.code != 0]
    if failed:
        part = "migration" if len(failed) == len(facts.together) else "migration twice at once"
        if len(failed) == len(facts.together):
            yield Line(part, "wrong", f"It {_ended(failed[0])}.", "migration.tool")
        else:
            yield Line(part, "wrong", f"One of two migrations, the second to run, {_ended(failed[0])}.")
        return
    status: Status = "set" if chosen else "right"
    yield Line("migration", status, f"It migrates an empty database with the tool {facts.tool}.", ", ".join(chosen))
    yield Line("migration twice at once", "right", "Two at once both end well.")
    if facts.again is not None:
        fine = facts.again.code == 0
        words = "Run again it finds nothing to do." if fine else f"Run again it {_ended(facts.again)}."
        yield Line("migration again", "right" if fine else "wrong", words)


def _start(facts: Facts, given: Mapping[str, t.Any]) -> Iterator[Line]:
    yield from _unknown(facts, "start")
    if facts.started is None:
        return
    if facts.started.seconds is not None:
        chosen = _chosen(given, "agent.command", "agent.args", "agent.workingDir")
        words = f"It is ready after {facts.started.seconds:.0f} s."
        yield Line("start", "set" if chosen else "right", words, ", ".join(chosen))
        yield _port(given)
        yield Line("read-only root", "right", "It starts with a root file system that it cannot write.")
        return
    said = _last(facts.started.words)
    if facts.writable and facts.writable.seconds is not None:
        seen = _found(facts.started.words, _READ_ONLY) or said
        yield Line("start", "wrong", f"It starts only where it may write to its root file system: {said}.")
        words = f"It writes outside of /tmp: {seen}."
        yield Line("read-only root", "wrong", words, "agent.extraVolumes, agent.extraVolumeMounts")
        return
    if facts.own_user and facts.own_user.seconds is not None:
        seen = _found(facts.started.words, _DENIED) or said
        yield Line("start", "wrong", f"It starts only as the image's own user: {said}.")
        uid = f", which is uid {facts.own_user.uid}" if facts.own_user.uid is not None else ""
        yield Line(
            "user", "wrong", f"uid 1000 cannot run it, only the image's own user{uid}: {seen}.", _security(facts)
        )
        return
    ports = sorted(set(facts.started.ports or ()))
    if ports:
        words = f"It does not get ready, and listens on port {', '.join(map(str, ports))}: {said}."
        yield Line("start", "wrong", words, "agent.port, agent.startupProbe, agent.readinessProbe")
        return
    value = "agent.command, agent.args, agent.env"
    yield Line("start", "wrong", f"It does not get ready: {said}.", value)


def _security(facts: Facts) -> str:
    root = facts.own_user is not None and facts.own_user.uid == 0
    return "" if root else "agent.podSecurityContext.runAsUser"


def _found(words: str, signs: tuple[str, ...]) -> str:
    """The last line of a log with one of these signs."""
    lines_ = [line.strip() for line in words.splitlines() if any(sign in line for sign in signs)]
    return printable(spoken(lines_[-1]))[:200].rstrip(".") if lines_ else ""


def _port(given: Mapping[str, t.Any]) -> Line:
    port = given.get("agent.port", 8000)
    return Line(
        "port", "set" if port != 8000 else "right", f"It listens on {port}.", "agent.port" if port != 8000 else ""
    )


def _user(facts: Facts) -> Iterator[Line]:
    started: Started | None = facts.started
    if started is None or started.uid is None:
        yield Line("user", "unknown", "Nobody could look as which user it runs.")
        return
    words = f"It runs as uid {started.uid}, gid {started.gid}."
    if started.uid == 0:
        yield Line("user", "wrong", f"{words} The pods must not run as root.", "agent.podSecurityContext.runAsUser")
    elif started.uid == _USER:
        yield Line("user", "right", words)
    else:
        yield Line("user", "set", words, "agent.podSecurityContext.runAsUser")


def _probes(facts: Facts, given: Mapping[str, t.Any]) -> Iterator[Line]:
    for name, probe in facts.probes.items():
        yield _probe(name, probe, given)


def _probe(name: str, probe: Probe, given: Mapping[str, t.Any]) -> Line:
    part, value = f"{name} probe", f"agent.{name}Probe"
    chosen = _chosen(given, f"{value}.httpGet", f"{value}.tcpSocket", f"{value}.exec", f"{value}.grpc")
    if probe.kind == "none":
        words = "It is switched off: a pod counts as well as soon as its process runs."
        return Line(part, "missing", words, f"{value}.enabled")
    if probe.asked is None:
        return Line(part, "set", f"It asks by {probe.kind}, and the node is satisfied.", value)
    asked = probe.asked
    if probe.kind == "tcp":
        words = "It only connects, which says of the process that it listens, and no more."
        return Line(part, "set", words, f"{value}.tcpSocket")
    if asked.status is not None and 200 <= asked.status < 400:
        return Line(part, "set" if chosen else "right", f"GET {asked.path} answers {asked.status}.", ", ".join(chosen))
    said = f"answers {asked.status}" if asked.status is not None else "gets no answer"
    if probe.others:
        words = f"GET {asked.path} {said}; what answers 200: {', '.join(probe.others[:3])}."
        return Line(part, "missing", words, f"{value}.httpGet.path={probe.others[0]}")
    return Line(part, "missing", f"GET {asked.path} {said}.", f"{value}.httpGet.path")


def _stop(facts: Facts) -> Iterator[Line]:
    yield from _unknown(facts, "SIGTERM under load")
    end = facts.stopped
    if end is None:
        return
    part = "SIGTERM under load"
    if end.code == _KILLED:
        words = f"It does not end within {end.grace:.0f} s after SIGTERM, and is killed."
        lost = f" {end.lost} of {end.requests} requests got no answer." if end.lost else ""
        yield Line(part, "wrong", words + lost, "agent.command: the server itself as process 1, and not a shell")
        return
    if end.lost or end.errors:
        words = f"Of {end.requests} requests {end.lost} got no answer and {end.errors} an error of the server."
        yield Line(part, "wrong", words, "agent.drainSeconds, where the image reads DRAIN_SECONDS")
        return
    code = "" if end.code == 0 else f" with exit code {end.code}"
    ended = f"It ends {end.seconds:.0f} s after SIGTERM{code}."
    status: Status = "right" if end.code in {0, _TERMINATED} else "wrong"
    yield Line(part, status, f"All {end.requests} requests were answered. {ended}")


def _ahead(facts: Facts) -> Iterator[Line]:
    part = "schema ahead"
    yield from _unknown(facts, part)
    seen = facts.ahead
    if seen is None:
        return
    if seen.migration is not None and seen.migration.code != 0:
        words = f"On a schema that it does not know its migration {_ended(seen.migration)}. A rollback would end there."
        yield Line(part, "wrong", words)
    elif seen.started.seconds is None:
        words = f"It does not serve on a schema that is newer than it: {_last(seen.started.words)}."
        yield Line(part, "wrong", f"{words} During an upgrade and after a rollback its pods could not start anew.")
    else:
        yield Line(part, "right", "It leaves a newer schema alone and serves on it.")


def _database(facts: Facts) -> Iterator[Line]:
    part = "database away"
    yield from _unknown(facts, part)
    seen = facts.database
    if seen is None:
        return
    if broken := _broken(seen):
        yield Line(part, "wrong", broken)
        return
    back = f"{seen.back or 0:.0f} s after it came back it is ready, without a restart."
    if seen.ready is None:
        yield Line(part, "unknown", "There is no readiness probe to ask.", "agent.readinessProbe")
    elif seen.ready:
        words = f"It says that it is ready all the same, so requests still come and fail. {back[0].upper()}{back[1:]}"
        yield Line(part, "wrong", words, "agent.readinessProbe.httpGet.path")
    else:
        yield Line(part, "right", f"It says that it is not ready; {back}")


def _cache(facts: Facts) -> Iterator[Line]:
    part = "cache away"
    yield from _unknown(facts, part)
    seen = facts.cache
    if seen is None:
        return
    if broken := _broken(seen):
        yield Line(part, "wrong", broken)
    elif seen.ready is False:
        words = "It says that it is not ready: one cache that restarts takes every pod out of the Service."
        yield Line(part, "wrong", words, "agent.readinessProbe.httpGet.path")
    else:
        yield Line(part, "right", "It stays ready, and is not restarted.")


def _broken(seen: Away) -> str:
    """What must not happen, whichever server is away."""
    if seen.restarted:
        return "Its process ends, so pods restart for a server that they cannot repair."
    if not seen.alive:
        return "Its liveness probe fails meanwhile, so pods restart for a server that they cannot repair."
    if seen.back is None:
        return "It does not get ready again by itself when the server is back."
    return ""


def verdict(found: list[Line]) -> t.Literal["kept", "broken", "unknown"]:
    """The verdict on the contract as a whole."""
    statuses = {line.status for line in found}
    if statuses & {"wrong", "missing"}:
        return "broken"
    return "unknown" if "unknown" in statuses or not found else "kept"


__all__ = ("Line", "lines", "verdict")
