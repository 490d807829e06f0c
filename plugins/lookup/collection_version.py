# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: collection_version
author: The ai_platform.agent authors (@ai-platform)
short_description: Version of a collection as this run loads it
version_added: 1.0.0
description:
  - Several copies of a collection may be installed, and an old one may shadow a new one.
    This lookup asks Ansible's own loader which copy is used in this run and reads the version there,
    C(MANIFEST.json) of an installed collection or C(galaxy.yml) of a checkout.
  - A module cannot tell, because it runs in a process of its own without the loader.
options:
  _terms:
    description: Names of collections, each in the form C(namespace.name).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the version of kubernetes.core
  ansible.builtin.debug:
    msg: "{{ lookup('ai_platform.agent.collection_version', 'kubernetes.core') }}"
"""

RETURN = r"""
_raw:
  description:
    - One version for each name. An empty string if the collection is not found,
      V(unknown) if it is found and does not tell its version.
  type: list
  elements: str
"""

import importlib
import json
import typing as t
from pathlib import Path

import yaml
from ansible.plugins.lookup import LookupBase


def loaded_version(name: str) -> str:
    """Return the version of collection ``name`` as Ansible's loader finds it.

    ``""`` if it finds none, ``"unknown"`` if the collection does not tell its version.
    """
    try:
        package = importlib.import_module(f"ansible_collections.{name}")
    except ImportError:
        return ""
    root = Path(next(iter(package.__path__)))
    if (root / "MANIFEST.json").is_file():
        manifest = json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))
        version = manifest.get("collection_info", {}).get("version")
    elif (root / "galaxy.yml").is_file():
        version = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8")).get("version")
    else:
        version = None
    return str(version or "unknown")


class LookupModule(LookupBase):
    """Lookup plugin, see DOCUMENTATION."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        """Return the version of each collection named in ``terms``."""
        self.set_options(var_options=variables, direct=kwargs)
        return [loaded_version(term) for term in terms]
