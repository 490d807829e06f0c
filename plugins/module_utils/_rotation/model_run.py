"""Gives the pods another key of the model's provider: tried first, then into its Secret, then the pods are replaced.

Both keys are good until somebody revokes the old one at the provider, so no request is refused in between. As with the
database's password nothing is remembered outside of the cluster: whoever is interrupted looks again, and goes on.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import annotated
from ansible_collections.ai_platform.agent.plugins.module_utils._release.model_key import Record
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import rotation_ids

# In the order in which a rotation takes them.
Kind = t.Literal["mark", "switch", "renew", "roll", "clear", "nothing"]


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was looked at.

    :param record: the annotation of the release's Secret
    :param same: the key's Secret holds the key that is wanted
    :param rotation_id: of the release's Secret
    :param rolled: every pod of the agent was made with that id
    """

    record: Record
    same: bool
    rotation_id: str
    rolled: bool


class Keeper(t.Protocol):
    """The two Secrets and the pods, in the cluster or in a test."""

    def facts(self) -> Facts:
        """The state of both Secrets and of the rollout now."""

    def put_key(self) -> None:
        """Write the wanted key into its Secret."""

    def record(self, record: Record, rotation_id: str = "") -> None:
        """Write the annotation of the release's Secret, and with it another rotation id, in one request."""

    def try_key(self) -> bool:
        """Ask the provider with the wanted key from where the agent would; false where nobody wants that.

        :raises FindingError: it does not take the key
        """


def next_step(facts: Facts) -> Kind:
    """The one step that leads on from there. Pure."""
    if not facts.record.before:
        return "nothing" if facts.same else "mark"
    # What was begun reaches the pods before what is wanted now.
    if facts.rotation_id != facts.record.before:
        return "clear" if facts.rolled else "roll"
    return "renew" if facts.same else "switch"


@dataclasses.dataclass
class ModelRotation:
    """One run.

    :param begin: another key than the Secret's begins a rotation; else only one that was begun is finished
    :param done: sentences about what was done
    """

    keeper: Keeper
    begin: bool = True
    done: list[str] = dataclasses.field(default_factory=list)

    def run(self) -> Kind:
        """Step by step until `roll`, which is somebody else's work, or `nothing`; `mark` where it may not begin.

        :raises FindingError: a step could not be done; run again, it goes on from there
        """
        while True:
            try:
                facts = self.keeper.facts()
                step = next_step(facts)
                if step in {"roll", "nothing"} or (step == "mark" and not self.begin):
                    return step
                self._take(step, facts)
            except FindingError as error:
                error.changed = bool(self.done)
                raise

    def _take(self, step: Kind, facts: Facts) -> None:
        record = facts.record
        if step == "mark":
            rotation_ids.assert_there(facts.rotation_id)
            tried = self.keeper.try_key()
            self.keeper.record(dataclasses.replace(record, before=facts.rotation_id))
            words = "The provider takes the new key from an agent pod" if tried else "The new key is used untried"
            self.done.append(f"{words}; the annotation of the Secret says that it is wanted.")
        elif step == "switch":
            # The wanted key may differ from the one that the run before tried.
            self.keeper.try_key()
            self.keeper.put_key()
            self.done.append("The new key is in its Secret.")
        elif step == "renew":
            self.keeper.record(dataclasses.replace(record, until=annotated.now()), rotation_ids.new())
            self.done.append("The release has a new rotation id, by which the pods are replaced.")
        elif step == "clear":
            self.keeper.record(Record(since=annotated.now()))
            since = f" since {record.since}" if record.since else ""
            self.done.append(
                "Every agent pod has the new key. Revoke the old one at the provider, unless something else uses it:"
                f" the one that was in use{since} until {record.until}."
            )


__all__ = ("Facts", "Keeper", "Kind", "ModelRotation", "next_step")
