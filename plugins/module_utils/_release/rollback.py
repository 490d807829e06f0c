"""Which earlier revisions of a release could be rolled back to, and which is chosen. Pure: facts in, a table out."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import kubelet_reasons
from ansible_collections.ai_platform.agent.plugins.module_utils._release import records

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable, Mapping, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.records import Record, Verdict

Object = dict[str, t.Any]

# Helm's words for revisions that once were in force.
_WERE_DEPLOYED = ("deployed", "superseded")


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One earlier revision.

    :param obstacles: what of its manifests the cluster refuses or lacks now, a sentence each
    :param image: of the agent, empty where its manifests are not known
    """

    number: int
    status: str
    updated: str
    chart: str
    image: str
    obstacles: tuple[str, ...] = ()


def row(
    item: Candidate,
    recorded: Mapping[int, Record],
    live: Sequence[str] | None,
    pods: Iterable[Object],
) -> Object:
    """The line of the table about one revision: `verdict` is the worst of its reasons'."""
    reasons: list[tuple[Verdict, str]] = []
    if item.status not in _WERE_DEPLOYED:
        reasons.append(("unsafe", f"it never came to work (Helm says {item.status})"))
    if not item.image:
        reasons.append(("unknown", "Helm does not tell its manifests"))
    reasons.append(records.schema(item.number, recorded, live))
    reasons += [("unsafe", text.rstrip(".")) for text in item.obstacles]
    reasons.append(_image(item.image, pods))
    verdicts = {verdict for verdict, _words in reasons}
    # A registry that was not asked decides nothing: the controller need not have access to it.
    worst = next((each for each in ("unsafe", "unknown") if each in verdicts), "safe")
    return {
        "revision": item.number,
        "updated": item.updated.partition(".")[0],
        "chart": item.chart,
        "image": item.image,
        "verdict": worst,
        "reasons": [words for _verdict, words in reasons],
    }


def _image(image: str, pods: Iterable[Object]) -> tuple[Verdict, str]:
    """Whether its image can be had, as far as pods tell: a registry is asked by nodes alone."""
    states = [
        each
        for pod in pods
        for each in ((pod.get("status") or {}).get("containerStatuses") or ())
        if _asked_for(pod, each) == image
    ]
    if any(((each.get("state") or {}).get("waiting") or {}).get("reason") in kubelet_reasons.IMAGE for each in states):
        return "unsafe", "a node cannot pull its image now"
    if any(each.get("imageID") for each in states):
        return "safe", "a pod here runs its image"
    return "safe", "whether its image can still be pulled is not known"


def _asked_for(pod: Object, state: Object) -> str:
    """The image as the pod's spec names it: its status may name it by another tag."""
    found = [each["image"] for each in pod["spec"]["containers"] if each["name"] == state["name"]]
    return str(found[0]) if found else ""


def choose(rows: Sequence[Object], to: int, accept: str, release: str) -> Object:
    """The line of the revision that is rolled back to: the one that is named, else the newest safe one.

    :param to: a revision, 0 for none
    :param accept: for what reason a named one is taken about which something is not known; empty: it is not
    :raises FindingError: `rollback-refused`
    """
    if not rows:
        words = f"Helm keeps no earlier revision of release {release}: deploy the version that is wanted with site.yml."
        raise FindingError("rollback-refused", words)
    if not to:
        safe = [each for each in rows if each["verdict"] == "safe"]
        if not safe:
            words = f"No earlier revision of release {release} is known to work with what is there now"
            raise FindingError("rollback-refused", f"{words}; nothing was changed. {_told(rows[0])}")
        return max(safe, key=lambda each: int(each["revision"]))
    named = next((each for each in rows if each["revision"] == to), None)
    if named is None:
        there = ", ".join(str(each["revision"]) for each in rows)
        words = f"Release {release} has no earlier revision {to} (ai_agent_rollback_to); Helm keeps {there}."
        raise FindingError("rollback-refused", words)
    if named["verdict"] == "unsafe" or (named["verdict"] == "unknown" and not accept):
        remedy = (
            " Choose another one, or deploy a version that fits."
            if named["verdict"] == "unsafe"
            else " Find that out, and then give the reason for which it is taken in ai_agent_rollback_accept."
        )
        raise FindingError("rollback-refused", f"{_told(named)} Nothing was changed.{remedy}")
    return named


def _told(each: Object) -> str:
    return f"Revision {each['revision']} is {each['verdict']}: {'; '.join(each['reasons'])}."


def table(rows: Sequence[Object], chosen: int) -> list[str]:
    """The lines that are printed, the newest revision first."""
    lines = []
    for each in rows:
        mark = "->" if each["revision"] == chosen else "  "
        head = f"{mark} revision {each['revision']} of {each['updated']}, {each['image'] or each['chart']}"
        lines.append(f"{head}: {each['verdict']}")
        lines += [f"     {reason}" for reason in each["reasons"]]
    return lines


def sentence(chosen: Object, params: Mapping[str, t.Any], became: int) -> str:
    """What became of the release, or would.

    :param chosen: the row that was chosen
    :param params: has `release_name` and `release_namespace`
    :param became: Helm's number of the new revision, 0 in check mode
    """
    release = f"Release {params['release_name']} in namespace {params['release_namespace']}"
    what = f"rolled back to revision {chosen['revision']} ({chosen['image'] or chosen['chart']})"
    return f"{release} was {what}; Helm counts it as revision {became}." if became else f"{release} would be {what}."


__all__ = ("Candidate", "choose", "row", "sentence", "table")
