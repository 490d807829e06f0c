"""How much is left of the numbers that a key's sequence can give. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts

# From here on somebody should think of it: at a steady pace a quarter of the time that it has lasted is left.
USED: t.Final = 0.8
_MOST: t.Final = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1}


def judge_keys(facts: DatabaseFacts) -> list[Finding]:
    """Columns of the tables in question whose sequence nears the end of the column's type, or its own.

    :param facts: the answer of live_facts.collect
    """
    names = {row["oid"]: f"{row['schema']}.{row['name']}" for row in facts["classes"]}
    found = []
    for row in facts["relations"]["sequences"]:
        # A column of another type may be widened by hand, and one that counts down is rare.
        if row["type"] not in _MOST or row["last"] is None or row["increment"] <= 0 or row["oid"] not in names:
            continue
        most = min(_MOST[row["type"]], row["most"])
        table = names[row["oid"]]
        label = f"{table}.{row['column']} ({row['type']})"
        # CYCLE does not help where the column's type is exhausted before the sequence.
        if row["last"] + row["increment"] > most and not (row["cycles"] and most == row["most"]):
            words = f"The sequence {row['sequence']} of {label} is at its end ({row['last']}): INSERTs fail."
            found.append(finding("key-near-end", words, severity="fail", table=table))
        elif row["last"] >= USED * most and not row["cycles"]:
            words = f"The sequence {row['sequence']} of {label} has given {row['last']} of {most} numbers"
            found.append(finding("key-near-end", f"{words} ({row['last'] / most:.0%}).", table=table))
    return found


__all__ = ("judge_keys",)
