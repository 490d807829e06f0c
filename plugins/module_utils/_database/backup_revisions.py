"""Which schema revisions the code to be deployed knows."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import REVISIONS, bundle, command


def known_revisions(ini: Path, python: str, seconds: float) -> set[str]:
    """The revisions that the code to be deployed has.

    :raises CollectorError: `alembic-env-failed`, `alembic-timeout`
    """
    read, write = os.pipe()
    try:
        # Revisions are the application's own code: it gets no variable of ours.
        subprocess.run(  # pylint: disable=ansible-bad-function
            [python, *command(bundle(REVISIONS, {"ini": str(ini), "answers": write}))[1:]], cwd=ini.parent,
            env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[write], timeout=seconds, check=False,
        )  # fmt: skip
        os.close(write)
        write = -1
        with open(read, encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            answer = file.read()
    except subprocess.TimeoutExpired:
        words = f"Alembic did not list the revisions of {ini} within {seconds:g} s; find what a revision waits for."
        raise CollectorError("alembic-timeout", words) from None
    finally:
        if write != -1:
            os.close(write)
    with contextlib.suppress(ValueError):
        return set(json.loads(answer))
    raise CollectorError("alembic-env-failed", f"Alembic cannot list the revisions of {ini}; run `alembic history`.")


__all__ = ("known_revisions",)
