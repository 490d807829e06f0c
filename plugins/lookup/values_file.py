# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: values_file
author: The ai_platform.agent authors (@ai-platform)
short_description: Keep values for Helm in a file of JSON while Ansible runs
version_added: 1.0.0
description:
  - M(kubernetes.core.helm) writes its O(kubernetes.core.helm#module:release_values) as YAML 1.1, which leaves
    C(6041e27), the tag of an image, without quotes. Helm reads it as a number. JSON has one reading.
  - The file is in Ansible's own temporary folder, which goes when Ansible ends, and only its owner may read it.
options:
  _terms:
    description: The values, one dictionary for each file.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Install a release
  kubernetes.core.helm:
    name: my-agent
    namespace: dev
    chart_ref: ./chart
    values_files:
      - "{{ lookup('ai_platform.agent.values_file', {'agent': {'image': {'tag': '6041e27'}}}) }}"
"""

RETURN = r"""
_raw:
  description: Paths of the files. The same values have the same file.
  type: list
  elements: path
"""

import hashlib
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.lookup import LookupBase
from ansible_collections.ai_platform.agent.plugins.module_utils._common.files import write
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import as_plain_json


class LookupModule(LookupBase):
    """Lookup plugin, see DOCUMENTATION."""

    def run(self, terms: list[t.Any], **_options: t.Any) -> list[str]:
        """Return one path for each dictionary."""
        return [str(kept(as_plain_json(term), Path(constants.DEFAULT_LOCAL_TMP))) for term in terms]


def kept(text: str, folder: Path) -> Path:
    """The file in `folder` that holds `text`."""
    path = folder / f"values-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    if not path.exists():
        # Another process may be at the same, so it has to appear whole.
        write(str(path), text)
    return path
