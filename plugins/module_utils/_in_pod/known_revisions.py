"""The ids of the revisions that an Alembic directory has. Runs where the directory is, without a database."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t


def main(request: dict[str, t.Any]) -> None:
    """Print them as JSON.

    :param request: `ini`; `answers`, the file descriptor for the answer
    """
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    directory = ScriptDirectory.from_config(Config(request["ini"]))
    ids = sorted({revision.revision for revision in directory.walk_revisions()})
    os.write(request["answers"], json.dumps(ids).encode() + b"\n")


__all__ = ("main",)
