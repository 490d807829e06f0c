"""The part of the catalogue of findings that is about backups and restores: id, severity, hint."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

BACKUP_FINDINGS: t.Final[dict[str, tuple[t.Literal["fail", "unknown", "warn", "info", "skip"], str]]] = {
    "backup-folder": ("fail", "Correct the folder's rights, or make room on its volume."),
    "backup-room": ("fail", "Enlarge the volume of the backups, or keep fewer of them."),
    "backup-room-soon": ("warn", "Enlarge the volume of the backups before the next one, or keep fewer of them."),
    "backup-running": ("fail", "Wait for the other run's end."),
    "backup-missing": ("fail", "Make a backup, or name the right folder."),
    "backup-failed": ("fail", "Read the program's own words in the message."),
    "backup-unverified": ("fail", "Remove the reason that is told, and run state: verify."),
    "backup-differs": ("fail", "Do not rely on this backup: make another one and look at what differs."),
    "backup-corrupt": ("fail", "Use another backup, and find out what changed this one."),
    "backup-key": ("fail", "Give the key with which the backup was made."),
    "backup-note": (
        "info",
        "The backup, or the copy of it that was compared, is not like the server in this: see to it beside.",
    ),
    # A store of backups (S3)
    "backup-store-access": ("fail", "Correct the keys, or what they may do; nothing was changed in the store."),
    "backup-store-bucket": ("fail", "Correct the bucket or the region."),
    "backup-store-unreachable": ("fail", "Correct the endpoint, its authority, or the way there."),
    "backup-store-full": ("fail", "Raise the store's quota, or keep fewer backups."),
    "backup-store-differs": ("fail", "Find out what changes objects in the store or on the way; nothing counts there."),
    "backup-store-failed": ("fail", "Look at the store's own log, then run it again."),
    "backup-store-kept": ("warn", "Remove older backups with other keys, or by a rule of the bucket."),
    "restore-exists": ("fail", "Name a database that does not exist: nothing is ever written over."),
    "restore-revision": ("fail", "Deploy the version that knows this revision, or use an older backup."),
    "restore-version": ("fail", "Restore into the same major version of PostgreSQL, or a newer one."),
    "restore-roles": ("fail", "Create the roles on the new server, or name one in restore_owner."),
    "restore-room": ("fail", "Enlarge the server's volume first."),
    "restore-room-unknown": ("info", "Compare the figure with what the server's volume has free."),
    "restore-refused": ("fail", "Read the server's words: it lacks a locale, or the role a right."),
    # A database that goes to another server
    "move-refused": ("fail", "Do what the message says, then run playbooks/move_database.yml again."),
    "move-source": ("fail", "Let the role make the database read-only, or end what would write on."),
    "move-target": ("fail", "Give the new roles what they need, as the message says."),
    "move-failed": ("fail", "Run it again; the message says what the program in the pod met."),
    "move-differs": ("fail", "Drop what is at the new server, or name another database there."),
    "move-pending": ("fail", "Run playbooks/move_database.yml again, which finishes it, or goes back."),
    "move-locale": ("warn", "Compare the locales of both servers: locale -a."),
    "move-time": ("warn", "Make a verified backup first: it says how long."),
}

__all__ = ("BACKUP_FINDINGS",)
