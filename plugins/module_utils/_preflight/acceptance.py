"""A finding that somebody accepts, with a reason: in the revision's docstring, or in the inventory.

In a docstring, a line of its own:  preflight-accept <finding id>: <reason>
In the inventory, a list of {id, reason, revision (optional), table (optional)}. Prod takes this form only.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE, Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment

# Environments that take an acceptance from whoever wrote the revision.
LENIENT = frozenset({"dev", "staging"})
# Begins such a line in a docstring.
MARK: t.Final = "preflight-accept"


@dataclasses.dataclass(frozen=True)
class Acceptance:
    """One accepted finding.

    :param revision: None for all
    :param table: None for all
    :param where: who says so, the inventory or a revision's docstring
    """

    id: str
    reason: str
    revision: str | None = None
    table: str | None = None
    where: str = "inventory"

    def covers(self, item: Finding) -> bool:
        return (
            item.id == self.id
            and (self.revision is None or item.revision == self.revision)
            and (self.table is None or item.table == self.table)
        )


def docstring_acceptances(segments: t.Iterable[Segment]) -> list[Acceptance]:
    """The acceptances that the pending revisions bring along; each counts for its own revision only."""
    found = []
    for segment in segments:
        for line in segment.doc.splitlines():
            words = line.strip()
            if words.startswith(MARK):
                finding_id, _colon, reason = words.removeprefix(MARK).partition(":")
                found.append(Acceptance(finding_id.strip(), reason.strip(), segment.revision, None, "docstring"))
    return found


def apply_acceptances(
    findings: t.Sequence[Finding], acceptances: t.Sequence[Acceptance], environment: str
) -> list[Finding]:
    """The findings with whoever accepted them, and a finding for each acceptance that is worth nothing."""
    valid, notes = [], []
    for item in acceptances:
        if item.id not in CATALOGUE:
            notes.append(
                finding(
                    "acceptance-worthless",
                    f"{item.where}: there is no finding {item.id!r} to accept.",
                    revision=item.revision,
                )
            )
        elif not item.reason.strip():
            notes.append(
                finding(
                    "acceptance-worthless",
                    f"{item.where}: {item.id} is accepted without a reason.",
                    revision=item.revision,
                )
            )
        elif item.where == "docstring" and environment not in LENIENT:
            notes.append(
                finding(
                    "acceptance-worthless",
                    f"{item.id} is accepted in a docstring; {environment} takes it from the inventory only.",
                    revision=item.revision,
                )
            )
        else:
            valid.append(item)
    result, used = [], set()
    for one in findings:
        match = next((item for item in valid if one.severity not in {"info", "skip"} and item.covers(one)), None)
        if match:
            used.add(match)
        result.append(dataclasses.replace(one, accepted=f"{match.where}: {match.reason.strip()}") if match else one)
    for item in valid:
        if item not in used:
            notes.append(
                finding("acceptance-unused", f"{item.where}: nothing to accept for {item.id}.", revision=item.revision)
            )
    return result + notes


__all__ = ("LENIENT", "MARK", "Acceptance", "apply_acceptances", "docstring_acceptances")
