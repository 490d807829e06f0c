#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# The module runs in plugins/action/chart_assemble.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: chart_assemble
short_description: Assemble the Helm chart C(ai-agent) with its subcharts
version_added: 1.0.0
description:
  - Puts the chart and the subcharts of the chosen origin together in a cache folder and returns its path.
  - Runs on the controller, where the collection and its chart are.
  - The cache is keyed by content. The digest of that content becomes part of the version, C(1.0.0+<8 hex digits>),
    so that M(kubernetes.core.helm) notices an edited template.
  - With O(values), renders the chart with them as well and returns the manifests.
  - Neither the chart's folder nor the subcharts' is ever written to. Two runs at once do not disturb each other.
author:
  - The ai_platform.agent authors (@ai-platform)
extends_documentation_fragment:
  - ai_platform.agent._attributes
attributes:
  check_mode:
    support: full
    details: Writes its cache in check mode as well. That is no state of the system, so it never reports a change.
  diff_mode:
    support: N/A
    details: The module has no state to compare.
  idempotent:
    support: full
options:
  chart:
    description: Folder of the chart, the one with C(Chart.yaml). Not used with O(reference), and required without.
    type: path
  reference:
    description:
      - A chart that M(ai_platform.agent.chart_publish) published, instead of O(chart) and its subcharts. It is named by
        its digest, C(oci://registry/repository/ai-agent@sha256:...), because a tag can be moved.
      - It must hold the subcharts that O(subcharts) says.
    type: str
  public_key:
    description:
      - Public key of cosign with which the signature of O(reference) is verified, before it is fetched. Without a key
        no signature is asked for.
    type: path
  cosign_binary:
    description: The cosign program. It is run for O(public_key).
    type: path
    default: cosign
  plain_http:
    description: Whether the registry of O(reference) is asked without TLS.
    type: bool
    default: false
  subcharts:
    description:
      - Where PostgreSQL's and Redis' charts come from.
      - V(bitnami) lets Helm fetch the versions that C(Chart.lock) pins, V(embedded) takes them from O(subcharts_dir).
      - Other subcharts are another database. One never stands in for the other.
    type: str
    required: true
    choices: [bitnami, embedded]
  subcharts_dir:
    description: Folder with the embedded subcharts C(postgresql) and C(redis). Required for O(subcharts=embedded).
    type: path
  cache_dir:
    description:
      - Folder for assembled charts.
      - The default is C(ai_platform.agent/charts) below E(XDG_CACHE_HOME), or below C(~/.cache). Where that cannot be
        written, or the user has no home folder, the chart is kept for this run only.
    type: path
  helm_binary:
    description: The helm program. It is run for O(subcharts=bitnami) and for O(values).
    type: path
    default: helm
  release_name:
    description: Name of the release to render. Required for O(values).
    type: str
  release_namespace:
    description: Namespace of the release to render. Required for O(values).
    type: str
  timeout:
    description:
      - How long Helm will wait for the release, in whole hours, minutes and seconds, for example V(10m) or V(1h30m).
        With it, the result says how long the release may take.
      - Needs O(values).
    type: str
  values:
    description: Values to render the chart with. They are no place for secrets, and neither are the manifests.
    type: dict
"""

EXAMPLES = r"""
- name: Assemble the chart where Bitnami's registry cannot be reached
  ai_platform.agent.chart_assemble:
    chart: "{{ playbook_dir }}/chart"
    subcharts: embedded
    subcharts_dir: "{{ playbook_dir }}/subcharts"
  register: chart

- name: Look at what it would install
  ai_platform.agent.chart_assemble:
    chart: "{{ playbook_dir }}/chart"
    subcharts: embedded
    subcharts_dir: "{{ playbook_dir }}/subcharts"
    release_name: my-agent
    release_namespace: dev
    values: "{{ lookup('ansible.builtin.file', 'chart/values-dev.yaml') | from_yaml }}"
  register: planned

- name: Install it
  kubernetes.core.helm:
    release_name: my-agent
    release_namespace: dev
    chart_ref: "{{ chart.path }}"
"""

RETURN = r"""
manifests:
  description: The rendered chart, as C(helm template) prints it.
  returned: with O(values)
  type: str
timeout_seconds:
  description: O(timeout) in seconds.
  returned: with O(timeout)
  type: int
  sample: 600
longest_wait_seconds:
  description: >-
    The longest of the time limits in RV(manifests), of the hook that migrates and of Deployments; 0 without any. Helm
    must wait longer, or it gives up on what goes on.
  returned: with O(timeout)
  type: int
  sample: 300
complaint:
  description: Why the chart does not take the values.
  returned: where it does not
  type: str
  sample: "values don't meet the specifications of the schema(s) in the following chart(s)"
path:
  description: Folder of the assembled chart.
  returned: success
  type: str
  sample: /home/me/.cache/ai_platform.agent/charts/ai-agent-1.0.0+3f9c02aa-81d2c5e0/ai-agent
version:
  description: Version of the assembled chart, with the first 8 hex digits of RV(digest) as build metadata.
  returned: success
  type: str
  sample: 1.0.0+3f9c02aa
digest:
  description: SHA-256 over the chart, the chosen subcharts and the choice.
  returned: success
  type: str
  sample: 3f9c02aa81d2c5e0b1f2a3948576ffee00112233445566778899aabbccddeeff
subcharts:
  description: Version of each subchart by name.
  returned: success
  type: dict
  sample:
    postgresql: 12.12.10
    redis: 17.17.1
"""
