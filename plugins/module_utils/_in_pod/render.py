"""Runs in a pod of the new image, without credentials: the revisions and their SQL go into the pod's log."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import gc
import json
import os
import socket
import sys
import threading
import time
import typing as t
from pathlib import Path

from .alembic_place import own_ini
from .alembic_worker import AlembicError, Worker, described
from .framing import Framer

# Longest wait for an answer that should not come; Alembic is imported meanwhile.
REACH_SECONDS = 0.5
INPUT_POLL_SECONDS = 0.02


class Reach:
    """Whether the API server can be reached from here, found out beside other work."""

    def __init__(self) -> None:
        self._reached = False
        self._thread = threading.Thread(target=self._try, daemon=True)
        self._thread.start()

    def _try(self) -> None:
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            return
        try:
            socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
            self._reached = True
        except ConnectionRefusedError:
            # Somebody answered, so the way out is open.
            self._reached = True
        except (OSError, ValueError):
            return

    def reached(self) -> bool:
        """The answer, which takes REACH_SECONDS at most."""
        self._thread.join(REACH_SECONDS)
        return self._reached


def main(request: dict[str, t.Any]) -> None:
    """Load the image's migrations and print their graph and SQL into the log.

    :param request: target, and heads, the live revisions, None where they come later (job_manifest.INPUT_VARIABLE)
    :return: in the log: started, egress, graph, parts of the SQL; or an error
    """
    gc.disable()
    log = os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # Foreign code may print as it likes.
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    framer = Framer()

    def send(answer: dict[str, t.Any]) -> None:
        log.writelines(line + "\n" for line in framer.lines(answer))
        log.flush()

    reach = Reach()
    send({"started": sys.version.partition(" ")[0]})
    folder = str(Path.cwd())
    try:
        _answer(request, reach, send)
    except AlembicError as error:
        send({"error": {"id": error.id, "message": str(error)}})
    except ModuleNotFoundError as error:
        missing = error.name or ""
        own = missing.partition(".")[0] == "alembic"
        words = f"the Python package {missing} is missing"
        send({"error": {"id": "image-without-alembic" if own else "alembic-env-failed", "message": words}})
    except BaseException as error:
        send({"error": {"id": "alembic-env-failed", "message": f"Alembic fails: {described(error, folder)}"}})
    # Whatever threads foreign code left behind.
    with contextlib.suppress(OSError):
        log.close()
    os._exit(0)


def _answer(request: dict[str, t.Any], reach: Reach, send: t.Callable[[dict[str, t.Any]], None]) -> None:
    ini = own_ini()
    if not ini.is_file() and not Path("pyproject.toml").is_file():
        words = f"{ini.name} is not in the image's working directory {ini.parent}"
        raise AlembicError("image-without-alembic", words)
    import alembic  # noqa: F401 - takes most of the start, while the network is tried

    send({"egress": reach.reached()})
    worker = Worker({"ini": str(ini), "target": request["target"]})
    send({"graph": worker.graph()})
    send(worker.render(_input() if request["heads"] is None else request["heads"], send))


def _input() -> list[str]:
    """The live revisions, once they are known; the Job's deadline ends a wait in vain."""
    path = Path(os.environ["AI_AGENT_TOLD"])
    while not (words := path.read_text()):
        time.sleep(INPUT_POLL_SECONDS)
    heads: list[str] = json.loads(words)
    return heads


__all__ = ("main",)
