#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_evidence
short_description: Say why a release of the AI agent is not ready, and keep what shows it
version_added: 1.0.0
description:
  - Says in one sentence what stopped a release, from its pods, workloads and events, where Helm says that it timed out.
  - Keeps in O(path) what a person needs to see for it. That is the states of pods, containers and workloads, the
    newest events, Helm's revisions, and the last lines of the logs, those of what is not ready first.
  - Values of the Secrets that the pods have are in neither, and the file has a largest size.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - Python >= 3.12
  - kubernetes >= 36.0.2
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._release
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    description: It changes nothing in any mode, and writes its file in each.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  helm_binary:
    description: The helm program, a path or a name on E(PATH).
    type: path
    default: helm
  helm_error:
    description: What helm said.
    type: str
    default: ""
  manifests_path:
    description:
      - Where to keep the manifests that Helm applied last, without the values of Secrets and of what is named like one.
    type: path
  max_bytes:
    description: The most that O(path) may have.
    type: int
    default: 262144
  path:
    description: Where to keep the evidence.
    type: path
  secrets:
    description: Texts that must not be in it.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Say why the release is not ready
  ai_platform.agent.release_evidence:
    release_name: agent-prod
    release_namespace: agent
    path: evidence.txt
  register: evidence

- name: Show it
  ansible.builtin.debug:
    var: evidence.sentence
"""

RETURN = r"""
cause:
  description:
    - One of V(image), V(migration), V(configuration), V(unschedulable), V(crash), V(not_ready), V(no_pod), V(helm),
      V(none).
  returned: success
  type: str
sentence:
  description: What stopped the release.
  returned: success
  type: str
  sample: "Not in time: Deployment agent-prod: no pod can be made: exceeded quota: small."
runbook:
  description: The section of the runbook about this cause.
  returned: success
  type: str
  sample: docs/runbook.md#pods-not-made
details:
  description: Further lines, with the last ones of the log that tells more.
  returned: success
  type: list
  elements: str
path:
  description: The file, empty without O(path).
  returned: success
  type: str
manifests_path:
  description: The file, empty without O(manifests_path).
  returned: success
  type: str
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._release.evidence import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params)


if __name__ == "__main__":
    main()
