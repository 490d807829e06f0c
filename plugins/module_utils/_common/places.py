"""Where in a repository a finding is to be shown: what SARIF and annotations need."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Place:
    """A file, relative to the repository's root and with slashes, and a line of it, from 1."""

    file: str
    line: int = 1


def repository(folder: Path) -> Path:
    """The nearest folder above `folder`, or itself, that is a git work tree; without one `folder` itself."""
    folder = folder.resolve()
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def places(full: dict[str, t.Any], folder: Path, configuration: str) -> list[Place]:
    """A place for each finding of a report, in its order.

    A finding about a statement is shown at the line that writes it, one about a revision at its file, and all others at
    the Alembic configuration.

    :param full: the report
    :param folder: where `alembic` is called
    :param configuration: its configuration file, as seen from there
    """
    revisions = {item["revision"]: item for item in full.get("pending", ())}
    lines = {
        statement["statement"]: statement["line"]
        for item in revisions.values()
        for statement in item["statements"]
        if "line" in statement
    }
    root, folder = repository(folder), folder.resolve()

    def below(name: str) -> str:
        path = (folder / name).resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name

    found = []
    for item in full["findings"]:
        revision = revisions.get(item.get("revision"))
        if revision and revision["source"]:
            found.append(Place(below(revision["source"]), lines.get(item.get("statement"), 1)))
        else:
            found.append(Place(below(configuration)))
    return found


__all__ = ("Place", "places", "repository")
