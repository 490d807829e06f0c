"""The id in a release's Secret by which its pods are replaced: it stands in their template beside nothing secret."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import secrets
import string
import typing as t

KEY: t.Final = "rotation-id"
_LENGTH: t.Final = 16


def of(secret: dict[str, t.Any]) -> str:
    """The one that a Secret has, empty without one."""
    return base64.b64decode((secret.get("data") or {}).get(KEY, "")).decode("utf-8", "replace")


def new() -> str:
    """A rotation id that no Secret had before."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _each in range(_LENGTH))


__all__ = ("KEY", "new", "of")
