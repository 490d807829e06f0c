#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_lease
short_description: Let one run at a time change a release of the AI agent
version_added: 1.0.0
description:
  - Takes the Lease C(<release>-writer) of the release's namespace, and starts a process that keeps it. That process
    ends with C(ansible-playbook), and gives the Lease back then; before, it ends the Helm of this run and waits for it.
  - A Lease of which nobody gave a sign of life for as long as it holds, a minute, is taken over. No clocks of two
    machines are compared for that.
  - A Helm that changes the release while the Lease is held is started as RV(folder) says; it ends when the Lease is no
    longer kept.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - Python >= 3.12
  - kubernetes >= 36.0.2
  - Linux or another Unix on the controller. Where it is not Linux, a Helm whose parent was killed outlives it.
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._release
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    description: Takes nothing, and says who has the Lease.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  controller_pid:
    description:
      - The process for which the Lease is held. The action plugin names that of C(ansible-playbook), and refuses a
        connection other than C(local).
    type: int
  folder:
    description: RV(folder) of the task that took the Lease. With O(state=free) needed.
    type: path
  state:
    description:
      - V(held) takes the Lease, and waits for it if another run has it.
      - V(free) gives it back, and fails where it was lost before.
    type: str
    choices: [held, free]
    default: held
  wait:
    description:
      - Seconds for which the Lease of another run is waited for. The default is as long as a Lease of a run that was
        killed together with its machine needs to expire, and some more.
    type: int
    default: 90
"""

EXAMPLES = r"""
- name: Let nobody else change the release
  ai_platform.agent.release_lease:
    release_name: agent-prod
    release_namespace: agent
  register: lease

- name: Let others change it again
  ai_platform.agent.release_lease:
    release_name: agent-prod
    release_namespace: agent
    state: free
    folder: "{{ lease.folder }}"
"""

RETURN = r"""
folder:
  description:
    - A folder by which the process that keeps the Lease is found. Empty where none is held.
    - C(python helm_child.py <folder> helm ...), the program of C(plugins/module_utils/_release), runs a Helm that ends
      with the Lease.
  returned: success, with O(state=held)
  type: str
  sample: /tmp/ai-agent-lease-x1y2z3
holder:
  description: Who has the Lease, this run or another one; empty where nobody has it.
  returned: with O(state=held)
  type: str
  sample: alice@build-7 (run 3f9c02aa)
since:
  description: Since when another run has it, by the clock of its machine.
  returned: with O(state=held)
  type: str
  sample: "2026-11-29T13:05:10.000000Z"
said:
  description: The same in words.
  returned: in check mode
  type: str
  sample: nobody has it
waited:
  description: Seconds for which another run's Lease was waited for.
  returned: with O(state=held), outside of check mode
  type: int
lost:
  description: Why the Lease was lost before it was given back, else empty.
  returned: with O(state=free)
  type: str
error_id:
  description: Id of what stood in the way, a heading of docs/runbook.md; V(lease-held) where another run has the Lease.
  returned: failure
  type: str
  sample: lease-held
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._release.lease_module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)


def main() -> None:
    module = started(ARGUMENTS, **CONSTRAINTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
