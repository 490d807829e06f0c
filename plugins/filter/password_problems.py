# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: password_problems
author: The ai_platform.agent authors (@ai-platform)
short_description: Say which passwords of a release are missing, placeholders, or among its values
version_added: 1.0.0
description:
  - Looks at the passwords of a release's Secret and at the values of its chart. Nothing of a password is returned.
positional: _input, values
options:
  _input:
    description: The passwords by the Secret's keys, as P(ai_platform.agent.secret_data#filter) takes them.
    type: dict
    required: true
  values:
    description: The values that the chart gets.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop without a password
  ansible.builtin.assert:
    that: (passwords | ai_platform.agent.password_problems(values)).missing == []
"""

RETURN = r"""
_value:
  description: What was found, an empty list where nothing was.
  type: dict
  contains:
    missing:
      description: Keys that the release needs and that have no password.
      type: list
      elements: str
    placeholders:
      description: Keys whose password is one from an example or a placeholder.
      type: list
      elements: str
    in_values:
      description:
        - Paths of values in which a password stands, or a secret by its variable's name or its form, or a value that
          Ansible Vault encrypted.
      type: list
      elements: str
  sample:
    missing: [redis-password]
    placeholders: []
    in_values: [postgresql.auth.password]
"""

import typing as t
from collections.abc import Mapping

from ansible.parsing.vault import VaultHelper
from ansible_collections.ai_platform.agent.plugins.module_utils._release.passwords import problems


def found(passwords: Mapping[str, str], values: Mapping[str, t.Any]) -> dict[str, list[str]]:
    """What `problems` finds, and values that Ansible Vault encrypted, which are meant to be secret."""
    told = problems(passwords, values)
    return told | {"in_values": list(dict.fromkeys([*told["in_values"], *_vaulted(values)]))}


def _vaulted(values: t.Any, path: str = "") -> t.Iterator[str]:
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _vaulted(value, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list | tuple):
        for number, value in enumerate(values):
            yield from _vaulted(value, f"{path}[{number}]")
    elif VaultHelper.get_ciphertext(values, with_tags=False) is not None:
        yield path


class FilterModule:
    """Filter plugin, see DOCUMENTATION."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"password_problems": found}
