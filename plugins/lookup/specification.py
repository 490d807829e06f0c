# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: specification
author: The ai_platform.agent authors (@ai-platform)
short_description: Read the options of a role from its argument specification
version_added: 1.0.0
description:
  - Returns the options of an entry point as the action M(ansible.builtin.validate_argument_spec) takes them.
  - The file is read once in a run, where the action M(ai_platform.agent.guard) comes first and it is that of this
    collection's role.
options:
  _terms:
    description: Paths of argument specifications, C(meta/argument_specs.yml) of a role.
    type: list
    elements: path
    required: true
  entry_point:
    description: The entry point.
    type: str
    default: main
"""

EXAMPLES = r"""
- name: Check the variables
  ansible.builtin.validate_argument_spec:
    argument_spec: "{{ lookup('ai_platform.agent.specification', role_path ~ '/meta/argument_specs.yml') }}"
"""

RETURN = r"""
_raw:
  description: The options of the entry point, by name, of each file.
  type: list
  elements: dict
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.ai_platform.agent.plugins.plugin_utils._specification import entry_points


class LookupModule(LookupBase):
    """Lookup plugin, see DOCUMENTATION."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any
    ) -> list[dict[str, t.Any]]:
        """Return the options in each file."""
        self.set_options(var_options=variables, direct=options)
        return [entry_points(term)[self.get_option("entry_point")].get("options") or {} for term in terms]
