"""Runs inside the new machine: notes the path of every program that is executed from its root file system.

Containers that this machine starts have mounts of their own and are not seen. Standard library only: the machine has
nothing else. ``python3 recorder.py FILE`` prints ``ready`` and writes one path a line until it is killed.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

# Out of linux/fanotify.h.
FAN_UNLIMITED_QUEUE = 0x10
FAN_MARK_ADD_MOUNT = 0x01 | 0x10
FAN_OPEN_EXEC = 0x1000
AT_FDCWD = -100
EVENT = struct.Struct("=IBBHQii")


def main(target: str) -> None:
    """Note until killed."""
    libc = ctypes.CDLL(None, use_errno=True)
    queue = libc.fanotify_init(FAN_UNLIMITED_QUEUE, os.O_RDONLY | os.O_LARGEFILE)
    if queue < 0 or libc.fanotify_mark(queue, FAN_MARK_ADD_MOUNT, ctypes.c_uint64(FAN_OPEN_EXEC), AT_FDCWD, b"/") < 0:
        sys.exit(f"error: this kernel does not tell which programs are executed: {os.strerror(ctypes.get_errno())}")
    seen: set[str] = set()
    with open(target, "w", encoding="utf-8", buffering=1) as file:  # noqa: PTH123 - as little as can be
        print("ready", flush=True)
        while True:
            data = os.read(queue, 1 << 16)
            position = 0
            while position < len(data):
                length, _, _, _, _, descriptor, _ = EVENT.unpack_from(data, position)
                position += length
                path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - as little as can be
                os.close(descriptor)
                if path not in seen:
                    seen.add(path)
                    file.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1])
