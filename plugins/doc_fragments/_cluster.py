# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    """The option that modules which ask a cluster have in common."""

    DOCUMENTATION = r"""
options:
  cluster_expected:
    description:
      - Which cluster is meant. Of another one nothing is asked beyond its identity, and the module fails.
      - Either the URL of its API server, or the SHA-256 fingerprint of its certificate authority, or the uid of its
        namespace C(kube-system), which each account that asks must then be allowed to read.
    type: str
    version_added: 1.0.0
"""
