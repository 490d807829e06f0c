"""Whether a cluster was named, and is the one that was meant."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import re
import ssl
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_MAP

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

# The uid of this namespace stays as long as the cluster does, and no two clusters share it.
ID_NAMESPACE = "kube-system"
# Either variable alone names a cluster.
_NAMES = ("K8S_AUTH_CONTEXT", "K8S_AUTH_HOST")
_IMPERSONATION = {"impersonate_user", "impersonate_groups"}
# What goes together with a kubeconfig, or says how it is reached.
_OF_A_KUBECONFIG = {"kubeconfig", "context", "persist_config", "proxy", "no_proxy", "proxy_headers"}
_FINGERPRINT = re.compile(r"(?i)(?:sha256:)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})")
_PEM = re.compile(rb"(?s)-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----")


def is_named(options: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> bool:
    """Whether more than the current context of a kubeconfig says which cluster is meant.

    A kubeconfig that is named says it with its only context; among several, the current one is a shell's choice. In a
    pod without a kubeconfig it is the pod's own.

    :param options: `context`, `kubeconfig` and `cluster` of the role
    """
    if options.get("context") or options.get("cluster") or any(map(environment.get, _NAMES)):
        return True
    if named := options.get("kubeconfig") or environment.get("K8S_AUTH_KUBECONFIG"):
        return _has_one_context(str(named))
    files = _files(environment.get("KUBECONFIG") or "~/.kube/config")
    return bool(environment.get("KUBERNETES_SERVICE_HOST")) and not any(file.exists() for file in files)


def _files(paths: str) -> list[Path]:
    return [Path(path).expanduser() for path in paths.split(os.pathsep) if path]


def _has_one_context(paths: str) -> bool:
    """Whether kubeconfigs have no more than one context; what cannot be read, whoever connects explains."""
    # Only the controller's Python is asked; that of a module may lack it, which connect() says in a sentence.
    import yaml

    names: set[str] = set()
    for file in _files(paths):
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            names |= {str(item["name"]) for item in content.get("contexts") or ()}
        except (OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError):
            continue
    return len(names) < 2


def contradictions(environment: t.Mapping[str, str]) -> list[str]:
    """The variables of this process that would replace the server, the account or the trust of a kubeconfig.

    Where an inventory names a kubeconfig or a context, they are a second answer to the same question: kubernetes.core
    sends the kubeconfig's token to the server of `K8S_AUTH_HOST`.
    """
    options = set(AUTH_ARG_MAP) | set(AUTH_ARG_MAP.values()) | _IMPERSONATION
    names = {f"K8S_AUTH_{option.upper()}" for option in options - _OF_A_KUBECONFIG}
    return sorted(name for name in names if environment.get(name))


def assert_meant(cluster: Cluster, expected: str) -> None:
    """Check that the cluster is the one that is meant.

    :param expected: the URL of its API server, the SHA-256 fingerprint of its certificate authority (hexadecimal,
        `sha256:` and colons may stand in it), or the uid of its namespace kube-system. Only for the last one anything
        is sent to it. A fingerprint counts where the certificate of the server is verified: else anybody's would do
    :raises FindingError: `cluster-another`
    """
    if "://" in expected:
        what, found = "API server", [cluster.address]
        same = _address(expected) == _address(cluster.address)
    elif digits := _FINGERPRINT.fullmatch(expected.strip()):
        if not _is_verified(cluster):
            words = (
                f"Nothing shows that the cluster at {cluster.address} is the one that is meant: its certificate is not "
                f"verified, so the fingerprint of an authority says nothing of it ({cluster.origin}). Leave "
                f"verification on (validate_certs, K8S_AUTH_VERIFY_SSL, insecure-skip-tls-verify, an https address)."
            )
            raise FindingError("cluster-another", words)
        what, found = "certificate authority", _fingerprints(cluster.api.configuration.ssl_ca_cert)
        same = digits[1].replace(":", "").lower() in found
    else:
        what, found = f"namespace {ID_NAMESPACE} with the uid", _id(cluster)
        same = expected.strip() in found
    if not same:
        there = " or ".join(found) or "none that is known here"
        words = f"The cluster at {cluster.address} is not the one that is meant: its {what} is {there}, not {expected}."
        raise FindingError("cluster-another", words)


def _is_verified(cluster: Cluster) -> bool:
    return bool(cluster.api.configuration.verify_ssl) and cluster.address.lower().startswith("https:")


def assert_the_same(cluster: Cluster, other: Cluster) -> None:
    """Check that two connections lead to one cluster, as far as address or authority tell. Nothing is asked.

    :raises FindingError: `cluster-another`: neither is the same
    """
    authorities = [
        set(_fingerprints(each.api.configuration.ssl_ca_cert)) if _is_verified(each) else set()
        for each in (cluster, other)
    ]
    if _address(cluster.address) != _address(other.address) and not authorities[0] & authorities[1]:
        words = (
            f"The account that tests asks {cluster.address} ({cluster.origin}), and helm asks {other.address} "
            f"({other.origin}), with another authority: it may be another cluster. Let both lead to one, or say "
            f"which is meant (cluster_expected)."
        )
        raise FindingError("cluster-another", words)


def _address(url: str) -> tuple[str, str, int | None, str]:
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return (url, "", None, "")
    return (parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"))


def _fingerprints(path: str | None) -> list[str]:
    """The fingerprint of each certificate in a file."""
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


__all__ = ("assert_meant", "assert_the_same", "contradictions", "is_named")
