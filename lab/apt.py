"""The host's package manager: a lock of somebody else is waited for, and what went wrong is said in one sentence."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import struct
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab import shell
from lab.progress import LabError, say

PATIENCE = 600.0
"""Seconds that another program may keep apt from us."""
PACE = 10.0
"""Seconds between two lines that name this program."""

QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
# The default of 30 s a try and several tries for each file keeps a reader waiting for minutes before a dead proxy.
NETWORK = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20"]
LOCKED = re.compile(r"Could not get lock|Unable to acquire the dpkg|is held by process|frontend lock")
INTERRUPTED = "dpkg was interrupted"

_ONE = threading.RLock()


def install(packages: Sequence[str]) -> None:
    """Install packages of this machine's distribution, in one call.

    :param packages: names as apt takes them, ``name`` or ``name/suite``
    :raises LabError: not root, apt was in use for :data:`PATIENCE` seconds, or it failed
    """
    if os.geteuid() != 0:
        raise LabError(
            f"only root may install {' '.join(packages)}: run as root apt-get install {' '.join(packages)},"
            " then this again"
        )
    words = ["install", "-y", "-q", "--no-install-recommends", *packages]
    with _ONE:
        # One broken source among those of a machine makes update fail, and may have nothing to do with us.
        known = _update()
        try:
            _run(words, f"installing {' '.join(packages)}")
        except shell.ProgramError as error:
            if INTERRUPTED not in error.output:
                raise LabError(explain(known + error.output, packages)) from None
            say("        an earlier apt was interrupted half-way: dpkg --configure -a ends its work first")
            try:
                _run(words, f"installing {' '.join(packages)}", first=_configure)
            except shell.ProgramError as again:
                raise LabError(explain(again.output, packages)) from None


def unpack(package: str, folder: Path, *more: str) -> None:
    """Fetch packages of this machine's distribution and put their files below a folder; nothing is installed.

    :raises LabError: there is no apt, or it failed
    """
    if not shutil.which("apt-get"):
        raise LabError(f"there is no apt-get to fetch Debian's package {package} with: install what it holds by hand")
    with _ONE:
        known = _update() if os.geteuid() == 0 else ""
        # apt downloads into the folder that it is started in.
        words = ["apt-get", *NETWORK, "download", "-q", package, *more]
        fetch = f"cd {shlex.quote(str(folder))} && {shlex.join(words)}"
        each = 'for file in ./*.deb; do dpkg -x "$file" . || exit 1; done'
        words = ["sh", "-c", f"{fetch} && {each} && rm ./*.deb"]
        try:
            shell.run(words, log="apt", what=f"fetching {package}", env=QUIET)
        except shell.ProgramError as error:
            raise LabError(explain(known + error.output, [package, *more])) from None


def mirror() -> str:
    """The Debian mirror that this Debian host's own apt uses; the lists are read first where they were never read.

    :raises LabError: apt names none
    """
    with _ONE:
        if not _mirror() and os.geteuid() == 0:
            _update()
        if found := _mirror():
            return found
    raise LabError("apt on this machine names no Debian mirror: check its sources, run apt-get update, then try again")


def explain(output: str, packages: Sequence[str]) -> str:
    """One sentence for a reader out of what apt said.

    :param output: of update and install, in English
    :param packages: what was asked for
    """
    asked = f"apt could not install {' '.join(packages)}"
    for pattern, remedy in FAULTS:
        if found := re.search(pattern, output):
            return f"{asked}: {remedy(_public(found[0]))}, then run this again"
    tail = "\n".join(f"    {_public(line)}" for line in output.strip().splitlines()[-12:])
    return f"{asked}: see the end of what it said, then run this again:\n{tail}"


def _unreachable(line: str) -> str:
    if proxy := _proxy():
        setting = "correct that proxy (Acquire::http::Proxy, http_proxy)"
        return f"a package mirror did not answer through the proxy {proxy} ({line}); {setting}"
    return f"a package mirror did not answer ({line}); look at this machine's network"


FAULTS: tuple[tuple[str, Callable[[str], str]], ...] = (
    (INTERRUPTED, lambda _: "an earlier apt was interrupted; run dpkg --configure -a"),
    (
        r"fix-broken|[Uu]nmet dependencies",
        lambda _: "this machine's packages do not fit each other; run apt-get -f install",
    ),
    (r"enough free space|No space left on device", lambda _: "the disk is full; make room (apt-get clean)"),
    (
        r".*(?:Could not connect|Unable to connect|Connection (?:failed|timed out|refused)|Could not resolve"
        r"|Temporary failure resolving|Proxy Authentication Required).*",
        _unreachable,
    ),
    (
        r"Failed to fetch .*|.*(?:is not signed|Certificate verification failed).*",
        lambda line: f"a package mirror is not in order ({line}); repair it or wait",
    ),
    (
        r"(?<=Unable to locate package )\S+|(?<=Package ')\S+(?=' has no installation candidate)",
        lambda name: f"its sources know no package {name}; check /etc/apt/sources.list.d",
    ),
)
"""What apt says, and what to do about it; the first that fits is said."""


def holder(locks: Sequence[Path]) -> str:
    """Which process has one of the lock files, as ``apt-get update (process 12)``; empty when none has."""
    for path in locks:
        try:
            with path.open("rb") as file:
                # struct flock: type, whence, start, length, process (fcntl_locking(2)); apt and dpkg lock the same way.
                asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
                kind, _, _, _, process = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))
        except OSError:
            continue
        if kind != fcntl.F_UNLCK:
            return f"{_command(process)} (process {process})" if process > 0 else "a program in another container"
    return ""


def locks() -> list[Path]:
    """The lock files of apt and dpkg, where this machine's configuration (APT_CONFIG too) has them."""
    words = ["lists", "Dir::State::lists/d", "archives", "Dir::Cache::archives/d", "status", "Dir::State::status/f"]
    found = dict(part.split("=", 1) for part in shlex.split(shell.capture(["apt-config", "shell", *words]).stdout))
    dpkg = Path(found.get("status", "/var/lib/dpkg/status")).parent
    folders = [Path(found[name]) for name in ("lists", "archives") if name in found]
    return [dpkg / "lock-frontend", dpkg / "lock", *(folder / "lock" for folder in folders)]


def _run(words: Sequence[str], what: str, first: Callable[[], None] | None = None) -> None:
    """Run apt-get when nobody else does; between looking and starting another may begin, so a lost race is repeated."""
    deadline = time.monotonic() + PATIENCE
    while True:
        _wait(deadline)
        try:
            if first:
                first()
            shell.run(["apt-get", *NETWORK, *words], log="apt", what=what, env=QUIET)
        except shell.ProgramError as error:
            if not LOCKED.search(error.output) or time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


def _wait(deadline: float) -> None:
    spoken = 0.0
    paths = locks()
    while who := holder(paths):
        now = time.monotonic()
        if now > deadline:
            raise LabError(
                f"apt has been in use by {who} for {PATIENCE / 60:.0f} minutes: wait for its end, or end it,"
                " then run this again"
            )
        if now >= spoken + PACE or not spoken:
            say(f"        apt is in use by {who}: waiting for it, {(deadline - now) / 60:.0f} minutes at most")
            spoken = now
        time.sleep(0.2)


def _update() -> str:
    """Read the package lists; returns what apt said where that failed, since the lists of yesterday may do."""
    try:
        _run(["update", "-q", "-o", "APT::Update::Error-Mode=any"], "reading the package lists")
    except shell.ProgramError as error:
        return error.output
    return ""


def _configure() -> None:
    options = shell.capture(["apt-config", "dump", "--format", "%v%n", "DPkg::Options"]).stdout.split()
    words = ["dpkg", *options, "--force-confdef", "--force-confold", "--configure", "-a"]
    shell.run(words, log="apt", what="ending the work of an interrupted apt", env=QUIET)


def _mirror() -> str:
    found = shell.capture(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)"])
    for line in found.stdout.splitlines():
        uri, _, rest = line.partition(" ")
        if rest == "Debian Debian":
            return uri.rstrip("/")
    return ""


def _proxy() -> str:
    """The proxy that apt is told to use, without a password; empty when there is none."""
    words = [part for name in ("http", "https") for part in (f"{name}_proxy", f"Acquire::{name}::Proxy")]
    found = shlex.split(shell.capture(["apt-config", "shell", *words]).stdout)
    told = [value for word in found if (value := word.partition("=")[2])]
    told += [os.environ[name] for name in ("http_proxy", "https_proxy") if os.environ.get(name)]
    return _public(told[0]) if told else ""


def _public(text: str) -> str:
    """Without the user and password of a URL."""
    return re.sub(r"://[^/\s@]+@", "://", text.strip())


def _command(process: int) -> str:
    """What a process is, in two words at most: arguments may hold what is nobody's business."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return "a program that has just ended"
    told = [words[0].rpartition("/")[2]]
    for word in words[1:]:
        if word == "-c" or not re.fullmatch(r"[\w./+-]+", word):
            break
        if not word.startswith("-"):
            told.append(word.rpartition("/")[2])
            break
    return " ".join(told).strip() or "a program without a name"
