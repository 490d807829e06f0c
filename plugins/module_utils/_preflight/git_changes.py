"""What a branch, a commit that is being made, or a person with uncommitted work has changed, as git tells it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

GIT_SECONDS = 30
_FORM = "write a branch, a tag or a commit"
_SETTINGS = frozenset({"GIT_CONFIG_COUNT", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})


@dataclasses.dataclass(frozen=True)
class Changed:
    """What differs.

    :param words: since when, to be said after "not changed"
    :param files: paths, resolved and, where a link itself is meant, not resolved; a folder stands for all that is in
        it: a submodule, or another repository that nobody has added
    :param top: the folder of the work tree that holds all of it, None where there is none
    :param renamed: of files that were only moved, the new path by the old one
    """

    words: str
    files: frozenset[Path]
    top: Path | None = None
    renamed: t.Mapping[Path, Path] = dataclasses.field(default_factory=dict)


def since(folder: Path, reference: str) -> Changed:
    """The files that differ from where the branch left `reference`, uncommitted and new ones included.

    :param folder: any folder of a git work tree
    :param reference: a branch, a tag or a commit
    :raises FindingError: `argument-invalid`: there is no git, no work tree, or no such reference
    """
    if reference.startswith("-") or "://" in reference or not reference.strip():
        # The value is not printed: it may be an address with a password.
        raise FindingError("argument-invalid", f"only_changed is no name that git takes: {_FORM}.")
    top = Path(_read(folder, "rev-parse", "--show-toplevel").rstrip("\n")).resolve()
    above = _read(folder, "rev-parse", "--show-superproject-working-tree").rstrip("\n")
    if above:
        return _with_submodule(top, Path(above).resolve(), reference)
    fork = _fork(top, reference)
    if fork is None:
        tracked = _read(top, "ls-files", "--cached", "-z")
        return Changed("since the beginning", _paths(top, [*_names(tracked), *_new(top)]), top)
    return _since_commit(top, fork, reference)


def _since_commit(top: Path, fork: str, reference: str) -> Changed:
    """The difference between a commit and the work tree."""
    names, renamed = _differ(top, fork)
    merged = _ask(top, "rev-parse", "--verify", "--quiet", "MERGE_HEAD").stdout.strip()
    if merged and fork == _read(top, "rev-parse", "HEAD").strip():
        # A merge is being committed: what is there as one of both sides has it, was judged there.
        names &= _differ(top, merged)[0]
    moved = {_real(top, old): _real(top, new) for old, new in renamed.items()}
    return Changed(f"since {reference}", _paths(top, [*names, *_new(top)]), top, moved)


def _differ(top: Path, commit: str) -> tuple[set[str], dict[str, str]]:
    """Names of what differs from a commit, and of those that were only moved the new name by the old one."""
    told = _read(top, "diff", "--name-status", "--find-renames=60%", "--no-ext-diff", "-z", commit, "--")
    words = iter(told.split("\0"))
    names: set[str] = set()
    renamed: dict[str, str] = {}
    for status in words:
        if not status:
            break
        name = next(words)
        names.add(name)
        if status[0] in "RC":
            new = next(words)
            names.add(new)
            if status[0] == "R":
                renamed[name] = new
    return names, renamed


def _with_submodule(inner: Path, outer: Path, reference: str) -> Changed:
    """The changes of both repositories: a commit of the outer one names the submodule's commit."""
    place = inner.relative_to(outer).as_posix()
    fork = _fork(outer, reference)
    whole = since(outer, reference)
    entry = _read(outer, "ls-tree", fork, "--", place).split() if fork else []
    if len(entry) < 3 or entry[1] != "commit":
        # The submodule is new, or a folder has become one.
        return dataclasses.replace(whole, files=whole.files | {inner})
    if _ask(inner, "cat-file", "-e", f"{entry[2]}^{{commit}}").returncode:
        words = f"the submodule {place} does not have the commit {entry[2][:12]} that belonged to {reference}"
        raise _invalid(f"{words}; fetch it with its history")
    part = _since_commit(inner, entry[2], reference)
    files = part.files | (whole.files - {inner})
    return Changed(whole.words, files, outer, {**whole.renamed, **part.renamed})


def _fork(top: Path, reference: str) -> str | None:
    """The commit where this branch left `reference`; None where nothing has been committed yet.

    :raises FindingError: `argument-invalid`: there is none, with what to do about it
    """
    if _ask(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").returncode:
        if reference in {"HEAD", "@"}:
            return None
        raise _invalid(f"nothing is committed yet on this branch, so that it has not left {reference}: write HEAD")
    if _ask(top, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}").returncode:
        raise _invalid(_unknown(top, reference))
    sides = ["HEAD"]
    if not _ask(top, "rev-parse", "--verify", "--quiet", "MERGE_HEAD").returncode:
        # A merge that is being committed comes from both.
        sides.append("MERGE_HEAD")
    # A difference with the reference itself would hold what others have merged there meanwhile, as undone here.
    found = _ask(top, "merge-base", reference, *sides)
    if found.returncode:
        cut = _shallow(top)
        cure = f"; its history is cut off: {_deepen(reference)}" if cut else ": name the one that it was begun from"
        raise _invalid(f"{reference} shares no commit with HEAD{' here' if cut else ''}{cure}")
    return found.stdout.split()[0]


def _unknown(top: Path, reference: str) -> str:
    """What to do about a reference that is not there."""
    if _shallow(top):
        return f"this clone has no {reference}, as it was made with a part of the history: {_deepen(reference)}"
    listed = _read(top, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes").split()
    others = [name for name in listed if name.endswith(f"/{reference}")]
    if others:
        return f"there is no {reference} here, but {others[0]}: write that"
    return f"there is no {reference} here: {_FORM} that `git branch --all` lists, or fetch it"


def _deepen(reference: str) -> str:
    if reference.startswith("HEAD") or reference.startswith("@"):
        return "fetch more of it (git fetch --unshallow; actions/checkout: fetch-depth 0)"
    name = reference.removeprefix("origin/")
    return f"fetch it with its history (git fetch --unshallow origin {name}; actions/checkout: fetch-depth 0)"


def _shallow(top: Path) -> bool:
    return _read(top, "rev-parse", "--is-shallow-repository").strip() == "true"


def _new(top: Path) -> list[str]:
    return _names(_read(top, "ls-files", "--others", "--exclude-standard", "-z"))


def _names(text: str) -> list[str]:
    return [name for name in text.split("\0") if name]


def _paths(top: Path, names: t.Iterable[str]) -> frozenset[Path]:
    """Each as it is, and where it leads: a link that was changed changes what is behind it."""
    found = {path for name in names for path in (_real(top, name), (top / name).resolve())}
    return frozenset(found)


def _real(top: Path, name: str) -> Path:
    """A path whose folder is resolved and which itself may be a link."""
    path = top / name.rstrip("/")
    return path.parent.resolve() / path.name


def _read(folder: Path, *words: str) -> str:
    """What git answers.

    :raises FindingError: `argument-invalid`: it refuses
    """
    done = _ask(folder, *words)
    if done.returncode == 0:
        return done.stdout
    said = " ".join((done.stderr.strip().splitlines() or ["it says nothing"])[0].split())
    if "dubious ownership" in said:
        said += f"; allow it (git config --global --add safe.directory {folder.resolve()})"
    raise _invalid(f"git cannot read {folder}: {said.rstrip('.')}")


def _ask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # A hook of git sets the index and the work tree of its own repository, which need not be that of the folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _kept(name)}
    try:
        return subprocess.run(  # pylint: disable=ansible-bad-function
            ["git", "-C", str(folder), *words],
            capture_output=True,
            encoding="utf-8",
            # Python's own way for file names whose bytes are not UTF-8.
            errors="surrogateescape",
            check=False,
            timeout=GIT_SECONDS,
            env=environment | {"LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise FindingError("argument-invalid", "only_changed needs git, which is not installed here.") from None
    except subprocess.TimeoutExpired:
        raise FindingError("argument-invalid", f"only_changed: git did not answer within {GIT_SECONDS} s.") from None


def _kept(name: str) -> bool:
    """Whether a variable of git is about the machine: a pipeline allows with it what another user owns."""
    return name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")) or name in _SETTINGS


def _invalid(words: str) -> FindingError:
    return FindingError("argument-invalid", f"only_changed: {words}.")


__all__ = ("Changed", "since")
