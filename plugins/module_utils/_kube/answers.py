"""What a program of ours in a pod answers: read from its log or its session; an error in it becomes a finding."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import (
    Incomplete,
    TooLarge,
    Unframer,
    parsed,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun

Answer = dict[str, t.Any]
# Makes the finding for an answer that is too large; takes the name of the pod that sent it.
Large = t.Callable[[str], FindingError]


def of_job(
    run: JobRun, *, broken: str = "collector-failed", most: int = 500, large: Large | None = None
) -> t.Iterator[Answer]:
    """What a program wrote into its pod's log.

    :param broken: the finding for an error that is none of the catalogue
    :param most: characters of an error's words
    :param large: None where an answer that is too large is told as one that is incomplete
    :raises FindingError: one of the answers is an error, or `log-incomplete`
    """
    unframer = Unframer()
    for line in run.lines():
        try:
            answer = unframer.feed(line)
        except Incomplete as error:
            if large and isinstance(error, TooLarge):
                raise large(f"the pod of image {run.task.image}") from None
            words = f"The log of the pod of image {run.task.image} is incomplete; run it again."
            raise FindingError("log-incomplete", words) from None
        if answer is not None:
            yield without_error(answer, broken=broken, most=most)


def last_of_job(
    run: JobRun, *, broken: str = "collector-failed", most: int = 500, large: Large | None = None
) -> Answer:
    """The answer for which a program was run; what it told of its progress before is left out.

    :param broken: as of_job() has it, and so are the others
    :raises FindingError: there is none
    """
    for answer in of_job(run, broken=broken, most=most, large=large):
        if "progress" not in answer:
            return answer
    words = f"The program in the image {run.task.image} ended without an answer."
    raise run.ended() or FindingError("image-start", words)


def of_line(line: str, session: ExecSession, *, large: Large | None = None) -> Answer:
    """An answer that is a line of a session.

    :raises FindingError: it is an error, or none of ours
    """
    try:
        return without_error(parsed(line.encode("utf-8", "replace")))
    except Incomplete as error:
        if large and isinstance(error, TooLarge):
            raise large(session.where) from None
        words = f"The program in {session.where} gave an answer that is no JSON; look for what else writes."
        raise FindingError("collector-failed", words) from None


def without_error(answer: t.Any, *, broken: str = "collector-failed", most: int = 500) -> Answer:
    """The answer, unless it is an error.

    :raises FindingError: it is one; its words come from elsewhere and are kept short
    """
    if not isinstance(answer, dict):
        raise FindingError(broken, "The program in the pod gave an answer that is no JSON object.")
    error = answer.get("error")
    if error is None:
        return answer
    found = error if isinstance(error, dict) else {}
    error_id = str(found.get("id"))
    words = " ".join(str(found.get("message")).split())[:most]
    raise FindingError(error_id if error_id in CATALOGUE else broken, words)


__all__ = ("Answer", "last_of_job", "of_job", "of_line", "without_error")
