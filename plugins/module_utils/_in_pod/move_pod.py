"""Runs in a pod: a step of a move, with PostgreSQL's programs of the container beside as a backup has them.

The URLs are in variables: DATABASE_URL of the database that is there, MOVE_ADMIN_URL, MOVE_OWNER_URL and
MOVE_AGENT_URL of the new server.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from . import backup_pod, move_run
from .errors import CollectorError

VARIABLES: t.Final = {
    "source": "DATABASE_URL",
    "admin": "MOVE_ADMIN_URL",
    "owner_url": "MOVE_OWNER_URL",
    "agent_url": "MOVE_AGENT_URL",
}
_FIELDS: t.Final = ("jobs", "version_table", "lock_timeout_ms", "image", "same_roles")


def main(request: dict[str, t.Any]) -> None:
    """Print the answer: what move_run.py returns, or an error.

    A copy that failed and left nothing is an answer, `refused`: whoever asked knows then that no pod holds anything.

    :param request: `action` (look, copy, differences, thaw), `shared` and `work` (folders), and the rest of
        move_run.Request
    """
    backup_pod.respond(request, _answer, failed="move-failed")


def _answer(request: dict[str, t.Any]) -> dict[str, t.Any]:
    wanted = {name: request[name] for name in _FIELDS}
    wanted |= {name: os.environ.get(variable, "") for name, variable in VARIABLES.items()}
    action = request["action"]
    if action == "copy":

        def sites(_major: int, _program: str) -> backup_pod.Sibling:
            return backup_pod.Sibling(Path(request["shared"]), Path(request["work"]))

        try:
            return move_run.copy(wanted, sites)
        except move_run.LeftError:
            raise
        except CollectorError as error:
            return {"refused": {"id": error.id, "message": error.message}}
    actions = {"look": move_run.look, "differences": move_run.differences, "thaw": move_run.thaw}
    if action not in actions:
        raise CollectorError("argument-invalid", f"There is no step {action}.")
    return actions[action](wanted)


__all__ = ("VARIABLES", "main")
