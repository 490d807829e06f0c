#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_repair
short_description: Say what a killed run left of a release of the AI agent half-way, and mend it
version_added: 1.0.0
description:
  - An install or a removal that did not come to its end is uninstalled. An upgrade or a rollback that did not is
    rolled back to the last revision that was deployed, which touches no pod that serves. Volumes stay.
  - The StatefulSet of a database whose pod was never ready, and which Kubernetes would never replace, is deleted. Its
    volumes stay, and the next deployment makes it again.
  - A migration that goes on without its helm is waited for. A helm that somebody runs without the Lease is noticed
    where it writes its record within O(settle_seconds), and then nothing is mended.
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
    support: full
options:
  manifests:
    description: What C(helm template) prints for the release, with which the pods of its servers are compared.
    type: str
  migration_wait:
    description: Seconds for which a migration that still runs is waited for.
    type: int
    default: 900
  settle_seconds:
    description: Seconds for which helm's record of the release must stay as it is before it is mended.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Let nobody else change the release
  ai_platform.agent.release_lease:
    release_name: agent-prod
    release_namespace: agent
  register: lease

- name: Mend what was left half-way
  ai_platform.agent.release_repair:
    release_name: agent-prod
    release_namespace: agent
    lease: "{{ lease.folder }}"
"""

RETURN = r"""
happened:
  description: What was found, a sentence each; none where nothing is half-way.
  returned: success
  type: list
  elements: str
  sample:
    - >-
      The upgrade of release agent-prod to revision 4, begun 2026-11-29T13:05:10, did not come to its end; revision 3
      was deployed before.
remedies:
  description: What was done about it, or would be in check mode, a sentence each.
  returned: success
  type: list
  elements: str
status:
  description: Helm's word for the newest revision before it was mended, empty without a release.
  returned: success
  type: str
  sample: pending-upgrade
error_id:
  description: Id of what stood in the way, a heading of docs/runbook.md.
  returned: failure
  type: str
  sample: release-pending
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._release.repair_module import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
