"""Finds a kubeconfig as kubernetes.core's modules do: in the playbook's files, decrypted if it is vaulted."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import InPlace
from ansible_collections.kubernetes.core.plugins.action.k8s_info import ActionModule as KubernetesActionModule


class ActionModule(InPlace, KubernetesActionModule):
    def _ensure_invocation(self, result: dict[str, t.Any]) -> dict[str, t.Any]:
        """Keep the module's own: kubernetes.core adds the arguments to a result without them, secret ones in clear."""
        return result
