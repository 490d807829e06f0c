"""Pods in which commands are run one after the other, and which end soon after whoever runs them is gone."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import SHARED_FOLDER

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec_command import Container

# How long nobody may come.
UNHELD_SECONDS: t.Final = 90
_HELD, _OVER = f"{SHARED_FOLDER}/held", f"{SHARED_FOLDER}/over"
# A container's program does not hear signals as process 1, so it looks for a file.
SHELL_WAIT: t.Final = (
    f"N=0; until [ -e {_OVER} ] || {{ [ $N -ge {UNHELD_SECONDS} ] && [ ! -e {_HELD} ]; }}; do"
    " sleep 1; N=$((N + 1)); done"
)
PYTHON_WAIT: t.Final = f"""
import os, time
n = 0
while not os.path.exists({_OVER!r}) and (n < {UNHELD_SECONDS} or os.path.exists({_HELD!r})):
    time.sleep(1)
    n += 1
"""


def hold(container: Container) -> ExecSession:
    """A session that keeps the pod until it is closed, as the kernel does for a process that was killed.

    :param container: one with a shell
    :raises FindingError: it does not open
    """
    return ExecSession(*container, ["sh", "-c", f"touch {_HELD}; cat >/dev/null; touch {_OVER}"])


__all__ = ("PYTHON_WAIT", "SHELL_WAIT", "UNHELD_SECONDS", "hold")
