"""How a statement that the server refuses is worded: as what will fail, or as what may."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding

# A sentence without its full stop, and whether the server refuses it for certain.
Refusal = tuple[str, bool]


def refusal(finding_id: str, words: str, where: Where, *, sure: bool) -> Finding:
    """A finding whose severity is its own where the refusal is certain, else unknown.

    :param words: a sentence without its full stop
    """
    if sure:
        return finding(finding_id, f"{words}: this will fail.", **where)
    return finding(finding_id, f"{words}.", severity="unknown", **where)


__all__ = ("Refusal", "refusal")
