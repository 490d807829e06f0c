# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: mistyped
author: The ai_platform.agent authors (@ai-platform)
short_description: Find variables that are set and that a role does not know
version_added: 1.0.0
description:
  - Ansible accepts every name of a variable, so a mistyped one changes nothing and nobody says so.
  - Returns the variables with a prefix that are set, by the inventory or otherwise, and stand in none of the role's
    argument specifications, each with the known name that is most like it.
options:
  _terms:
    description: Paths of argument specifications, C(meta/argument_specs.yml) of a role.
    type: list
    elements: path
    required: true
  prefix:
    description: What the names of the role's variables begin with.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Find out what was meant
  ansible.builtin.debug:
    msg: "{{ query('ai_platform.agent.mistyped', role_path ~ '/meta/argument_specs.yml', prefix='ai_agent_') }}"
"""

RETURN = r"""
_raw:
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

from ansible.plugins.lookup import LookupBase
from ansible_collections.ai_platform.agent.plugins.module_utils._common.nearest import nearest
from ansible_collections.ai_platform.agent.plugins.plugin_utils._specification import entry_points


class LookupModule(LookupBase):
    """Lookup plugin, see DOCUMENTATION."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any
    ) -> list[dict[str, str]]:
        """Return an entry for each variable that no specification has."""
        self.set_options(var_options=variables, direct=options)
        prefix = self.get_option("prefix")
        known = [name for term in terms for name in specified(entry_points(term))]
        return mistyped([name for name in variables or {} if name.startswith(prefix)], known, prefix)


def specified(found: t.Mapping[str, t.Any]) -> list[str]:
    """Options of all entry points."""
    return [name for entry_point in found.values() for name in entry_point.get("options") or {}]


def mistyped(names: t.Iterable[str], known: t.Iterable[str], prefix: str) -> list[dict[str, str]]:
    """The names that are not known, each with the one that was meant; the common `prefix` makes no two alike."""
    by_rest = {name.removeprefix(prefix): name for name in sorted(known)}
    return [
        {"name": name, "meant": by_rest.get(_meant(name.removeprefix(prefix), by_rest), "")}
        for name in sorted(set(names) - set(by_rest.values()))
    ]


def _meant(rest: str, known: t.Collection[str]) -> str:
    """The one that is alike, else the only one that goes on with another word: `release` for `release_name`."""
    longer = [name for name in known if name.startswith(f"{rest}_")]
    return nearest(rest, known) or (longer[0] if len(longer) == 1 else "")
