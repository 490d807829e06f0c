"""A plan as a page for whoever has to agree to it: what happens, what stands in the way, each field that differs."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._page.page import template
from ansible_collections.ai_platform.agent.plugins.module_utils._release import plan_text
from ansible_collections.ai_platform.agent.plugins.module_utils._release.plan import counts

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator

Row = dict[str, t.Any]
Level = t.Literal["good", "warn", "bad", "neutral"]

# What is done to an object: the badge's look and its word, in the order of the page.
ACTIONS: t.Final = {
    "removed": ("fail", "removed"),
    "changed": ("warn", "changed"),
    "added": ("good", "added"),
    "drifted": ("unknown", "differs and stays"),
    "kept": ("info", "stays, no longer the chart's"),
}
_CONSENT: t.Final = frozenset({"safe", "warn"})


def plan_page(plan: Row) -> str:
    """The page. Every text of it is escaped.

    :param plan: what release_plan returns as `plan`
    """
    form, style, digest = template("plan")
    word, level = headline(plan)
    known = counts(plan["objects"])
    return form.render(
        style=style,
        style_digest=digest,
        plan=plan,
        word=word,
        level=level,
        sentence=plan_text.sentence(plan),
        verdict=plan_text.verdict(plan["preflight"]),
        figures={name: known[action] for action, (_look, name) in ACTIONS.items() if action in known},
        parts=list(_parts(plan)),
        actions=ACTIONS,
        objects=[entry for action in ACTIONS for entry in plan["objects"] if entry["action"] == action],
    ).lstrip()


def headline(plan: Row) -> tuple[str, Level]:
    """The word at the top and how serious it is."""
    if plan["stops"]:
        return "Would stop", "bad"
    if not plan["changes"]:
        return "Would change nothing", "good"
    removes = any(entry["action"] == "removed" for entry in plan["objects"])
    doubtful = plan["preflight"].get("verdict") not in _CONSENT
    return "Would change", "warn" if removes or doubtful or plan["volumes"] else "neutral"


def _parts(plan: Row) -> Iterator[tuple[str, list[str]]]:
    """Titles with their sentences, in the order in which things happen."""
    yield "First", [hook for hook in plan["hooks"] if hook.startswith("pre-")]
    yield "Pods", plan["pods"] or ["None is replaced."]
    yield "Volumes", plan["volumes"] or ["None comes, grows or goes."]
    yield "Later", plan["unseen"]
    yield "Last", [hook for hook in plan["hooks"] if hook.startswith("post-")]


__all__ = ("ACTIONS", "headline", "plan_page")
