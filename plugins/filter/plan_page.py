# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: plan_page
author: The ai_platform.agent authors (@ai-platform)
short_description: Show a plan as a page
version_added: 1.0.0
description:
  - Makes one HTML page of what M(ai_platform.agent.release_plan) returns, for whoever has to agree to a deployment.
  - The page loads nothing and runs no script.
options:
  _input:
    description: RV(ai_platform.agent.release_plan#module:plan).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the plan as a page
  ansible.builtin.copy:
    content: "{{ planned.plan | ai_platform.agent.plan_page }}"
    dest: plan.html
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The page.
  type: str
"""

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._page.plan_page import plan_page


class FilterModule:
    """Filter plugin, see DOCUMENTATION."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"plan_page": plan_page}
