#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_key_rotation
short_description: Change the key with which the AI agent asks its model's provider, while it serves
version_added: 1.0.0
description:
  - The new key is tried from an agent pod, with the list of the models, which costs no token. Then its Secret gets it,
    and the release's own Secret gets another rotation id.
  - There the module returns with RV(next=roll), for replacing the pods is a deployment's work. Called again, it sees
    that every pod has the new key, and says which one may be revoked at the provider. Until then both are good.
  - How far it got is the annotation C(ai-agent/model-key) of the release's Secret. A run that was interrupted anywhere
    is finished by the next one.
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
    details: Says which step would be the next, and what would follow it. The key is not tried.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  release_secret:
    description: Name of the release's own Secret, which has the rotation id and the annotation.
    type: str
    required: true
  secret_name:
    description: Name of the Secret with the key, C(agent.llm.existingSecret) of the chart's values.
    type: str
    required: true
  secret_key:
    description: Its entry, C(agent.llm.existingSecretKey).
    type: str
    default: api-key
  wanted:
    description: The key that the agent shall have.
    type: str
    required: true
  model:
    description: How the endpoint is asked, as O(ai_platform.agent.connectivity_test#module:model).
    type: dict
    default: {}
    suboptions:
      ask:
        description: Whether the new key is tried before it is used.
        type: bool
        default: true
      url_variable:
        description: The agent's variable with the endpoint's address.
        type: str
        default: LLM_BASE_URL
      name_variable:
        description: The agent's variable with the model's name.
        type: str
        default: LLM_MODEL
      key_variable:
        description: The agent's variable with the key in use. It is not read here.
        type: str
      ca_file:
        description: File in the agent's container with the certificate authorities of the endpoint.
        type: str
      path:
        description: What is asked below the endpoint's address.
        type: str
        default: /models
  begin:
    description: Whether another key than the Secret's begins a rotation. If not, only one that was begun is finished.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Give the agent another key, up to its Secret
  ai_platform.agent.model_key_rotation:
    release_name: my-agent
    release_namespace: dev
    release_secret: my-agent-secret
    secret_name: model-key
    wanted: "{{ vaulted_key }}"
  register: rotation
  no_log: true

- name: Say what may be revoked, once a deployment with rotation.rotation_id has replaced the pods
  ai_platform.agent.model_key_rotation:
    release_name: my-agent
    release_namespace: dev
    release_secret: my-agent-secret
    secret_name: model-key
    wanted: "{{ vaulted_key }}"
    begin: false
  no_log: true
"""

RETURN = r"""
next:
  description:
    - What is to be done next. V(nothing) where the rotation is done, V(roll) where the pods have to be replaced.
    - V(mark) without O(begin), where another key than the Secret's is wanted.
    - In check mode any step, V(mark), V(switch), V(renew), V(roll) or V(clear).
  returned: success
  type: str
  sample: roll
rotation_id:
  description: The rotation id in the release's Secret, which the values of the chart take as C(rotationId).
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
  sample: rotation-model-key
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.model_module import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
