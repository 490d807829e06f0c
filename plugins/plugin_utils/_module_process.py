"""The program of a module's process: it runs a module as the wrapper of Ansible's archives does, from its own files.

Started by `_in_place`: `python _module_process.py PARENT PROFILE MODULE COLLECTIONS_PATH...`, with the arguments of the
module as JSON on standard input. The result is JSON on standard output.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ctypes
import os
import signal
import sys
import typing as t

PR_SET_PDEATHSIG = 1


def main(parent: int, profile: str, module: str, paths: list[str]) -> None:
    """Run the module of that dotted name, whose arguments have that encoding, and end with the process `parent`."""
    signal.signal(signal.SIGTERM, _terminated)
    # Without the worker nobody reads the result, so a helm of the module would change a release unseen.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(128 + signal.SIGTERM)
    from ansible.module_utils._internal._ansiballz import _loader
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    _AnsibleCollectionFinder(paths=paths)._install()
    arguments = sys.stdin.buffer.read()
    _loader.run_module(json_params=arguments, profile=profile, module_fqn=module, modlib_path="", extensions={})


def _terminated(_number: int, _frame: object) -> t.NoReturn:
    """End what the module started, then the module, which removes its temporary files and objects on its way."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    given = sys.argv[1:]
    # A module has no command line.
    del sys.argv[1:]
    main(int(given[0]), given[1], given[2], given[3:])
