"""Whether a cluster was named, and is the one that was meant."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import re
import ssl
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

# Its uid stays as long as the cluster does, and no two clusters share it.
ID_NAMESPACE = "kube-system"
_FINGERPRINT = re.compile(r"(?i)(?:sha256:)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})")
_PEM = re.compile(rb"(?s)-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----")


def is_named(options: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> bool:
    """Whether more than the current context of the default kubeconfig says which cluster is meant.

    In a pod without a kubeconfig it is the pod's own.

    :param options: of a module or the role: any one that is set names a cluster
    """
    variables = (environment.get(f"K8S_AUTH_{name}") for name in ("CONTEXT", "KUBECONFIG", "HOST"))
    if any(options.values()) or any(variables):
        return True
    file = Path(environment.get("KUBECONFIG") or "~/.kube/config").expanduser()
    return bool(environment.get("KUBERNETES_SERVICE_HOST")) and not file.exists()


def assert_meant(cluster: Cluster, expected: str) -> None:
    """Check that the cluster is the one that is meant.

    :param expected: the URL of its API server, the SHA-256 fingerprint of its certificate authority (hexadecimal,
        `sha256:` and colons may stand in it), or the uid of its namespace kube-system. Only for the last one anything
        is sent to it
    :raises FindingError: `cluster-another`
    """
    if "://" in expected:
        what, found = "API server", [cluster.address]
        same = _address(expected) == _address(cluster.address)
    elif digits := _FINGERPRINT.fullmatch(expected.strip()):
        what, found = "certificate authority", _fingerprints(cluster.api.configuration.ssl_ca_cert)
        same = digits[1].replace(":", "").lower() in found
    else:
        what, found = f"namespace {ID_NAMESPACE} with the uid", _id(cluster)
        same = expected.strip() in found
    if not same:
        there = " or ".join(found) or "none that is known here"
        words = f"The cluster at {cluster.address} is not the one that is meant: its {what} is {there}, not {expected}."
        raise FindingError("cluster-another", words)


def _address(url: str) -> tuple[str, str, int | None, str]:
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return (url, "", None, "")
    return (parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"))


def _fingerprints(path: str | None) -> list[str]:
    """Of each certificate in a file."""
    try:
        found = _PEM.findall(Path(path).read_bytes()) if path else []
        return [hashlib.sha256(ssl.PEM_cert_to_DER_cert(each.decode())).hexdigest() for each in found]
    except (OSError, ValueError):
        return []


def _id(cluster: Cluster) -> list[str]:
    """The uid of the namespace that every cluster has.

    :raises FindingError: the account may not read that namespace: then the cluster has to be told by something else
    """
    found = cluster.get("v1", "namespaces", ID_NAMESPACE)
    return [str(found["metadata"]["uid"])] if found else []


__all__ = ("assert_meant", "is_named")
