#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# The module runs in plugins/action/fleet_report.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_report
short_description: Write what became of many releases as one page and as JSON
version_added: 1.0.0
description:
  - Writes C(fleet.html) and C(fleet.json) into a folder on the controller. The worst release comes first, and each one
    leads to its own page where M(ai_platform.agent.deployment_report) wrote one into the same folder.
  - The page needs no server, no script and no network, and can be read on a phone.
  - Each file has mode 0600, for it names hosts and clusters. It appears whole in the place of what was there.
author:
  - The ai_platform.agent authors (@ai-platform)
extends_documentation_fragment:
  - ai_platform.agent._attributes
attributes:
  check_mode:
    support: full
    details: Writes nothing, so that the page of the last deployment stays.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: The files are written anew on each run. They are a report and no state, so no change is reported.
options:
  folder:
    description: Folder for the two files, on the controller. Without one only the outcome is returned.
    type: path
  phase:
    description:
      - V(judged) after all releases were judged and nothing was changed, V(begun) as a wave begins, V(deployed) as it
        has ended.
    type: str
    required: true
    choices: [judged, begun, deployed]
  records:
    description:
      - By host of the inventory, what it recorded of itself. Its C(state) is V(begun), V(failed), V(waiting),
        V(deployed) or V(unchanged), its C(wave) a number, C(wanted) the chart's version that it should have, and
        C(report) what M(ai_platform.agent.deployment_report) returned for it.
      - Nothing for a host that was left out of the run. V(begun) in a wave that has ended was lost on the way.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the page of two releases
  ai_platform.agent.fleet_report:
    folder: /tmp/reports
    phase: deployed
    records:
      agent-north:
        state: deployed
        wave: 1
        report: "{{ hostvars['agent-north'].report }}"
      agent-south: {}
  register: fleet
  run_once: true
"""

RETURN = r"""
word:
  description: V(Ready), V(Rehearsed), V(Unchanged), V(Under way), V(Deployed) or V(Stopped).
  returned: success
  type: str
  sample: Stopped
level:
  description: V(good), V(warn), V(bad), or V(neutral) before anything was changed.
  returned: success
  type: str
  sample: bad
sentence:
  description: The outcome in a sentence.
  returned: success
  type: str
problem:
  description: Why the run must stop, and where to look; empty where it need not.
  returned: success
  type: str
counts:
  description: How many releases are in each state.
  returned: success
  type: dict
  sample: {"failed": 1, "unfinished": 0, "waiting": 70, "deployed": 26, "unchanged": 3, "left out": 0}
versions:
  description: Which hosts are on which chart and image of the agent, the most hosts first.
  returned: success
  type: list
  elements: dict
  contains:
    chart:
      description: Version, empty where nothing is installed or it is not known.
      returned: success
      type: str
    image:
      description: Image of the agent, empty likewise.
      returned: success
      type: str
    hosts:
      description: Hosts of the inventory.
      returned: success
      type: list
      elements: str
lines:
  description: The same for a terminal, with a line for each release that is not well.
  returned: success
  type: list
  elements: str
said:
  description: By host, its C(level) and, as C(text), its outcome, for the line that the callback prints at the end.
  returned: success
  type: dict
path:
  description: The page; empty without a folder and in check mode.
  returned: success
  type: str
  sample: /var/reports/fleet.html
place:
  description: One sentence that says where the page is, empty without a folder.
  returned: success
  type: str
  sample: "Fleet: /var/reports/fleet.html"
"""
