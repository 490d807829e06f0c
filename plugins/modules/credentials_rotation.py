#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: credentials_rotation
short_description: Change the password with which the AI agent logs in to its PostgreSQL, while it serves
version_added: 1.0.0
description:
  - Two roles, named as the owner of the objects with C(_a) and C(_b) behind it and members of it, take turns at
    logging in. The one in use is never changed. The other one is made or reset with the new password, and is tried from
    an agent pod; then the Secret gets it, with a new rotation id.
  - There the module returns with RV(next=roll), for replacing the pods is a deployment's work. Called again, it waits
    until no session of the role that was in use is left, and locks it (NOLOGIN, and no password).
  - A release whose owner logs in itself is moved to the two roles by its first rotation. The owner stays, and is
    locked.
  - Each role begins its sessions as the owner (C(ALTER ROLE … SET role)), so that what it makes belongs to the owner,
    and has the settings that the role in use was given by C(ALTER ROLE … SET).
  - How far it got is the annotation C(ai-agent/database-login) of the Secret. A run that was interrupted anywhere is
    finished by the next one; where the Secret's own password is wanted again before the Secret was switched, it goes
    back.
  - The passwords travel on the program's standard input in the pod. The server is sent what it stores of one, so that
    no log of statements has it.
  - Of a server of others an administrator's Secret is needed, or an administrator who runs the statements.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - kubernetes >= 36.0.2
  - psycopg >= 3.1 in the agent's image
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._release
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    details: Says which step would be the next, and what would follow it.
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
      - What it is to hold, base64 as in its C(data), with the new password in C(password) and in the URLs, whose user
        is the owner of the objects. The filter P(ai_platform.agent.secret_data#filter) makes it.
      - Of it, C(password) and the URLs of PostgreSQL are written.
      - Either this or O(password) is needed.
    type: dict
  password:
    description:
      - The new password, where the Secret is somebody else's and leads to a server of others. Its URLs with the user of
        C(database-url) get it; that user then stands for the owner. One that a controller keeps is refused.
    type: str
  admin_secret:
    description:
      - Secret of the namespace with an administrator of that server. Without one, and without C(postgres-password) in
        O(secret_name), what only an administrator may do is RV(statements), and the next run goes on behind it.
    type: str
  admin_key:
    description: Its key. What stands there is the URL of an administrator, or the password of C(postgres).
    type: str
    default: postgres-password
  session_seconds:
    description: Seconds that sessions of the role that was in use may take to end by themselves. Then they are ended.
    type: int
    default: 300
  begin:
    description: Whether another password than the Secret's begins a rotation. If not, only one that was begun is
      finished.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Make the new password true, up to the Secret
  ai_platform.agent.credentials_rotation:
    release_name: my-agent
    release_namespace: dev
    secret_name: my-agent-secret
    secret_expected: "{{ passwords | ai_platform.agent.secret_data(chart.manifests) }}"
  register: rotation
  no_log: true

- name: Lock the old role, once a deployment with rotation.rotation_id has replaced the pods
  ai_platform.agent.credentials_rotation:
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
    - In check mode any step, V(mark), V(prepare), V(switch), V(roll), V(wait), V(lock), V(clear) or V(withdraw).
  returned: success
  type: str
  sample: roll
login:
  description: The role in the Secret, empty where the owner has always logged in itself.
  returned: success
  type: str
  sample: agent_a
rotation_id:
  description: The rotation id in the Secret, which the values of the chart take as C(rotationId).
  returned: success
  type: str
steps:
  description: What was done, a sentence each.
  returned: success
  type: list
  elements: str
statements:
  description: What an administrator has to run in psql before the next run, without a password; else empty.
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
  sample: rotation-role-taken
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.module import ARGUMENTS, CONSTRAINTS, execute


def main() -> None:
    module = started(ARGUMENTS, **CONSTRAINTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
