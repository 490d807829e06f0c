# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that every module of the collection describes."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and predict the changed status without changing anything.
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
  idempotent:
    description:
      - A second run with the same arguments reports no change, as long as nothing else changed the system meanwhile.
"""
