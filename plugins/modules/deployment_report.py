#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# The module runs in plugins/action/deployment_report.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_report
short_description: Write what a deployment did and found as a page, as JSON and as JUnit XML
version_added: 1.0.0
description:
  - Writes C(report.html), C(report.json) and C(junit.xml) into a folder on the controller.
  - The page says the outcome first, then what was done, what was found with what to do about it, the migrations, and
    how fast the dependencies answer. It needs no server, no script and no network, and can be read on a phone and
    printed.
  - Each file has mode 0600, for it names hosts, tables and statements. It appears whole in the place of what was there.
    The folder is made with mode 0700 where it does not exist.
author:
  - The ai_platform.agent authors (@ai-platform)
extends_documentation_fragment:
  - ai_platform.agent._attributes
attributes:
  check_mode:
    support: full
    details: Writes nothing, so that the report of the last deployment stays; says whether it would change.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: The files are written anew on each run. A change is reported if they say something else, times and what was
      measured in them aside.
options:
  folder:
    description: Folder for the three files, on the controller. Without one only the outcome is returned.
    type: path
  run:
    description: What the run says of itself.
    type: dict
    required: true
    suboptions:
      host:
        description: The inventory host.
        type: str
        required: true
      release:
        description: Name of the Helm release.
        type: str
      namespace:
        description: Its namespace.
        type: str
      environment:
        description: Its environment.
        type: str
      cluster:
        description: Address of the cluster's API.
        type: str
      chart:
        description: The chart's version.
        type: dict
        suboptions:
          before:
            description: Before the run, nothing at an install.
            type: str
          after:
            description: After the run, nothing where it did not come so far.
            type: str
      images:
        description: The images by what runs in them, for example V(agent).
        type: dict
        suboptions:
          before:
            description: Before the run, nothing at an install.
            type: dict
          after:
            description: After the run, nothing where it did not come so far.
            type: dict
      revision:
        description: Helm's revision of the release.
        type: dict
        suboptions:
          before:
            description: Before the run, nothing at an install.
            type: int
          after:
            description: After the run, nothing where it did not come so far.
            type: int
      changed:
        description: Whether the release was changed.
        type: bool
        default: false
      steps:
        description:
          - For each step that was begun, its name and the time at which it began, in seconds since 1970.
          - The steps are V(guard), V(preflight), V(credentials), V(release) and V(verify).
        type: dict
        default: {}
      failure:
        description: What ended the run, which happened in the step begun last. Nothing where it succeeded.
        type: dict
        suboptions:
          task:
            description: Name of the task.
            type: str
          message:
            description: What it said.
            type: str
  registered:
    description:
      - What the tasks of the role registered. From it O(run.chart), O(run.images), O(run.revision) and O(run.changed)
        are worked out, and results of steps that O(run.steps) does not name are left out, for an earlier play may have
        left them.
    type: dict
    suboptions:
      found:
        description: What M(ai_platform.agent.release_info) returned before anything was changed.
        type: dict
      chart:
        description: What M(ai_platform.agent.chart_assemble) returned.
        type: dict
      credentials:
        description: Whether the Secret changed, as C(changed). Nothing else of it belongs here.
        type: dict
      release:
        description: What M(kubernetes.core.helm) returned.
        type: dict
      rollback:
        description: What M(ai_platform.agent.release_rollback) returned, where a soak went back.
        type: dict
  reports:
    description: Results of M(ai_platform.agent.migration_preflight) and of the connectivity test.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Which module.
        type: str
        required: true
        choices: [migration_preflight, connectivity_test, release_soak]
      result:
        description: What the module returned, also where it failed or was skipped.
        type: dict
        required: true
      path:
        description: What the module was given as C(report_path). The file is read where the result leaves something
          out, if it is about the same run.
        type: path
      fail_on:
        description: What the module was given as C(fail_on), which decides what fails in C(junit.xml).
        type: str
        choices: [never, fail, unknown, warn]
        default: unknown
  runbook_url:
    description: Where C(docs/runbook.md) can be read. Each finding links to its section there.
    type: str
    default: https://github.com/ai-platform/agent/blob/main/docs/runbook.md
"""

EXAMPLES = r"""
- name: Would these migrations hurt?
  ai_platform.agent.migration_preflight:
    alembic_dir: "{{ playbook_dir }}/images/agent"
    database_url: "{{ lookup('ansible.builtin.env', 'PREFLIGHT_DATABASE_URL') }}"
    report_path: /tmp/preflight.json
    fail_on: never
  register: preflight

- name: Write it down for people and for CI
  ai_platform.agent.deployment_report:
    folder: /tmp/report
    run:
      host: "{{ inventory_hostname }}"
      environment: dev
    reports:
      - kind: migration_preflight
        result: "{{ preflight }}"
        path: /tmp/preflight.json
        fail_on: never
  register: report

- name: Say where
  ansible.builtin.debug:
    msg: "{{ report.word }}: {{ report.path }}"
"""

RETURN = r"""
word:
  description: The outcome in a word, for example V(Upgraded), V(Unchanged), V(Blocked) or V(Failed).
  returned: success
  type: str
  sample: Upgraded
level:
  description: V(good), V(warn), V(bad), or V(neutral) for check mode.
  returned: success
  type: str
  sample: good
sentence:
  description: The outcome in a sentence.
  returned: success
  type: str
  sample: agent-prod in prod was upgraded (Helm revision 8), and its 3 pods reach what they need.
path:
  description: The page.
  returned: success
  type: str
  sample: /var/reports/agent-prod/report.html
place:
  description: One sentence that says where the page is, empty without a folder.
  returned: success
  type: str
  sample: "Report: /var/reports/agent-prod/report.html"
files:
  description: The files that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
run:
  description: What the run says of itself, as in O(run), with what was worked out from O(registered).
  returned: success
  type: dict
  sample: {"release": "agent-prod", "chart": {"before": "1.0.0+81d2c5e0", "after": "1.0.0+3f9c02aa"}, "changed": true}
"""
