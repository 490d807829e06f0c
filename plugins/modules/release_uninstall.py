#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_uninstall
short_description: Uninstall a release of the AI agent with all that runs made beside it, and keep what it stored
version_added: 1.0.0
description:
  - Uninstalls the Helm release and waits for its end, then removes what Helm leaves behind, namely the Jobs, pods,
    ConfigMaps, Secrets and policies of hooks, of the chart's own test, and of this collection's modules.
  - The volumes of PostgreSQL and Redis and the Secret with the passwords stay unless O(remove) names them, each by
    itself, and O(confirm) has the release's name. What stays is returned with the command that removes it. A release
    that is installed again under its name finds both.
  - Whose an object is, its labels and annotations say. What others put into the namespace is not touched. The namespace
    itself is never removed.
  - A run that was interrupted is finished by the next one. Where nothing is left, nothing is changed.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
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
    details: Says what would be removed and what would stay, also without O(confirm). Writes O(report_path) in check
      mode as well, which is a result and no state of the system.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  remove:
    description:
      - What the release stored and is to be removed as well. It cannot be had back.
      - V(postgresql-volume) are the claims of PostgreSQL, those of its replicas among them, V(redis-volume) those of
        Redis, V(secret) the Secrets with the release's passwords, as far as the role or the chart made them.
    type: list
    elements: str
    choices: [postgresql-volume, redis-volume, secret]
    default: []
  confirm:
    description:
      - The name of the release, which has to be typed for O(remove).
      - Another name stops the module, whatever is to be removed.
    type: str
  helm_binary:
    description: The helm program. It asks the same cluster as the same account as the module.
    type: path
    default: helm
  timeout:
    description: How long Helm, and then what it leaves behind, may take to be gone, a duration such as V(10m).
    type: str
    default: 10m
  report_path:
    description: File for the result as JSON. It replaces what was there, with mode 0600; a link there is not followed.
    type: path
"""

EXAMPLES = r"""
- name: Say what an uninstallation would remove, and what would stay
  ai_platform.agent.release_uninstall:
    release_name: my-agent
    release_namespace: dev
  check_mode: true
  register: uninstallation

- name: Uninstall, and keep volumes and passwords
  ai_platform.agent.release_uninstall:
    release_name: my-agent
    release_namespace: dev

- name: Uninstall, and remove everything that was stored
  ai_platform.agent.release_uninstall:
    release_name: my-agent
    release_namespace: dev
    remove: [postgresql-volume, redis-volume, secret]
    confirm: my-agent
"""

RETURN = r"""
summary:
  description: The outcome in a few lines, for a play's output. The first one is the outcome in one sentence.
  returned: success
  type: list
  elements: str
cluster:
  description: URL of the API server that was asked.
  returned: success
  type: str
  sample: https://10.0.0.1:6443
release:
  description: Helm's record before the uninstallation, empty without one.
  returned: success
  type: dict
  sample:
    status: deployed
    chart: ai-agent-1.0.0+3f9c02aa
    revision: "3"
removed:
  description: What was removed, or would be, each with C(kind), C(name) and C(what), which is V(helm), V(hook), V(run)
    or one of O(remove).
  returned: success
  type: list
  elements: dict
  sample:
    - kind: Job
      name: my-agent-db-migrate-pre-upgrade
      what: hook
kept:
  description: What the release stored and stays, each with C(kind), C(name), C(what), and C(command), which removes it.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: PersistentVolumeClaim
      name: data-my-agent-postgresql-0
      what: postgresql-volume
      command: kubectl --namespace dev delete persistentvolumeclaims data-my-agent-postgresql-0
others:
  description: Objects with the release's label that were made by others, or are kept by them, and are not touched.
  returned: success
  type: list
  elements: dict
  sample: []
unread:
  description: Kinds of objects that the account may not list, so that nothing of them was removed.
  returned: success
  type: list
  elements: str
  sample: []
error_id:
  description: Id of what stood in the way, a heading of docs/runbook.md.
  returned: failure
  type: str
  sample: uninstall-unconfirmed
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._release.uninstall import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
