#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_backup
short_description: Back up a PostgreSQL database, prove each backup by restoring it, and restore into a new database
version_added: 1.0.0
description:
  - A backup is a dump by C(pg_dump) in the directory format, by several processes, in one snapshot together with the
    number of rows of every table, the schema revision, and the checksums of all files in a manifest. Large objects,
    sequences and the settings of the database are part of it; roles, subscriptions and tablespaces are not, and what
    there is of these and of other things that such a dump leaves behind, each backup's notes say by name.
  - It is written under a temporary name and gets its own when it is complete. A run that is interrupted, also by
    SIGKILL, leaves nothing behind and does not touch earlier backups.
  - Each backup is restored at once into a throw-away server on this machine, of the same major version, and compared
    with its own snapshot. Only then it counts as verified, and only then older ones are removed.
  - V(restore) writes into a database that does not exist yet, compares it in the same way, and gives it its name when
    it is complete. A database that exists is never written over.
  - In an S3-compatible store (O(s3)) a backup is proved before it goes there, then read back and compared with its
    checksums. Its record goes there as the last object, and only what has one is a backup. Nothing of it is written
    over, and an upload that was interrupted is never seen as a backup.
  - Either a database that this machine reaches (O(database_url), with O(path) or O(s3)), or that of a release in a
    cluster (O(release_name), O(release_namespace), with O(claim) or O(s3)). There a Job does it, with the deployed
    image, the login of its Secret and PostgreSQL's programs in a container beside it; nothing of the login leaves the
    pod.
  - The role needs LOGIN and membership in C(pg_read_all_data), beside that SELECT on large objects where there are any
    that it does not own, and BYPASSRLS where tables have row-level security. What it may not read is refused, and
    never left out silently. A connection pooler is no place to take a snapshot at, so name the server itself.
  - Rows inserted while it runs are not part of the backup, and nobody waits for it but statements that need an ACCESS
    EXCLUSIVE lock.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - psycopg >= 3.1 and PostgreSQL's programs of the server's major version (for V(backup) and V(verify) with the server
    itself), for a database that this machine reaches
  - pyrage, for O(encryption_key); with O(encryption_secret) in the agent's image
  - minio >= 7.2, for O(s3); for a release in the agent's image
  - kubernetes >= 36.0.2, for a release
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    details: Looks whether it may begin (login, rights, room, the backup's files) and changes nothing.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each V(backup) is one more.
options:
  state:
    description:
      - V(backup) makes one and verifies it, then removes what O(retention) does not keep.
      - V(verify) verifies one that is there.
      - V(restore) restores one into O(restore_database).
      - V(records) says what there is.
    type: str
    choices: [backup, verify, restore, records]
    default: backup
  path:
    description: Folder of the backups, such as a mounted volume. It is made where its parent exists.
    type: path
  release_name:
    description: Name of the Helm release.
    type: str
  release_namespace:
    description: Its namespace.
    type: str
  claim:
    description: PersistentVolumeClaim in that namespace with the backups.
    type: str
  s3:
    description:
      - S3-compatible store with the backups.
      - Its keys need to list the bucket, and to read, write and delete objects below the prefix. Where they may not
        delete, backups are made all the same, and a warning says that O(retention) removed none.
      - Parts of an upload at which somebody was killed are removed two days later; a rule of the bucket that aborts
        incomplete multipart uploads does it as well.
    type: dict
    suboptions:
      bucket:
        description: The bucket. It must be there.
        type: str
        required: true
      prefix:
        description: Of the names of all objects. Without it, for a release its namespace and name.
        type: str
      endpoint:
        description: URL of the store's API, such as V(https://s3.example.com:9000). Without it, AWS'.
        type: str
      region:
        description: Its region. Without it, the store is asked.
        type: str
      path_style:
        description: Whether the bucket is a part of the URL's path. Without it, everywhere but at AWS.
        type: bool
      ca_certificates:
        description: Certificates in PEM that are trusted beside those of the system, for a private authority.
        type: str
      secret:
        description:
          - For a release, Secret in its namespace with the keys. Without it, the pod's own identity (AWS' web identity,
            Pod Identity or the role of its machine).
          - On this machine the keys are taken from where AWS' programs have them, such as the variables
            E(AWS_ACCESS_KEY_ID) and E(AWS_SECRET_ACCESS_KEY).
        type: dict
        suboptions:
          name:
            description: Its name.
            type: str
            required: true
          access_key:
            description: The key in it with the access key's id.
            type: str
            default: AWS_ACCESS_KEY_ID
          secret_key:
            description: The key in it with the secret key.
            type: str
            default: AWS_SECRET_ACCESS_KEY
  work_claim:
    description: One for the throw-away server. Without it the node's own disk holds it.
    type: str
  postgresql_image:
    description: Image with PostgreSQL's programs of the server's major version. Without it, that of the release's own
      server.
    type: str
  postgresql_user:
    description: User id as which the containers of the Job run. Without it, that of the release's own server, or 999.
    type: int
  database_secret:
    description: Secret with the URL of the database. Without it, the one from which the agent takes C(DATABASE_URL).
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
  encryption_secret:
    description: Secret with what O(encryption_key) is elsewhere.
    type: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      key:
        description: The key in it.
        type: str
        required: true
  job_timeout:
    description: Seconds until the Job's pod must run.
    type: int
    default: 60
  pull_timeout:
    description: The same while the node pulls an image.
    type: int
    default: 600
  run_timeout:
    description: Seconds that the Job may run.
    type: int
    default: 3600
  database_url:
    description:
      - URL of the database, V(postgresql://user:password@host:port/database).
      - For V(restore), of another database of the server to restore into, as a role that may create databases.
    type: str
  backup_name:
    description: The backup, as V(records) names it. Without it V(verify) takes the newest one, V(restore) the newest
      one that is verified, and refuses where the folder has verified ones of more than one database or server.
    type: str
  postgresql:
    description: Folder with PostgreSQL's programs. Without it they are looked for where distributions have them.
    type: path
  work_path:
    description:
      - Folder for the throw-away server, and for a dump until it is encrypted. Without it, where temporary files are.
      - Run by root, the user C(postgres) or C(nobody) must be able to reach it.
    type: path
  jobs:
    description: How many processes dump, and restore.
    type: int
    default: 2
  encryption_key:
    description:
      - Secret key of age (V(AGE-SECRET-KEY-1...), as C(age-keygen) makes it), with which the files are encrypted and
        decrypted. The manifest with names and numbers of tables stays readable, and nobody changes it without the key.
      - C(age --decrypt) reads the files as well.
    type: str
  retention:
    description: How many verified backups of the same database are kept. The newest one always is.
    type: dict
    default: {}
    suboptions:
      last:
        description: The last ones.
        type: int
        default: 3
      daily:
        description: The last one of each of so many days on which there is one.
        type: int
        default: 7
      weekly:
        description: The same of weeks.
        type: int
        default: 4
      monthly:
        description: The same of months.
        type: int
        default: 6
  version_table:
    description: Alembic's version table.
    type: str
    default: alembic_version
  lock_timeout_ms:
    description: How long the dump waits for the lock of a table, in milliseconds. Who holds it is named then.
    type: int
    default: 10000
  image:
    description: The image that runs on this database, by its digest. It is recorded.
    type: str
  restore_database:
    description: Name of the new database, for V(restore).
    type: str
  restore_owner:
    description: The one role that gets everything in the new database, of which the role of O(database_url) is a
      member, or a superuser. Nobody else has rights then. Without it the roles that had it must be there.
    type: str
  alembic_dir:
    description: Alembic directory of the version that will run on the new database. A backup at a revision that it does
      not have is refused.
    type: path
  alembic_ini:
    description: Alembic's configuration in O(alembic_dir).
    type: str
    default: alembic.ini
  alembic_python:
    description: Python in which O(alembic_dir) can be loaded. Without it, the one that runs this module.
    type: path
"""

EXAMPLES = r"""
- name: Back up, verified and encrypted
  ai_platform.agent.database_backup:
    path: /srv/backups/my-agent
    database_url: "{{ vault_backup_database_url }}"
    encryption_key: "{{ vault_backup_key }}"
    retention:
      daily: 14

- name: Back up a release into a store, with keys that stay in the cluster
  ai_platform.agent.database_backup:
    release_name: my-agent
    release_namespace: prod
    s3:
      bucket: backups
      endpoint: https://s3.example.com
      region: eu-central-1
      secret:
        name: backup-store

- name: Restore the newest verified backup beside the live database
  ai_platform.agent.database_backup:
    state: restore
    path: /srv/backups/my-agent
    database_url: "{{ vault_admin_database_url }}"
    encryption_key: "{{ vault_backup_key }}"
    restore_database: agent_restored
"""

RETURN = r"""
backup:
  description: The record of the backup, which is kept beside it.
  returned: when O(state) is not V(records)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    time:
      description: When its snapshot was taken, in ISO 8601.
      type: str
    database:
      description: Name of the database.
      type: str
    revision:
      description: The rows of the version table.
      type: list
      elements: str
    image:
      description: O(image).
      type: str
    bytes:
      description: Size of its files.
      type: int
    database_bytes:
      description: Size of the database then.
      type: int
    tables:
      description: How many tables it has.
      type: int
    rows:
      description: How many rows they have.
      type: int
    encrypted:
      description: Whether its files are encrypted.
      type: bool
    verified:
      description: Whether it was restored, and the same as its snapshot.
      type: bool
    verified_at:
      description: When.
      type: str
    problem:
      description: Why it is not verified.
      type: str
    notes:
      description: In what the copy that was compared was not like the server, and what such a dump leaves behind.
      type: list
      elements: str
    seconds:
      description: What C(dump), C(backup) (with checksums and encryption), C(restore) and C(verify) took.
      type: dict
backups:
  description: The records of all backups, the newest first.
  returned: when O(state) is V(records)
  type: list
  elements: dict
removed:
  description: Names of the backups that were removed.
  returned: when O(state) is V(backup)
  type: list
  elements: str
expected_seconds:
  description: What the restore took when the backup was verified.
  returned: when O(state) is V(restore)
  type: float
seconds:
  description: What C(restore), C(compare) and C(all) took.
  returned: when O(state) is V(restore), not in check mode
  type: dict
next_step:
  description: How the release is led to the new database.
  returned: when O(state) is V(restore), not in check mode
  type: str
summary:
  description: The same in sentences.
  returned: success
  type: list
  elements: str
findings:
  description: Notes and warnings, or the error, as the other modules have them.
  returned: always
  type: list
  elements: dict
error_id:
  description: Id of the finding that ended the run.
  returned: failure
  type: str
  sample: backup-corrupt
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._database.module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)


def main() -> None:
    module = started(ARGUMENTS, **CONSTRAINTS)
    end(module, execute, module.params | {"check_mode": module.check_mode})


if __name__ == "__main__":
    main()
