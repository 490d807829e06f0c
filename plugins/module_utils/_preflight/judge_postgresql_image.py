"""Whether the image of the release's own PostgreSQL starts on the data that are there. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._release import identity

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned

# 16, 16.4, 16.4.0-debian-12-r9, and pg16, 0.8.0-pg16 of images that extend PostgreSQL.
_EXTENDED = re.compile(r"(?:^|[-_])pg(?P<major>\d\d)(?![0-9])")
_PLAIN = re.compile(r"v?(?P<major>\d\d)(?:$|[.-])")


def major(image: str) -> int | None:
    """The major version of PostgreSQL that the tag of an image says; None where it says none."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = _EXTENDED.search(tag) or _PLAIN.match(tag)
    return int(found["major"]) if found else None


def judge_postgresql_image(plan: Planned, live: Live, version: int | None = None) -> list[Finding]:
    """Another major version, which refuses the data directory, or one that cannot be told.

    :param version: server_version_num of the living server, where it was asked; else what its image says is taken
    """
    there = {item.name: item for item in identity.servers(live.statefulsets)}
    for server in plan.servers:
        if server.what != "database" or server.name not in there:
            continue
        then, now = (_image(item) for item in (server, there[server.name]))
        wanted, has = major(then), version // 10000 if version else major(now)
        if then == now:
            continue
        words = f"The data of {server.name} are of PostgreSQL {has or '(not known)'} (image {now})"
        if wanted and has and wanted != has:
            return [
                finding("database-major-differs", f"{words}, and {then} is {wanted}, which refuses to start on them.")
            ]
        if not (wanted and has) and version is None:
            words += (
                f", and which version {then} has cannot be told from its tag" if not wanted else f"; {then} is {wanted}"
            )
            return [finding("database-major-differs", f"{words}.", severity="unknown")]
    return []


def _image(server: identity.Server) -> str:
    return str(server.template["spec"]["containers"][0]["image"])


__all__ = ("judge_postgresql_image", "major")
