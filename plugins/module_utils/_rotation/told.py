"""What a rotation's module returns: how far it got, what it did, and what is yet to come."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release

Row = dict[str, t.Any]


def words_after(step: str, done: Sequence[str], to_come: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What is yet to come after a run.

    :param step: the next one
    :param done: what the run did
    :param to_come: words by the next step, where nothing was done
    :param after: words by the next step, where something was; of the steps that it lacks, those of `to_come`
    """
    return (after if done else to_come).get(step, to_come[step])


def result(release: Release, step: str, done: Sequence[str], words: str, *, changed: bool, **more: t.Any) -> Row:
    """The module's result.

    :param words: what is yet to come, as a part of a sentence
    :param more: what this module returns besides
    """
    told = {
        "changed": changed,
        "next": step,
        "steps": done,
        "summary": [*done, f"Release {release.namespace}/{release.name}: {words}."],
    }
    return t.cast("Row", all_printable(told | more))


__all__ = ("result", "words_after")
