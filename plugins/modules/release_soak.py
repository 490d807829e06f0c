#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_soak
short_description: Compare a new version of the AI agent with the one before it, by what their own pods count
version_added: 1.0.0
description:
  - Reads the Prometheus metrics of the agent's pods before a release, and of those that are new for some time after it.
    Compares the share of requests that failed and the time that 95 of 100 requests take, and counts restarts.
    Prometheus is not needed.
  - Pods from before are judged by all that they counted since they began, the new ones likewise. A container that
    begins anew counts from 0, which is taken into account.
  - Too few requests to judge, and metrics that cannot be read, are unknown, never good.
  - The metrics are read from inside each pod by exec, with the Python of its image. Where the account may not exec, or
    the image has no Python, the API server asks the pod as a proxy, which needs the right to get C(pods/proxy) and a
    network policy that lets it.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - Python >= 3.12
  - kubernetes >= 36.0.2
  - prometheus-client >= 0.20
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._release
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    description: Looks once and waits for nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  before:
    description: With O(state=watched), the RV(pods) that O(state=captured) returned.
    type: list
    elements: dict
    default: []
  duration:
    description: >-
      How long the new pods are watched, as V(90s) or V(1h30m), 24 hours at most; a number alone is one of seconds. It
      ends earlier with a breach that two looks saw.
    type: str
    default: 5m
  fail_on:
    description: The severity of a finding from which on the module fails.
    type: str
    choices: [never, fail, unknown, warn]
    default: fail
  interval:
    description: Seconds between two looks at the pods.
    type: int
    default: 10
  metrics_names:
    description: How the image names what is compared. Those that are left out keep their defaults.
    type: dict
    default: {}
    suboptions:
      requests:
        description: A counter of answered requests.
        type: str
        default: agent_requests_total
      seconds:
        description: A histogram of the seconds that they took, without C(_bucket).
        type: str
        default: agent_request_seconds
      status:
        description: The label of the counter that holds the HTTP status.
        type: str
        default: status
  metrics_path:
    description: Path of the metrics.
    type: str
    default: /metrics
  metrics_port:
    description: Their port. V(0) is the container's port C(metrics), or C(http) where there is none.
    type: int
    default: 0
  progress:
    description: >-
      While pods are watched, a line says for how long already: how many seconds there are between two, 15 at least;
      V(0) for no lines.
    type: float
    default: 0
  state:
    description:
      - V(captured) reads what the pods that are there have counted.
      - V(watched) compares those that are new with them.
    type: str
    choices: [captured, watched]
    required: true
  thresholds:
    description: From when on the new version is worse. Those that are left out keep their defaults.
    type: dict
    default: {}
    suboptions:
      failures:
        description: Fewer failed requests are no breach, whatever their share.
        type: int
        default: 5
      p95_factor:
        description: How many times as long as before 95 of 100 requests may take.
        type: float
        default: 2.0
      p95_rise:
        description: Seconds by which they must take longer besides.
        type: float
        default: 0.1
      refused_rise:
        description: Percentage points by which the share of answers 4xx may rise before that is told.
        type: float
        default: 10.0
      requests:
        description: With fewer requests, of the new pods or of those before, nothing is judged but restarts.
        type: int
        default: 100
      restarts:
        description: Restarts of the agent's containers that are let pass.
        type: int
        default: 0
      success_fall:
        description: Percentage points by which the share of answers without a status 5xx may fall.
        type: float
        default: 1.0
"""

EXAMPLES = r"""
- name: Look at the pods
  ai_platform.agent.release_soak:
    release_name: agent-prod
    release_namespace: agent
    state: captured
  register: before

- name: Upgrade
  ai_platform.agent.release_deploy:
    release_name: agent-prod
    release_namespace: agent
    chart_ref: ./build/ai-agent-chart
    wait: true

- name: Watch the new pods
  ai_platform.agent.release_soak:
    release_name: agent-prod
    release_namespace: agent
    state: watched
    before: "{{ before.pods }}"
    duration: 10m
"""

RETURN = r"""
pods:
  description: The agent's pods, with what each has counted.
  returned: with O(state=captured)
  type: list
  elements: dict
soaked:
  description: Whether anything was watched; no, where no pod is new, and in check mode.
  returned: with O(state=watched)
  type: bool
breached:
  description: Whether the new version is worse.
  returned: with O(state=watched)
  type: bool
seconds:
  description: How long the pods were watched.
  returned: with O(state=watched)
  type: float
wanted_seconds:
  description: How long they were to be watched.
  returned: with O(state=watched)
  type: int
before:
  description: >-
    What the pods from before the release counted, in percent and seconds: RV(ignore:pods), RV(ignore:requests),
    RV(ignore:failed), RV(ignore:success), RV(ignore:refused), RV(ignore:p95_seconds), and whether that is more than the
    largest bucket (RV(ignore:p95_beyond)).
  returned: where something was watched
  type: dict
after:
  description: The same of the new pods, and their restarts.
  returned: where something was watched
  type: dict
replaced:
  description: How many new pods went away meanwhile.
  returned: where something was watched
  type: int
verdict:
  description: V(safe), V(warn), V(unknown) or V(unsafe).
  returned: with O(state=watched)
  type: str
findings:
  description: What was found, the worst first, with an id that is a heading of docs/runbook.md.
  returned: with O(state=watched)
  type: list
  elements: dict
summary:
  description: The same in lines.
  returned: with O(state=watched)
  type: list
  elements: str
  sample:
    - "UNSAFE  agent/agent-prod: watched for 20 of 300 s"
    - "  before  2 pods, 41200 requests, 99.98 % without an error, p95 0.24 s"
    - "  after   2 pods, 804 requests, 91.30 % without an error, p95 0.25 s, 0 restarts"
error_id:
  description: Id of what stood in the way, a heading of docs/runbook.md.
  returned: failure
  type: str
  sample: cluster-unreachable
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._release.soak_module import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
