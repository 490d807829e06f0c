# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: mistyped
author: The ai_platform.agent authors (@ai-platform)
short_description: Name the variable that was meant by one that does not exist
version_added: 1.0.0
description:
  - Ansible accepts every name of a variable, so a mistyped one changes nothing and nobody says so.
  - Returns those names that are unknown, each with the known name that is most like it.
positional: _input, known
options:
  _input:
    description: Names that are set.
    type: list
    elements: str
    required: true
  known:
    description: Names that exist.
    type: list
    elements: str
    required: true
  prefix:
    description: What all names begin with. It says nothing about how much two of them are alike.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Find out what was meant
  ansible.builtin.debug:
    msg: "{{ ['ai_agent_namespce'] | ai_platform.agent.mistyped(['ai_agent_namespace'], prefix='ai_agent_') }}"
"""

RETURN = r"""
_value:
  description: One entry for each unknown name, in the order of the alphabet.
  type: list
  elements: dict
  contains:
    name:
      description: The name that is set.
      type: str
    meant:
      description: The known name that is most like it, empty where none is.
      type: str
  sample:
    - name: ai_agent_namespce
      meant: ai_agent_namespace
"""

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.nearest import nearest


def mistyped(names: t.Iterable[str], known: t.Iterable[str], prefix: str = "") -> list[dict[str, str]]:
    """Filter, see DOCUMENTATION."""
    there = set(known)
    candidates = {name.removeprefix(prefix): name for name in sorted(there)}
    return [
        {"name": name, "meant": candidates.get(nearest(name.removeprefix(prefix), candidates), "")}
        for name in sorted(set(names) - there)
    ]


class FilterModule:
    """Filter plugin, see DOCUMENTATION."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"mistyped": mistyped}
