#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: replication_password_rotation
short_description: Change the password by which the read replicas of the AI agent's PostgreSQL follow
version_added: 1.0.0
description:
  - A role of PostgreSQL has one password, and a replica has the one of its volume, which is up to a minute and a half
    older than the Secret. So the replicas follow by a second role while the first one's password is changed. It is
    named like the replication user, with C(_rotation) behind it, has a random password, and is dropped at the end.
  - By which role a replica follows, and the line in the primary's rules of access, stand in C(postgresql.auto.conf)
    beside the data meanwhile, so a server that restarts at any time goes on where it was. No server is restarted here.
    A replica's link is made anew twice, which takes milliseconds.
  - How far it got is the annotation C(ai-agent/replication-password) of the Secret. A run that was interrupted anywhere
    is finished by the next one; where the Secret's own password is wanted again before the Secret was switched, it goes
    back.
  - The new password does not travel. The primary is given what its pod has mounted, hashed by C(psql). The second
    role's goes to the pods over the stdin of an exec.
  - A replica that is made meanwhile, and makes its first copy, is told the new password as soon as its pod has it, and
    has to follow before the second role goes.
  - Servers of Bitnami's charts, and those that are not the release's, are not changed.
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
    details: Asks the servers, and says which step would be the next, and what would follow it.
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
      - What it is to hold, base64 as in its C(data), with the new password in C(replication-password). The filter
        P(ai_platform.agent.secret_data#filter) makes it.
      - Of it, C(replication-password) is written.
    type: dict
    required: true
  wait_seconds:
    description: Seconds that a pod of PostgreSQL may take to have in its volume what the Secret has, and a replica to
      follow its primary.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Give the replicas another password
  ai_platform.agent.replication_password_rotation:
    release_name: my-agent
    release_namespace: dev
    secret_name: my-agent-secret
    secret_expected: "{{ passwords | ai_platform.agent.secret_data(chart.manifests) }}"
  no_log: true
"""

RETURN = r"""
next:
  description:
    - What is to be done next. V(nothing) where the rotation is done.
    - In check mode any step, V(mark), V(bridge), V(lend), V(follow), V(switch), V(mount), V(set), V(return), V(rejoin),
      V(close) or V(clear).
  returned: success
  type: str
  sample: nothing
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
  sample: rotation-replication
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_module import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
