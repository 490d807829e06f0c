# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: argument_errors
author: The ai_platform.agent authors (@ai-platform)
short_description: Say what does not fit a specification without classes of Python
version_added: 1.0.0
description:
  - Turns the messages of M(ansible.builtin.validate_argument_spec) into sentences that name the variable, what it must
    be and what it is. A message of another form stays as it is.
positional: _input
options:
  _input:
    description: The messages, C(argument_errors) of its result.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Stop at a variable that does not fit
  ansible.builtin.fail:
    msg: "{{ specification.argument_errors | ai_platform.agent.argument_errors | join('; ') }}."
  when: specification.argument_errors is defined
"""

RETURN = r"""
_value:
  description: A sentence for each message, without its full stop.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.argument_errors import in_words


class FilterModule:
    """Filter plugin, see DOCUMENTATION."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"argument_errors": in_words}
