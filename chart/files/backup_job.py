"""Back up the database and prove the backup: the program of the chart's CronJob, with the agent image's Python.

Reads DATABASE_URL, a key in BACKUP_KEY, and in BACKUP a request as backup_pod.py takes it, as JSON. The container
beside runs PostgreSQL's programs: it waits for its own program in the folder of both. Prints sentences, and leaves the
record with the pod (its termination message), where the preflight reads it. Exits 1 where no proven backup was made.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import types
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_pod
else:
    # The modules beside this file are a package, which is made here: no folder of the image is searched for them.
    package = types.ModuleType("backup_modules")
    package.__path__ = [str(Path(__file__).parent)]
    sys.modules[package.__name__] = package
    backup_pod = importlib.import_module("backup_modules.backup_pod")

Row = dict[str, t.Any]
SIBLING = "sibling.sh"


def sentences(answer: Row) -> t.Iterator[str]:
    """What was done, or why nothing was; without a line break in any."""
    said = [answer["error"]["message"]] if "error" in answer else answer["summary"]
    yield from (" ".join(words.split()) for words in said)


def main() -> t.NoReturn:
    """Back up, and end with the exit code."""
    request: Row = json.loads(os.environ["BACKUP"])
    program = Path(request["shared"]) / SIBLING
    # The container beside looks for the whole of it.
    made = program.with_suffix(".made")
    made.write_text(backup_pod.SIBLING, encoding="utf-8")
    made.rename(program)
    backup_pod.respond(request, backup_pod.answer, failed="backup-failed", lines=sentences)


if __name__ == "__main__":
    main()
