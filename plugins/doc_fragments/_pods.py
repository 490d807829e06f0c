# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    """The option that modules which start pods have in common."""

    DOCUMENTATION = r"""
options:
  pull_timeout:
    description:
      - Seconds in which a pod must have started where its node pulls the image for longer than O(job_timeout).
      - The kubelet's events say whether it does.
      - V(0) waits for no pull. Where the account may not patch Jobs, O(job_timeout) is the end as well.
    type: int
    default: 600
    version_added: 1.0.0
"""
