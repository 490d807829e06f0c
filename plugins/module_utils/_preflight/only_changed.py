"""A pull request is judged by the revisions that it changes: what others have merged before is theirs."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.git_changes import Changed
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import FilesRead, Rendered

_MOST_NAMED = 10


def narrowed(
    findings: t.Sequence[Finding],
    rendered: Rendered,
    *,
    unknown: t.Collection[str],
    folder: Path,
    configuration: str,
    changed: Changed,
) -> list[Finding]:
    """The findings without those of pending revisions that were not changed, and one that says what was left out.

    What is about no revision stays: it holds for the upgrade as a whole. A revision that runs after a changed one stays
    as well, for it meets another schema than before. Where the configuration, something below the script folder or a
    file that revisions have read was changed, any revision may do something else than before, and nothing is left out.

    :param unknown: the revisions whose SQL was not rendered, or is only one of several
    :param folder: from which the paths of revisions are read
    :param configuration: of Alembic, as seen from there
    """
    segments, read = rendered.segments, rendered.read
    paths = [(folder / (item.source or item.path)).resolve() for item in segments]
    first = next((number for number, path in enumerate(paths) if path in changed.files), len(paths))
    others = [item.revision for item in segments[:first]]
    if not others:
        return list(findings)
    needed, unneeded = _configurations(folder, configuration)
    rest = [path for path in _beside(changed, frozenset(paths), read) if path not in unneeded]
    blind = [item.revision for item in segments[:first] if item.revision in unknown]
    unread = [path for path, item in zip(paths[:first], segments, strict=False) if item.revision in unknown]
    if _shared(rest, needed, read) or _named_in(unread, rest):
        return list(findings)
    kept = [item for item in findings if item.revision not in others]
    left = [item for item in findings if item.revision in others]
    many = f"{len(others)} pending revisions are" if len(others) > 1 else "1 pending revision is"
    ids = ", ".join(sorted({item.id for item in left if item.severity not in {"info", "skip"}}))
    told = f"what was found there counts for no verdict here ({ids})" if ids else "nothing was found there"
    words = f"{many} not changed {changed.words} ({_some(others)}); {told}."
    return [*kept, finding("revisions-not-changed", words + _untold(blind, rest, read.env, changed.top))]


def _beside(changed: Changed, revisions: frozenset[Path], read: FilesRead) -> list[Path]:
    """What was changed and is neither a pending revision nor text for people that none of them reads."""
    moved = {old for old, new in changed.renamed.items() if new in revisions and new.parent == old.parent}
    rest = changed.files - revisions - moved
    # What Python has made of a module, it makes anew when that is another one.
    kept = (path for path in rest if "__pycache__" not in path.parts)
    return sorted(path for path in kept if not _for_people(path) or path in read.revisions)


def _for_people(path: Path) -> bool:
    return path.suffix == ".md" or path.name == "README"


def _configurations(folder: Path, configuration: str) -> tuple[set[Path], set[Path]]:
    """The files that configure Alembic, and those that it looks into without finding anything."""
    ini = (folder / configuration).resolve()
    toml = (folder / "pyproject.toml").resolve()
    # Alembic takes from it what alembic.ini does not say, if anything there is for Alembic.
    try:
        for_alembic = not ini.is_file() or "tool.alembic" in toml.read_text(encoding="utf-8", errors="replace")
    except OSError:
        for_alembic = True
    return ({ini, toml}, set()) if for_alembic else ({ini}, {toml})


def _shared(rest: t.Iterable[Path], configurations: set[Path], read: FilesRead) -> bool:
    """Whether a file was changed that every revision may depend on."""
    needed = configurations | read.revisions
    around = {parent for path in needed for parent in path.parents}
    roots = _with_links(read.places)
    return any(
        path in needed
        or path.parent in read.folders
        # A submodule, of which git says no more.
        or path in around
        or any(path.is_relative_to(root) or root.is_relative_to(path) for root in roots)
        for path in rest
    )


def _with_links(folders: t.Iterable[Path]) -> set[Path]:
    """The folders, and those to which links below them lead."""
    found: set[Path] = set()
    left = [folder.resolve() for folder in folders]
    while left:
        folder = left.pop()
        if folder in found:
            continue
        found.add(folder)
        for here, inner, files in os.walk(folder):
            paths = [Path(here, name) for name in (*inner, *files)]
            left += [path.resolve() for path in paths if path.is_symlink()]
    return found


def _named_in(paths: t.Iterable[Path], rest: t.Collection[Path]) -> bool:
    """Whether one of these revisions, whose run was not seen to its end, names a changed file."""
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return bool(rest)
        if any(one.name in text for one in rest):
            return True
    return False


def _untold(blind: t.Sequence[str], rest: t.Sequence[Path], by_env: t.Collection[Path], top: Path | None) -> str:
    """What cannot be known of them: a sentence with a blank before it, or nothing."""

    def named(paths: t.Iterable[Path]) -> str:
        return _some([str(path.relative_to(top) if top and path.is_relative_to(top) else path) for path in paths])

    if blind and rest:
        words = f" What {_some(blind)} {'reads' if len(blind) == 1 else 'read'} when it migrates is not all known here"
        return f"{words}, and these were changed too: {named(rest)}; judge without only_changed if it is one of them."
    imported = [path for path in rest if path in by_env]
    if imported:
        words = f" env.py reads what was changed ({named(imported)})"
        return f"{words}: if that decides what revisions do, such as names of constraints, judge without only_changed."
    return ""


def _some(names: t.Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


__all__ = ("narrowed",)
