# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_contradictions
author: The ai_platform.agent authors (@ai-platform)
short_description: Name the variables that would replace what a kubeconfig says of cluster and account
version_added: 1.0.0
description:
  - Modules of kubernetes.core let E(K8S_AUTH_HOST), E(K8S_AUTH_API_KEY) and others of that kind come before the
    kubeconfig and the context that an inventory names, and may send the token of one to the server of the other.
  - Variables that choose a kubeconfig or a context, or say by which proxy a server is reached, are not among them.
    Nothing is asked of any cluster.
options:
  _terms:
    description: None.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Stop where a shell contradicts the inventory
  ansible.builtin.assert:
    that: not my_context or query('ai_platform.agent.cluster_contradictions') == []
"""

RETURN = r"""
_raw:
  description: Names of variables that are set, in order.
  type: list
  elements: str
"""

import os
import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.target import contradictions


class LookupModule(LookupBase):
    """Lookup plugin, see DOCUMENTATION."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **_options: t.Any) -> list[str]:  # noqa: ARG002 - there are none
        """Return the names."""
        return contradictions(os.environ)
