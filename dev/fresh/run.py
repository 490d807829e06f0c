"""The README's first commands on a bare machine, and what they touched there outside the checkout."""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Iterable
from pathlib import Path

from dev.fresh.machine import CHECKOUT, Machine
from lab import needs
from lab.debian import Host
from lab.paths import LAB, ROOT
from lab.progress import LabError, minutes, say

LOGS = LAB / "fresh"
TOUCHED = Path(__file__).with_name("touched.txt")
RECORDER = "/var/tmp/recorder.py"  # noqa: S108 - on a machine of one user
EXECUTED = "/var/tmp/executed"  # noqa: S108
OLD_SUITE, NEW_SUITE = "bookworm", "trixie"
OWN = (
    f"{CHECKOUT}/*",
    "/root/.cache/*",
    "/root/go/*",
    "/tmp/*",  # noqa: S108 - names, not files
    "/var/tmp/*",  # noqa: S108
    "/var/cache/debconf/*",
    "/var/lib/dpkg/*",
    "*/ld-linux*",
    "*/ld-musl*",
)
"""What a run may execute without being asked: what it made itself, packages' scripts, and every program's loader."""


def commands(readme: str) -> list[str]:
    """The commands of the README's section "Two commands", without their comments.

    :raises LabError: there is no such section
    """
    section = re.search(r"^### Two commands\n.*?(?=^##|\Z)", readme, re.MULTILINE | re.DOTALL)
    found = re.search(r"^```console\n(.*?)^```", section[0], re.MULTILINE | re.DOTALL) if section else None
    if not found:
        raise LabError('README.md has no section "Two commands" with a console block: what a newcomer types is unknown')
    return [line.partition(" #")[0].removeprefix("$ ").strip() for line in found[1].splitlines() if line[:2] == "$ "]


def known(text: str) -> dict[str, set[str]]:
    """The committed list: patterns by kind (``executes``, ``leaves``), one ``kind pattern`` a line, ``#`` comments."""
    found: dict[str, set[str]] = {"executes": set(), "leaves": set()}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            found[words[0]].add(words[1])
    return found


def unlisted(found: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """The items of *found* that no pattern names."""
    allowed = list(patterns)
    return sorted(name for name in set(found) if not any(fnmatch.fnmatchcase(name, pattern) for pattern in allowed))


class Newcomer:
    """One bare machine and what was there before the first command."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        machine.clone()
        machine.put(Path(__file__).with_name("recorder.py"), RECORDER)
        machine.background("/var/tmp/recorder.log", "python3", RECORDER, EXECUTED)  # noqa: S108
        deadline = time.monotonic() + 20
        while "ready" not in (said := machine.read("cat", "/var/tmp/recorder.log")):  # noqa: S108
            if "error" in said or time.monotonic() > deadline:
                raise LabError(f"what the new machine executes cannot be recorded: {said.strip()}")
            time.sleep(0.2)
        self.chosen = self._chosen()
        self.places = self._places()

    def packages_beyond_the_list(self) -> list[str]:
        """Packages that somebody asked apt for, and that are not in :mod:`lab.needs`."""
        release = Host("debian", self.machine.suite, "")
        asked = {p.name(release).partition("/")[0] for need in needs.ALL for p in need.packages}
        return sorted(self._chosen() - self.chosen - asked)

    def executed(self) -> set[str]:
        """The packages whose programs ran; a program of no package by its path."""
        paths = unlisted(self.machine.read("cat", EXECUTED).splitlines(), OWN)
        # A temporary file that dpkg ran while it unpacked has gone, as have programs of packages that were replaced.
        text = self.machine.read(
            "sh", "-c", 'for path; do echo "$(dpkg -S "$path" 2>/dev/null) | $path"; done', "sh", *paths
        )
        owners = (line.partition(" | ") for line in text.splitlines())
        return {owner.partition(":")[0] if owner.strip() else path for owner, _, path in owners}

    def left(self) -> set[str]:
        """Entries of the home folder and of places for what no package brings, that were not there before."""
        return self._places() - self.places

    def changed(self) -> list[str]:
        """What git sees in the checkout that it did not make."""
        return self.machine.read("git", "-C", CHECKOUT, "status", "--porcelain").splitlines()

    def _chosen(self) -> set[str]:
        return set(self.machine.read("apt-mark", "showmanual").split())

    def _places(self) -> set[str]:
        places = ["/root", "/opt", "/srv", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib", "/home"]
        return set(self.machine.read("find", *places, "-mindepth", "1", "-maxdepth", "1").split())


def two_commands(lent: Path | None = None) -> list[tuple[str, str]]:
    """Run the README's commands on a bare trixie.

    :param lent: a folder whose ``cache`` and ``go`` are the machine's ``~/.cache`` and ``~/go``; without it: empty
    :return: each thing that was asked, and why it is not so; empty: it is
    :raises LabError: the machine could not be made
    """
    answers: list[tuple[str, str]] = []
    typed = commands((ROOT / "README.md").read_text())
    with Machine(NEW_SUITE, lent) as machine:
        newcomer = Newcomer(machine)
        for command in typed:
            begin = time.monotonic()
            log = LOGS / f"{command.replace(' ', '-')}.log"
            say(
                f"\n    $ {command}     (a bare Debian {NEW_SUITE}, {'lent caches' if lent else 'empty caches'}; {log})"
            )
            code = machine.run(command, log)
            took = minutes(time.monotonic() - begin)
            say(f"    $ {command}: exit code {code} after {took}")
            answers.append(
                (f"{command} on a bare Debian {NEW_SUITE} ({took})", f"exit code {code}, see {log}" if code else "")
            )
            if code:
                break
        allowed = known(TOUCHED.read_text())
        executed, left = newcomer.executed(), newcomer.left()
        (LOGS / "touched.txt").write_text(
            "".join(
                [*(f"executes {name}\n" for name in sorted(executed)), *(f"leaves {name}\n" for name in sorted(left))]
            )
        )
        for title, surplus in (
            ("no package is installed that lab/needs.py does not list", newcomer.packages_beyond_the_list()),
            ("no program is run that dev/fresh/touched.txt does not list", unlisted(executed, allowed["executes"])),
            ("nothing is left that dev/fresh/touched.txt does not list", unlisted(left, allowed["leaves"])),
            ("the checkout is as it was committed", newcomer.changed()),
        ):
            answers.append((title, " ".join(surplus)))
    return answers
