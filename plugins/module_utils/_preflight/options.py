"""The arguments of the preflight, apart from those with which a cluster is reached."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import policy

_LIMITS = dataclasses.asdict(policy.Thresholds())

OPTIONS: t.Final[dict[str, t.Any]] = {
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str"},
    "release_namespace": {"type": "str"},
    # Not secret, as long as the chart does not make the Secret; but nobody reads it in a log.
    "manifests": {"type": "str", "no_log": True},
    "job_timeout": {"type": "int", "default": 60},
    "pull_timeout": {"type": "int", "default": 600},
    "alembic_dir": {"type": "path"},
    "alembic_ini": {"type": "str", "default": "alembic.ini"},
    "alembic_python": {"type": "path"},
    "alembic_environment": {"type": "dict", "default": {}},
    "alembic_x": {"type": "list", "elements": "str", "default": []},
    "only_changed": {"type": "str"},
    "database_url": {"type": "str", "no_log": True},
    "facts": {"type": "path"},
    "trust_new_image": {"type": "bool", "default": False},
    "deduce": {"type": "bool", "default": True},
    "target": {"type": "str", "default": "heads"},
    "environment": {"type": "str", "default": "dev"},
    "accept": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "id": {"type": "str", "required": True},
            "reason": {"type": "str", "required": True},
            "revision": {"type": "str"},
            "table": {"type": "str"},
        },
    },
    "fail_on": {"type": "str", "choices": ["never", "fail", "unknown", "warn"], "default": "unknown"},
    "thresholds": {
        "type": "dict",
        "default": {},
        "options": {name: {"type": "int", "default": value} for name, value in _LIMITS.items()},
    },
    "trace": {"type": "bool", "default": False},
    "trace_postgresql": {"type": "path"},
    "trace_image": {"type": "str"},
    "trace_user": {"type": "int", "default": 999},
    "check_rows": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    "migrator_sets_lock_timeout": {"type": "bool", "default": False},
    "migrator_lifts_timeouts": {"type": "bool", "default": False},
    "connections_needed": {"type": "int", "default": 1},
    "last_verified_backup": {"type": "str"},
    "backup_path": {"type": "path"},
    "facts_path": {"type": "path"},
    "rewrite_dir": {"type": "path"},
    "sql_path": {"type": "path"},
    "report_path": {"type": "path"},
    "junit_path": {"type": "path"},
    "sarif_path": {"type": "path"},
    "annotations_path": {"type": "path"},
    "annotations": {"type": "str", "choices": ["github", "gitlab"]},
    "markdown_path": {"type": "path"},
    "render_timeout": {"type": "int", "default": 30},
    "lock_timeout_ms": {"type": "int", "default": 500},
    "statement_timeout_ms": {"type": "int", "default": 5000},
}

_DIRECT, _RELEASE = ("alembic_dir", "database_url", "facts"), ("release_name", "release_namespace", "manifests")
# Which of them go together: arguments of AnsibleModule.
CONSTRAINTS: t.Final[dict[str, t.Any]] = {
    "required_one_of": [["alembic_dir", "release_name"]],
    "required_together": [list(_RELEASE), ["annotations_path", "annotations"]],
    # Options about files of a repository; the revisions of a release are in an image.
    "required_by": {
        "sarif_path": ["alembic_dir"],
        "annotations_path": ["alembic_dir"],
        "rewrite_dir": ["alembic_dir"],
        "only_changed": ["alembic_dir"],
        "database_url": ["alembic_dir"],
        "facts": ["alembic_dir"],
        "facts_path": ["database_url"],
    },
    "mutually_exclusive": [
        *([one, other] for one in _DIRECT for other in _RELEASE),
        ["database_url", "facts"],
        # What a rewrite has to know of names and constraints, a file of facts does not hold.
        ["facts", "rewrite_dir"],
    ],
}


__all__ = ("CONSTRAINTS", "OPTIONS")
