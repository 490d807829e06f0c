# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""Modules of this collection, packed for a Python in a pod: _bundle_loader.py unpacks them."""

from __future__ import annotations

import base64
import json
import types
import typing as t
import zlib

# Ansible ships with a module what is imported somewhere, and finds no names in strings.
from ansible_collections.ai_platform.agent.plugins.module_utils import _bundle_loader, _collect_program, _render_program
from ansible_collections.ai_platform.agent.plugins.module_utils._module_text import PACKAGE, source


def _last(module: types.ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


# What each program of a pod consists of; its entry is the first. They import nothing else of the collection.
RENDERER = (_last(_render_program), "_alembic_worker", "_framing")
COLLECTOR = (
    _last(_collect_program),
    "_alembic_worker",
    "_cluster_findings",
    "_connectivity_findings",
    "_database",
    "_errors",
    "_findings",
    "_framing",
    "_live_facts",
    "_live_queries",
)


def bundle(names: t.Sequence[str], request: dict[str, t.Any]) -> str:
    """One line of base64: the modules `names`, and the request for the `main` of the first."""
    whole = {
        "sources": {f"{PACKAGE}.{name}": source(name) for name in names},
        "entry": f"{PACKAGE}.{names[0]}",
        "request": request,
    }
    return base64.b64encode(zlib.compress(json.dumps(whole).encode(), 9)).decode()


def command(*arguments: str) -> list[str]:
    """The command that runs a bundle; without an argument it is read from stdin."""
    return ["python", "-c", source(_last(_bundle_loader)), *arguments]


__all__ = ("COLLECTOR", "RENDERER", "bundle", "command")
