"""Commit subjects: at most 72 characters, so that `git log --oneline` shows them whole.

``python -m dev.commit_subjects`` reads the commits since CHECKED_SINCE; ``--message FILE`` one that is being written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab import shell
from lab.paths import ROOT

LONGEST = 72
CHECKED_SINCE = "48b7909"
"""The limit applies to commits after this one."""


def long(subjects: list[str]) -> list[str]:
    """The subjects that are too long."""
    return [subject for subject in subjects if len(subject) > LONGEST]


def recent(root: Path = ROOT) -> list[str] | None:
    """The subjects since CHECKED_SINCE; None where the history does not reach back so far (a shallow clone)."""
    done = shell.capture(["git", "-C", root, "log", "--no-merges", "--format=%s", f"{CHECKED_SINCE}..HEAD"])
    return None if done.returncode else done.stdout.splitlines()


def main() -> int:
    """Exit code 0 when every subject is short enough."""
    parser = argparse.ArgumentParser(prog="python -m dev.commit_subjects", description=__doc__)
    parser.add_argument("--message", type=Path, metavar="FILE", help="a message that is being written")
    options = parser.parse_args()
    if options.message:
        subjects: list[str] | None = options.message.read_text(encoding="utf-8").splitlines()[:1]
    else:
        subjects = recent()
    if subjects is None:
        print("this clone's history does not reach back far enough: no subject was checked")
        return 0
    for subject in (found := long(subjects)):
        print(f"{len(subject)} characters, {LONGEST} at most: {subject}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
