"""A pull request is judged by the revisions that it changes: what others have merged before is theirs."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment

GIT_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class Changed:
    """What a branch, or a person with uncommitted work, has changed.

    :param words: since when, to be said after "not changed"
    :param files: as resolved paths
    """

    words: str
    files: frozenset[Path]


def since(folder: Path, reference: str) -> Changed:
    """The files that differ from where the branch left `reference`, uncommitted and new ones included.

    :param folder: any folder of a git work tree
    :param reference: a branch, a tag or a commit
    :raises FindingError: `argument-invalid`: there is no git, no work tree, or no such reference
    """
    if reference.startswith("-"):
        raise FindingError("argument-invalid", f"only_changed is {reference!r}: write a branch, a tag or a commit.")
    top = Path(_git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
    # A difference with the reference itself would hold what others have merged there meanwhile, as undone here.
    fork = _git(folder, "merge-base", reference, "HEAD", reference=reference).strip()
    differ = _git(folder, "diff", "--name-only", "-z", "--no-renames", fork, "--")
    new = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    names = [name for text in (differ, new) for name in text.split("\0") if name]
    return Changed(f"since {reference}", frozenset((top / name).resolve() for name in names))


def _git(folder: Path, *words: str, reference: str = "") -> str:
    # A hook of git sets the index and the work tree of its own repository, which need not be that of the folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=GIT_SECONDS,
            env=environment,
        )
    except FileNotFoundError:
        raise FindingError("argument-invalid", "only_changed needs git, which is not installed here.") from None
    except subprocess.TimeoutExpired:
        raise FindingError("argument-invalid", f"only_changed: git did not answer within {GIT_SECONDS} s.") from None
    if done.returncode == 0:
        return done.stdout
    said = " ".join((done.stderr.strip().splitlines() or ["it shares no commit with HEAD"])[0].split())
    about = f"git cannot compare with {reference}" if reference else f"git cannot read {folder}"
    cure = "; fetch it with its history (actions/checkout: fetch-depth 0)" if reference else ""
    raise FindingError("argument-invalid", f"only_changed: {about}: {said}{cure}.")


def narrowed(
    findings: t.Sequence[Finding], segments: t.Sequence[Segment], folder: Path, configuration: str, changed: Changed
) -> list[Finding]:
    """The findings without those of pending revisions that were not changed, and one that says what was left out.

    What is about no revision stays: it holds for the upgrade as a whole. Where env.py, the configuration or a file that
    revisions may read was changed, any revision may do something else than before, and nothing is left out.

    :param segments: the pending revisions
    :param folder: from which the paths of revisions are read
    :param configuration: of Alembic, as seen from there
    """
    paths = {item.revision: (folder / (item.source or item.path)).resolve() for item in segments}
    others = [revision for revision, path in paths.items() if path not in changed.files]
    if not others or _shared(paths.values(), (folder / configuration).resolve(), changed.files):
        return list(findings)
    kept = [item for item in findings if item.revision not in others]
    left = [item for item in findings if item.revision in others]
    many = f"{len(others)} pending revisions are" if len(others) > 1 else "1 pending revision is"
    named = ", ".join(others[:10]) + (f" and {len(others) - 10} more" if len(others) > 10 else "")
    ids = ", ".join(sorted({item.id for item in left if item.severity not in {"info", "skip"}}))
    told = f"what was found there counts for no verdict here ({ids})" if ids else "nothing was found there"
    words = f"{many} not changed {changed.words} ({named}); {told}."
    return [*kept, finding("revisions-not-changed", words)]


def _shared(revisions: t.Collection[Path], configuration: Path, changed: t.Collection[Path]) -> bool:
    """Whether a file was changed that every revision may depend on."""
    near = {folder for path in revisions for folder in (path.parent, path.parent.parent)}
    return any(
        path == configuration or (path.parent in near and path not in revisions and path.suffix != ".md")
        for path in changed
    )


__all__ = ("Changed", "narrowed", "since")
