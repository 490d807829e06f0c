"""Says what is waited for, from a thread beside a task that takes long.

The lines go through Ansible's display, so a terminal has them at once and AWX as events of the job.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

from ansible.utils.display import Display
from ansible_collections.ai_platform.agent.plugins.action.migration_preflight import (
    ActionModule as KubeconfigActionModule,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release.waits import seconds
from ansible_collections.ai_platform.agent.plugins.module_utils._release.watch import Watch

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Iterator

Row = dict[str, t.Any]

# For a look that is under way when the task ends.
_END_SECONDS = 2.0


class Told(t.Protocol):
    """A source of lines that say what is waited for."""

    def line(self) -> str:
        """What is waited for now.

        :raises FindingError: it is not known
        """


class Elapsed:
    """Says how much of a time has passed."""

    def __init__(self, limit: float, words: str) -> None:
        """:param limit: seconds"""
        self._limit, self._words, self._began = limit, words, time.monotonic()

    def line(self) -> str:
        """How long it has taken."""
        return f"[{time.monotonic() - self._began:.0f} s of {self._limit:.0f} s] {self._words}"


def of_release(params: Row) -> Watch:
    """What a release waits for.

    :param params: release_name, release_namespace, timeout as helm writes it, and how to reach the cluster
    :raises FindingError: the cluster cannot be asked
    """
    limit = float(seconds(params["timeout"]))
    return Watch(connect(params), params["release_name"], params["release_namespace"], limit)


@contextlib.contextmanager
def shown(made: Callable[[], Told], interval: float, host: str) -> Iterator[None]:
    """Say every `interval` seconds what is waited for, until the block ends. What goes wrong with it is said once, and
    never stops the block.

    :param made: what is asked for its line, made in the thread
    :param interval: seconds, 0 for never
    :param host: of the inventory
    """
    if interval <= 0:
        yield
        return
    ended = threading.Event()

    def say(line: str) -> None:
        Display().display(f"{host}: {line}")

    thread = threading.Thread(target=_watch, args=(made, interval, say, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END_SECONDS)


def _watch(made: Callable[[], Told], interval: float, say: Callable[[str], None], ended: threading.Event) -> None:
    watch, silent = None, False
    while not ended.wait(interval):
        try:
            watch = watch or made()
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


class LeasedHelm(KubeconfigActionModule):
    """For a module that has helm change a release: its option `progress` says how often a line is due."""

    def _execute_module(self, **options: t.Any) -> Row:
        """Run the module of the base class, and print what is waited for meanwhile."""
        given, task_vars = options.get("module_args") or {}, options.get("task_vars") or {}
        # In check mode, and where something is only written down, nothing is waited for.
        quiet = self._task.check_mode or given.get("state") == "recorded"
        params = dict(given) | {"timeout": given.get("helm_timeout") or "10m"}
        interval = 0.0 if quiet else float(given.get("progress") or 0)
        with shown(lambda: of_release(params), interval, task_vars.get("inventory_hostname", "")):
            return super()._execute_module(**options)


__all__ = ("Elapsed", "LeasedHelm", "Told", "of_release", "shown")
