"""What ends a program in a pod before it can answer: an id of the catalogue of findings, and one sentence."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class CollectorError(Exception):
    """No facts can be had. The text never holds a password or a driver's own message with a connection string in it."""

    def __init__(self, error_id: str, message: str) -> None:
        super().__init__(message)
        self.id = error_id
        self.message = message


__all__ = ("CollectorError",)
