"""Who keeps a Secret, and would undo what others write into it. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

# Marks of Secrets that are kept without an owner reference, as with `creationPolicy: Orphan` or Merge.
_KEEPERS = {
    "reconcile.external-secrets.io/managed": "External Secrets",
    "sealedsecrets.bitnami.com/managed": "Sealed Secrets",
}


def keeper_of(metadata: t.Mapping[str, t.Any]) -> str:
    """The controller that keeps a Secret with this metadata; empty without one."""
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("controller"):
            return f"{reference['kind']} {reference['name']}"
    marks = (metadata.get("labels") or {}) | (metadata.get("annotations") or {})
    return next((name for mark, name in _KEEPERS.items() if marks.get(mark) == "true"), "")


__all__ = ("keeper_of",)
