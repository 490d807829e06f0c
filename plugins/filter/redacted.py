# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: redacted
author: The ai_platform.agent authors (@ai-platform)
short_description: Take known secrets out of text
version_added: 1.0.0
description:
  - Replaces secrets in what servers and programs wrote, however they are spelled there, as in URLs, SQL, shells, YAML,
    JSON, HTML, Python, base64 or hexadecimal digits.
  - Passwords of URLs, and what its name or its place says is a secret, are replaced whoever's they are.
positional: _input, secrets
options:
  _input:
    description: A text, or a list or dictionary of them.
    type: raw
    required: true
  secrets:
    description: The secrets. Empty ones are passed over.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show a log
  ansible.builtin.debug:
    msg: "{{ log.log_lines | ai_platform.agent.redacted([ai_agent_redis_password]) }}"
"""

RETURN = r"""
_value:
  description: The same with C(***) for each secret.
  type: raw
"""

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import redacted


class FilterModule:
    """Filter plugin, see DOCUMENTATION."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"redacted": redacted}
