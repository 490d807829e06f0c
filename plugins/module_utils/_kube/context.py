"""Which context of a kubeconfig is used, and what it says of its user, as the Python package `kubernetes` reads it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]

# What a user of a kubeconfig may say of impersonation. kubectl and helm act so; the Python package reads none of it.
_ACTS_AS = ("as", "as-uid", "as-groups", "as-user-extra")


def chosen(kubeconfig: str | Object | None, context: str | None) -> tuple[str, Object]:
    """The name of a context, the current one where none is named, and its user's entry, secrets in clear.

    :param kubeconfig: paths or content, None being the one that is found
    :raises ConfigException: there is none of that name, or no kubeconfig
    """
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, ConfigNode, KubeConfigMerger

    if isinstance(kubeconfig, dict):
        node = ConfigNode("kubeconfig", kubeconfig)
    else:
        node = KubeConfigMerger(kubeconfig or KUBE_CONFIG_DEFAULT_LOCATION).config
    if node is None:
        raise ConfigException("no kubeconfig")
    name = str(context or node["current-context"])
    user = node["contexts"].get_with_name(name)["context"].safe_get("user")
    found = node["users"].get_with_name(user, safe=True) if user and node.safe_get("users") else None
    return name, (found.value.get("user") or {}) if found else {}


def impersonation(user: Object) -> list[str]:
    """The fields by which a user of a kubeconfig acts for another account."""
    return [name for name in _ACTS_AS if user.get(name)]


__all__ = ("chosen", "impersonation")
