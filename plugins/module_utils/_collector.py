# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""The collector as one text that a bare Python runs, here or in a pod, and what it answers."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils import (
    _connectivity,
    _connectivity_postgresql,
    _connectivity_redis,
    _connectivity_wire,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._module_text import source

# Each file under the name by which the others import it.
_PARTS = (_connectivity_wire, _connectivity_postgresql, _connectivity_redis, _connectivity)
# The parts and the request are arguments, or else lines on stdin.
BOOT: t.Final = """import json, sys, types
given = sys.argv[1:]
parts = json.loads(given.pop(0) if given else sys.stdin.readline())
sys.argv[1:] = given
for name, text in parts.items():
    sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name + ".py", "exec"), sys.modules[name].__dict__)
connectivity = sys.modules["connectivity"]
connectivity.run(connectivity.main)
"""


def parts() -> str:
    """The collector's files as one line of JSON in ASCII."""
    names = [part.__name__.rpartition(".")[2] for part in _PARTS]
    return json.dumps({name.removeprefix("_"): source(name) for name in names})


def read(lines: t.Iterable[str]) -> tuple[list[dict[str, t.Any]], bool]:
    """The records among the lines, and whether the last one was reached. What is no record is left out.

    Nothing is read after the last record: a pod takes a second to end.
    """
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "record" in record:
            records.append(record)
            if record["record"] == "end":
                return records, True
    return records, False


def run_here(request: dict[str, t.Any]) -> dict[str, t.Any]:
    """One observation, from this machine, in a process of its own: URLs reach it over stdin only."""
    done = subprocess.run(
        [sys.executable, "-c", BOOT],
        input=f"{parts()}\n{json.dumps(request)}\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=float(request["deadline"]) + 10,
    )
    records, ended = read(done.stdout.splitlines())
    problem = None if ended else "The collector on this machine ended before it was done."
    return {"from": "direct", "pod": "direct", "node": None, "records": records, "problem": problem}


__all__ = ("BOOT", "parts", "read", "run_here")
