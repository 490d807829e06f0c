# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    """The options that modules which have helm change a release under its Lease have in common."""

    DOCUMENTATION = r"""
options:
  helm_binary:
    description: The helm program, a path or a name on E(PATH).
    type: path
    default: helm
  helm_timeout:
    description: How long helm may take, as helm writes it.
    type: str
    default: 10m
  progress:
    description:
      - How many seconds there are between two lines that say what is waited for, V(0) for no lines. As those of
        M(ai_platform.agent.release_deploy).
    type: float
    default: 0
  lease:
    description:
      - RV(ai_platform.agent.release_lease#module:folder). Outside of check mode helm changes nothing without it.
    type: path
"""
