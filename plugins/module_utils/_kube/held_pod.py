"""Pods in which commands are run one after the other, and which end soon after whoever runs them is gone."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession, signs_of_life
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import SHARED_FOLDER

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec_command import Container

# How long a pod waits for a sign of life: from its start, and from the last one.
QUIET_SECONDS: t.Final = 30
SIGN_SECONDS: t.Final = 3.0
# The signs are counted in one file; the other one says that the pod is no longer needed.
_SIGNS, _OVER = f"{SHARED_FOLDER}/signs", f"{SHARED_FOLDER}/over"
# A container's program does not hear signals as process 1, so it looks at files.
SHELL_WAIT: t.Final = (
    f"N=0; SEEN=; until [ -e {_OVER} ] || [ $N -ge {QUIET_SECONDS} ]; do sleep 1; N=$((N + 1));"
    f' NOW=$(cat {_SIGNS} 2>/dev/null); [ "$NOW" = "$SEEN" ] || {{ SEEN=$NOW; N=0; }}; done'
)
PYTHON_WAIT: t.Final = f"""
import os, time
n, seen = 0, ""
while not os.path.exists({_OVER!r}) and n < {QUIET_SECONDS}:
    time.sleep(1)
    n += 1
    if os.path.exists({_SIGNS!r}):
        with open({_SIGNS!r}) as file:
            now = file.read()
        if now != seen:
            n, seen = 0, now
"""
_COUNT: t.Final = f"N=0; while read -r _; do N=$((N + 1)); echo $N >{_SIGNS}; done; touch {_OVER}"


@contextlib.contextmanager
def held(container: Container) -> t.Iterator[None]:
    """Keep the container's pod.

    :param container: one with a shell
    :raises FindingError: no session opens
    """
    with ExecSession(*container, ["sh", "-c", _COUNT]) as session, signs_of_life(session, SIGN_SECONDS):
        yield


__all__ = ("PYTHON_WAIT", "QUIET_SECONDS", "SHELL_WAIT", "held")
