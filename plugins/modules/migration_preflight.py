#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_preflight
short_description: Judge the pending Alembic migrations of a PostgreSQL before they run
version_added: 1.0.0
description:
  - Compares revisions that are about to be deployed with a live database and says what the pending ones would do to it,
    namely the lock of each statement, on which table, how large that table is now, whether it is rewritten or read as a
    whole, and what to do instead.
  - Either for a release in a cluster (O(release_name), O(release_namespace), O(manifests)), or for a directory and a
    database that this machine reaches (O(alembic_dir), O(database_url)).
  - Where the database cannot be reached, as from a pull request, a file takes its place in which an earlier run kept
    what it said of itself (O(facts_path), O(facts)).
  - The SQL is what Alembic renders offline, parsed with PostgreSQL's own grammar. The rules follow the server's
    version, 14 to 18.
  - Nothing is changed. The session is read-only, with a short C(lock_timeout) and C(statement_timeout).
  - Whether a new constraint or type will fail on the rows that are there is asked of these rows (O(check_rows)). Yes,
    no and how many come back, never a value; of a column that a sequence fills, its least and its greatest number.
  - C(env.py) and the revisions are foreign code. They run in a process without the database URL and without the
    caller's environment; for a release in a pod of the new image, under a NetworkPolicy that lets nothing in or out.
  - The database of a release is asked from a ready agent pod, by exec; where the account may not do that or no pod is
    ready, by a short Job of the deployed image, or of the new one where O(trust_new_image) allows it. Its URL never
    leaves the pod. If neither the image nor the migration's environment changed, no pod is started.
  - Killed at any moment, it leaves nothing but Jobs that end at their deadline and are removed a minute later, with
    everything they own.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - pglast >= 8
  - kubernetes >= 36.0.2, for a release
  - PyYAML >= 6.0, for a release
  - alembic >= 1.13, for a directory
  - SQLAlchemy >= 2, for a directory
  - psycopg >= 3.1, for O(database_url)
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._pods
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    details: Reads in either mode, and starts its short-lived pods in either. Writes O(sql_path) and its like in check
      mode as well, which are results and no state of the system.
  diff_mode:
    support: N/A
    details: The module has no state to compare.
  idempotent:
    support: full
options:
  release_name:
    description: Name of the Helm release that is about to be deployed.
    type: str
  release_namespace:
    description: Its namespace.
    type: str
  manifests:
    description:
      - What will be deployed, the output of C(helm template) with the release's values.
      - Image, environment, placement and limits of the migration come from it, and what the namespace must have room
        for.
    type: str
  trust_new_image:
    description:
      - May the image that would be deployed have the database's URL, to ask where no deployed image can?
      - That is so at a first install on an external database whose Secret is there, and where the deployed image
        never started. What asks is this collection's program, in a read-only transaction, under the image's own Python.
      - Without it the database is not asked there, and the finding C(database-unasked) says so. In check mode no new
        image ever gets the URL.
    type: bool
    default: false
    version_added: 1.0.0
  deduce:
    description:
      - May the state of the database follow from pods that are ready, where what would be deployed has their
        migrations? It is not asked then. They are ready with a later schema than their own as well, after a rollback
        for example.
    type: bool
    default: true
    version_added: 1.0.0
  job_timeout:
    description: Seconds until a pod of the preflight must run.
    type: int
    default: 60
  alembic_dir:
    description: Folder with the Alembic configuration file.
    type: path
  alembic_ini:
    description:
      - Configuration file, relative to O(alembic_dir), where C(alembic) is called.
      - Where C(pyproject.toml) has a C([tool.alembic]), it need not exist.
    type: str
    default: alembic.ini
  alembic_python:
    description: Python that has what C(env.py) imports. The default is the interpreter that runs the module.
    type: path
  alembic_environment:
    description:
      - Environment variables for C(env.py). It gets these, C(PATH), the locale and a placeholder for E(DATABASE_URL).
      - Of a release, beside those of its migration; variables that this takes from Secrets have a placeholder, which
        a value here replaces.
      - No place for secrets, because foreign code reads them.
      - With C(FLASK_APP) among them, C(env.py) runs in the context of that application, as C(flask db upgrade) has it.
    type: dict
    default: {}
  alembic_x:
    description: What C(alembic -x) would be given, V(key=value) each, for C(context.get_x_argument).
    type: list
    elements: str
    default: []
  only_changed:
    description:
      - A branch, tag or commit, such as V(origin/main). Of the pending revisions only those count for the verdict whose
        files differ from where the current branch left it, uncommitted and new files included; the finding
        C(revisions-not-changed) names the others. A revision that runs after a changed one counts as well.
      - What concerns the upgrade as a whole counts anyway. If the configuration, anything below the script folder or a
        folder of revisions, or a file elsewhere that a revision imports or opens was changed, all revisions count.
        Where that is not known, such as for what is read only while the migration is connected, the finding says so.
      - It needs C(git) on this machine and the history since then (C(fetch-depth 0) for C(actions/checkout)). On a
        branch without a commit V(HEAD) stands for the beginning; in a submodule, for what the repository around it has.
    type: str
    version_added: 1.0.0
  database_url:
    description:
      - URL of the database, V(postgresql://user:password@host:port/database), as the role that will migrate.
      - A driver such as in V(postgresql+psycopg://) is ignored.
    type: str
  facts:
    description:
      - File that O(facts_path) wrote. With O(alembic_dir) and without O(database_url), revisions are judged by what it
        says of the database, its live revisions among it.
      - How old it is, is the finding C(facts-age), a warning above C(facts_age_hours) of O(thresholds).
      - Rows, sessions, locks and replication are not in it, and no server parses the statements; the findings
        C(rows-unknown), C(data-unknown), C(use-unknown) and C(server-not-asked) say so. With something pending the
        verdict is therefore never better than V(warn).
      - Rights are those of the role that wrote it.
    type: path
    version_added: 1.0.0
  target:
    description: The revision, branch or V(heads) to which the database would be upgraded.
    type: str
    default: heads
  environment:
    description:
      - Name of the environment. V(dev) and V(staging) take acceptances from docstrings too, every other one takes them
        from O(accept) only.
    type: str
    default: dev
  accept:
    description:
      - Findings that are accepted, each with a reason. They stay in the result and are counted, but decide nothing.
      - In dev and staging a line C(preflight-accept ID:REASON) in a revision's docstring does the same for that
        revision.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Id of the finding.
        type: str
        required: true
      reason:
        description: Why it is acceptable. Without a reason the acceptance is worth nothing.
        type: str
        required: true
      revision:
        description: Only in this revision.
        type: str
      table:
        description: Only on this table, written V(schema.table).
        type: str
  fail_on:
    description:
      - The module fails if a finding that is not accepted is at least this bad.
      - V(unknown) is for what could not be known, which is worse than V(warn) and less than V(fail).
    type: str
    choices: [never, fail, unknown, warn]
    default: unknown
  thresholds:
    description: Limits beyond which a figure is reported as a finding.
    type: dict
    default: {}
    suboptions:
      small_table_bytes:
        description: Reading or rewriting a table below this size is brief.
        type: int
        default: 16777216
      long_transaction_seconds:
        description: A transaction that has been open for so long is a failure.
        type: int
        default: 300
      idle_transaction_seconds:
        description: A session that has been idle in a transaction for so long is a failure.
        type: int
        default: 60
      connections_left:
        description: Connections that should stay free beyond O(connections_needed).
        type: int
        default: 5
      replication_lag_seconds:
        description: A standby that is so far behind is a warning.
        type: int
        default: 30
      slot_bytes:
        description: An inactive replication slot that keeps so much WAL is a warning.
        type: int
        default: 1073741824
      backup_hours:
        description: A last verified backup older than this is a failure.
        type: int
        default: 24
      scan_bytes_per_second:
        description: How fast a table is read, a cautious guess against which the migration's time-out is held.
        type: int
        default: 52428800
      write_bytes_per_second:
        description: How fast one is rewritten.
        type: int
        default: 16777216
      checked_rows_bytes:
        description: Larger tables are not read by O(check_rows=auto), but for V(dev) and V(staging).
        type: int
        default: 1073741824
      facts_age_hours:
        description: O(facts) older than this are a warning.
        type: int
        default: 36
        version_added: 1.0.0
  check_rows:
    description:
      - Whether the rows are asked if they fulfil a pending constraint (NOT NULL, UNIQUE, FOREIGN KEY, CHECK, EXCLUDE)
        or fit a new type. Each question ends at O(statement_timeout_ms), all together after 20 seconds.
      - V(auto) leaves out tables larger than C(checked_rows_bytes) of O(thresholds), but for V(dev) and V(staging).
        V(always) reads them, too. V(never) reads none.
      - What is not asked is the finding C(rows-unknown), unless statistics prove that it fails or the table is empty.
    type: str
    choices: [auto, always, never]
    default: auto
    version_added: 1.0.0
  trace:
    description:
      - Runs the real upgrade on a copy of the schema, in a throw-away PostgreSQL. Revisions that cannot be rendered are
        judged by what they ran there; what the server refuses there is the finding C(trace-refused).
      - The copy has the roles and the schema (C(pg_dump --schema-only)), the positions of sequences and the rows of the
        version table. No other row and no password leaves the database, those of user mappings and subscriptions
        neither. C(env.py) is led to the copy whatever URL it builds.
      - Whether a revision that reads rows, sizes, statistics or settings would run more on real ones stays unknown.
        Rows of tables that the upgrade itself makes are known, and that a table has none now.
      - The copying waits for a lock no longer than O(lock_timeout_ms).
      - Needs C(postgres), C(initdb), C(psql), C(pg_dump) and C(pg_dumpall) of the server's major version. Without them
        the finding C(trace-skipped) says so and the rules alone judge.
      - With O(database_url), all that runs on this machine. A revision that starts another program with the Unix socket
        of the live server in its words is not held back there.
      - With O(release_name), two Jobs run in the namespace. The one that dumps the schema is a client of the database,
        with the deployed image's login. The other one has the new image, the throw-away server and no credentials,
        under a policy that lets nothing in or out. The account needs the right to exec into pods.
    type: bool
    default: false
    version_added: 1.0.0
  trace_postgresql:
    description:
      - Folder with PostgreSQL's programs for O(trace), with O(database_url).
      - Without it they are looked for where Debian and Red Hat install them, and on C(PATH).
    type: path
    version_added: 1.0.0
  trace_image:
    description:
      - Image with PostgreSQL's programs for O(trace), with O(release_name). Its pod that dumps the schema is given the
        database's login.
      - Without it the image of the release's own PostgreSQL is taken; an external database has none.
    type: str
    version_added: 1.0.0
  trace_user:
    description: User id that the throw-away server has in O(trace_image), of which PostgreSQL wants to know the name.
    type: int
    default: 999
    version_added: 1.0.0
  migrator_sets_lock_timeout:
    description: Whether the migrator sets a C(lock_timeout) for its session, as this collection's migration Job does.
    type: bool
    default: false
  migrator_lifts_timeouts:
    description:
      - Whether the migrator takes back C(statement_timeout), C(transaction_timeout) and
        C(idle_in_transaction_session_timeout) for its session, as this collection's migration Job does.
      - Without it those of the role in O(database_url) are held against the pending work.
    type: bool
    default: false
  connections_needed:
    description: Connections that migrator and new pods will open. A release says itself how many.
    type: int
    default: 1
  last_verified_backup:
    description: Time of the last verified backup in ISO 8601, where another tool makes them. Without it, that of
      O(backup_path), or what M(ai_platform.agent.database_backup) recorded of the release in the ConfigMap
      C(<release>-backup-record).
    type: str
  backup_path:
    description: Folder of the backups that M(ai_platform.agent.database_backup) makes on this machine.
    type: path
  facts_path:
    description:
      - File for what the whole database says of itself, for O(facts) of later runs; written as O(sql_path) is. Needs
        O(database_url); the role that migrates should write it.
      - It holds names, types, sizes, estimates and counters of all schemas, positions of sequences, labels of enums,
        bounds of partitions, names of roles, settings that decide a verdict, and the rows of the version table.
      - It holds no other row, no value of the planner's statistics, no text of a default, comment, check, index,
        policy, view, function or query, no session, no option of a foreign server or user mapping, no password and no
        URL.
      - A run that ends without a verdict writes none.
    type: path
    version_added: 1.0.0
  rewrite_dir:
    description:
      - Folder for revisions that replace unsafe ones, with O(database_url). The schema is the same at the end, and no
        statement holds others up.
      - A file is a whole Alembic revision, generated from the judged SQL. Put into the place of the original, the last
        one has its id and its name. Where one revision is not enough, others come before it, chained by
        C(down_revision); the first one of them has the original's downgrade.
      - Each may be run again after an interruption, which needs no other care. A write of many rows goes by ranges of
        the primary key, in Python. The rules cannot know that, so its docstring accepts the findings in V(dev) and
        V(staging); elsewhere O(accept) has to.
      - What has no rewrite is told in RV(rewrites), with the reason.
      - The folder must exist. Nothing in it is overwritten. In check mode it is written to as well.
      - Read what was written before it is used, and let this module judge it. It is made for what O(database_url) has
        now, namely its version, constraints and large tables.
    type: path
    version_added: 1.0.0
  sql_path:
    description: File for the SQL. It replaces what was there, with mode 0600; a link there is not followed.
    type: path
  report_path:
    description: File for the whole report as JSON, however long; written as O(sql_path) is.
    type: path
  junit_path:
    description: File for the findings as JUnit XML; written as O(sql_path) is.
    type: path
  sarif_path:
    description:
      - File for the findings as SARIF 2.1.0, each at the line of the revision that writes the statement; written as
        O(sql_path) is. GitHub shows it beside a pull request's lines.
      - Paths are relative to the git work tree that O(alembic_dir) is in.
    type: path
  annotations_path:
    description: File for the findings as O(annotations); written as O(sql_path) is.
    type: path
  annotations:
    description:
      - V(github) are lines that annotate a pull request once a step of the workflow prints them.
      - V(gitlab) is a Code Quality report, for C(artifacts:reports:codequality).
    type: str
    choices: [github, gitlab]
  markdown_path:
    description: File for the report as Markdown, for a comment or C($GITHUB_STEP_SUMMARY); written as O(sql_path) is.
    type: path
  render_timeout:
    description: Seconds that C(env.py) and the revisions may take.
    type: int
    default: 30
  lock_timeout_ms:
    description: The session's own C(lock_timeout), between 1 and 500 milliseconds.
    type: int
    default: 500
  statement_timeout_ms:
    description: The session's own C(statement_timeout) in milliseconds.
    type: int
    default: 5000
"""

EXAMPLES = r"""
- name: Would these migrations hurt?
  ai_platform.agent.migration_preflight:
    alembic_dir: "{{ playbook_dir }}/images/agent"
    database_url: "{{ lookup('ansible.builtin.env', 'PREFLIGHT_DATABASE_URL') }}"
  register: preflight

- name: In production, with one accepted finding and the SQL kept
  ai_platform.agent.migration_preflight:
    alembic_dir: "{{ playbook_dir }}/images/agent"
    database_url: "{{ lookup('ansible.builtin.env', 'PREFLIGHT_DATABASE_URL') }}"
    environment: prod
    migrator_sets_lock_timeout: true
    accept:
      - id: revision-not-static
        revision: "0005"
        reason: Fills in batches of 5000, each committed; read by two people.
    sql_path: /tmp/upgrade.sql

- name: In a pull request, shown beside its lines
  ai_platform.agent.migration_preflight:
    alembic_dir: "{{ playbook_dir }}/images/agent"
    database_url: "{{ lookup('ansible.builtin.env', 'PREFLIGHT_DATABASE_URL') }}"
    sarif_path: preflight.sarif
    markdown_path: preflight.md

- name: Every night, where the database can be reached
  ai_platform.agent.migration_preflight:
    alembic_dir: "{{ playbook_dir }}/images/agent"
    database_url: "{{ lookup('ansible.builtin.env', 'PREFLIGHT_DATABASE_URL') }}"
    facts_path: /tmp/facts.json
    fail_on: never

- name: In a pull request without a database
  ai_platform.agent.migration_preflight:
    alembic_dir: "{{ playbook_dir }}/images/agent"
    facts: /tmp/facts.json
    fail_on: fail

- name: With revisions that do the same without holding anybody up
  ai_platform.agent.migration_preflight:
    alembic_dir: "{{ playbook_dir }}/images/agent"
    database_url: "{{ lookup('ansible.builtin.env', 'PREFLIGHT_DATABASE_URL') }}"
    rewrite_dir: "{{ playbook_dir }}/rewritten"
    fail_on: never

- name: Before a merge, with what can only be known by running it
  ai_platform.agent.migration_preflight:
    alembic_dir: "{{ playbook_dir }}/images/agent"
    database_url: "{{ lookup('ansible.builtin.env', 'PREFLIGHT_DATABASE_URL') }}"
    trace: true

- name: Render what would be deployed
  ansible.builtin.command:
    argv: [helm, template, agent, "{{ playbook_dir }}/build/ai-agent-chart", --namespace, prod, --dry-run=server]
  register: rendered
  changed_when: false
  check_mode: false

- name: Would this deployment hurt?
  ai_platform.agent.migration_preflight:
    release_name: agent
    release_namespace: prod
    manifests: "{{ rendered.stdout }}"
    environment: prod
    migrator_sets_lock_timeout: true
"""

RETURN = r"""
summary:
  description: The report in at most fifteen lines.
  returned: when a verdict was possible
  type: list
  elements: str
verdict:
  description: V(safe), V(warn), V(unknown) or V(unsafe), decided by the worst finding that is not accepted.
  returned: when a verdict was possible
  type: str
  sample: unsafe
state:
  description: Where the database stands, V(absent), V(behind), V(current), V(ahead), V(diverged) or V(unknown).
  returned: when a verdict was possible
  type: str
  sample: behind
live_revisions:
  description: Rows of the version table.
  returned: when a verdict was possible
  type: list
  elements: str
unknown_revisions:
  description: Those of RV(live_revisions) that the directory does not have.
  returned: when a verdict was possible
  type: list
  elements: str
target_revisions:
  description: What O(target) resolves to.
  returned: when a verdict was possible
  type: list
  elements: str
pending:
  description:
    - Pending revisions in order, each with its risk (V(none), V(low), V(unknown) or V(high)), its C(strongest_lock),
      which is the one on the largest table where several are as strong, or nothing, and its statements, each of these
      with its own risk, its locks and the tables' live figures, C(bytes) alone, C(total_bytes) with indexes, C(rows)
      as the planner estimates them (-1 is never analysed), C(writes) and C(reads) since statistics began, C(sessions)
      with a lock on the table now (not with O(facts)). C(rule) and C(source) say where PostgreSQL defines the lock.
    - Each revision has its file's name and C(source), its place below O(alembic_dir); each statement the C(line) that
      writes it, where that is known, and C(skipped) where its DO block's condition does not hold, or may not hold.
    - At most 50 statements; RV(statements_omitted) counts the others, O(report_path) has all. Of a statement at most
      10 locks, C(locks_omitted) counts the others.
  returned: when a verdict was possible
  type: list
  elements: dict
pending_unknown:
  description:
    - Id of the finding for which it is not known what is pending, nothing where it is known. RV(pending) then holds all
      revisions of the image, of which some may have been applied before; none where the image could not be tried.
  returned: when a verdict was possible
  type: str
  sample: database-unreachable
pending_count:
  description: Number of pending revisions.
  returned: when a verdict was possible
  type: int
statements_omitted:
  description: Statements left out of RV(pending).
  returned: when a verdict was possible
  type: int
findings:
  description: The findings, worst first, at most 100; RV(findings_omitted) counts the others.
  returned: always
  type: list
  elements: dict
  sample:
    - id: lock-blocks-reads
      status: fail
      severity: fail
      message: >-
        Rewrites the whole table under ACCESS EXCLUSIVE on public.messages (3.1 GiB, about 9000000 rows): reads and
        writes wait as long as that takes.
      hint: "Expand and contract: NOT VALID first, VALIDATE in a later revision, backfill in batches."
      runbook: docs/runbook.md#lock-blocks-reads
      revision: "0007"
      statement: 3
      table: public.messages
findings_omitted:
  description: Findings left out.
  returned: when a verdict was possible
  type: int
counts:
  description: Findings by status, and how many are accepted.
  returned: when a verdict was possible
  type: dict
server:
  description:
    - Version, connections, replicas and slots; with O(facts) the version alone, and empty where nothing was asked.
  returned: when a verdict was possible
  type: dict
deployed_image:
  description: The agent's image as it is deployed now, nothing where none is.
  returned: when a verdict was possible
  type: str
  sample: registry.example.com/team/agent:1.3.2
largest_rewrite_bytes:
  description: Size of the largest table that is rewritten, with its indexes.
  returned: when a verdict was possible
  type: int
subject:
  description:
    - Host, port and name of the database; namespace and release where it was not asked; with O(facts) its name, and of
      which time they are.
  returned: when a verdict was possible
  type: str
  sample: db.example.com:5432/agent
form:
  description: Name and version of the form of this report, which other modules share.
  returned: when a verdict was possible
  type: str
  sample: ai_platform.agent/report/1
kind:
  description: What made the report.
  returned: when a verdict was possible
  type: str
  sample: migration_preflight
sql_sha256:
  description: SHA-256 of the SQL, with which the file at O(sql_path) can be compared.
  returned: when a verdict was possible
  type: str
trace:
  description:
    - What O(trace) saw, empty without one. C(phases) are seconds of the server's start, of the schema's copy and of
      the upgrade.
    - C(revisions) has C(seconds), the number of C(statements), C(locks) and C(rewrites) of each C(revision), on tables
      without rows.
  returned: when a verdict was possible
  type: dict
rewrites:
  description:
    - What became of each revision with a finding that decides something, for O(rewrite_dir); else empty.
    - C(files) are the names of what is written there for C(revision), in the order in which they are applied, nothing
      where there is no rewrite; C(file) is the name of the original.
    - C(cured) are findings that are gone with them, by C(id) and C(statement). C(uncured) are all others, each with
      the C(reason) why no rewrite cures it.
  returned: when a verdict was possible
  type: list
  elements: dict
  sample:
    - revision: "0007"
      file: 0007_note.py
      files: [0007_note_1.py, 0007_note.py]
      cured:
        - {id: lock-blocks-reads, statement: 3}
      uncured:
        - id: contract-phase
          statement: 3
          reason: it is about what the revision does, and not how
error_id:
  description: Id of the finding that made a verdict impossible.
  returned: when no verdict was possible
  type: str
  sample: database-auth
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)


def main() -> None:
    module = started(ARGUMENTS, **CONSTRAINTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
