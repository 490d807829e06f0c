"""A program that is a guest in a pod never reaches the pod's memory limit: over cgroups made of files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import guest_memory

ROOT = Path(__file__).resolve().parents[5]
MIB = 1 << 20
OURS = "ansible_collections.ai_platform.agent.plugins.module_utils._in_pod"


def cgroup(folder: Path, limit: str, used: int, *, idle: int = 0, version: int = 2) -> Path:
    """The files of a container's cgroup, with `limit` as the kernel writes it."""
    place = folder if version == 2 else folder / "memory"
    place.mkdir(exist_ok=True)
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    (place / names[0]).write_text(f"{limit}\n")
    (place / names[1]).write_text(f"{used}\n")
    # Version 1 has the figures of the container itself beside those of all below it.
    own = "inactive_file" if version == 2 else "total_inactive_file"
    (place / "memory.stat").write_text(f"anon 1\ninactive_file 0\n{own} {idle}\n")
    return folder


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("used", "idle", "left"),
    [
        (100 * MIB, 0, 412 * MIB),
        (500 * MIB, 300 * MIB, 312 * MIB),
        (600 * MIB, 0, 0),
        (5 * MIB, 9 * MIB, 512 * MIB),
    ],
)
def test_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, *, used: int, idle: int, left: int
) -> None:
    monkeypatch.setattr(guest_memory, "CGROUPS", cgroup(tmp_path, str(512 * MIB), used, idle=idle, version=version))
    assert guest_memory.bytes_left() == left


def test_no_limit_and_nothing_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_memory, "CGROUPS", tmp_path)
    assert guest_memory.bytes_left() is None
    cgroup(tmp_path, "max", 5)
    assert guest_memory.bytes_left() is None
    # Version 1 writes no limit as a number.
    (tmp_path / "memory.max").unlink()
    cgroup(tmp_path, "9223372036854771712", 5, version=1)
    assert guest_memory.bytes_left() == 9223372036854771712 - 5


def program(code: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    begin = f"import sys\nfrom pathlib import Path\nfrom {OURS} import guest_memory\n"
    begin += "guest_memory.CGROUPS = Path(sys.argv[1])\n"
    words = [sys.executable, "-c", begin + code, str(folder), *more]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "collections")}
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env=env)


GREEDY = """
assert guest_memory.confine(192 << 20, 48 << 20) is None
kept = []
try:
    while True:
        kept.append(bytearray(b'x' * (1 << 20)))
except MemoryError:
    pass
kept.clear()
[line] = [line for line in open('/proc/self/status') if line.startswith('VmHWM:')]
print(line.split()[1])
"""


@pytest.mark.parametrize("left", [80, 120, 1000])
def test_however_greedy_it_stays_below_what_was_left(tmp_path: Path, left: int) -> None:
    done = program(GREEDY, cgroup(tmp_path, str(1024 * MIB), (1024 - left) * MIB))
    assert done.returncode == 0, done.stderr
    # Its code are pages of files, which are not counted as its data and can be dropped.
    assert int(done.stdout) * 1024 < min(left, 192 + 16) * MIB + 16 * MIB


def test_the_probe_does_not_begin_where_little_is_left(tmp_path: Path) -> None:
    code = f"import json\nfrom {OURS} import probe\nprobe.main(json.loads(sys.argv[2]))\n"
    scarce = cgroup(tmp_path, str(512 * MIB), 460 * MIB)
    request: dict[str, t.Any] = {"guest": True, "dependencies": [{"name": "redis", "kind": "redis", "env": "NONE"}]}
    done = program(code, scarce, json.dumps(request))
    [answer] = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, answer["record"]) == (0, "refused")
    assert answer["text"] == "has 52 MiB left of its memory limit, and asking from inside takes 56 MiB"
    # In a pod of its own the limit is its own.
    done = program(code, scarce, json.dumps(request | {"guest": False}))
    assert json.loads(done.stdout.splitlines()[-1])["record"] == "end", done.stderr


@pytest.mark.parametrize("once", [None, {"table": "alembic_version", "schema": None, "key": 1, "names": None}])
def test_the_collector_does_not_begin_where_little_is_left(tmp_path: Path, once: dict[str, t.Any] | None) -> None:
    code = f"import json\nfrom {OURS} import collect\ncollect.main(json.loads(sys.argv[2]))\n"
    limits = {"connect_timeout": 1, "lock_timeout_ms": 500, "statement_timeout_ms": 1000}
    done = program(code, cgroup(tmp_path, str(512 * MIB), 440 * MIB), json.dumps({"limits": limits, "once": once}))
    assert ("agent-memory-short" in done.stdout) == (once is None), done.stdout + done.stderr
    assert "psycopg" not in done.stderr
