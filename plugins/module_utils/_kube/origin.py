"""What a connection was made from, in words: options, variables and files that a person can look at. Pure.

It follows kubernetes.core's order (`_create_configuration`): a complete account with a host, else a kubeconfig or a
context that is named, else the pod's own account, else the kubeconfig that is there.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.shared import TOKEN_PATH

Object = dict[str, t.Any]
Source = t.Literal["options", "kubeconfig", "pod"]

# An account is complete with one of these, as kubernetes.core names them inside.
_ACCOUNTS = (("api_key",), ("username", "password"), ("cert_file", "key_file"))


def in_a_pod(environment: t.Mapping[str, str] | None = None, token: Path = Path(TOKEN_PATH, "token")) -> bool:
    """Whether this process has the account of a pod, by the rule of Kubernetes' clients."""
    environment = os.environ if environment is None else environment
    return bool(environment.get("KUBERNETES_SERVICE_HOST")) and token.is_file()


def source(auth: Object, pod: bool) -> Source:
    """What kubernetes.core takes server and account from, before single options replace some of it.

    :param auth: what kubernetes.core made of options and variables, by its inner names
    :param pod: whether a pod's own account is there
    """
    if auth.get("host") and any(all(map(auth.get, account)) for account in _ACCOUNTS):
        return "options"
    return "kubeconfig" if auth.get("kubeconfig") or auth.get("context") or not pod else "pod"


def words(
    auth: Object, params: t.Mapping[str, t.Any], names: t.Mapping[str, str], environment: t.Mapping[str, str], pod: bool
) -> str:
    """The sources of a connection, such as ``K8S_AUTH_HOST and K8S_AUTH_API_KEY``.

    Values are given of kubeconfig and context alone, such as ``kubeconfig ~/.kube/config and context prod``.

    :param auth: what kubernetes.core made of options and variables, by its inner names
    :param params: the module's options
    :param names: an option's name by its inner name, kubernetes.core's ``AUTH_ARG_MAP``
    :param environment: the variables of this process
    :param pod: whether a pod's own account is there
    """

    def setter(name: str) -> str:
        option = names[name]
        if params.get(option) is not None or params.get(name) is not None:
            return f"option {option}"
        return f"K8S_AUTH_{option.upper()}"

    said = []
    kind = source(auth, pod)
    if kind == "kubeconfig":
        path = auth.get("kubeconfig") or environment.get("KUBECONFIG") or "~/.kube/config"
        said.append(f"kubeconfig {path}" if isinstance(path, str) else "the kubeconfig that was passed")
        said += [f"context {auth['context']}"] if auth.get("context") else []
    elif kind == "pod":
        said.append("the pod's service account")
    said += [setter(name) for name in ("host", *(name for account in _ACCOUNTS for name in account)) if auth.get(name)]
    return " and ".join((", ".join(said[:-1]), said[-1]) if len(said) > 1 else said)


__all__ = ("Source", "in_a_pod", "source", "words")
