#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: data_retention
short_description: Delete sessions of the AI agent that are old enough, or that are named, in small transactions
version_added: 1.0.0
description:
  - Deletes rows of one table, the root, and with each all rows of other tables that belong to it by a foreign key. What
    belongs together is called a session here, as in the reference agent. A session is as old as its newest row.
  - Either of a release in a cluster (O(release_name), O(release_namespace)), from one of its ready agent pods by exec
    or in a short Job of the deployed image, or of a database that this machine reaches (O(database_url)).
  - A transaction deletes whole sessions and takes about 50 ms at most. Rows that somebody else holds are skipped with
    their session, and nothing waits for a lock on a row, so that an application waits for nothing but a session that
    goes.
  - O(tables) is held against the catalogue first. What it says otherwise is refused by name, a table among it that
    refers to one of these and is not declared, a second foreign key with ON DELETE CASCADE between declared ones, which
    takes rows of other sessions with it, and a table from which others inherit.
  - Where triggers run for deleted rows, or keys set others to null, each transaction counts what they do, and one that
    would take rows of other sessions, or leave some of its own, is rolled back and told.
  - Killed at any moment, it leaves whole sessions, and the next run goes on.
  - The result has numbers, and the keys that were named in O(keys), and nothing of what rows said.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - kubernetes >= 36.0.2, for a release
  - psycopg >= 3.1, for a database that this machine reaches; in a release the agent's image has it
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._pods
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    details: Counts what would be deleted, and about how many bytes that is, and locks nothing. Writes O(report_path) in
      check mode as well, which is a result and no state of the system.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  release_name:
    description: Name of the Helm release.
    type: str
  release_namespace:
    description: Its namespace.
    type: str
  database_url:
    description: URL of a PostgreSQL that this machine reaches, V(postgresql://user:password@host:port/database).
    type: str
  older_than_days:
    description: Sessions whose newest row is older are deleted, by the server's clock. More than V(0). A time without a
      zone counts as UTC.
    type: float
  keys:
    description: Keys of the root. These sessions are deleted however old they are, and no others; 1000 in one run.
    type: list
    elements: str
    default: []
  tables:
    description:
      - The tables. Exactly one of them, the root, has no O(tables[].parent).
      - Each table must be given the role's rights SELECT, UPDATE (for the lock) and DELETE.
    type: list
    elements: dict
    required: true
    suboptions:
      table:
        description: Name, V(table) or V(schema.table), as the catalogue spells it.
        type: str
        required: true
      key:
        description: The column that is unique and never null by itself.
        type: str
        required: true
      time:
        description: The column that says when a row was written, of the type timestamptz, timestamp or date.
        type: str
        required: true
      parent:
        description: The table to which its rows belong, as O(tables[].table) of that one says it.
        type: str
      parent_column:
        description: The column with the foreign key to the O(tables[].key) of O(tables[].parent).
        type: str
  batch:
    description: Sessions of one transaction at most. It takes fewer where one took longer than 50 ms.
    type: int
    default: 100
  pause_ms:
    description: Milliseconds between two transactions; never less than the last one took.
    type: int
    default: 50
  statement_timeout:
    description: Seconds that one statement of a transaction may take. A session that takes longer is left and told.
    type: float
    default: 5.0
  max_seconds:
    description: Seconds after which no other transaction begins. The next run goes on.
    type: int
    default: 3600
  job_timeout:
    description: Seconds until a pod of this module must have started.
    type: int
    default: 60
  report_path:
    description: File for the result as JSON. It replaces what was there, with mode 0600; a link there is not followed.
    type: path
"""

EXAMPLES = r"""
- name: How much would go
  ai_platform.agent.data_retention:
    release_name: my-agent
    release_namespace: dev
    older_than_days: 90
    tables: &tables
      - table: sessions
        key: id
        time: created_at
      - table: messages
        key: id
        time: created_at
        parent: sessions
        parent_column: session_id
  check_mode: true
  register: retention

- name: Delete it
  ai_platform.agent.data_retention:
    release_name: my-agent
    release_namespace: dev
    older_than_days: 90
    tables: *tables

- name: Delete what one person said, and keep a record of that
  ai_platform.agent.data_retention:
    release_name: my-agent
    release_namespace: dev
    keys: [7f0c0a5e-6d3b-4bb5-9b0a-0d6a0e6a2c11]
    tables: *tables
    report_path: /tmp/deleted.json
"""

RETURN = r"""
summary:
  description: The outcome in a few lines, for a play's output. The first one is the outcome in one sentence.
  returned: when the database was asked
  type: list
  elements: str
subject:
  description: Namespace and release, or the place of the database.
  returned: when the database was asked
  type: str
  sample: dev/my-agent
at:
  description: When it ended, in UTC.
  returned: when the database was asked
  type: str
  sample: "2026-11-29T03:00:12+00:00"
dry_run:
  description: Whether it was only counted.
  returned: when the database was asked
  type: bool
cutoff:
  description: What is older goes; null where O(keys) were named.
  returned: when the database was asked
  type: str
  sample: "2026-08-31T03:00:00.123456+00:00"
named:
  description: The keys that were named.
  returned: when the database was asked
  type: list
  elements: str
absent:
  description: Those of them that are not there.
  returned: when the database was asked
  type: list
  elements: str
sessions:
  description: How many sessions were deleted, or would be.
  returned: when the database was asked
  type: int
  sample: 1200
rows:
  description: How many rows that is, by table.
  returned: when the database was asked
  type: dict
  sample:
    sessions: 1200
    messages: 14031
beside:
  description: What triggers and foreign keys (SET NULL, SET DEFAULT) did beside, by table, rows by C(deleted),
    C(changed) and C(inserted). Nothing of it is known in check mode.
  returned: when the database was asked
  type: dict
  sample:
    notes:
      changed: 3
bytes:
  description: About how many bytes become free for new rows once they are vacuumed, by table, by its share of the rows.
  returned: when the database was asked
  type: dict
  sample:
    sessions: 98304
    messages: 8126464
batches:
  description: How many transactions it took.
  returned: when the database was asked
  type: int
longest_ms:
  description: For how long one of them held its locks at most, in milliseconds.
  returned: when the database was asked
  type: int
  sample: 31
complete:
  description: Whether nothing was left for want of time.
  returned: when the database was asked
  type: bool
tables:
  description: Of each table C(before) and C(after), each with C(bytes) with its indexes, C(rows), C(live_rows),
    C(dead_rows), C(vacuum_begins_at), the number of dead rows from which on autovacuum begins, C(autovacuum), whether
    it does at all, and C(last_autovacuum).
  returned: when the database was asked
  type: dict
findings:
  description: The findings.
  returned: always
  type: list
  elements: dict
  sample:
    - id: retention-locked
      status: pass
      severity: info
      message: 2 sessions were left, because somebody else held a row of theirs.
      hint: "Nothing to do: the next run takes them."
      runbook: docs/runbook.md#retention-locked
error_id:
  description: Id of what stood in the way.
  returned: when the database was not asked, or ended the session
  type: str
  sample: retention-declaration
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._retention.module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)


def main() -> None:
    module = started(ARGUMENTS, **CONSTRAINTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
