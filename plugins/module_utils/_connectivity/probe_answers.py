"""What the probe (_in_pod/probe.py) answers, from a pod or from this machine."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import Incomplete, Unframer, parsed
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import PROBE, bundle, command

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import Observation, Record

# What a pod says may be anything; a record has the key of that name.
Answer = dict[str, t.Any]


def read(answers: t.Iterable[Answer | None]) -> tuple[list[Record], bool]:
    """The records among the answers, and whether the last one was reached. What is no record is left out.

    Nothing is read after the last record: a pod takes a second to end.
    """
    records: list[Record] = []
    for answer in answers:
        if isinstance(answer, dict) and "record" in answer:
            records.append(t.cast("Record", answer))
            if answer["record"] == "end":
                return records, True
    return records, False


def from_stream(lines: t.Iterable[str]) -> t.Iterator[Answer | None]:
    """Answers that came over a stream of their own: an object a line."""
    for line in lines:
        try:
            yield parsed(line.encode("utf-8", "replace"))
        except Incomplete:
            continue


def from_log(lines: t.Iterable[str]) -> t.Iterator[Answer | None]:
    """Answers that came through a pod's log; nothing after a line that is missing."""
    unframer = Unframer()
    try:
        for line in lines:
            yield unframer.feed(line)
    except Incomplete:
        return


def run_here(request: dict[str, t.Any]) -> Observation:
    """One observation, from this machine, in a process of its own: URLs reach it over stdin only."""
    # pylint asks for AnsibleModule.run_command, but no AnsibleModule exists here.
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        [sys.executable, *command()[1:]],
        input=bundle(PROBE, request) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=float(request["deadline"]) + 10,
    )
    records, ended = read(from_stream(done.stdout.splitlines()))
    problem = None if ended else "The probe on this machine ended before it was done."
    return {"from": "direct", "pod": "direct", "node": None, "records": records, "problem": problem}


__all__ = ("from_log", "from_stream", "read", "run_here")
