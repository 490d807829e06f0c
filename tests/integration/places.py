"""Where a password may have got to in a run: each place is copied into a folder, then searched; processes meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

from lab.paths import ROOT

SEARCH = ROOT / "molecule/shared/files/search.py"


class Places:
    """Copies by place; each place must hold something, else its search proves nothing."""

    def __init__(self, folder: Path) -> None:
        """Copy into folders below this one."""
        self.folder = folder
        folder.mkdir()

    def text(self, place: str, name: str, content: str) -> None:
        """Keep one text."""
        file = self.folder / place / name.replace("/", "_")
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, errors="surrogateescape")

    def tree(self, place: str, folder: Path, *but: str) -> None:
        """Keep the files of a folder less those of some names, but none that is a socket or a pipe."""

        def left_out(where: str, names: list[str]) -> set[str]:
            paths = {name: Path(where, name) for name in names}
            return {name for name, path in paths.items() if name in but or not (path.is_dir() or path.is_file())}

        shutil.copytree(folder, self.folder / place, dirs_exist_ok=True, symlinks=True, ignore=left_out)

    def search(self, secrets: t.Sequence[str]) -> list[str]:
        """Files in which one of the secrets stands, in whatever spelling; prints what was searched."""
        folders = sorted(path for path in self.folder.iterdir() if path.is_dir())
        environment = os.environ | {"CANARIES": json.dumps(secrets)}
        done = subprocess.run(
            [sys.executable, SEARCH, *folders], env=environment, capture_output=True, text=True, check=False
        )
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        said = json.loads(done.stdout)
        for place, counted in said["places"].items():
            print(f"{Path(place).name}: {counted['files']} files, {counted['bytes']} bytes")
            assert counted["bytes"], place
        print(f"{len(folders)} places, {said['files']} files, {said['bytes']} bytes")
        assert (done.returncode != 0) is bool(said["found"]), done.stderr
        found: list[str] = said["found"]
        return found


def descendants(process: int) -> list[Path]:
    """Folders in /proc of a process and of all that came from it."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return [Path("/proc", str(each)) for each in sorted(found)]


class Processes:
    """Looks at a run's processes until it ends: at their arguments, and at their environment."""

    def __init__(self, process: int, secrets: t.Sequence[str], logins: t.Sequence[str]) -> None:
        """Begin to look; `seen` are the programs that were looked at, `holding` those that held a secret.

        Secrets may stand in neither; logins, which a controller gives by variables, not among arguments.
        """
        self.seen: set[str] = set()
        self.holding: set[str] = set()
        self._nowhere = [secret.encode() for secret in secrets]
        self._no_arguments = [*self._nowhere, *(login.encode() for login in logins)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(process,))
        self._thread.start()

    def _look(self, process: int) -> None:
        while not self._over.wait(0.4):
            for place in descendants(process):
                try:
                    words, variables = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
                except OSError:
                    continue
                # A script is the second word, after its interpreter.
                names = [each.rpartition(b"/")[2].decode(errors="replace") for each in words.split(b"\0")[:2]]
                name = " ".join(names)
                self.seen |= set(names)
                if any(each in words for each in self._no_arguments):
                    self.holding.add(f"arguments of {name}")
                if any(each in variables for each in self._nowhere):
                    self.holding.add(f"environment of {name}")

    def stop(self) -> None:
        """End looking."""
        self._over.set()
        self._thread.join()
