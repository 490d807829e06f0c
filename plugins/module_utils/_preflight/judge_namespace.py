"""Whether the namespace has room for what will be added: quotas, limit ranges, storage classes. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from decimal import Decimal

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.amounts import (
    Amounts,
    PodGroup,
    Side,
    amounts,
    pod_amounts,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned, rolls

Object = dict[str, t.Any]

_DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
# Names that a quota gives to the same amount of a pod. https://kubernetes.io/docs/concepts/policy/resource-quotas/
_QUOTA_NAMES: dict[str, tuple[Side, str]] = {
    "requests.cpu": ("requests", "cpu"), "cpu": ("requests", "cpu"), "limits.cpu": ("limits", "cpu"),
    "requests.memory": ("requests", "memory"), "memory": ("requests", "memory"), "limits.memory": ("limits", "memory"),
    "requests.ephemeral-storage": ("requests", "ephemeral-storage"),
    "ephemeral-storage": ("requests", "ephemeral-storage"), "limits.ephemeral-storage": ("limits", "ephemeral-storage"),
}  # fmt: skip


def judge_quotas(plan: Planned, live: Live) -> list[Finding]:
    """Each ResourceQuota without a scope against what the deployment adds at its peak."""
    if live.quotas is None:
        return [finding("quota-exceeded", "The account may not read ResourceQuotas.", severity="skip")]
    added, own = additions(plan, live), _checks(live)
    found = []
    for quota in live.quotas:
        spec = quota.get("spec") or {}
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue
        status = quota.get("status") or {}
        hard, used = amounts(status.get("hard") or spec.get("hard")), amounts(status.get("used"))
        # The preflight's own pods are counted while it asks, and gone when the deployment begins.
        others = {name: max(Decimal(0), amount - own.get(name, Decimal(0))) for name, amount in used.items()}
        left = {name: amount - others.get(name, Decimal(0)) for name, amount in hard.items()}
        short = [
            f"{_shown(name, left[name])} of {name}, where {_shown(name, amount)} are needed"
            for name, amount in sorted(added.items())
            if amount > 0 and name in left and amount > left[name]
        ]
        if short:
            words = f"Quota {quota['metadata']['name']} leaves {'; '.join(short)}, at the deployment's peak."
            found.append(finding("quota-exceeded", words))
    return found


def _checks(live: Live) -> Amounts:
    """What pods of this collection take up now, by the names of a quota."""
    total: Amounts = {"pods": Decimal(len(live.checks))}
    for pod in live.checks:
        for name, (which, resource) in _QUOTA_NAMES.items():
            total[name] = total.get(name, Decimal(0)) + pod_amounts(pod["spec"], which).get(resource, Decimal(0))
    return total


def additions(plan: Planned, live: Live) -> Amounts:
    """What the deployment adds to the namespace at its peak, by the names of a quota.

    A rolling Deployment holds its old and its new pods, `surge` beyond what is wanted; a StatefulSet takes a pod away
    before it adds one; the migration's pod is there beside the old ones.
    """
    total: Amounts = {}
    for group in plan.pods:
        now, spec = _living(group, live)
        extra = plan.surge if group.kind == "Deployment" and now and rolls(plan, live) else 0
        if group.kind == "Job" and live.deployment is not None and not rolls(plan, live):
            continue  # an unchanged release migrates nothing
        for name, (which, resource) in _QUOTA_NAMES.items():
            each = (group.requests if which == "requests" else group.limits).get(resource, Decimal(0))
            held = pod_amounts(spec, which).get(resource, Decimal(0)) if spec else Decimal(0)
            grown = each * (group.replicas + extra) - held * now if now else each * group.replicas
            total[name] = total.get(name, Decimal(0)) + max(Decimal(0), grown)
        total["pods"] = total.get("pods", Decimal(0)) + max(0, group.replicas + extra - now)
    existing_claims = {item["metadata"]["name"] for item in live.claims or ()}
    new = [volume for volume in plan.volumes if volume.claim not in existing_claims]
    return total | {
        "persistentvolumeclaims": Decimal(len(new)),
        "requests.storage": Decimal(sum(volume.size for volume in new)),
    }


def _living(group: PodGroup, live: Live) -> tuple[int, Object | None]:
    """How many pods of the group there are now, and their spec."""
    candidates = [live.deployment] if group.kind == "Deployment" else live.statefulsets
    if group.kind == "Job":
        return 0, None
    for item in candidates:
        if item and item["metadata"]["name"] == group.name:
            return int(item["spec"].get("replicas", 1)), item["spec"]["template"]["spec"]
    return 0, None


def judge_limit_ranges(plan: Planned, live: Live) -> list[Finding]:
    """Containers, pods and claims that a LimitRange would refuse."""
    if live.limit_ranges is None:
        return [finding("limit-range", "The account may not read LimitRanges.", severity="skip")]
    found = []
    for item in live.limit_ranges:
        for limit in item["spec"]["limits"]:
            broken = list(_broken(limit, plan))
            if broken:
                words = f"LimitRange {item['metadata']['name']} refuses {'; '.join(dict.fromkeys(broken))}."
                found.append(finding("limit-range", words))
    return found


def _broken(limit: Object, plan: Planned) -> t.Iterator[str]:
    least, most = amounts(limit.get("min")), amounts(limit.get("max"))
    for what, requests, limits in _measured(limit["type"], plan):
        for name, amount in least.items():
            if name in requests and requests[name] < amount:
                yield f"{what}: {name} {_shown(name, requests[name])} is below {_shown(name, amount)}"
        for name, amount in most.items():
            if name in limits and limits[name] > amount:
                yield f"{what}: {name} {_shown(name, limits[name])} is above {_shown(name, amount)}"


def _measured(kind: str, plan: Planned) -> t.Iterator[tuple[str, Amounts, Amounts]]:
    """What a limit of this type measures: its name, requests and limits."""
    if kind == "PersistentVolumeClaim":
        for volume in plan.volumes:
            yield f"claim {volume.claim}", {"storage": Decimal(volume.size)}, {"storage": Decimal(volume.size)}
    for group in plan.pods:
        if kind == "Pod":
            yield f"pods of {group.name}", group.requests, group.limits
        for item in group.spec["containers"] if kind == "Container" else ():
            resources = item.get("resources") or {}
            given = amounts(resources.get("limits"))
            yield f"container {item['name']} of {group.name}", given | amounts(resources.get("requests")), given


def judge_storage(plan: Planned, live: Live) -> list[Finding]:
    """The storage class of each claim that does not exist yet."""
    existing_claims = {item["metadata"]["name"] for item in live.claims or ()}
    new = [volume for volume in plan.volumes if volume.claim not in existing_claims and volume.storage_class != ""]
    if not new:
        return []
    if live.claims is None or live.storage_classes is None:
        what = "PersistentVolumeClaims" if live.claims is None else "StorageClasses"
        words = f"The account may not read {what}: whether {len(new)} claims will find a volume stays open."
        return [finding("storage-class-missing", words, severity="skip")]
    names = {item["metadata"]["name"] for item in live.storage_classes}
    default = any(
        (item["metadata"].get("annotations") or {}).get(name) == "true"
        for item in live.storage_classes
        for name in _DEFAULT_CLASS
    )
    found = []
    for wanted in sorted({volume.storage_class or "" for volume in new}):
        if wanted in names or (not wanted and default):
            continue
        claims = ", ".join(volume.claim for volume in new if (volume.storage_class or "") == wanted)
        lacking = f"no StorageClass {wanted}" if wanted else "no default StorageClass"
        known = ", ".join(sorted(names)) or "none"
        found.append(finding("storage-class-missing", f"There is {lacking} for {claims}; the cluster has {known}."))
    return found


def _shown(name: str, amount: Decimal) -> str:
    """An amount as manifests write it: 250m, 512Mi, 3."""
    if name.endswith("cpu"):
        return f"{amount.normalize():f}" if amount == amount.to_integral_value() else f"{amount * 1000:.0f}m"
    if name in {"pods", "persistentvolumeclaims"}:
        return f"{amount:.0f}"
    for unit, factor in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if abs(amount) >= factor:
            return f"{(amount / factor).quantize(Decimal('0.1')).normalize():f}{unit}"
    return f"{amount:.0f}"


__all__ = ("additions", "judge_limit_ranges", "judge_quotas", "judge_storage")
