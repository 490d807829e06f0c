"""A kubeconfig for another program, helm, so that it asks the same cluster as the same account as the module itself.

It is written from what kubernetes.core made of its options, its K8S_AUTH_* variables and its search for a kubeconfig.
So there is one rule for all of them, and what a kubeconfig cannot say is refused by name.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import json
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

# Helm's own variables, which would come before the kubeconfig. Python does not know them. The role's
# `__ai_agent_helm_environment` blanks the same.
HELMS_OWN = (
    "HELM_KUBECONTEXT", "HELM_KUBETOKEN", "HELM_KUBEASUSER", "HELM_KUBEASGROUPS", "HELM_KUBEAPISERVER",
    "HELM_KUBECAFILE", "HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "HELM_KUBETLS_SERVER_NAME",
)  # fmt: skip


def kubeconfig(cluster: Cluster) -> Object:
    """The kubeconfig of a connection, secrets in clear.

    :raises FindingError: no kubeconfig can express this connection
    """
    configuration = cluster.api.configuration
    if configuration.proxy_headers:
        words = "Helm takes no proxy_headers (option or K8S_AUTH_PROXY_HEADERS_*): leave them out, or helm."
        raise FindingError("argument-invalid", words)
    parts = {"clusters": ("cluster", _server(configuration)), "users": ("user", _account(cluster))}
    context = {"name": "here", "context": {"cluster": "here", "user": "here"}}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [context],
        **{name: [{"name": "here", key: content}] for name, (key, content) in parts.items()},
    }


def _server(configuration: t.Any) -> Object:
    server: Object = {"server": configuration.host}
    if not configuration.verify_ssl:
        # Clients refuse insecure-skip-tls-verify together with a CA.
        server["insecure-skip-tls-verify"] = True
    elif configuration.ssl_ca_cert:
        server["certificate-authority"] = str(Path(configuration.ssl_ca_cert).absolute())
    if configuration.tls_server_name:
        server["tls-server-name"] = configuration.tls_server_name
    if configuration.proxy and not _bypassed(configuration):
        server["proxy-url"] = configuration.proxy
    return server


def _bypassed(configuration: t.Any) -> bool:
    from kubernetes.client.rest import should_bypass_proxies

    return bool(should_bypass_proxies(configuration.host, no_proxy=configuration.no_proxy or ""))


def _account(cluster: Cluster) -> Object:
    configuration, account = cluster.api.configuration, t.cast("Object", {})
    kind, _space, secret = _authorization(configuration).partition(" ")
    if kind.lower() == "basic":
        name, _colon, password = base64.b64decode(secret).decode().partition(":")
        account |= {"username": name, "password": password}
    elif secret or kind:
        account["token"] = secret or kind
    elif configuration.username:
        account |= {"username": configuration.username, "password": configuration.password or ""}
    files = {"client-certificate": configuration.cert_file, "client-key": configuration.key_file}
    account |= {name: str(Path(path).absolute()) for name, path in files.items() if path}
    headers = [(str(name), value) for name, value in cluster.api.default_headers.items()]
    users = [value for name, value in headers if name == "Impersonate-User"]
    groups = [value for name, value in headers if name == "Impersonate-Group"]
    return account | ({"as": users[0]} if users else {}) | ({"as-groups": groups} if groups else {})


def _authorization(configuration: t.Any) -> str:
    """The value of the header `Authorization`, empty without one."""
    settings = configuration.auth_settings()
    return str(settings.get("BearerToken", {}).get("value") or "")


@contextlib.contextmanager
def variables(content: Object) -> Iterator[dict[str, str]]:
    """The variables that lead helm to a kubeconfig, which is a file of this account's only and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ai-agent-") as folder:
        path = Path(folder, "kubeconfig")
        path.touch(0o600)
        path.write_text(json.dumps(content), encoding="utf-8")
        # The kubeconfig says which proxy is used; where it says none, Python used none.
        yield {"KUBECONFIG": str(path), "NO_PROXY": "*", "no_proxy": "*"} | dict.fromkeys(HELMS_OWN, "")


__all__ = ("HELMS_OWN", "kubeconfig", "variables")
