#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_rollback
short_description: Roll a release of the AI agent back to an earlier revision that can work with what is there now
version_added: 1.0.0
description:
  - Says for every earlier revision that Helm keeps whether its version can work with the live schema of the database,
    whether the Secrets and keys that it needs are there, whether the cluster would refuse its objects, and whether its
    image can be had, as far as pods tell. Then Helm rolls back to the newest that is safe, or to the one in O(to).
  - The schema is never changed. What is known of it was recorded in the ConfigMap C(<release>-deployments) before each
    deployment, from the result of M(ai_platform.agent.migration_preflight).
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - Python >= 3.12
  - kubernetes >= 36.0.2
  - helm
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._leased_helm
  - ai_platform.agent._release
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    description: Says what it would do.
  diff_mode:
    support: none
  idempotent:
    support: none
    description: Each rollback goes one step further back.
options:
  accept:
    description: For what reason the revision in O(to) is taken although something about it is not known.
    type: str
    default: ""
  manifests:
    description: What C(helm template) prints for the release. With O(state=recorded) needed.
    type: str
  preflight:
    description:
      - The result of M(ai_platform.agent.migration_preflight), empty where it was left out. With O(state=recorded) the
        one that judged this deployment, else one that asked the database now.
    type: dict
    default: {}
  revision:
    description: The revision that Helm is about to make. With O(state=recorded) needed.
    type: int
  state:
    description:
      - V(rolled_back) rolls back.
      - V(recorded) keeps what a later rollback has to know of the deployment that is about to begin.
    type: str
    choices: [recorded, rolled_back]
    default: rolled_back
  to:
    description: The revision to roll back to, V(0) for the newest that is safe.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Look at the earlier revisions
  ai_platform.agent.release_rollback:
    release_name: agent-prod
    release_namespace: agent
    preflight: "{{ preflight }}"
  check_mode: true
  register: rollback

- name: Show them
  ansible.builtin.debug:
    var: rollback.summary
"""

RETURN = r"""
revisions:
  description: The earlier revisions, the newest first.
  returned: with O(state=rolled_back)
  type: list
  elements: dict
  contains:
    revision:
      description: Its number.
      type: int
    updated:
      description: When Helm made it.
      type: str
    chart:
      description: Name and version of its chart.
      type: str
    image:
      description: The image of its agent.
      type: str
    verdict:
      description: V(safe), V(unknown) or V(unsafe).
      type: str
    reasons:
      description: Why.
      type: list
      elements: str
chosen:
  description: The revision that was rolled back to, V(0) for none.
  returned: with O(state=rolled_back)
  type: int
summary:
  description: The table in lines.
  returned: with O(state=rolled_back)
  type: list
  elements: str
  sample:
    - "-> revision 3 of 2026-11-29T13:05:10, registry.example.com/team/agent:1.3.2: safe"
    - "     its schema is the live one (0006)"
revision:
  description: Helm's number of the revision that the rollback made.
  returned: with O(state=rolled_back), success, not in check mode
  type: int
sentence:
  description: What became of the release, or would.
  returned: with O(state=rolled_back) where a revision was chosen
  type: str
  sample: >-
    Release agent-prod in namespace prod was rolled back to revision 3 (registry.example.com/team/agent:1.3.2); Helm
    counts it as revision 5.
error_id:
  description: Id of what stood in the way, a heading of docs/runbook.md.
  returned: failure
  type: str
  sample: rollback-refused
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._release.rollback_module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)


def main() -> None:
    module = started(ARGUMENTS, **CONSTRAINTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
