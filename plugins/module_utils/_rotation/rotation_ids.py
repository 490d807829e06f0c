"""The id in a release's Secret by which its pods are replaced: it stands in their template beside nothing secret."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import secrets
import string
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret_data import decoded

KEY: t.Final = "rotation-id"
_LENGTH: t.Final = 16


def of(secret: dict[str, t.Any]) -> str:
    """The one that a Secret has, empty without one."""
    return decoded((secret.get("data") or {}).get(KEY, ""))


def assert_there(rotation_id: str) -> None:
    """Check that pods can be replaced by it.

    :raises FindingError: `rotation-refused`: the Secret has none
    """
    if not rotation_id:
        words = "The release's Secret has no rotation-id, by which the pods would be replaced"
        raise FindingError("rotation-refused", f"{words}: deploy the release first.")


def new() -> str:
    """A rotation id that no Secret had before."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _each in range(_LENGTH))


__all__ = ("KEY", "assert_there", "new", "of")
