"""URLs that the agent wants in another form than the Secret's own keys have: another scheme, other parameters. Pure.

The chart tells them in an annotation of the agent's pods (chart/templates/_urls.tpl), and writes them so itself.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator, Mapping, Sequence

Object = dict[str, t.Any]
ANNOTATION: t.Final = "ai-agent/url-forms"
# Keys of the Secret that begin with it hold the migration's login.
MIGRATION: t.Final = "migration-"


def forms(template: Object) -> dict[str, Object]:
    """Variables of an agent's pod template with what makes their form: `of` (database or cache), scheme, parameters."""
    told = (template.get("metadata") or {}).get("annotations") or {}
    found: dict[str, Object] = json.loads(told.get(ANNOTATION, "{}"))
    return found


def in_form(url: str, form: Mapping[str, str]) -> str:
    """The URL in that form."""
    if "scheme" in form:
        url = form["scheme"] + url[url.index("://") :]
    if "parameters" in form:
        url = url.partition("?")[0] + (f"?{form['parameters']}" if form["parameters"] else "")
    return url


def written(objects: Sequence[Object], urls: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Further keys of the Secret, each with its URL.

    :param urls: by the Secret's own keys; of a server without one there is nothing to write
    """
    for item in objects:
        for name, form in forms((item.get("spec") or {}).get("template") or {}).items():
            if form["of"] == "cache" and "redis-url" in urls:
                yield name, in_form(urls["redis-url"], form)
            if form["of"] == "database" and "database-url" in urls:
                yield name, in_form(urls["database-url"], form)
                yield MIGRATION + name, in_form(urls["migration-database-url"], form)


__all__ = ("forms", "in_form", "written")
