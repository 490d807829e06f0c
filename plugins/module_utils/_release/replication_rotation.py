"""How far a rotation of the replication user's password got, as an annotation of the release's Secret says it. Pure.

While one is under way, the Secret has the password of a second role, by which the replicas follow meanwhile. No pod
mounts it, and it ends with the rotation.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release import annotated

Object = dict[str, t.Any]
ANNOTATION: t.Final = "ai-agent/replication-password"


@dataclasses.dataclass(frozen=True)
class ReplicationRecord:
    """What the annotation says.

    :param since: when the password in use came into the Secret, UTC in ISO 8601; empty where that is not known
    :param began: while a rotation is under way, when it began
    """

    since: str = ""
    began: str = ""

    def as_annotation(self) -> str:
        """The text of the annotation, which `record_of` reads again."""
        return annotated.text_of(self)


def record_of(secret: Object | None) -> ReplicationRecord:
    """What the annotation of a release's Secret says.

    :raises FindingError: `rotation-record`: somebody wrote something else into it
    """
    cure = 'make it {"began": "now"}, and run the rotation again with the password that replication-password has.'
    return annotated.read(secret, ANNOTATION, ReplicationRecord, cure) or ReplicationRecord()


__all__ = ("ANNOTATION", "ReplicationRecord", "record_of")
