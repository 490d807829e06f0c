"""A plan on one page, for a person who reads it at night: what happens, to whom, and what stands in the way. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import textwrap
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.table import WIDTH
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable
from ansible_collections.ai_platform.agent.plugins.module_utils._release.differences import Difference
from ansible_collections.ai_platform.agent.plugins.module_utils._release.plan import counts

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable, Iterator, Sequence

Row = dict[str, t.Any]

# Lines of a page, and of one object on it; the JSON has all.
PAGE, OF_ONE = 60, 14
_SIGNS: t.Final = {"added": "+", "removed": "-", "changed": "~", "drifted": "!", "kept": "="}


def page(plan: Row, report: str = "") -> list[str]:
    """The lines of the page.

    :param report: where the whole of it is, empty where it is nowhere
    """
    head = list(_wrapped(_head(plan)))
    body = [line for entry in plan["objects"] if entry["action"] in _SIGNS for line in _entry(entry)]
    room = PAGE - len(head)
    if len(body) > room:
        where = f": {report}" if report else ""
        body = [*body[: max(room - 1, 0)], f"... and {len(body) - max(room - 1, 0)} lines more{where}"]
    return [printable(line) for line in (*head, *body)]


def sentence(plan: Row) -> str:
    """What a deployment would do, in one sentence."""
    if not plan["changes"]:
        drifted = counts(plan["objects"]).get("drifted", 0)
        more = f"; {drifted} that others changed would be left as they are" if drifted else ""
        return f"A deployment now would change nothing{more}."
    many = counts(plan["objects"])
    changed, labels = many.get("changed", 0), many.get("relabelled", 0)
    words = [f"change {_objects(changed)}" if changed else "", f"add {many['added']}" if "added" in many else ""]
    words += [f"remove {many['removed']}" if "removed" in many else ""]
    words += [f"put new labels of the chart on {labels}" if labels else ""]
    told = ", ".join(filter(None, words)) or "make a new revision of Helm's and change no object"
    left = many.get("unchanged", 0)
    return f"A deployment now would {told}; {_objects(left)} would stay as {'it is' if left == 1 else 'they are'}."


def _objects(number: int) -> str:
    return "1 object" if number == 1 else f"{number} objects"


def _head(plan: Row) -> Iterator[str]:
    revision, chart = plan["revision"], plan["chart"]
    steps = f"revision {revision['before']} -> {revision['after']}" if plan["helm_runs"] else "Helm has nothing to do"
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(plan["made"]))
    place = f"{plan['release']} in namespace {plan['namespace']}, {plan['cluster']}"
    yield f"Plan {plan['digest']} of {when}: {place}; {steps}"
    yield sentence(plan)
    for words in plan["stops"]:
        yield f"STOP      {words}"
    if chart["before"] and chart["before"] != chart["after"]:
        yield f"chart     {chart['before']} -> {chart['after']}"
    yield f"preflight {verdict(plan['preflight'])}"
    yield from _list("first", [hook for hook in plan["hooks"] if hook.startswith("pre-")], "")
    yield from _list("pods", plan["pods"], "none is replaced")
    yield from _list("volumes", plan["volumes"], "none comes, grows or goes" if plan["changes"] else "")
    yield from _list("later", plan["unseen"], "")
    yield from _list("last", [hook for hook in plan["hooks"] if hook.startswith("post-")], "")


def verdict(found: Row) -> str:
    """What the preflight says, on one line."""
    if "verdict" not in found:
        return "gave no verdict"
    count = found.get("pending_count") or 0
    if found.get("pending_unknown"):
        return f"{found['verdict']}; how many migrations would run is not known"
    if not count:
        return f"{found['verdict']}, no migration would run"
    heads = [", ".join(found.get(name) or ()) or "nothing" for name in ("live_revisions", "target_revisions")]
    return f"{found['verdict']}, {count} migration{'' if count == 1 else 's'} would run ({heads[0]} -> {heads[1]})"


def _list(title: str, sentences: Sequence[str], none: str) -> Iterator[str]:
    for number, words in enumerate(sentences or ([none] if none else [])):
        yield f"{title if not number else '':<9} {words}"


def _entry(entry: Row) -> Iterator[str]:
    more = ""
    if entry["action"] == "drifted":
        more = " differs from the chart and stays so: Helm has nothing to do"
    elif entry["action"] == "kept":
        more = " is not the chart's any more and stays (helm.sh/resource-policy: keep)"
    notes = "".join(f" ({note})" for note in entry["notes"])
    lines = [f"{_SIGNS[entry['action']]} {entry['kind']} {entry['name']}{more}{notes}"]
    for each in entry["differences"]:
        lines += Difference(each["path"], each["before"], each["after"], tuple(each.get("lines") or ())).said
    left = len(lines) - OF_ONE
    shown = lines[:OF_ONE] + ([f"... and {left} lines more"] if left > 0 else [])
    yield from _wrapped([shown[0]])
    for line in shown[1:]:
        yield from textwrap.wrap(line, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8) or [""]


def _wrapped(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from textwrap.wrap(line, WIDTH, subsequent_indent=" " * 10, break_long_words=False) or [line]


__all__ = ("PAGE", "page", "sentence", "verdict")
