"""Delete sessions that are old enough: the program of the chart's CronJob, with the agent image's Python and psycopg 3.

Reads DATABASE_URL, and in RETENTION a request as retention.py takes it, as JSON. Prints sentences about what it did;
what it left for want of time, the next run takes. Exits 1 with one sentence on stderr where nothing can be deleted.
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
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import errors, probe_startup, session
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import retention as program
else:
    # The modules beside this file are a package, which is made here: no folder of the image is searched for them.
    package = types.ModuleType("retention_modules")
    package.__path__ = [str(Path(__file__).parent)]
    sys.modules[package.__name__] = package
    errors = importlib.import_module("retention_modules.errors")
    probe_startup = importlib.import_module("retention_modules.probe_startup")
    program = importlib.import_module("retention_modules.retention")
    session = importlib.import_module("retention_modules.session")

Row = dict[str, t.Any]
CONNECT_SECONDS = 10
_STOPPED = {
    "time": "its time was up (retention.maxSeconds)",
    "lock": "the tables were locked by somebody else, twenty times in a row",
}
_LEFT = {
    "held": "somebody else held a row of theirs",
    "refused": "a row elsewhere refers to them, or a trigger refused",
    "large": "deleting one of them takes longer than a statement may (retention.statementTimeout)",
}


def sentences(answer: Row) -> list[str]:
    """What was done, and what was left and why.

    :param answer: of retention.run()
    """
    done = answer["done"]
    rows = " and ".join(f"{done['rows'].get(name, 0)} of {name}" for name in answer["tables"])
    words = f"{done['sessions']} sessions older than {answer['cutoff']} deleted at {answer['where']} ({rows})"
    told = [f"{words}, in {done['batches']} transactions."]
    if stopped := _STOPPED.get(done["stopped"]):
        told.append(f"Not all was deleted: {stopped}; the next run goes on.")
    told += [f"{done[name]} sessions were left: {why}." for name, why in _LEFT.items() if done[name]]
    if done["beyond"]:
        told.append(f"Some would have taken what is not theirs and were left: {'; '.join(done['beyond'])}.")
    if answer["unindexed"]:
        told.append(f"No index begins with {', '.join(answer['unindexed'])}: each deletion reads the whole table.")
    return told


def main() -> int:
    """Delete, and return the exit code, 0 or 1."""
    request: Row = {"keys": [], "dry": False, "connect_timeout": CONNECT_SECONDS} | json.loads(os.environ["RETENTION"])
    try:
        url = session.database_url()
        if not url:
            print("The pod has no DATABASE_URL in its environment.", file=sys.stderr, flush=True)
            return 1
        answer = program.run(request, url, settle=probe_startup.NETWORK_SECONDS)
    except errors.CollectorError as error:
        print(error.message, file=sys.stderr, flush=True)
        return 1
    except ModuleNotFoundError as error:
        print(f"The image lacks the Python package {error.name}: name another in retention.image.", file=sys.stderr)
        return 1
    print("\n".join(sentences(answer)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
