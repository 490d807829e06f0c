# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: secret_data
author: The ai_platform.agent authors (@ai-platform)
short_description: The data of a release's Secret from its passwords
version_added: 1.0.0
description:
  - Adds to the passwords the URLs that lead to PostgreSQL and Redis, and encodes all of it as a Secret's C(data).
positional: _input
options:
  _input:
    description:
      - The passwords by the Secret's keys, for example C(password) for the agent's in PostgreSQL and C(redis-password).
      - Empty ones are left out.
    type: dict
    required: true
  manifests:
    description:
      - What C(helm template) prints for the release, as RV(ai_platform.agent.chart_assemble#module:manifests) has it.
        Host, port, user and database are read from it. A server that it does not install gets no URL.
    type: str
    required: true
  login:
    description:
      - Which roles of PostgreSQL take turns, as RV(ai_platform.agent.release_info#module:secret.login) says it. The
        URLs then have its C(login) in place of its C(owner).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Write a Secret that the chart can use
  kubernetes.core.k8s:
    definition:
      apiVersion: v1
      kind: Secret
      metadata:
        name: my-agent-secret
        namespace: dev
      data: "{{ passwords | ai_platform.agent.secret_data(chart.manifests) }}"
  vars:
    passwords:
      password: "{{ vaulted_password }}"
      postgres-password: "{{ vaulted_admin_password }}"
      redis-password: "{{ vaulted_redis_password }}"
  no_log: true
"""

RETURN = r"""
_value:
  description: Keys and values in base64.
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import as_login
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret import secret_data


def _secret_data(
    passwords: t.Mapping[str, str], manifests: str, login: t.Mapping[str, str] | None = None
) -> dict[str, str]:
    try:
        data = secret_data(passwords, manifests)
        return as_login(data, login["owner"], login["login"]) if login else data
    except FindingError as error:
        raise AnsibleFilterError(error.message) from None


class FilterModule:
    """Filter plugin, see DOCUMENTATION."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"secret_data": _secret_data}
