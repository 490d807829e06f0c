"""From the parameters of release_info to its result: what of a release is there, no value of its Secret among it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import namespace_exists

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object


def look(cluster: Cluster, params: Object) -> Object:
    """namespace_exists, statefulsets and secret, as plugins/modules/release_info.py documents them.

    Raises FindingError; a namespace that may not be looked at is None.
    """
    namespace = params["release_namespace"]
    exists = namespace_exists(cluster, namespace)
    found = [] if exists is False else _servers(cluster, params["release_name"], namespace)
    secret = None
    if params["secret_name"] and exists is not False:
        secret = cluster.get("v1", "secrets", params["secret_name"], namespace)
    return {
        "namespace_exists": exists,
        "statefulsets": found,
        "secret": _described(secret, params["secret_expected"] or {}, params["secret_shown"]),
    }


def _servers(cluster: Cluster, release: str, namespace: str) -> list[Object]:
    return [
        {
            "name": item["metadata"]["name"],
            "labels": item["metadata"].get("labels") or {},
            "containers": [
                {"name": container["name"], "image": container["image"]}
                for container in item["spec"]["template"]["spec"]["containers"]
            ],
        }
        for item in cluster.list("apps/v1", "statefulsets", namespace, labels=f"app.kubernetes.io/instance={release}")
    ]


def _described(secret: Object | None, expected: t.Mapping[str, str], shown: t.Sequence[str]) -> Object:
    """A Secret without its values, but for those of the keys `shown`. `expected`: base64, as in its data."""
    data: dict[str, str] = (secret or {}).get("data") or {}
    metadata: Object = (secret or {}).get("metadata") or {}
    return {
        "exists": secret is not None,
        "labels": metadata.get("labels") or {},
        "data_keys": sorted(data),
        "missing": sorted(name for name in expected if name not in data),
        "differing": sorted(name for name, value in expected.items() if name in data and data[name] != value),
        "shown": {name: _text(name, data[name]) for name in shown if name in data},
    }


def _text(name: str, value: str) -> str:
    try:
        return base64.b64decode(value).decode()
    except ValueError:
        raise FindingError("argument-invalid", f"The key {name} of the Secret holds no text.") from None


__all__ = ("look",)
