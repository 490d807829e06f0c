"""What users of the collection get: the files that git knows, packed by ``ansible-galaxy collection build``.

Two builds of the same files give the same bytes, so that a checksum or a signature can be compared: names are
sorted, and every time is that of the last commit, or SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
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


def date(root: Path = ROOT) -> int:
    """Seconds since 1970 that every file of an artefact carries.

    :raises LabError: SOURCE_DATE_EPOCH is no number, or git knows no commit here
    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    done = shell.capture(["git", "-C", root, "log", "-1", "--format=%ct"]) if given is None else None
    try:
        return int(done.stdout if done else given or "")
    except ValueError:
        whence = f"git knows no commit of {root}" if done else f'SOURCE_DATE_EPOCH is "{given}", which is no number'
        raise LabError(f"{whence}, so an artefact has no date; set it to seconds since 1970.") from None


def reproducible(archive: Path, seconds: int) -> None:
    """Pack an artefact anew, so that its bytes depend on its files and on ``seconds`` alone.

    FILES.json lists the files in the order in which the file system gave them; it is sorted, and its
    checksum in MANIFEST.json is set anew.
    """
    with tarfile.open(archive) as packed:
        members = {member.name: member for member in packed.getmembers()}
        bodies = {name: packed.extractfile(member) for name, member in members.items() if member.isfile()}
        content = {name: body.read() for name, body in bodies.items() if body}
    files = json.loads(content["FILES.json"])
    files["files"].sort(key=lambda entry: entry["name"])
    content["FILES.json"] = json.dumps(files, indent=True).encode()
    manifest = json.loads(content["MANIFEST.json"])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(content["FILES.json"]).hexdigest()
    content["MANIFEST.json"] = json.dumps(manifest, indent=True).encode()
    # Galaxy reads these two first.
    names = ["MANIFEST.json", "FILES.json", *sorted(members.keys() - {"MANIFEST.json", "FILES.json"})]
    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=seconds) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as packed,
    ):
        for name in names:
            member = members[name]
            member.mtime, member.size = seconds, len(content.get(name, b""))
            packed.addfile(member, io.BytesIO(content[name]) if name in content else None)


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
    reproducible(archives[0], date(root))
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
        (ROOT / "build").mkdir(exist_ok=True)
        archive = archive.replace(ROOT / "build" / archive.name)
    except (LabError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
