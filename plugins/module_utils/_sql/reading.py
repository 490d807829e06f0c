"""What the rules make of one statement: locks, rewrites and scans, and what else is to be said about it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

_DOCS = "https://www.postgresql.org/docs/{version}/"
_SOURCE = "https://github.com/postgres/postgres/blob/REL_{version}_STABLE/src/backend/"

# Rule -> where it is written. The truth tests prove each of them on real servers.
RULES: t.Final[dict[str, str]] = {
    "create-table": _DOCS + "sql-createtable.html",
    "create-table-references": _SOURCE + "commands/tablecmds.c#:~:text=ATAddForeignKeyConstraint",
    "create-partition": _DOCS + "sql-createtable.html#SQL-CREATETABLE-PARMS-PARTITION-OF",
    "inherit-parent": _SOURCE + "commands/tablecmds.c#:~:text=parentLockmode",
    "alter-domain": _SOURCE + "commands/typecmds.c#:~:text=get_rels_with_domain",
    "drop": _DOCS + "explicit-locking.html#LOCKING-TABLES",
    "drop-index": _DOCS + "sql-dropindex.html",
    "alter-table": _SOURCE + "commands/tablecmds.c#:~:text=AlterTableGetLockLevel",
    "add-column": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-NOTES",
    "add-column-rewrite": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-NOTES",
    "set-not-null": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL",
    "type-change": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-NOTES",
    "add-constraint": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT",
    "foreign-key": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT",
    "validate-constraint": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT",
    "attach-partition": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION",
    "detach-partition": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION",
    "storage-parameters": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-DESC-SET-STORAGE-PARAMETER",
    "table-rewrite": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-NOTES",
    "rename": _DOCS + "sql-altertable.html#SQL-ALTERTABLE-DESC-RENAME",
    "create-index": _DOCS + "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
    "reindex": _DOCS + "sql-reindex.html",
    "trigger": _DOCS + "explicit-locking.html#LOCKING-TABLES",
    "policy": _DOCS + "explicit-locking.html#LOCKING-TABLES",
    "statistics": _DOCS + "explicit-locking.html#LOCKING-TABLES",
    "grant": _SOURCE + "catalog/aclchk.c",
    "comment": _DOCS + "sql-comment.html",
    "truncate": _DOCS + "sql-truncate.html",
    "lock": _DOCS + "sql-lock.html",
    "vacuum": _DOCS + "sql-vacuum.html",
    "cluster": _DOCS + "sql-cluster.html",
    "refresh": _DOCS + "sql-refreshmaterializedview.html",
    "view": _DOCS + "sql-createview.html",
    "sequence": _DOCS + "sql-altersequence.html",
    "write": _DOCS + "explicit-locking.html#LOCKING-TABLES",
    "read": _DOCS + "explicit-locking.html#LOCKING-TABLES",
    "copy": _DOCS + "sql-copy.html",
    "none": _DOCS + "explicit-locking.html#LOCKING-TABLES",
}


@dataclasses.dataclass(frozen=True)
class Effect:
    """What a statement does to one table: the lock, whether the file is written anew, whether every row is read.

    `scan` is None where it is not known: the planner decides it.
    """

    table: Name
    mode: Mode
    rule: str
    rewrite: bool = False
    scan: bool | None = False
    # The table before the statement, and whether this upgrade made it.
    table_before: Table | None = dataclasses.field(default=None, compare=False)
    created_here: bool = dataclasses.field(default=False, compare=False)

    def source(self, version: int) -> str:
        """Where the rule is written, for this major version."""
        return RULES[self.rule].format(version=version)


@dataclasses.dataclass(frozen=True)
class Remark:
    """A finding that the statement itself gives, whatever the tables hold.

    :param column: of `table`; None where it is about the table as a whole
    """

    id: str
    message: str
    table: Name | None = None
    column: str | None = None


@dataclasses.dataclass
class Reading:
    """All of one statement, read for a server of this major version by what the catalogue knows."""

    catalog: Catalog
    version: int
    effects: list[Effect] = dataclasses.field(default_factory=list)
    remarks: list[Remark] = dataclasses.field(default_factory=list)
    # The name of the command that cannot run inside a transaction; None where it can.
    standalone: str | None = None

    def lock(self, table: Name, mode: Mode, rule: str, *, rewrite: bool = False, scan: bool | None = False) -> None:
        """Add to what is known of the table: the strongest mode counts, a rewrite stays a rewrite."""
        for index, known in enumerate(self.effects):
            if self.catalog.qualified(known.table) == self.catalog.qualified(table):
                stronger = (rewrite, bool(scan), mode) > (known.rewrite, bool(known.scan), known.mode)
                self.effects[index] = Effect(
                    known.table,
                    max(mode, known.mode),
                    rule if stronger else known.rule,
                    rewrite or known.rewrite,
                    known.scan if known.scan or scan is False else scan,
                    known.table_before,
                    known.created_here,
                )
                return
        before, new = self.catalog.table(table), self.catalog.is_new(table)
        self.effects.append(Effect(table, mode, rule, rewrite, scan, before, new))

    def say(self, finding_id: str, message: str, table: Name | None = None) -> None:
        self.remarks.append(Remark(finding_id, message, table))

    def needs_version(self, what: str, first: int) -> None:
        """Say so where the server is older than what it is asked to do."""
        if self.version < first:
            self.say("unsupported-by-server", f"{what} needs PostgreSQL {first}; the server is {self.version}.")


__all__ = ("RULES", "Effect", "Reading", "Remark")
