"""Indexes that are invalid, so that no query uses them."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import TableFacts


def invalid_indexes(facts: TableFacts) -> list[Finding]:
    """A finding for each invalid index, which a failed build has left."""
    tables = {row["oid"]: f"{row['schema']}.{row['name']}" for row in facts["classes"]}
    return [
        finding(
            "index-invalid", f"The index {row['name']} on {tables[row['oid']]} is invalid.", table=tables[row["oid"]]
        )
        for row in facts["invalid_indexes"]
    ]


__all__ = ("invalid_indexes",)
