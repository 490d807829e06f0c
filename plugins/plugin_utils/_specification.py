"""The argument specification of a role, read once in a run.

Ansible makes a process for each task of each host. What the process that makes them has read, each of them has: the
action plugin `guard` is loaded there before the first task, and reads the specification of the collection's role.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import yaml

Row = dict[str, t.Any]

OWN: t.Final = Path(__file__).resolve().parents[2] / "roles" / "ai_agent" / "meta" / "argument_specs.yml"


def entry_points(path: str) -> Row:
    """The entry points of the role's tasks in the file, by name; nobody may change what is returned.

    :raises OSError: the file cannot be read
    :raises yaml.YAMLError: it is no YAML
    """
    return _read(str(Path(path).resolve()))


@functools.cache
def _read(path: str) -> Row:
    # libyaml, where PyYAML has it, takes a tenth of the time.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = Path(path).read_text(encoding="utf-8")
    found: Row = yaml.load(text, loader)["argument_specs"]  # noqa: S506 - a safe loader
    return found


def prepare() -> None:
    """Read the specification of the collection's role, where it is; who asks for it says what is wrong with it."""
    try:
        entry_points(str(OWN))
    except (OSError, yaml.YAMLError):
        return


__all__ = ("OWN", "entry_points", "prepare")
