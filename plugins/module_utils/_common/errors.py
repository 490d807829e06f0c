"""What ends a module's run before it can judge: one sentence, and an id that stays."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable


class FindingError(Exception):
    """A run that ends as one finding instead of a verdict.

    `id` is an entry of the catalogue in findings.py; the text is one sentence: what is wrong, where, what to do.
    It never holds a password, and never a driver's own message with a connection string in it. Words of pods and
    servers among it are made printable here: Ansible writes a module's message to the terminal as it is.

    `changed` says that something had been changed before it.
    """

    changed = False

    def __init__(self, error_id: str, message: str) -> None:
        message = without_named(printable(message))
        super().__init__(message)
        self.id = error_id
        self.message = message


__all__ = ("FindingError",)
