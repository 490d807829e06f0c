"""Prints what a release waits for, from a thread beside a task that changes it.

The lines go through Ansible's display, so a terminal has them at once and AWX as events of the job.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import threading
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release.waits import seconds
from ansible_collections.ai_platform.agent.plugins.module_utils._release.watch import Watch

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Iterator

Row = dict[str, t.Any]

# For a look that is under way when the task ends.
_END_SECONDS = 2.0


@contextlib.contextmanager
def shown(params: Row, interval: float, say: Callable[[str], None]) -> Iterator[None]:
    """Say every `interval` seconds what the release waits for, until the block ends. What goes wrong with it is said
    once, and never stops the block.

    :param params: release_name, release_namespace, timeout as helm writes it, and how to reach the cluster
    :param interval: seconds, 0 for never
    """
    if interval <= 0:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(params, interval, say, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END_SECONDS)


def _watch(params: Row, interval: float, say: Callable[[str], None], ended: threading.Event) -> None:
    watch, silent = None, False
    while not ended.wait(interval):
        try:
            if watch is None:
                limit = float(seconds(params["timeout"]))
                watch = Watch(connect(params), params["release_name"], params["release_namespace"], limit)
            told = watch.line()
        except FindingError as error:
            if not silent:
                say(f"what is waited for cannot be told: {error.message}")
            silent = True
            continue
        except Exception as error:
            say(f"what is waited for is not told any more ({type(error).__name__})")
            return
        silent = False
        if not ended.is_set():
            say(told)


__all__ = ("shown",)
