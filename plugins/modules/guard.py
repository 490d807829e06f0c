#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# The module runs in plugins/action/guard.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: guard
short_description: Stop a host at the first of many conditions that holds
version_added: 1.0.0
description:
  - Does in one task what a M(ansible.builtin.fail) with its own C(when) does for each condition. Ansible starts a
    process for every task of every host, also where C(when) does not hold, so many such tasks cost many hosts most of
    their time.
  - Conditions are evaluated in their order, and none behind the first that holds. A message is templated only where its
    condition holds.
  - Where nothing holds, the task counts as skipped.
author:
  - The ai_platform.agent authors (@ai-platform)
extends_documentation_fragment:
  - ai_platform.agent._attributes
attributes:
  check_mode:
    support: full
    details: It only judges.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  stops:
    description: Conditions with what is said where they hold.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the condition is for, as the name of a task.
        type: str
        required: true
      when:
        description: A condition, or a list of which all have to hold. As the keyword C(when) of a task, without braces.
        type: raw
        required: true
      msg:
        description: What is said.
        type: str
        required: true
      warn:
        description: Whether the message is only printed, and the host goes on.
        type: bool
        default: false
"""

EXAMPLES = r"""
- name: Guard the variables
  ai_platform.agent.guard:
    stops:
      - name: Stop without an environment
        when: not ai_agent_environment
        msg: ai_agent_environment is not set for host {{ inventory_hostname }}.
      - name: Warn of a short time-out
        when: chart.timeout_seconds <= chart.longest_wait_seconds
        msg: helm waits {{ chart.timeout_seconds }} s, and the release may take {{ chart.longest_wait_seconds }} s.
        warn: true
"""

RETURN = r"""
stop:
  description: The name of the condition that stopped the host.
  returned: failure
  type: str
  sample: Stop without an environment
msg:
  description: Its message; or the messages of those that only warn, where one of them holds.
  returned: when something is said
  type: raw
  sample: ai_agent_environment is not set for host agent-dev.
said:
  description: The messages of those that only warn.
  returned: always
  type: list
  elements: str
  sample: []
"""
