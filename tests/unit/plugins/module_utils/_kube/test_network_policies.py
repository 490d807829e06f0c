"""Which addresses outside egress rules may lead to."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.network_policies import may_leave

Rule = dict[str, t.Any]
PRIVATE = {"ipBlock": {"cidr": "10.0.0.0/8"}}
ALL_BUT_LINK = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}
POD: Rule = {"podSelector": {}}


@pytest.mark.parametrize(
    ("rule", "address", "port", "wanted"),
    [
        ({}, "1.1.1.1", 443, True),
        ({"to": []}, "1.1.1.1", 443, True),
        ({"ports": [{"port": 53}]}, "1.1.1.1", 443, False),
        ({"ports": [{"port": 400, "endPort": 500}]}, "1.1.1.1", 443, True),
        ({"ports": [{"port": 443, "protocol": "UDP"}]}, "1.1.1.1", 443, False),
        ({"ports": [{"port": "https"}]}, "1.1.1.1", 443, False),
        ({"ports": [{"protocol": "TCP"}]}, "1.1.1.1", 443, True),
        ({"to": [POD]}, "1.1.1.1", 443, False),
        ({"to": [PRIVATE]}, "1.1.1.1", 443, False),
        ({"to": [PRIVATE]}, "10.1.2.3", 443, True),
        ({"to": [ALL_BUT_LINK]}, "1.1.1.1", 443, True),
        ({"to": [ALL_BUT_LINK]}, "169.254.169.254", 80, False),
        ({"to": [{"ipBlock": {"cidr": "::/0"}}]}, "1.1.1.1", 443, False),
        ({"to": [{"ipBlock": {"cidr": "::/0"}}]}, "2606:4700::1111", 443, True),
        # An address that is not known here.
        ({"to": [PRIVATE]}, None, None, True),
        ({"to": [{"ipBlock": {"cidr": "169.254.0.0/16"}}]}, None, None, False),
    ],
)
def test_an_egress_rule(rule: Rule, address: str | None, port: int | None, wanted: bool) -> None:
    policy = {"metadata": {"name": "p"}, "spec": {"policyTypes": ["Egress"], "egress": [rule]}}
    assert may_leave([policy], address, port) is wanted
