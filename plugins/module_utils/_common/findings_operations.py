"""The part of the catalogue of findings that is about the end of a release and of what it stores."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

OPERATIONS_FINDINGS: t.Final[dict[str, tuple[t.Literal["fail", "unknown", "warn", "info", "skip"], str]]] = {
    # The end of a release
    "uninstall-unconfirmed": ("fail", "Type the release's name into ai_agent_confirm, if its data really are to go."),
    "uninstall-busy": ("fail", "Wait for the other run, or make sure that none lives."),
    "uninstall-takes-data": ("fail", "Name the volumes in ai_agent_uninstall_remove, or keep them first."),
    "uninstall-unfinished": ("fail", "Run it again; what holds an object stands in the message."),
    "release-another-chart": ("fail", "Correct ai_agent_release_name or ai_agent_namespace."),
    # What a deployment would change
    "plan-refused": ("fail", "Correct the values or the chart; the words are Helm's own."),
    "plan-unreadable": ("fail", "Name the <host>-plan.json that playbooks/plan.yml wrote, unchanged."),
    "plan-differs": ("fail", "Make a new plan, read it, and deploy with that one."),
    "plan-expired": ("fail", "Make a new plan, read it, and deploy with that one."),
    # A password that is changed
    "rotation-refused": ("fail", "Do what the message says, or change the password by hand."),
    "rotation-record": ("fail", "Make the annotation say what database-url and the server's roles say."),
    "rotation-role-taken": ("fail", "Rename the role: ALTER ROLE … RENAME TO …."),
    "rotation-login": ("fail", "Let the new role in (pg_hba.conf, a pooler's list of users), and run it again."),
    "rotation-no-pod": ("fail", "Make an agent pod ready, grant exec to the account, and run it again."),
    "rotation-sessions": ("fail", "End the sessions, or restart what holds them, and run it again."),
    "rotation-model-key": ("fail", "Look at the key and its rights at the provider, and run it again."),
    "rotation-redis": ("fail", "Do what the message says of Redis' pods, and run it again."),
    "rotation-replication": ("fail", "Do what the message says of PostgreSQL's pods, and run it again."),
    "rotation-outside": ("warn", "Have an administrator run the statements that were printed, and run it again."),
    "rotation-vault": ("fail", "Name the encrypted file in which the current password stands, and run it again."),
    "password-rotated": ("fail", "Run playbooks/rotate_credentials.yml, which makes the Secret's password true."),
    "credential-old": ("warn", "Put another one into the vault, and run playbooks/rotate_credentials.yml."),
    "rotation-pending": ("warn", "Run playbooks/rotate_credentials.yml again, which finishes it."),
    # How a new version does beside the one before it
    "soak-errors": ("fail", "Read the new pods' logs; playbooks/rollback.yml goes back where the run itself did not."),
    "soak-slow": (
        "fail",
        "Look for what the new version waits for; playbooks/rollback.yml goes back where the run itself did not.",
    ),
    "soak-restarts": (
        "fail",
        "`kubectl logs --previous` has the last words; playbooks/rollback.yml goes back where the run itself did not.",
    ),
    "soak-unready": (
        "fail",
        "The pod's events say which probe fails; playbooks/rollback.yml goes back where the run itself did not.",
    ),
    "soak-refusals": ("warn", "Look which requests are refused: a route that is gone, or a client that changed."),
    "soak-few": ("unknown", "Soak for longer, or while there is traffic; or lower the threshold `requests`."),
    "soak-unread": ("unknown", "Name the image's metrics in ai_agent_soak_metrics, and grant pods/exec or pods/proxy."),
    "soak-replaced": ("warn", "Nothing to do, if somebody drained a node or the autoscaler took a pod away."),
    "soak-first": ("skip", "Nothing to do: the next version is compared with this one."),
    # What is deleted for its age, or on request
    "retention-declaration": ("fail", "Make ai_agent_retention_tables say what the catalogue says."),
    "retention-privilege": ("fail", "Grant the right, or use the role that owns the tables."),
    "retention-locked": ("info", "Nothing to do: the next run takes them."),
    "retention-waited": ("warn", "Find who holds a lock on the table, then run it again."),
    "retention-large": ("warn", "Raise ai_agent_retention_statement_timeout for one run."),
    "retention-unfinished": ("warn", "Run it again: it goes on, or raise ai_agent_retention_max_seconds."),
    "retention-unindexed": ("warn", "Create the index: CREATE INDEX CONCURRENTLY on that column."),
    "retention-trigger": ("warn", "Look at what the trigger writes of a row that goes."),
    "retention-changes": ("info", "Look whether that is what the keys and triggers of the database are to do."),
    "retention-absent": ("info", "Nothing to do: there is no such session."),
    "vacuum-due": ("warn", "Run VACUUM (ANALYZE) on the table in a quiet hour, or look why autovacuum does not."),
}

__all__ = ("OPERATIONS_FINDINGS",)
