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
    """The records of a release's backups; an account that may not read them sees none.

    Those of the ConfigMap, and of the pods that backed up and are still there: the chart's CronJob has no account that
    could write a ConfigMap, so its record is what its container said at its end.
    """
    # This module imports the Kubernetes client, which a folder of backups does not need.
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden

    found: dict[str, Row] = {}
    with contextlib.suppress(Forbidden):
        labels = f"app.kubernetes.io/instance={release},app.kubernetes.io/component=backup"
        found |= {str(record["name"]): record for record in said(cluster.list("v1", "pods", namespace, labels=labels))}
    records: t.Any = []
    with contextlib.suppress(Forbidden, ValueError):
        kept_there = cluster.get("v1", "configmaps", name(release), namespace)
        records = json.loads(((kept_there or {}).get("data") or {}).get(KEY, "[]"))
    listed = [item for item in records if isinstance(item, dict)] if isinstance(records, list) else []
    # A later verification is in the ConfigMap alone.
    return [*listed, *(found[one] for one in found.keys() - {str(item.get("name")) for item in listed})]


def said(pods: t.Iterable[Row]) -> list[Row]:
    """The records that containers left at their end (terminationMessagePath). Pure; other words are none."""
    records = []
    for pod in pods:
        for status in (pod.get("status") or {}).get("containerStatuses") or ():
            ended = (status.get("state") or {}).get("terminated") or {}
            with contextlib.suppress(ValueError, RecursionError):
                record = json.loads(ended.get("message") or "null")
                if isinstance(record, dict) and isinstance(record.get("name"), str):
                    records.append(record)
    return records


def in_cluster(cluster: Cluster, namespace: str, release: str) -> str | None:
    """The same as in_folder() of a release."""
    return last_verified(kept(cluster, namespace, release))


__all__ = ("KEY", "in_cluster", "in_folder", "kept", "last_verified", "name", "said")
