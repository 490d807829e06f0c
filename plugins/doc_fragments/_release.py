# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    """The options that modules about one release have in common."""

    DOCUMENTATION = r"""
options:
  release_name:
    description: Name of the release.
    type: str
    required: true
  release_namespace:
    description: Its namespace.
    type: str
    required: true
"""
