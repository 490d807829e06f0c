"""Facts without what a person may have written a secret into, for a file that others will read.

Two texts are reduced to the one fact that the judges use: the expression of a check to which
columns it proves to be not NULL, the body of a trigger's function to whether it only fills columns.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import proof
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.trigger_body import harmless

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ConstraintRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import TriggerRow

# A body that is as harmless as the one it stands for.
HARMLESS_BODY: t.Final = "BEGIN RETURN NEW; END"


def reduced_constraint(row: ConstraintRow) -> ConstraintRow:
    """The expression proves what it proved, and says nothing else; None where it proves nothing."""
    columns = sorted(proof(row["expression"]))
    quoted = ('"' + name.replace('"', '""') + '"' for name in columns)
    expression = " AND ".join(f"{name} IS NOT NULL" for name in quoted)
    return row | {"expression": expression or None}


def reduced_trigger(row: TriggerRow) -> TriggerRow:
    """A body that only fills columns becomes another one of that kind, every other one None."""
    return row | {"source": HARMLESS_BODY if row["source"] and harmless(row) else None}


__all__ = ("HARMLESS_BODY", "reduced_constraint", "reduced_trigger")
