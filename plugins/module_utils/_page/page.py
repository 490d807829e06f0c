"""report.html: one page that needs nothing but itself. The look is in the two files beside this one.

It runs on the controller only: the payload of a module has no room for a template, see docs/decisions.md.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._page import view
from ansible_collections.ai_platform.agent.plugins.module_utils._page.latency_plot import (
    latency_plot,
    milliseconds,
    phase_stacks,
)

if t.TYPE_CHECKING:  # pragma: no cover
    import jinja2

_FILE = Path(__file__)
# What the page names of a run, None where the caller left it out.
_RUN = ("host", "release", "environment", "namespace", "cluster", "failure")
_QUIET = frozenset({"skip", "info"})


def page(document: dict[str, t.Any], runbook_url: str) -> str:
    """The document of run.document as HTML. Every text of it is escaped.

    :param runbook_url: where docs/runbook.md can be read; a finding links to its section there
    """
    form, style, digest = template("page")
    return form.render(style=style, style_digest=digest, **_parts(document, runbook_url)).lstrip()


@functools.cache
def template(name: str) -> tuple[jinja2.Template, str, str]:
    """A template of this folder, its style sheet as trusted text, and that one's SHA-256 as a content policy has it.

    :param name: `page`, or another one, whose style sheet follows that of the page
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(_FILE.parent),
    )
    environment.filters |= {"duration": duration, "milliseconds": milliseconds, "moment": moment}
    sheets = dict.fromkeys(("page.css", f"{name}.css"))
    style = "".join((_FILE.parent / sheet).read_text(encoding="utf-8") for sheet in sheets)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    form = environment.get_template(f"{name}.html.j2")
    return form, Markup(style), digest  # noqa: S704 - a file of this collection


def _parts(document: dict[str, t.Any], runbook_url: str) -> dict[str, t.Any]:
    reports = document["reports"]
    preflight, connectivity = reports.get("migration_preflight"), reports.get("connectivity_test") or {}
    groups = view.groups(reports, runbook_url)
    dependencies = connectivity.get("dependencies") or []
    stacks, stacks_left_out = phase_stacks(dependencies)
    released = any(step["name"] == "release" and step["state"] == "done" for step in document["steps"])
    longest = max((step.get("seconds", 0.0) for step in document["steps"]), default=0.0) or 1.0
    return {
        "run": dict.fromkeys(_RUN) | document["run"],
        "outcome": document["outcome"],
        "steps": [step | {"share": round(100 * step.get("seconds", 0.0) / longest, 1)} for step in document["steps"]],
        "changes": view.changes(document["run"]),
        "loud": [group for group in groups if not group.accepted and group.severity not in _QUIET],
        "quiet": [group for group in groups if not group.accepted and group.severity in _QUIET],
        "accepted": [group for group in groups if group.accepted],
        "counts": _counts(groups),
        "checked": sorted(reports),
        "migrations": view.migrations(preflight, released=released and not document["run"]["check_mode"]),
        "soak": view.soak(reports.get("release_soak")),
        "soaked": (reports.get("release_soak") or {}).get("seconds"),
        "plot": latency_plot(dependencies, connectivity.get("thresholds") or {}),
        "stacks": stacks,
        "stacks_left_out": stacks_left_out,
        "negatives": view.negatives(connectivity),
        "answers": view.answers(connectivity),
    }


def _counts(groups: t.Sequence[view.Group]) -> dict[str, int]:
    """Findings by what a reader has to do about them."""
    found = dict.fromkeys(("fail", "unknown", "warn", "skip", "info", "accepted"), 0)
    for group in groups:
        found["accepted" if group.accepted else group.severity] += len(group.messages)
    return found


def duration(seconds: float | None) -> str:
    """Elapsed time for a reader: `0.4 s`, `7 s`, `2 min 05 s`."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole >= 60:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"


def moment(seconds: float) -> str:
    """A time in UTC: readers of one report may sit in several zones."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


__all__ = ("duration", "moment", "page", "template")
