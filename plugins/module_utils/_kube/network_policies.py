"""What NetworkPolicies say about a connection, as far as labels decide it. Pure functions over the objects."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]
Labels = t.Mapping[str, str]


def selects(selector: Object | None, labels: Labels) -> bool:
    """Whether a label selector matches; an empty one matches everything."""
    chosen = selector or {}
    if any(labels.get(name) != value for name, value in (chosen.get("matchLabels") or {}).items()):
        return False
    return all(_expression(item, labels) for item in chosen.get("matchExpressions") or ())


def _expression(item: Object, labels: Labels) -> bool:
    key, operator, values = item["key"], item["operator"], item.get("values") or ()
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    return (labels.get(key) in values) is (operator == "In")


def isolating(policies: t.Iterable[Object], labels: Labels, direction: str) -> list[Object]:
    """The policies of a namespace that decide about connections of a pod, `direction` Ingress or Egress.

    Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation
    """
    return [
        policy
        for policy in policies
        if direction in (policy["spec"].get("policyTypes") or ["Ingress"])
        and selects(policy["spec"].get("podSelector"), labels)
    ]


def admits(policies: t.Iterable[Object], stranger: Labels, namespace: Labels | None) -> bool:
    """Whether ingress rules let a pod with these labels in, whatever the port.

    An address block may hold any pod, and counts as letting in.

    :param namespace: the labels of its namespace where that is another one than the policies', None in their own
    """
    rules = [rule for policy in policies for rule in policy["spec"].get("ingress") or ()]
    return any(not rule.get("from") or any(_peer(peer, stranger, namespace) for peer in rule["from"]) for rule in rules)


def _peer(peer: Object, stranger: Labels, namespace: Labels | None) -> bool:
    if "ipBlock" in peer:
        return True
    if "namespaceSelector" in peer:
        # The labels of the policies' own namespace are not known here: such a rule may well mean it.
        inside = namespace is None or selects(peer["namespaceSelector"], namespace)
    else:
        inside = namespace is None
    return inside and selects(peer.get("podSelector"), stranger)


def may_leave(policies: t.Iterable[Object]) -> bool:
    """Whether egress rules may lead to an address that belongs to no pod."""
    rules = [rule for policy in policies for rule in policy["spec"].get("egress") or ()]
    return any(not rule.get("to") or any("ipBlock" in peer for peer in rule["to"]) for rule in rules)


__all__ = ("admits", "isolating", "may_leave", "selects")
