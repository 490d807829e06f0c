"""Time-outs of the migrating role against the work of the pending statements. Pure functions over facts.

`ALTER ROLE … SET statement_timeout` is common where a platform team hands out roles; a long index build ends under it,
and one built CONCURRENTLY stays behind as invalid.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.session_settings import Timeout
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.work import work

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ServerFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

# A migrator's Python works between two statements: for so many seconds it may well be idle in its transaction.
_PAUSE_SECONDS = 5


def judge_timeouts(
    found: t.Sequence[Statement], forms: t.Sequence[dict[str, t.Any]], server: ServerFacts, limits: Thresholds
) -> list[Finding]:
    """Findings about the time limits of the migrating role that statements exceed.

    :param forms: of the statements in order, as Judgement has them
    :param server: the answer of live_facts.server
    """
    given = server.get("timeouts") or {}
    statement_limit = Timeout("statement_timeout", given.get("statement_timeout") or 0)
    transaction_limit = Timeout("transaction_timeout", given.get("transaction_timeout") or 0)
    role, findings = server["role"], []
    spent: dict[int, float] = {}
    reported: set[int] = set()
    for statement, form in zip(found, forms, strict=True):
        statement_limit.after(statement)
        transaction_limit.after(statement)
        where: t.Any = {"revision": statement.revision, "statement": statement.number}
        seconds, number = work([form]).seconds(limits), statement.transaction
        if 0 < statement_limit.milliseconds < seconds * 1000:
            words = (
                f"About {seconds:.1f} s of work under a statement_timeout of {statement_limit.milliseconds} ms, which"
                f" the role {role} starts with: it will be cancelled."
            )
            findings.append(finding("timeout-of-role", words, **where))
        if number is None:
            continue
        spent[number] = spent.get(number, 0) + seconds
        if 0 < transaction_limit.milliseconds < spent[number] * 1000 and number not in reported:
            reported.add(number)
            words = (
                f"The transaction takes about {spent[number]:.1f} s until here, and transaction_timeout ends it after"
                f" {transaction_limit.milliseconds} ms."
            )
            findings.append(finding("timeout-of-role", words, **where))
    idle = given.get("idle_in_transaction_session_timeout") or 0
    if 0 < idle < _PAUSE_SECONDS * 1000 and any(item.transaction is not None for item in found):
        words = (
            f"idle_in_transaction_session_timeout of the role {role} is {idle} ms: what a revision does in Python"
            " between two statements may end the session."
        )
        findings.append(finding("timeout-of-role", words, severity="warn"))
    return findings


__all__ = ("judge_timeouts",)
