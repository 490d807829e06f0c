#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_plan
short_description: Say what a deployment of a release of the AI agent would change, before it does
version_added: 1.0.0
description:
  - Has Helm render the chart with the cluster beside it, and asks the API server of each object what would come of it,
    in a dry run that stores nothing. So its defaults, admission, immutable fields and what other managers own are the
    server's own answer, and none of it is guessed or told as a difference.
  - Says which objects would be added, changed and removed, with the fields that differ; which pods would be replaced
    and how; which volumes would come, grow or go; which hooks would run; and what would be refused.
  - Values of Secrets are never in it, nor values of Secrets that stand elsewhere, nor what its name or place calls
    secret.
  - With O(earlier) it compares with a plan that was made before, and fails where a deployment would do anything else.
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
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    description: It changes nothing in any mode, and writes its files in each.
  diff_mode:
    support: full
    description: The page of the plan.
  idempotent:
    support: full
options:
  chart:
    description: Folder of the assembled chart.
    type: path
    required: true
  chart_version:
    description: Its version.
    type: str
    required: true
  earlier:
    description: A plan that O(report_path) named before. The module fails where it no longer holds, or is too old.
    type: path
  helm_binary:
    description: The helm program, a path or a name on E(PATH).
    type: path
    default: helm
  helm_runs:
    description:
      - Whether a deployment would start Helm, as M(kubernetes.core.helm) says in check mode. Where values and chart are
        those of the last revision it does not, and what others changed of objects stays.
    type: bool
    default: true
  new_id:
    description: An id that each run makes anew, such as that of a rotation, which is no difference between two plans.
    type: str
    default: ""
  preflight:
    description:
      - Of the result of M(ai_platform.agent.migration_preflight), C(verdict) and the revisions. C(msg) says why a
        deployment would stop there.
    type: dict
    default: {}
  report_path:
    description: Where to write the plan as JSON.
    type: path
  secret:
    description:
      - The Secret that a deployment writes beside Helm, with C(name), C(exists) and the keys that are C(missing) and
        C(differing). Without it none is written.
    type: dict
  secrets:
    description: Texts that must not be in the result.
    type: list
    elements: str
    default: []
  taken:
    description:
      - C(kind) and C(name) of the objects of which a deployment takes back what others set, C(conflicts) of
        M(ai_platform.agent.release_info).
    type: list
    elements: dict
    default: []
  text_path:
    description: Where to write the page.
    type: path
  valid_hours:
    description: How many hours the O(earlier) plan holds.
    type: float
    default: 24
  values_file:
    description: File with the values for Helm.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Say what an upgrade would change
  ai_platform.agent.release_plan:
    release_name: agent-prod
    release_namespace: agent
    chart: "{{ chart.path }}"
    chart_version: "{{ chart.version }}"
    values_file: "{{ lookup('ai_platform.agent.values_file', values) }}"
    report_path: plan.json
  register: plan

- name: Show the page
  ansible.builtin.debug:
    var: plan.summary
"""

RETURN = r"""
changed:
  description: Whether a deployment would change something. False with O(earlier).
  returned: always
  type: bool
plan:
  description: The plan as the file of O(report_path) has it.
  returned: success
  type: dict
  contains:
    digest:
      description: Names what is planned; it is another one where anything of that is another.
      type: str
    changes:
      description: Whether a deployment would change something.
      type: bool
    objects:
      description: All objects of the release, each with C(kind), C(name), C(action) and C(differences).
      type: list
      elements: dict
    pods:
      description: A sentence for each workload whose pods are replaced, added or removed.
      type: list
      elements: str
    volumes:
      description: A sentence for each claim that comes, grows or goes.
      type: list
      elements: str
    hooks:
      description: What of Helm's hooks would run, with its event.
      type: list
      elements: str
    stops:
      description: Why a deployment would not come to its end.
      type: list
      elements: str
summary:
  description: The page in lines.
  returned: success
  type: list
  elements: str
  sample:
    - "A deployment now would change 2 objects; 14 objects would stay as they are."
    - "pods      Deployment agent-prod: 3 pods are replaced, up to 1 more meanwhile, never fewer ready than now"
sentence:
  description: What a deployment would do.
  returned: success
  type: str
deviations:
  description: What of the O(earlier) plan no longer holds.
  returned: with O(earlier)
  type: list
  elements: str
error_id:
  description: Id of what stood in the way, a heading of docs/runbook.md.
  returned: failure
  type: str
  sample: plan-differs
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._release.plan_module import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params)


if __name__ == "__main__":
    main()
