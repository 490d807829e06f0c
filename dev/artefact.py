"""What users of the collection get: the files that git knows, packed by ``ansible-galaxy collection build``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from lab import shell
from lab.paths import LAB, ROOT
from lab.progress import LabError

NAMESPACE, NAME = "ai_platform", "agent"


def tracked(root: Path = ROOT) -> list[Path]:
    """A checkout's files as git knows them, relative, sorted: what is not added yet is nobody's but its writer's.

    :raises LabError: this is no git checkout, so nothing says what belongs to it
    """
    done = shell.capture(["git", "-C", root, "ls-files", "-z", "--cached"])
    if done.returncode:
        raise LabError(f"git cannot list the files of {root}: {done.stderr.strip()}")
    # A file that was removed and is still in git's index is none.
    names = [Path(name) for name in done.stdout.split("\0") if name]
    return sorted(name for name in names if (root / name).is_symlink() or (root / name).exists())


def build(work: Path = LAB / "artefact", root: Path = ROOT) -> Path:
    """Pack the checkout, changed files as they are now, and return the archive.

    :param work: a folder that is made anew
    :raises LabError: ansible-galaxy refuses, or there is no git
    """
    shutil.rmtree(work, ignore_errors=True)
    source = work / "source"
    for name in tracked(root):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, source / name, follow_symlinks=False)
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    words = [galaxy, "collection", "build", "--output-path", work, source]
    done = shell.capture(words, timeout=300)
    archives = list(work.glob("*.tar.gz"))
    if done.returncode or not archives:
        raise LabError(f"ansible-galaxy collection build failed: {(done.stderr or done.stdout).strip()[-600:]}")
    return archives[0]


def unpack(archive: Path, root: Path) -> Path:
    """Unpack it to ``<root>/ansible_collections/<namespace>/<name>``, and return that folder."""
    folder = root / "ansible_collections" / NAMESPACE / NAME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder


def main() -> int:
    """Build it and say where it is; return the exit code."""
    try:
        archive = build()
    except (LabError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(archive)
    return 0


if __name__ == "__main__":
    sys.exit(main())
