"""A new pod's network: a mesh's proxy may begin later than the program, and until then nothing connects."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

# How long that may take. A server that answers sooner is not waited for.
NETWORK_SECONDS = 10.0
PAUSE_SECONDS = 0.3
T = t.TypeVar("T")


def retry(  # noqa: UP047 - Python 3.10
    connect: t.Callable[[], T], not_yet: t.Callable[[Exception], bool], until: float
) -> T:
    """What `connect` returns, tried again and again while the network may not have begun.

    :param not_yet: whether an error may pass by itself
    :param until: time.monotonic() from which on each error is the last one
    :raises Exception: the last error of `connect`
    """
    while True:
        try:
            return connect()
        except Exception as error:
            if not not_yet(error) or time.monotonic() >= until:
                raise
            time.sleep(PAUSE_SECONDS)
