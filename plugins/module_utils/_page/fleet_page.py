"""fleet.html: all releases of an inventory on one page that needs nothing but itself, the worst first."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import PurePath
from urllib.parse import quote

from ansible_collections.ai_platform.agent.plugins.module_utils._page.page import template

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet import Fleet

# A name list of one line on a desktop; the JSON has all.
SHOWN_HOSTS = 12


def fleet_page(found: Fleet, folder: str, *, ended: float) -> str:
    """The page. Every text of it is escaped.

    :param folder: where it will stand; pages of releases below it are linked, others are not
    :param ended: seconds since 1970
    """
    form, style, digest = template("fleet")
    links = {one.host: _link(one.page, folder) for one in found.releases}
    return form.render(
        style=style, style_digest=digest, fleet=found, links=links, ended=ended, shown_hosts=SHOWN_HOSTS
    ).lstrip()


def _link(page: str, folder: str) -> str:
    """Relative, so that the folder can be moved or served as it is."""
    place = PurePath(page)
    return quote(place.relative_to(folder).as_posix()) if page and place.is_relative_to(folder) else ""


__all__ = ("SHOWN_HOSTS", "fleet_page")
