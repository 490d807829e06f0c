#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_move
short_description: Move the database of a release to another PostgreSQL server, also of a newer major version
version_added: 1.0.0
description:
  - The release's planned manifests name a Secret with the URLs of a server of your own, and the living agent still
    reads those of the old one, be it the release's own or another server of yours.
  - V(moved) looks at both servers first, says all that stands in the way at once, and how long dump and restore took
    when the last backup was verified. Then it makes the old database read-only (C(default_transaction_read_only), and
    sessions that were there before end), dumps it, restores it into a new database that does not exist yet, compares
    the rows of every table, sequences and the schema revision, and returns with RV(next=deploy), for replacing the
    pods is a deployment's work. What fails before is taken back, and the old database is written as before.
  - What of the old server belongs to the release is set aside (C(helm.sh/resource-policy), C(ai-agent/set-aside)), so
    that the deployment leaves it where it is. The old database stays, read-only.
  - V(ended) writes down that the pods have been replaced, and for how long nobody could write.
  - V(returned) goes back. Before the pods were replaced nothing is lost by it; afterwards the planned manifests must
    name the old database again, and what was written since stays in the new one, which is told by tables.
  - V(forgotten) removes what was set aside. Volumes and databases are removed by nobody.
  - How far it got is the ConfigMap C(<release>-move-record), and the setting of the old database. A run that was
    killed anywhere is finished by the next one, or goes back.
  - The copy is made by a Job as of M(ai_platform.agent.database_backup); nothing of a login leaves its pod.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - kubernetes >= 36.0.2
  - psycopg >= 3.1 in the agent's image
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._release
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    details: Looks at both servers, from a pod, and says what would be done.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description: What is to be reached.
    type: str
    choices: [moved, ended, returned, forgotten]
    default: moved
  manifests:
    description: What C(helm template) prints for the release, with the values that name the database that is meant.
    type: str
    required: true
  database_secret:
    description:
      - Secret with the URL of another database of the new server, as a role that may create databases and is a member
        of the one that migrates the new database. Not for V(ended) and V(forgotten).
    type: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      key:
        description: The key of the URL.
        type: str
        required: true
  source_secret:
    description:
      - Secret with the URL of the old database, as a role that may make it read-only (its owner, or a superuser) and
        end the sessions of all who use it. Without it, the URL of the migration in the Secret that the agent reads.
    type: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      key:
        description: The key of the URL.
        type: str
        required: true
  same_roles:
    description: Whether the new server has the roles of the old one, and everything keeps its owner and its rights.
      If not, the role that migrates the new database gets everything.
    type: bool
    default: false
  postgresql_image:
    description: Image with PostgreSQL's programs of the old server's major version. Without it, that of the release's
      own server.
    type: str
  work_claim:
    description: PersistentVolumeClaim for the dump. Without it the node's own disk holds it.
    type: str
  jobs:
    description: How many processes dump, and restore.
    type: int
    default: 2
  version_table:
    description: Alembic's version table.
    type: str
    default: alembic_version
  lock_timeout_ms:
    description: How long the dump waits for the lock of a table, in milliseconds.
    type: int
    default: 10000
  job_timeout:
    description: Seconds until a Job's pod must run.
    type: int
    default: 60
  pull_timeout:
    description: The same while the node pulls an image.
    type: int
    default: 600
  run_timeout:
    description: Seconds that the Job of the copy may run.
    type: int
    default: 3600
"""

EXAMPLES = r"""
- name: Copy the database to the server that the planned values name
  ai_platform.agent.database_move:
    release_name: my-agent
    release_namespace: prod
    manifests: "{{ chart.manifests }}"
    database_secret:
      name: new-database
      key: admin-url
  register: move

- name: Write down that the pods have been replaced, once a deployment did so
  ai_platform.agent.database_move:
    release_name: my-agent
    release_namespace: prod
    manifests: "{{ chart.manifests }}"
    state: ended
"""

RETURN = r"""
next:
  description: The step that is next, V(deploy) where a deployment's work is to follow, V(nothing) at the end.
  returned: success
  type: str
record:
  description: What the record holds afterwards, without a secret.
  returned: success
  type: dict
  contains:
    state:
      description: V(copying), V(copied), V(moved), V(returning), or empty.
      type: str
    source:
      description: Where the old database is.
      type: str
    target:
      description: Where the new one is.
      type: str
    seconds:
      description: For how long nobody could write, once it is V(moved).
      type: float
seconds:
  description: What C(dump), C(restore), C(compare) and C(all) took.
  returned: when it was copied
  type: dict
set_aside:
  description: Kind and name of what was set aside.
  returned: when it was copied
  type: list
  elements: str
removed:
  description: Kind and name of what was removed.
  returned: when O(state) is V(forgotten), not in check mode
  type: list
  elements: str
differences:
  description: How the new database differs from the old one, a sentence each.
  returned: when O(state) is V(returned) after the pods were replaced
  type: list
  elements: str
summary:
  description: The same in sentences.
  returned: always, but for an error
  type: list
  elements: str
findings:
  description: What the preflight found, or the error, as the other modules have them.
  returned: always
  type: list
  elements: dict
error_id:
  description: Id of the finding that ended the run.
  returned: failure
  type: str
  sample: move-source
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._database.move_module import ARGUMENTS, execute


def main() -> None:
    module = started(ARGUMENTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
