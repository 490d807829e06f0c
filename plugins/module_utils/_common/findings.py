"""The catalogue of findings: stable ids, severity, what to do, where the runbook says more.

Shared by migration_preflight and connectivity_test: an id once given is never given another meaning.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings_backup import BACKUP_FINDINGS
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings_cluster import CLUSTER_FINDINGS
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings_connectivity import (
    CONNECTIVITY_FINDINGS,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings_operations import OPERATIONS_FINDINGS
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable

Severity = t.Literal["fail", "unknown", "warn", "info", "skip"]
Status = t.Literal["pass", "warn", "fail", "skip"]

RUNBOOK = "docs/runbook.md"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One kind of finding. `unknown` says that something could not be known, which is never the same as safe."""

    severity: Severity
    hint: str


CATALOGUE: t.Final[dict[str, Entry]] = {
    # What ends the run before a verdict
    "argument-invalid": Entry("fail", "Correct the module's argument."),
    "library-missing": Entry("fail", "Install the Python libraries of the module: requirements.txt."),
    "alembic-not-an-environment": Entry("fail", "Name the folder with alembic.ini and the script folder with env.py."),
    "alembic-env-failed": Entry("fail", "Run `alembic upgrade head --sql` in that folder and repair env.py."),
    "alembic-revision-broken": Entry("fail", "Repair the revision file; `alembic history` must list it."),
    "alembic-several-databases": Entry(
        "fail", "The preflight judges one database in one run: let env.py migrate one, chosen by a variable."
    ),
    "alembic-timeout": Entry("fail", "env.py or a revision does not end offline; find what it waits for."),
    "alembic-target-unknown": Entry("fail", "Name a revision, a branch or `heads` that `alembic history` lists."),
    "database-url-invalid": Entry("fail", "Use postgresql://user:password@host:port/database."),
    "database-url-kind": Entry("fail", "The preflight judges PostgreSQL only."),
    "database-host-unknown": Entry("fail", "Correct the host's name or DNS."),
    "database-unreachable": Entry("fail", "Check host, port, network policy, and that the server runs."),
    "database-auth": Entry("fail", "Correct user and password."),
    "database-missing": Entry("fail", "Create the database or correct its name."),
    "database-tls": Entry("fail", "Make sslmode fit the server and its certificate."),
    "database-refused": Entry("fail", "The server refuses the session; its log says why."),
    "database-timeout": Entry("fail", "A catalogue query waited too long: look for a lock on system tables or load."),
    # The release
    "manifests-unreadable": Entry("fail", "Pass what `helm template` prints for this release, all of it."),
    "another-database": Entry("fail", "Set the values back, or move the data first, as the section says."),
    "volume-differs": Entry("fail", "Set size and class back, or grow the claims and have the StatefulSet made anew."),
    "database-major-differs": Entry("fail", "Set the image back to its major version, or dump and restore the data."),
    "database-lost": Entry("fail", "Dump the database first, and give it a volume; or accept that it begins anew."),
    "database-unkept": Entry("warn", "Set postgresql.primary.persistence.enabled to true before it holds data."),
    "permission-missing": Entry("fail", "Grant the account what roles/ai_agent/files/deployer-rbac.yaml lists."),
    "quota-exceeded": Entry("fail", "Have the quota raised, or ask for less in `resources`."),
    "limit-range": Entry("fail", "Fit `resources` and volume sizes to the namespace's LimitRange."),
    "storage-class-missing": Entry("fail", "Name a StorageClass that the cluster has, or have a default one set."),
    "autoscaler-blind": Entry("warn", "Install metrics-server, or set agent.autoscaling.enabled to false."),
    "timeout-short": Entry("warn", "Raise migration.timeout, and ai_agent_timeout above it; or migrate in batches."),
    "disk-headroom": Entry("fail", "Enlarge the volume first, or avoid the rewrite."),
    # The revision graph
    "state-diverged": Entry(
        "fail", "Find out which image migrated this database; deploy one that knows all its revisions."
    ),
    "state-unknown": Entry(
        "fail", "The database has tables but no version table: stamp it, or correct the database name."
    ),
    "revision-unknown": Entry(
        "fail", "This directory lacks the revision: deploy the image that has it, or a newer one."
    ),
    "state-ahead": Entry("warn", "The database is ahead of this image: nothing will be migrated."),
    "multiple-heads": Entry(
        "fail", "Merge the heads (`alembic merge heads`), or set the target to `heads` on purpose."
    ),
    "version-table-rows": Entry(
        "warn", "Several rows in the version table: branches are live; check that this is intended."
    ),
    "version-table-unusable": Entry(
        "fail", "Repair the version table, or the role's rights on it, so that it holds the heads and nothing else."
    ),
    "revision-id-long": Entry(
        "fail", "Shorten the id, or widen version_num in a revision before it (env.py's version table as well)."
    ),
    "revisions-none": Entry(
        "unknown", "Nothing can be judged: name the folder of the revisions in script_location or version_locations."
    ),
    # env.py
    "env-branches-differ": Entry("warn", "Configure both branches of env.py alike, from one dictionary."),
    "env-online-unseen": Entry(
        "unknown", "Let env.py come to context.configure() without a database: move waits and look-ups behind it."
    ),
    "env-online-statements": Entry("unknown", "Put the statements into a revision, where they are judged."),
    # What could not be known
    "revision-not-static": Entry("unknown", "Read this revision: what it does depends on the database while it runs."),
    "trace-refused": Entry("fail", "Repair the revision: the server refuses it whatever the rows are."),
    "trace-failed": Entry("unknown", "Run the upgrade on a copy of the database: without rows it fails."),
    "trace-differs": Entry(
        "unknown", "Read this revision: online it runs other statements than `upgrade --sql` shows."
    ),
    "trace-skipped": Entry(
        "skip", "Remove the reason that is told; PostgreSQL's programs may be named in trace_postgresql."
    ),
    "revision-not-rendered": Entry(
        "unknown", "Offline mode cannot render this revision: make it render, or read it and accept."
    ),
    "statement-unparsed": Entry("unknown", "PostgreSQL's grammar refuses this text: run it on a copy first."),
    "statement-opaque": Entry(
        "unknown", "A DO block, CALL or function can do anything: read it and accept it with a reason."
    ),
    "statement-unruled": Entry("unknown", "No rule for this kind of statement: read its documentation and accept it."),
    "type-change-unknown": Entry("unknown", "The column's present type is not known, so a rewrite cannot be excluded."),
    # Locks and long work
    "lock-blocks-reads": Entry(
        "fail", "Expand and contract: NOT VALID first, VALIDATE in a later revision, backfill in batches."
    ),
    "lock-blocks-writes": Entry("fail", "Use CONCURRENTLY, NOT VALID or a batch, in a revision of its own."),
    "lock-kept": Entry("fail", "Commit between the two: a revision each, with transaction_per_migration."),
    "lock-brief": Entry("info", "Brief, but it queues behind long transactions: keep lock_timeout set."),
    "table-rewrite": Entry("fail", "Add a new column, fill it in batches, switch, drop the old one later."),
    "index-not-concurrent": Entry("warn", "postgresql_concurrently=True inside op.get_context().autocommit_block()."),
    "vector-index-memory": Entry(
        "warn",
        "Raise it for this transaction: op.execute(\"SET LOCAL maintenance_work_mem = '2GB'\"), or take fewer lists.",
    ),
    "constraint-validated": Entry("warn", "Add it NOT VALID, then VALIDATE CONSTRAINT in another transaction."),
    "concurrently-in-transaction": Entry("fail", "Wrap it in `with op.get_context().autocommit_block():`."),
    "concurrently-lock-timeout": Entry(
        "warn", "Put `SET lock_timeout = 0` first in the autocommit_block(): CONCURRENTLY waits, and blocks nobody."
    ),
    "revision-half-committed": Entry(
        "warn", "Give the autocommit_block a revision of its own, or let each statement before its end be repeatable."
    ),
    "fails-in-transaction": Entry("fail", "This command cannot run inside a transaction: use autocommit_block()."),
    "timeout-of-role": Entry(
        "fail", "Lift it for the migration: `ALTER ROLE … SET statement_timeout = 0`, or SET it first in the revision."
    ),
    "lock-timeout-missing": Entry(
        "warn", "Set lock_timeout in the migrator's session or as the revision's first statement."
    ),
    "advisory-lock": Entry("warn", "Leave it to the migrator, which holds one of its own while it runs Alembic."),
    "full-table-write": Entry("warn", "Write in batches, each committed."),
    "not-null-without-default": Entry(
        "fail", "Give the column a default, or add it nullable, fill it, then SET NOT NULL."
    ),
    "unsupported-by-server": Entry(
        "fail", "This server's version does not know the command: upgrade it or write it otherwise."
    ),
    "enum-value-used": Entry("fail", "Commit ALTER TYPE … ADD VALUE before the new value is used."),
    # What breaks the version still running
    "destructive": Entry("fail", "Data is gone after this: prove a backup, and do it once no version reads it."),
    "use-unknown": Entry(
        "info", "Load pg_stat_statements and create its extension; its figures say what the application uses."
    ),
    "contract-phase": Entry("warn", "The version still running may use what this takes away: do it one release later."),
    "rename": Entry("fail", "The running version knows the old name only: add the new, copy, drop later."),
    "type-change": Entry("warn", "Check that the running version accepts the new type."),
    "cached-plan": Entry(
        "info", "List the columns in SELECT, or let the driver prepare nothing (prepare_threshold=None), before this."
    ),
    "write-rejected": Entry(
        "warn", "Be sure that the running version writes nothing that this refuses; else add it one release later."
    ),
    "conflict-target-dropped": Entry(
        "warn", "Look for ON CONFLICT of these columns in the running version; drop it one release later."
    ),
    "replica-identity-lost": Entry(
        "fail", "Give the table another identity in the same transaction: REPLICA IDENTITY USING INDEX, or FULL."
    ),
    "trigger-created": Entry(
        "warn", "The trigger runs inside the writes of the version still running: check its cost."
    ),
    # The database now
    "server-version-old": Entry("warn", "This major version is past its end of life."),
    "server-version-new": Entry("unknown", "The rules were proven up to an older major version."),
    "in-recovery": Entry("fail", "This is a standby or a server still recovering: name the primary."),
    "transaction-long": Entry("fail", "End it, or wait: DDL queues behind it and everything queues behind the DDL."),
    "transaction-idle": Entry("fail", "A session sits idle in a transaction: find its owner and end it."),
    "lock-held": Entry("fail", "Another session holds or awaits a conflicting lock on this table now."),
    "migrator-active": Entry("fail", "Another migration holds the advisory lock: wait for it."),
    "index-invalid": Entry("warn", "Left by a failed CREATE INDEX CONCURRENTLY: drop it and build it again."),
    "index-not-built": Entry(
        "fail", "Drop the index that is there (CONCURRENTLY) before this revision, or as its first statement."
    ),
    "key-near-end": Entry(
        "warn", "Widen the key to bigint while there is time: a new column, filled in batches, then exchanged."
    ),
    "sequence-behind": Entry(
        "fail", "Set it right last: SELECT setval(pg_get_serial_sequence('t', 'id'), (SELECT max(id) FROM t))."
    ),
    "sequence-narrow": Entry("warn", "ALTER SEQUENCE … AS bigint in the same revision: it locks the sequence alone."),
    "connections-scarce": Entry("warn", "Few connections are left; the migrator and new pods need theirs."),
    "privilege-missing": Entry("fail", "Migrate as the owner, or grant membership in the owning role."),
    "extension-unavailable": Entry("fail", "The server has no such extension: use an image that has it."),
    "extension-privilege": Entry("fail", "Not a trusted extension: a superuser must create it first."),
    "object-exists": Entry("fail", "A migration was half applied or made by hand: compare, then drop it or stamp."),
    "definition-differs": Entry(
        "fail", "Compare what is there with the revision, and change it in a statement of its own, or drop it first."
    ),
    "statement-refused": Entry("fail", "Correct the statement: the server says what it does not accept."),
    "object-missing": Entry(
        "fail", "The schema is not what its revision says: compare with one migrated from empty, or use IF EXISTS."
    ),
    "object-depended-upon": Entry(
        "fail", "Drop what depends on it first, in this revision, and make it again afterwards."
    ),
    "data-refused": Entry(
        "fail", "Write what the table's columns, defaults and unique keys take, as the message says."
    ),
    "data-unknown": Entry(
        "unknown", "Ask the database as the section shows; then accept it, or write it so that it cannot fail."
    ),
    "pending-trigger-events": Entry(
        "fail", "`SET CONSTRAINTS ALL IMMEDIATE` between the two, or a revision for the rows and one for the table."
    ),
    "definition-refused": Entry(
        "fail", "Make the definition fit what is there, as the message says; a function or view is dropped first."
    ),
    "search-path-set": Entry("unknown", "Write the schema before each name instead of changing search_path."),
    "partitioned-concurrently": Entry(
        "fail", "Build it ON ONLY the parent, CONCURRENTLY on each partition, then ATTACH."
    ),
    "rows-violate": Entry("fail", "Mend the rows first: in batches, in a revision before this one, and then again."),
    "rows-unknown": Entry(
        "unknown", "Count the rows that violate it by hand, as the section shows, then accept it with the count."
    ),
    "table-missing": Entry("fail", "The statement names a table that neither exists nor is created before it."),
    "replication-lag": Entry("warn", "A standby is behind: a rewrite will put it further behind."),
    "replication-slot-inactive": Entry("warn", "An inactive slot keeps WAL: a rewrite may fill the disk."),
    "pgbouncer-transaction": Entry(
        "fail", "Migrate over a direct connection: session settings and locks do not hold here."
    ),
    "backup-old": Entry("fail", "Make and verify a backup first."),
    "backup-unknown": Entry(
        "info", "Make a backup with database_backup, or pass the time of another tool's in last_verified_backup."
    ),
    "fact-not-visible": Entry("skip", "Grant pg_monitor (or pg_read_all_stats) to the role of the preflight."),
    # Facts of a file
    "facts-unreadable": Entry("fail", "Write the file anew with facts_path, and name it in facts as it was written."),
    "facts-age": Entry("info", "Let the nightly job write the file anew (facts_path); see why it did not."),
    "server-not-asked": Entry("skip", "Judge once more with database_url before it is deployed."),
    "revisions-not-changed": Entry("info", "Judge all that is pending, without only_changed, before it is deployed."),
    # Acceptance
    "acceptance-worthless": Entry(
        "warn", "An acceptance needs a finding id and a reason; prod takes it from the inventory only."
    ),
    "acceptance-unused": Entry("info", "This acceptance matches no finding: remove it."),
    **{
        name: Entry(*entry)
        for name, entry in (CLUSTER_FINDINGS | CONNECTIVITY_FINDINGS | OPERATIONS_FINDINGS | BACKUP_FINDINGS).items()
    },
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One finding. `message` carries the figures; `accepted` the reason of whoever accepted it; `pods` who saw it."""

    id: str
    message: str
    severity: Severity
    revision: str | None = None
    statement: int | None = None
    table: str | None = None
    accepted: str | None = None
    dependency: str | None = None
    layer: str | None = None
    pods: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Words of pods, servers and revisions are in it: none may reach a terminal as it is, or tell a secret."""
        object.__setattr__(self, "message", without_named(printable(self.message)))

    @property
    def status(self) -> Status:
        """`unknown` is a warning of its own kind, `info` is no complaint; an accepted finding never fails."""
        if self.severity == "info":
            return "pass"
        if self.severity == "skip":
            return "skip"
        return "fail" if self.severity == "fail" and self.accepted is None else "warn"

    def as_dict(self) -> dict[str, t.Any]:
        """The JSON form, without what is not set."""
        form: dict[str, t.Any] = {
            "id": self.id,
            "status": self.status,
            "severity": self.severity,
            "message": self.message,
        }
        entry = CATALOGUE[self.id]
        form |= {"hint": entry.hint, "runbook": f"{RUNBOOK}#{self.id}"}
        for name in ("revision", "statement", "table", "accepted", "dependency", "layer", "pods"):
            if (value := getattr(self, name)) is not None:
                form[name] = list(value) if isinstance(value, tuple) else value
        return form


class Where(t.TypedDict, total=False):
    """What a finding is about, as far as it is known: the fields of Finding."""

    revision: str | None
    statement: int | None
    table: str | None
    accepted: str | None
    dependency: str | None
    layer: str | None
    pods: tuple[str, ...] | None


def finding(finding_id: str, message: str, *, severity: Severity | None = None, **where: t.Unpack[Where]) -> Finding:
    """A finding of the catalogue, with another severity where the facts weigh more or less than usual."""
    return Finding(finding_id, message, severity or CATALOGUE[finding_id].severity, **where)


def of_error(error: FindingError) -> dict[str, t.Any]:
    """An error as the one finding of its report."""
    return finding(error.id, error.message).as_dict()


__all__ = ("CATALOGUE", "Entry", "Finding", "Severity", "Status", "Where", "finding", "of_error")
