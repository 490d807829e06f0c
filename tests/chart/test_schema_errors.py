"""Values that a schema refuses: Helm's tree and its regular expressions become one sentence for each key."""

from __future__ import annotations

import functools
import json
import operator
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import schema_errors

from tests.chart.conftest import ROOT, Object

SCHEMAS = [ROOT / "chart/values.schema.json", *sorted(ROOT.glob("subcharts/*/values.schema.json"))]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"agent": {"replicaCount": "3"}},
            "agent.replicaCount must be a whole number, not text (write it without quotes)",
        ),
        ({"agent": {"replicaCount": 50}}, "agent.replicaCount is 50 and must be 10 at most"),
        ({"agent": {"env": {"A": 4}}}, "agent.env.A must be text, not a number (put it in quotes)"),
        ({"agent": {"replicas": 2}}, "agent.replicas does not exist: did you mean agent.replicaCount?"),
        ({"replicaCount": 2}, "replicaCount does not exist: did you mean agent.replicaCount?"),
        ({"agnet": {}}, "agnet does not exist: did you mean agent?"),
        ({"xyz": {}}, "xyz does not exist"),
        (
            {"agent": {"resources": {"requests": {"memory": "1G i"}}}},
            "agent.resources.requests.memory is '1G i' and must be a Kubernetes quantity: 500m, 1, 256Mi",
        ),
        ({"agent": {"resources": {"requests": {"cpu": None}}}}, "agent.resources.requests.cpu is missing"),
        ({"existingSecretKeys": {"redis-url": {"name": "a"}}}, "existingSecretKeys.redis-url.key is missing"),
        (
            {"existingSecretKeys": {"redis-url": 4}},
            "existingSecretKeys.redis-url must be text or a group of keys, not a number",
        ),
        ({"existingSecretKeys": {"uri": "x"}}, "existingSecretKeys.uri does not exist"),
        (
            {"existingSecretKeys": {"redis-url": {"name": "A", "key": "b"}}},
            "existingSecretKeys.redis-url.name is 'A' and must be a name of a Secret",
        ),
        ({"migration": {"lockTimeout": "2"}}, "'2' and must be a PostgreSQL interval with its unit: 500ms, 2s, 1min"),
        ({"agent": {"service": {"type": "Foo"}}}, "must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'"),
        ({"agent": {"env": {"NOT A NAME": "x"}}}, "agent.env.NOT A NAME cannot be set there (plain settings:"),
        ({"agent": {"env": {"DATABASE_URL": "x"}}}, "agent.env.DATABASE_URL cannot be set there"),
        ({"agent": {"podDisruptionBudget": {"minAvailable": [1]}}}, "agent.podDisruptionBudget.minAvailable must be a"),
        (
            {"postgresql": {"primary": {"resourcess": {}}}},
            "postgresql.primary.resourcess does not exist: did you mean postgresql.primary.resources?",
        ),
        ({"postgresql": {"replica": {"replicaCount": 2}}}, "postgresql.readReplicas.replicaCount"),
        # What the API server would refuse, when the migration has run already.
        (
            {"agent": {"livenessProbe": {"successThreshold": 3}}},
            "agent.livenessProbe.successThreshold is 3 and must be 1",
        ),
        (
            {"agent": {"autoscaling": {"enabled": True, "behavior": {"scaleDown": {"stabilizationWindow": 300}}}}},
            "agent.autoscaling.behavior.scaleDown.stabilizationWindow does not exist: did you mean"
            " agent.autoscaling.behavior.scaleDown.stabilizationWindowSeconds?",
        ),
        ({"agent": {"tolerations": [{"key": "a", "operator": "Exist"}]}}, "must be one of 'Exists', 'Equal'"),
        (
            {"agent": {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z"}]}},
            "whenUnsatisfiable is missing",
        ),
        (
            {
                "networkPolicy": {
                    "enabled": True,
                    "callers": [{"namespaceSelector": {"kubernetes.io/metadata.name": "x"}}],
                }
            },
            "networkPolicy.callers.0.namespaceSelector.kubernetes.io/metadata.name does not exist",
        ),
        (
            {"networkPolicy": {"enabled": True, "callers": [{"ipBlock": {"cidr": "192.0.2.0/24"}, "podSelector": {}}]}},
            "networkPolicy.callers.0 has 2 keys and may have no more than 1",
        ),
        (
            {"networkPolicy": {"enabled": True, "extraEgress": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}},
            "networkPolicy.extraEgress.0.ipBlock does not exist",
        ),
        ({"ingress": {"enabled": True, "hosts": ["Agent.Example.com"]}}, "must be a name of a host in small letters"),
        ({"ingress": {"enabled": True, "tls": [{"secret": "a-tls"}]}}, "ingress.tls.0.secret does not exist"),
        (
            {"httpRoute": {"enabled": True, "hostnames": ["https://agent.example.com/"]}},
            "must be a name of a host in small letters",
        ),
        (
            {"httpRoute": {"enabled": True, "timeouts": {"request": "5 minutes"}}},
            "httpRoute.timeouts.request is '5 minutes' and must be a duration",
        ),
    ],
)
def test_one_sentence_without_a_regular_expression(
    explained: t.Callable[[Object], list[str]], values: Object, sentence: str
) -> None:
    (said,) = explained(values)
    assert sentence in said
    assert not re.search(r"\^|\[[a-z0-9]|schema|validation", said)


def test_several_mistakes_are_several_sentences_and_the_rest_is_counted(
    explained: t.Callable[[Object], list[str]],
) -> None:
    wrong = {"agent": {"replicaCount": "3", **{f"key{number}": 1 for number in range(6)}}}
    said = explained(wrong)
    assert len(said) == schema_errors.SHOWN + 1
    assert said[-1] == "and 2 more"


def test_a_guards_sentence_is_left_as_it_is(explained: t.Callable[[Object], list[str]]) -> None:
    (said,) = explained({"postgresql": {"enabled": False}})
    assert said.startswith("postgresql.enabled is false")


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.parent.name)
def test_every_pattern_is_described(file: Path) -> None:
    def walk(node: object) -> t.Iterator[Object]:
        if isinstance(node, dict):
            yield node
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from walk(inner)

    patterns = [node for node in walk(json.loads(file.read_text())) if isinstance(node.get("pattern"), str)]
    # A library's few values have none.
    assert patterns or file.parent.name == "platform-library"
    assert [node for node in patterns if not node.get("description", "").startswith("A ")] == []


CANARY = "HUNTER2canary"


LOGINS = [
    f"ftp://user:{CANARY}@llm.example.com/v1 !",
    f"ftp://user:a@{CANARY}@llm.example.com/v1 !",
    f"!! password={CANARY}",
    f"!! {{'api_key': '{CANARY}'}}",
]


def test_a_refused_value_is_quoted_without_its_login(explained: t.Callable[[Object], list[str]]) -> None:
    """Each text that the schema bounds by a form, wherever it is."""
    schema = json.loads((ROOT / "chart/values.schema.json").read_text(encoding="utf-8"))
    found = list(_formed(schema, schema, ()))
    refused = [(place, form) for place, form in found if not any(re.search(form, text) for text in LOGINS)]
    assert len(refused) > 5
    for number, (place, _form) in enumerate(refused):
        values: t.Any = LOGINS[number % len(LOGINS)]
        for name in reversed(place):
            values = {name: values}
        said = "; ".join(explained(values))
        assert place[-1] in said, said
        assert CANARY not in said, said


def _formed(node: Object, root: Object, place: tuple[str, ...]) -> t.Iterator[tuple[tuple[str, ...], str]]:
    """The places of values that must have a form, with it."""
    if "$ref" in node:
        meant = functools.reduce(operator.getitem, node["$ref"].split("/")[1:], root)
        node = {**meant, **node}
    if "pattern" in node and node.get("type") == "string":
        yield place, node["pattern"]
    for name, child in node.get("properties", {}).items():
        yield from _formed(child, root, (*place, name))
