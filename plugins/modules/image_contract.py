#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_contract
short_description: Try whether an image keeps the contract of an agent image
version_added: 1.0.0
description:
  - Makes a namespace with a database and a cache of its own, runs the image there as the rendered chart would, and
    removes the namespace.
  - Tries the migration twice at once and once again, the start with a read-only root file system and without root, the
    probes, a database and a cache that go away and come back, SIGTERM while requests come, and a schema that is newer
    than the image.
  - Says of each part whether it is right, right by a value that differs from the default, wrong, missing, or could not
    be tried.
  - It needs neither the release nor its Secrets, and touches neither.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - Python >= 3.12
  - kubernetes >= 36.0.2
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    details: Says what would be tried, and makes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: The cluster is afterwards as it was before.
options:
  away_seconds:
    description: How long database and cache are away, in seconds.
    type: float
    default: 20
  manifests:
    description:
      - The chart as M(ai_platform.agent.chart_assemble) renders it for O(namespace), with a database and a cache of its
        own.
    type: str
    required: true
  migration_timeout:
    description: Seconds that a migration may take.
    type: float
    default: 600
  namespace:
    description: Name of the namespace that is made, and removed afterwards. It must not exist.
    type: str
    required: true
  report_path:
    description: Where to write the report as JSON.
    type: path
  request:
    description:
      - The request that is sent while the server is told to end, with V(path), V(method), V(body) and V(headers).
        Without it the path of the liveness probe is asked.
    type: dict
    default: {}
  secrets:
    description:
      - Secrets that the values name and the chart does not make, their data by their names. Made-up ones are enough.
    type: dict
    default: {}
  start_timeout:
    description: Seconds until the server must be ready.
    type: float
    default: 300
  tools_image:
    description: Image with Python for the pod that asks. Empty, it is the one in which the chart waits for the schema.
    type: str
    default: ""
  values:
    description: The chart's values that the inventory sets, so that a line can say which of them it is right by.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Try an image
  ai_platform.agent.image_contract:
    namespace: check-image-5f3a
    manifests: "{{ chart.manifests }}"
    values: "{{ ai_agent_values }}"
    report_path: image.json
  register: tried

- name: Show what it does and does not
  ansible.builtin.debug:
    var: tried.summary
"""

RETURN = r"""
verdict:
  description: Of the contract as a whole, C(kept), C(broken) or C(unknown).
  returned: when it was tried
  type: str
  sample: kept
lines:
  description: The parts of the contract.
  returned: when it was tried
  type: list
  elements: dict
  contains:
    part:
      description: What was tried.
      type: str
      sample: SIGTERM under load
    status:
      description: C(right), C(set), C(wrong), C(missing) or C(unknown).
      type: str
      sample: right
    words:
      description: What was seen.
      type: str
      sample: All 412 requests were answered. It ends 1 s after SIGTERM.
    value:
      description: The chart's value that sets it, or that would.
      type: str
      sample: agent.port
counts:
  description: How many lines have which status.
  returned: when it was tried
  type: dict
seconds:
  description: How long it took.
  returned: when it was tried
  type: float
summary:
  description: The table in lines.
  returned: success
  type: list
  elements: str
error_id:
  description: Id of what stood in the way, a heading of docs/runbook.md.
  returned: failure
  type: str
  sample: image-contract
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.module import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, {**module.params, "check_mode": module.check_mode})


if __name__ == "__main__":
    main()
