"""What Helm applied last, for people: the manifests as they were rendered, without what is secret in them."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import HIDDEN
from ansible_collections.ai_platform.agent.plugins.module_utils._release import facts
from ansible_collections.ai_platform.agent.plugins.module_utils._release.differences import masked

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Object
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.leased_helm import Helm


def applied(helm: Helm, clean: Callable[[str], str]) -> str:
    """The manifests of Helm's newest revision as YAML, empty where there is no release.

    :param clean: takes known secrets out of a text
    :raises FindingError: Helm gave no answer, or its manifests cannot be read
    """
    import yaml

    history = helm.history()
    if not history:
        return ""
    revision = int(history[-1]["revision"])
    found = [_shown(item, clean) for item in facts.parse(helm.manifests([revision]).get(revision, ""))]
    head = f"# Helm's revision {revision} of {helm.release}, {history[-1]['status']}; what is secret is {HIDDEN}\n"
    return head + yaml.safe_dump_all(found, explicit_start=True, sort_keys=False, allow_unicode=True)


def _shown(item: Object, clean: Callable[[str], str]) -> Object:
    """An object without secrets; of a Secret the names of its keys alone."""
    if item.get("kind") == "Secret":
        parts = ("data", "stringData")
        item = item | {part: dict.fromkeys(item[part], HIDDEN) for part in parts if item.get(part)}
    return t.cast("Object", masked(item, clean))


__all__ = ("applied",)
