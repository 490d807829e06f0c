"""What the lab costs on this machine: time of a first, a second and a new `make up`, and the memory it takes.

    python benchmarks/lab.py                  # second `make up`, then `make down` and `make up`; minutes
    python benchmarks/lab.py --cold FOLDER    # first a clone in FOLDER with empty caches there; a quarter of an hour

The cold run keeps every cache (the lab's, Go's, uv's) in FOLDER. Docker's images are shared with the machine, so it
refuses to begin while Docker has images of the lab. Peak memory is the most that was not available to other programs
(MemTotal - MemAvailable), less what was in use before.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lab import doctor, shell  # noqa: E402 - found by the line above
from lab.paths import REGISTRY  # noqa: E402


class Peak:
    """The most memory in use while it is watched, sampled twice a second."""

    def __init__(self) -> None:
        self.before = self.highest = self._used()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Stop watching; bytes above what was in use at the beginning."""
        self._end.set()
        self._thread.join()
        return self.highest - self.before

    def _watch(self) -> None:
        while not self._end.wait(0.5):
            self.highest = max(self.highest, self._used())

    @staticmethod
    def _used() -> int:
        return doctor.memory(Path("/proc/meminfo").read_text())[0]


def measure(title: str, words: list[str], target: float, cwd: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a command and print its time, the ratio to its target (seconds) and its peak memory."""
    peak, begin = Peak(), time.monotonic()
    done = subprocess.run(
        words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    took, memory = time.monotonic() - begin, peak.end()
    if done.returncode:
        sys.exit(f"{title} failed:\n{done.stdout[-3000:]}")
    changed = re.search(r"changed=(\d+)", done.stdout)
    note = f"  changed={changed[1]}" if changed else ""
    load = os.getloadavg()[0]
    print(
        f"{title:34} {took:7.1f} s  target {target:6.0f} s  ratio {took / target:4.2f}  "
        f"peak memory {doctor.gibibytes(memory):>8}  load {load:4.1f}{note}",
        flush=True,
    )
    for name, seconds in re.findall(r"\[\d+/\d+\]   (.+): done in (.+?) \(", done.stdout):
        print(f"    {name:70} {seconds}")


def cold(folder: Path) -> None:
    """A clone with empty caches."""
    images = shell.capture(["docker", "images", "-q", "--filter", f"reference={REGISTRY}/*"]).stdout.split()
    if images:
        sys.exit(
            f"Docker has {len(images)} images of the lab, so this would not be a first run: make clean, then again"
        )
    folder.mkdir(parents=True)
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    places = {"XDG_CACHE_HOME": "cache", "GOCACHE": "go-build", "GOMODCACHE": "go-mod", "UV_CACHE_DIR": "uv"}
    places |= {"PIP_CACHE_DIR": "pip"}
    env = {**os.environ, **{name: str(folder / place) for name, place in places.items()}}
    measure("make up, empty caches", ["make", "up"], 15 * 60, clone, env)
    measure("make clean", ["make", "clean", "CACHE=1"], 60, clone, env)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cold", type=Path, metavar="FOLDER", help="begin with a clone in this new folder")
    folder = parser.parse_args().cold
    if folder:
        cold(folder.resolve())
    measure("make up, to begin with", ["make", "up"], 15 * 60, ROOT)
    measure("make up, everything in place", ["make", "up"], 30, ROOT)
    measure("make down && make up", ["sh", "-c", "make down && make up"], 180, ROOT)


if __name__ == "__main__":
    main()
