"""Values as people set them for such charts: what is right is rendered, and what no cluster takes is refused."""

from __future__ import annotations

import typing as t

import pytest

from tests.chart.conftest import Object, Render, RenderError

OUTSIDE: Object = {
    "postgresql": {"enabled": False},
    "redis": {"enabled": False},
    "externalDatabase": {"host": "2001:db8::5", "username": "a", "database": "d", "password": "x1234567890abc"},
    "externalCache": {"host": "2001:db8::6", "password": "x1234567890abc"},
}


def test_addresses_of_ipv6_stand_in_brackets_in_urls(render: Render) -> None:
    rendered = render(OUTSIDE)
    secret = rendered.secret()
    assert secret["database-url"].startswith("postgresql://a:x1234567890abc@[2001:db8::5]:5432/d")
    assert "@[2001:db8::6]:6379/" in secret["redis-url"]


def test_addresses_of_ipv6_are_peers(render: Render) -> None:
    rules = [
        peer["ipBlock"]["cidr"]
        for item in render(OUTSIDE)
        if item["kind"] == "NetworkPolicy"
        for rule in item["spec"].get("egress", ())
        for peer in rule.get("to", ())
        if "ipBlock" in peer
    ]
    assert {"2001:db8::5/128", "2001:db8::6/128"} <= set(rules)


def test_keys_for_anchors_are_left_alone(render: Render) -> None:
    agent = render({"x-common": {"a": 1}}).one("Deployment")
    assert agent["spec"]["template"]["spec"]["containers"][0]["name"] == "agent"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"extraEnv": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}, "'not' failed"),
        ({"extraEnv": [{"name": "A", "valueFrom": {}}]}, "minProperties"),
        ({"extraVolumeMounts": [{"name": "nowhere", "mountPath": "/x"}]}, "has no volume of that name"),
    ],
)
def test_what_no_pod_takes_is_refused(render: Render, values: Object, sentence: str) -> None:
    with pytest.raises(RenderError) as refused:
        render({"agent": values})
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"ports": [{"port": 70000}]}, "maximum: got 70,000"),
        ({"ports": [{"port": 443, "protocol": "tcp"}]}, "value must be one of"),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.5"}}]}, "does not match pattern"),
        ({"ports": [{"port": 30000, "endPort": 32000}], "to": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}, None),
        ({"ports": [{"port": "postgresql", "protocol": "TCP"}]}, None),
    ],
)
def test_egress_rules(render: Render, rule: t.Any, sentence: str | None) -> None:
    values: Object = {"networkPolicy": {"extraEgress": [rule]}}
    if sentence is None:
        render(values)
        return
    with pytest.raises(RenderError) as refused:
        render(values)
    assert sentence in str(refused.value)
