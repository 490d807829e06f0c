#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_password_rotation
short_description: Change the password of the AI agent's Redis, while it serves
version_added: 1.0.0
description:
  - Redis takes two passwords while the pods are replaced. The Secret gets the new one as a second one, which each pod
    of Redis mounts; the running servers, master and replicas, get it by C(ACL SETUSER), and it is tried from an agent
    pod. Then it takes the first one's place in the Secret, with a new rotation id.
  - There the module returns with RV(next=roll), for replacing the pods is a deployment's work. Called again, it waits
    until no pod of the agent with the old password is left, not even one that is about to end. Then it takes the old
    password out of the Secret, gives the replicas the new one for their master, and leaves the servers that one alone.
  - No server is restarted. One that restarts at any time takes both passwords, for its start script reads both, and a
    server is changed only once its pod has them. The kubelet brings a change of a Secret into a pod within about a
    minute and a half, which is waited for twice.
  - How far it got is the annotation C(ai-agent/redis-password) of the Secret. A run that was interrupted anywhere is
    finished by the next one; where the Secret's own password is wanted again before the Secret was switched, it goes
    back.
  - No password travels to Redis' pods. What a server is told is what its pod has mounted.
  - Bitnami's Redis takes one password at its start, so it is not changed here. Its new one is tried from an agent pod.
    Where it works, Secret and pods follow, and the last of RV(steps) says how the old one is taken away; where not, the
    error says how the servers are given it.
  - Only of releases whose Secret is the role's.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - kubernetes >= 36.0.2
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._release
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    details: Asks the servers, and says which step would be the next, and what would follow it. The password is not
      tried.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  secret_name:
    description: Name of the release's Secret.
    type: str
    required: true
  secret_expected:
    description:
      - What it is to hold, base64 as in its C(data), with the new password in C(redis-password) and in the URLs that
        lead to Redis. The filter P(ai_platform.agent.secret_data#filter) makes it.
      - Of it, C(redis-password) and those URLs are written.
    type: dict
    required: true
  wait_seconds:
    description:
      - Seconds that a pod of Redis may take to have in its volume what the Secret has, and that pods of the agent with
        the old password may take to end.
    type: int
    default: 300
  begin:
    description: Whether another password than the Secret's begins a rotation. If not, only one that was begun is
      finished.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Give Redis another password, up to the Secret
  ai_platform.agent.redis_password_rotation:
    release_name: my-agent
    release_namespace: dev
    secret_name: my-agent-secret
    secret_expected: "{{ passwords | ai_platform.agent.secret_data(chart.manifests) }}"
  register: rotation
  no_log: true

- name: Take the old one away, once a deployment with rotation.rotation_id has replaced the pods
  ai_platform.agent.redis_password_rotation:
    release_name: my-agent
    release_namespace: dev
    secret_name: my-agent-secret
    secret_expected: "{{ passwords | ai_platform.agent.secret_data(chart.manifests) }}"
    begin: false
  no_log: true
"""

RETURN = r"""
next:
  description:
    - What is to be done next. V(nothing) where the rotation is done, V(roll) where the pods have to be replaced.
    - V(mark) without O(begin), where another password than the Secret's is wanted.
    - In check mode any step, V(mark), V(mount), V(open), V(switch), V(roll), V(wait), V(strip), V(settle),
      V(close) or V(clear).
  returned: success
  type: str
  sample: roll
rotation_id:
  description: The rotation id in the Secret, which the values of the chart take as C(rotationId).
  returned: success
  type: str
steps:
  description: What was done, a sentence each.
  returned: success
  type: list
  elements: str
summary:
  description: The same, and what is next, to print.
  returned: success
  type: list
  elements: str
error_id:
  description: Id of what stood in the way.
  returned: failure
  type: str
  sample: rotation-redis
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_module import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
