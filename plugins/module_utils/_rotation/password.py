"""A random password."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import secrets
import string
import typing as t

# Letters and digits mean the same in a shell, in a URL, in YAML and in SQL. 40 of them hold 238 bits.
CHARACTERS: t.Final = string.ascii_letters + string.digits
LENGTH: t.Final = 40
# Below it, 64 guessed bits are no longer out of reach; PostgreSQL takes any length.
LEAST: t.Final = 20


def generated(length: int = LENGTH) -> str:
    """A new one, from the operating system's source of randomness.

    :raises ValueError: it would be shorter than `LEAST`
    """
    if length < LEAST:
        raise ValueError(f"at least {LEAST} characters")
    return "".join(secrets.choice(CHARACTERS) for _each in range(length))


__all__ = ("CHARACTERS", "LEAST", "LENGTH", "generated")
