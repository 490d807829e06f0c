"""What NetworkPolicies say about a connection, as far as labels decide it. Pure functions over the objects."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
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


def may_leave(policies: t.Iterable[Object], address: str | None = None, port: int | None = None) -> bool:
    """Whether egress rules may lead to an address that belongs to no pod.

    Without an address it is one that is not known here, as that of the API server behind its Service, on a port that is
    not known either. Such an address is none that a link has for itself, as a name service on the node has one.
    Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/

    :param address: IPv4 or IPv6
    :param port: of TCP
    """
    rules = [rule for policy in policies for rule in policy["spec"].get("egress") or ()]
    return any(_leads(rule, address) and (port is None or _has_port(rule, port)) for rule in rules)


def _leads(rule: Object, address: str | None) -> bool:
    blocks = [peer["ipBlock"] for peer in rule.get("to") or () if "ipBlock" in peer]
    return not rule.get("to") or any(_holds(block, address) for block in blocks)


def _holds(block: Object, address: str | None) -> bool:
    """Whether an address block holds the address; for one that is not known, whether it may."""
    whole = ipaddress.ip_network(block["cidr"], strict=False)
    if address is None:
        return not whole.is_link_local
    wanted = ipaddress.ip_address(address)
    # An address of the other family is in no network.
    return wanted in whole and not any(wanted in ipaddress.ip_network(item) for item in block.get("except") or ())


def _has_port(rule: Object, port: int) -> bool:
    """Whether a rule lets a port of TCP through. A port's name is one of a pod, which an address outside has not."""
    ports = rule.get("ports") or ()
    if not ports:
        return True
    ours = [item for item in ports if item.get("protocol", "TCP") == "TCP"]
    return any(
        "port" not in item
        or (str(item["port"]).isdigit() and int(item["port"]) <= port <= int(item.get("endPort", item["port"])))
        for item in ours
    )


__all__ = ("admits", "isolating", "may_leave", "selects")
