# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: diagnose_release
author: The ai_platform.agent authors (@ai-platform)
short_description: Say why a release of the AI agent did not become ready
version_added: 1.0.0
description:
  - Reads the pods and the warning events of a release, as the Kubernetes API returns them.
  - Says in one sentence what stopped it.
positional: _input, release
options:
  _input:
    description: The pods of the release.
    type: list
    elements: dict
    required: true
  release:
    description: Name of the release.
    type: str
    required: true
  events:
    description: Warning events of its namespace.
    type: list
    elements: dict
    default: []
  helm_error:
    description: What helm said.
    type: str
    default: ""
  log:
    description:
      - The last lines of the container that the diagnosis names. The sentence then leads to the cause that they name.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Say why the release is not ready
  ansible.builtin.debug:
    msg: "{{ (pods.resources | ai_platform.agent.diagnose_release('my-agent', helm_error=result.msg)).sentence }}"
"""

RETURN = r"""
_value:
  description: The diagnosis.
  type: dict
  contains:
    cause:
      description: One of V(image), V(migration), V(configuration), V(unschedulable), V(crash), V(not_ready), V(no_pod),
        V(helm).
      type: str
    sentence:
      description: What stopped the release, and what to do.
      type: str
    details:
      description: Further lines, one for each pod that is not ready and for each of the newest warnings.
      type: list
      elements: str
    log_pod:
      description: Name of the pod whose log explains more, or an empty string.
      type: str
    log_container:
      description: Name of the container in that pod, or an empty string.
      type: str
"""

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.diagnosis import (
    as_dict,
    diagnose,
    with_log,
)


def diagnose_release(
    pods: list[dict[str, t.Any]],
    release: str,
    events: list[dict[str, t.Any]] | None = None,
    helm_error: str = "",
    log: list[str] | None = None,
) -> dict[str, t.Any]:
    """Filter, see DOCUMENTATION."""
    return as_dict(with_log(diagnose(release, pods, events or [], helm_error), log or []))


class FilterModule:
    """Filter plugin, see DOCUMENTATION."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"diagnose_release": diagnose_release}
