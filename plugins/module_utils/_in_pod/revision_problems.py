"""What Alembic means where it cannot put the revisions together: which file names what is not there."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t
from pathlib import Path

_MISSING: t.Final = re.compile(
    r"Revision (?P<missing>.+?) referenced from .*?-> (?P<by>[^\s,]+).* is not present", re.DOTALL
)
_TWICE: t.Final = re.compile(r"Revision (?P<id>.+?) is present more than once")


def ended(error: SystemExit) -> str:
    """How a process was ended: a text is what sys.exit() prints."""
    return f": {error.code}" if isinstance(error.code, str) else f" with exit code {error.code}"


def explained(error: BaseException, warned: t.Iterable[str]) -> str | None:
    """A sentence without its full stop; None where it is another problem.

    :param warned: Alembic's warnings until then
    """
    for text in warned:
        if found := _MISSING.search(text):
            return f"the revision {found['by']} follows {found['missing']} (down_revision), which no file has"
        if "is not present" in text:
            return text
    if not (isinstance(error, KeyError) and error.args):
        return None
    by = _dependent(error)
    return f"the revision {by} depends on {error.args[0]} (depends_on), which no file has" if by else None


def _dependent(error: BaseException) -> str | None:
    """The revision that Alembic was at when it looked for what another depends on."""
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_name == "_add_depends_on":
            return getattr(frame.tb_frame.f_locals.get("revision"), "revision", None)
        frame = frame.tb_next
    return None


def _assigned(revision: str) -> re.Pattern[str]:
    return re.compile(rf"^revision\b[^=\n]*=\s*[\"']{re.escape(revision)}[\"']", re.MULTILINE)


def repeated(warned: t.Iterable[str], folders: t.Iterable[str]) -> str | None:
    """What is said of an id that two files have; None without one."""
    names = [found["id"] for text in warned if (found := _TWICE.search(text))]
    if not names:
        return None
    files = sorted(
        path.name
        for folder in dict.fromkeys(folders)
        for path in Path(folder).glob("*.py")
        if _assigned(names[0]).search(path.read_text(errors="replace"))
    )
    listed = f" ({', '.join(files)})" if len(files) > 1 else ""
    return (
        f"two files have the revision {names[0]}{listed}, of which Alembic runs one only; give one of them another id"
    )
