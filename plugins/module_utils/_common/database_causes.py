"""What a cause of `_in_pod/probe_causes.py` means where the database is what was to be reached. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

FINDING_OF_CAUSE: t.Final[dict[str, str]] = {
    "password": "database-auth",
    "password-missing": "database-auth",
    "role": "database-auth",
    "database": "database-missing",
    "connect-right": "database-refused",
    "pooler": "database-pooler",
    "startup-parameter": "database-url-invalid",
    "endpoint": "database-url-invalid",
    "disk": "database-disk-full",
    "connections": "database-connections-exhausted",
    "pg-hba": "database-refused",
    "tls": "database-tls",
    "tls-none": "database-tls",
    "tls-wanted": "database-tls",
    "client-key": "database-tls",
    "certificate": "database-tls",
    "client-certificate": "database-tls",
    "root-certificate": "database-tls",
    "refused": "database-connection-refused",
}
"""Cause -> id of the finding, which is a heading of docs/runbook.md."""


__all__ = ("FINDING_OF_CAUSE",)
