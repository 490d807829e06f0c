#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_deploy
short_description: Install or upgrade a release with Helm, and say meanwhile what it waits for
version_added: 1.0.0
description:
  - Runs M(kubernetes.core.helm) with the options that are given, and returns its result.
  - Every few seconds a line says what is waited for, in a terminal and in the events of a job of AWX. It names the pod,
    the container and the reason, as an image that is being pulled, no node that takes the pod, a probe that fails, a
    volume that cannot be mounted, a quota; of a migration also the last line of its log.
  - The lines hold no value of the Secrets that the release's pods have.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - Python >= 3.12
  - kubernetes >= 36.0.2
  - helm
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._release
attributes:
  check_mode:
    support: full
    description: As M(kubernetes.core.helm); nothing is waited for, so nothing is said.
  diff_mode:
    support: none
  idempotent:
    support: full
    description: As M(kubernetes.core.helm).
options:
  api_key:
    description: As for M(kubernetes.core.helm).
    type: str
  binary_path:
    description: The helm program.
    type: path
  ca_cert:
    description: As for M(kubernetes.core.helm).
    type: path
  chart_ref:
    description: Folder of the chart.
    type: path
    required: true
  context:
    description: As for M(kubernetes.core.helm).
    type: str
  host:
    description: As for M(kubernetes.core.helm).
    type: str
  kubeconfig:
    description: As for M(kubernetes.core.helm).
    type: raw
  progress:
    description: How many seconds there are between two lines, V(0) for no lines.
    type: float
    default: 0
  timeout:
    description: How long helm waits, as helm writes it.
    type: str
    default: 5m
  up_to_date:
    description:
      - The release's entry of C(helm list), where the caller has seen that chart and values are those of its deployed
        revision. It is returned as RV(status); Helm, which would be started six times to see the same, is not asked.
      - Empty, Helm is asked.
    type: dict
    default: {}
  validate_certs:
    description: As for M(kubernetes.core.helm).
    type: bool
  values_files:
    description: Files with values.
    type: list
    elements: str
    default: []
  wait:
    description: Whether helm waits until everything is ready.
    type: bool
    default: false
  wait_for_jobs:
    description: Whether it waits for Jobs as well.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Install or upgrade
  ai_platform.agent.release_deploy:
    release_name: agent-prod
    release_namespace: agent
    chart_ref: ./build/ai-agent-chart
    wait: true
    timeout: 10m
    progress: 5
"""

RETURN = r"""
status:
  description: What M(kubernetes.core.helm) returns, as all else is.
  returned: success
  type: dict
"""
