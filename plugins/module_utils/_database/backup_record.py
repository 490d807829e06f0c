"""The record of a release's backups: written by whoever makes them, read by the preflight."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import datetime
import json
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_folder import BackupFolder
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

Row = dict[str, t.Any]
KEY: t.Final = "backups.json"


def name(release: str) -> str:
    """The name of the ConfigMap with the record."""
    return f"{release}-backup-record"


def last_verified(records: t.Any) -> str | None:
    """The time of the newest verified backup's snapshot. Pure; what is no record is none."""
    times = []
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict) and record.get("verified") is True:
            try:
                when = datetime.datetime.fromisoformat(str(record.get("time")))
            except ValueError:
                continue
            times.append(when if when.tzinfo else when.replace(tzinfo=datetime.UTC))
    return max(times).isoformat() if times else None


def in_folder(path: Path) -> str | None:
    """The same of a folder of backups.

    :raises FindingError: `backup-folder`
    """
    try:
        return last_verified([item.record for item in BackupFolder(path).backups()])
    except CollectorError as error:
        raise FindingError(error.id, error.message) from None


def kept(cluster: Cluster, namespace: str, release: str) -> list[Row]:
    """The records of a release's backups; an account that may not read them sees none."""
    # This module imports the Kubernetes client, which a folder of backups does not need.
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden

    with contextlib.suppress(Forbidden, ValueError):
        found = cluster.get("v1", "configmaps", name(release), namespace)
        records = json.loads(((found or {}).get("data") or {}).get(KEY, "[]"))
        return [item for item in records if isinstance(item, dict)] if isinstance(records, list) else []
    return []


def in_cluster(cluster: Cluster, namespace: str, release: str) -> str | None:
    """The same as in_folder() of a release."""
    return last_verified(kept(cluster, namespace, release))


__all__ = ("KEY", "in_cluster", "in_folder", "kept", "last_verified", "name")
