"""How far a rotation of the model provider's key got, as an annotation of the release's Secret says it. Pure.

The key stands in a Secret of its own. What the release's Secret has beside the annotation is the rotation id by which
the pods are replaced.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release import annotated

Object = dict[str, t.Any]
ANNOTATION: t.Final = "ai-agent/model-key"


@dataclasses.dataclass(frozen=True)
class Record:
    """What the annotation says.

    :param since: when the key in use came to the pods, UTC in ISO 8601; empty where that is not known
    :param before: while a rotation is under way, the rotation id with which the pods had the old key
    :param until: while pods are replaced, when the old key went out of its Secret
    """

    since: str = ""
    before: str = ""
    until: str = ""

    def as_annotation(self) -> str:
        """The text of the annotation, which `record_of` reads again."""
        return annotated.text_of(self)


def record_of(secret: Object | None) -> Record:
    """What the annotation of a release's Secret says.

    :raises FindingError: `rotation-record`: somebody wrote something else into it
    """
    cure = "remove it, and replace the pods once (rotationId of ai_agent_values)."
    return annotated.read(secret, ANNOTATION, Record, cure) or Record()


__all__ = ("ANNOTATION", "Record", "record_of")
