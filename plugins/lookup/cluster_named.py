# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_named
author: The ai_platform.agent authors (@ai-platform)
short_description: Say whether more than the current context of a kubeconfig names a cluster
version_added: 1.0.0
description:
  - The current context of a kubeconfig is that of whoever worked there last, and no choice of a cluster. So a
    kubeconfig names one where it has no second context, and the default one, which nobody named, does not.
  - E(K8S_AUTH_CONTEXT), E(K8S_AUTH_KUBECONFIG) and E(K8S_AUTH_HOST) count as well, and so does the account of a pod
    in which there is no kubeconfig. Nothing is asked of any cluster.
options:
  _terms:
    description: None.
    type: list
    elements: str
  context:
    description: Name of a context.
    type: str
    default: ""
  kubeconfig:
    description: Path of a kubeconfig.
    type: str
    default: ""
  cluster:
    description: What the cluster is recognised by.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Stop where nobody chose a cluster
  ansible.builtin.assert:
    that: lookup('ai_platform.agent.cluster_named', context=ai_agent_context)
"""

RETURN = r"""
_raw:
  description: Whether a cluster is named.
  type: list
  elements: bool
"""

import os
import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.target import is_named


class LookupModule(LookupBase):
    """Lookup plugin, see DOCUMENTATION."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[bool]:  # noqa: ARG002 - there are none
        """Return one answer."""
        self.set_options(var_options=variables, direct=options)
        return [is_named({name: self.get_option(name) for name in ("context", "kubeconfig", "cluster")}, os.environ)]
