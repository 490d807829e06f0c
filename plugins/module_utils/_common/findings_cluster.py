"""The part of the catalogue of findings that is about the cluster: id, severity, hint."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

CLUSTER_FINDINGS: t.Final[dict[str, tuple[t.Literal["fail", "unknown", "warn", "info", "skip"], str]]] = {
    # What ends the run before a verdict
    "cluster-unreachable": ("fail", "Check kubeconfig, context and host, and that the cluster and its nodes run."),
    "cluster-another": ("fail", "Correct context and kubeconfig, or ai_agent_cluster, if the cluster was made anew."),
    "cluster-auth": ("fail", "Renew the account's token or certificate."),
    "cluster-forbidden": ("fail", "Grant the right, or use another account; the message names verb and resource."),
    "cluster-refused": ("fail", "Read the server's reason in the message: an admission webhook or a policy said no."),
    "lease-held": ("fail", "Let the other run end, or wait longer (ai_agent_lease_wait)."),
    "release-pending": ("fail", "See that no helm works on it, then run again with ai_agent_repair: true."),
    "rollback-refused": ("fail", "Choose a revision that the table calls safe, or deploy a version that fits."),
    "cluster-old": ("fail", "Use Kubernetes 1.30 or later: before 1.27 no pod can be held until its policy exists."),
    "pod-refused": ("fail", "Read the reason in the message: admission or the node does not take the pod."),
    "pod-unschedulable": ("fail", "Add room on the nodes, or correct nodeSelector, tolerations and requests."),
    "pod-timeout": ("fail", "Look at the node and the pod's limits, or raise job_timeout."),
    "image-pull": ("fail", "Correct the image's name, push it, or correct imagePullSecrets."),
    "image-pull-slow": ("fail", "Raise ai_agent_pull_timeout (pull_timeout), or pull the image on the nodes before."),
    "image-start": ("fail", "Run the image by hand: it needs python on PATH and must run as the chart's user."),
    "image-contract": ("fail", "Correct the image, or set the value that the line names: docs/agent-image.md."),
    "check-image-place": ("fail", "Give the throw-away namespace what the message names, and run it again."),
    "image-without-alembic": ("fail", "Install alembic and its configuration in the image: docs/agent-image.md."),
    "pod-memory": ("fail", "Raise migration.resources.limits.memory."),
    "log-incomplete": ("fail", "Run it again: the node lost or rotated the pod's log."),
    "answer-too-large": ("fail", "Load data outside of migrations, from a file or in batches, and run it again."),
    "collector-failed": ("fail", "Run it again; if it stays, report it with the type of error in the message."),
    # What the transport saw
    "image-pulled": ("info", "Nothing to do here; the hook waits as long, see migration.startTimeout."),
    "egress-open": ("warn", "Use a network plugin that enforces NetworkPolicies."),
    "agent-memory-short": (
        "warn",
        "Raise agent.resources.limits.memory: the agent itself has little room.",
    ),
    "exec-forbidden": ("info", "Grant get and create on pods/exec to save the Job that asked instead."),
    "namespace-missing": ("skip", "Create the namespace; what is in it is asked in the next run."),
    "secret-missing": ("skip", "Write the Secret first; the database is asked once it is there."),
    "database-unasked": (
        "unknown",
        "Set trust_new_image (ai_agent_preflight_trust_new_image) if this image may ask the database; or accept it.",
    ),
    "volume-kept": ("warn", "Look at what an earlier release left in the volume before it is used again."),
    "schema-deduced": ("info", "Nothing to do; a deployment that changes something has the database asked."),
    "migration-by-command": (
        "unknown",
        "Read what the program runs between the two versions, and accept the finding for this one.",
    ),
    "migration-by-image": (
        "unknown",
        "Read the image's release notes, and accept the finding for this version; a tool of its own is better.",
    ),
    "version-table-differs": ("fail", "Set migration.versionTable to the table that env.py configures."),
}

__all__ = ("CLUSTER_FINDINGS",)
