"""A report of the connectivity test in a few lines, for a person who looks at it for ten seconds."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.table import complaints, wrapped

Row = dict[str, t.Any]


def summary(full: Row, *, reported: bool = True) -> list[str]:
    """The lines of a report: verdict, each dependency's latency over all pods, what must not be reached, findings.

    :param reported: the whole report was written somewhere, to which what is left out here can be referred
    """
    lines = [_head(full), *_dependencies(full["dependencies"]), *_negatives(full["negatives"])]
    lines += complaints(full["findings"], reported=reported)
    shown: list[str] = wrapped(lines)
    return shown


def _head(full: Row) -> str:
    asked = [item for item in full["pods"] if item["from"] in {"agent", "probe", "direct"}]
    place = {"agent": "agent pod", "probe": "probe pod", "direct": "machine"}[asked[0]["from"]] if asked else "pod"
    return f"{full['verdict'].upper()}  {full['subject']}: asked from {len(asked)} {place}{'s' * (len(asked) != 1)}"


def _dependencies(found: t.Sequence[Row]) -> list[str]:
    lines = []
    for name in dict.fromkeys(item["name"] for item in found):
        of_name = [item for item in found if item["name"] == name]
        well = [item for item in of_name if all(phase["status"] == "pass" for phase in item["phases"])]
        rounds = [item["rounds"] for item in of_name if item.get("rounds") and item["rounds"]["p50"] is not None]
        worst = {key: max((item[key] or 0 for item in rounds), default=0) for key in ("p50", "p95", "worst")}
        figures = [f"{key} {value:.1f}" for key, value in worst.items() if value]
        told = f", round trip in ms {', '.join(figures)}" if figures else ""
        lines.append(f"  {name.ljust(18)}  answers {len(well)} of {len(of_name)}{told}")
    return lines


def _negatives(found: t.Sequence[Row]) -> list[str]:
    said = dict.fromkeys(f"{item['from']} to {item['to']}: {item['got']}" for item in found)
    return [f"  must not be reached  {', '.join(said)}"] if said else []


__all__ = ("summary",)
