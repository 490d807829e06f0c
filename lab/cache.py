"""Content-keyed folders: the user's cache of what took long to build, and digests of what things are built from."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.paths import CACHE
from lab.progress import say


def digest(parts: Iterable[str | Path]) -> str:
    """First 12 hex digits of the SHA-256 over texts, files and folders (names and contents, in a stable order)."""
    total = hashlib.sha256()

    def add(data: bytes) -> None:
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)

    for part in parts:
        if isinstance(part, str):
            add(part.encode())
            continue
        files = [part] if part.is_file() else sorted(path for path in part.rglob("*") if path.is_file())
        for path in files:
            if "__pycache__" in path.parts:
                continue
            add(path.name.encode() if path == part else path.relative_to(part).as_posix().encode())
            add(path.read_bytes())
    return total.hexdigest()[:12]


def cached(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder ``<cache>/<name>-<key>``, built on first use.

    *build* fills an empty folder, which takes its final name only when it is complete: an interrupted build is never
    mistaken for a finished one, and two runs at once build one after the other.
    """
    target = CACHE / f"{name}-{key}"
    if target.is_dir():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"        {name} is being built already, by another step or another checkout: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir():
            return target
        say(f"        building {name}; kept in {target} for the next time")
        work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=CACHE))
        try:
            build(work)
            work.chmod(0o755)
            work.rename(target)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    return target
