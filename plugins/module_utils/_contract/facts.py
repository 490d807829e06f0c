"""What was seen of an image while it was tried: facts that are judged elsewhere, and can be recorded."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

Row = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Ended:
    """A program of the image that came to its end, or did not.

    :param code: its exit code, None where it had to be ended, or never started
    :param words: the last lines of its log, or why it never started
    """

    code: int | None
    words: str = ""


@dataclasses.dataclass(frozen=True)
class Started:
    """A try to start the server.

    :param seconds: until it was ready, None where it was not within its time
    :param words: the last lines of its log, or what the node says
    :param uid: user and group of its process, None where nobody could look
    :param ports: on which it listens, None where nobody could look
    """

    seconds: float | None
    words: str = ""
    uid: int | None = None
    gid: int | None = None
    ports: tuple[int, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Asked:
    """What one path answers.

    :param status: of HTTP; 0 for a mere connection; None where there was no answer
    """

    path: str
    status: int | None


@dataclasses.dataclass(frozen=True)
class Probe:
    """A probe of the chart and what it gets.

    :param kind: http, tcp, exec, grpc, or none where the values switch it off
    :param asked: None where it cannot be asked from elsewhere
    :param others: paths that other servers use for it, as far as this one answers them with 200
    """

    kind: str
    asked: Asked | None = None
    others: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Stopped:
    """An end under load.

    :param requests: that got a connection
    :param lost: of those that began before the process was told to end, how many got no answer
    :param errors: how many were answered with 500 or more
    :param code: exit code of the process; 137 where it was killed
    :param seconds: from the signal to the end
    :param grace: seconds after which it is killed
    """

    requests: int
    lost: int
    errors: int
    code: int | None
    seconds: float
    grace: float


@dataclasses.dataclass(frozen=True)
class Away:
    """A server that the image needs was taken away, and came back.

    :param ready: whether the image said that it was ready meanwhile, None where it has no readiness to ask
    :param alive: whether its liveness probe was answered throughout
    :param restarted: whether its process ended
    :param back: seconds until it was ready again, None where it was not
    """

    ready: bool | None
    alive: bool
    restarted: bool
    back: float | None


@dataclasses.dataclass(frozen=True)
class Ahead:
    """The schema was made one that the image does not know.

    :param migration: the end of its migration there, None without one
    :param started: of the server there
    """

    migration: Ended | None
    started: Started


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything that was seen of an image. What was not tried is None.

    :param tool: migration.tool
    :param together: two migrations at once on an empty database
    :param again: a third one afterwards
    :param writable: the server's start with a root file system that can be written, after one without failed
    :param own_user: its start as the image's own user, after both failed
    :param unknown: why something was not tried, by part
    """

    image: str
    tool: str
    together: tuple[Ended, ...] = ()
    again: Ended | None = None
    started: Started | None = None
    writable: Started | None = None
    own_user: Started | None = None
    probes: t.Mapping[str, Probe] = dataclasses.field(default_factory=dict)
    stopped: Stopped | None = None
    ahead: Ahead | None = None
    database: Away | None = None
    cache: Away | None = None
    unknown: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


__all__ = ("Ahead", "Asked", "Away", "Ended", "Facts", "Probe", "Started", "Stopped")
