"""Names of fields and of values: what Kubernetes has is taken, what would be forgotten is named with what was meant."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import kubernetes_validate
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.other_names import OTHER_NAMES

from tests.chart.conftest import ROOT, Object
from tests.chart.test_any_cluster import PROXY

SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
DEFINED: dict[str, str] = {
    "podSecurityContext": "podsecuritycontext",
    "ownSecurityContext": "securitycontext",
    "containers": "container",
    "volumes": "volume",
    "mounts": "volumemount",
    "affinity": "affinity",
    "lifecycle": "lifecycle",
    "handler": "lifecyclehandler",
    "probe": "probe",
}


@pytest.mark.parametrize("name", DEFINED)
def test_the_schema_knows_every_field_of_kubernetes_and_no_other(name: str) -> None:
    """A field that a cluster takes is never refused, one that none has is not let through to be forgotten."""
    schema = json.loads((ROOT / "chart/values.schema.json").read_text())
    node = schema["$defs"][name]
    ours = set(node.get("items", node)["properties"]) - {"enabled"}
    theirs: set[str] = set()
    for folder in SCHEMAS.glob("v1.*-local-strict"):
        if int(folder.name.split(".")[1]) >= 30:
            theirs |= set(json.loads((folder / f"{DEFINED[name]}-v1.json").read_text())["properties"])
    assert ours == theirs


TYPOS: list[tuple[Object, str]] = [
    ({"podSecurityContext": {"runAsUsr": 5}}, "agent.podSecurityContext.runAsUser?"),
    ({"containerSecurityContext": {"readOnlyRootFilesytem": True}}, "containerSecurityContext.readOnlyRootFilesystem?"),
    ({"extraVolumes": [{"name": "a", "confgMap": {}}]}, "agent.extraVolumes.0.configMap?"),
    ({"extraVolumes": [{"name": "a"}]}, "agent.extraVolumes.0 has 1 keys and must have 2 at least"),
    ({"extraVolumes": [{"name": "a", "emptyDir": {}, "secret": {}}]}, "may have no more than 2 of them together"),
    ({"sidecars": [{**PROXY, "volumeMount": []}]}, "agent.sidecars.0.volumeMounts?"),
    (
        {"extraEnv": [{"name": "A", "valueFrom": {"secretRef": {"name": "a", "key": "b"}}}]},
        "agent.extraEnv.0.valueFrom.secretKeyRef?",
    ),
    ({"extraEnv": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a"}}}]}, "secretKeyRef.key is missing"),
    ({"extraEnvFrom": [{"secretRef": {"nane": "a"}}]}, "agent.extraEnvFrom.0.secretRef.name?"),
    ({"affinity": {"nodeAffinty": {}}}, "agent.affinity.nodeAffinity?"),
    ({"image": {"repository": "r.example/a:1"}}, "must be a name of an image without its tag and digest"),
    ({"image": {"tag": "1@sha256:0"}}, "must be a tag of an image, 1.0.0; a digest has its own key"),
    ({"image": {"registry": "r.example"}}, "agent.image.repository?"),
    ({"env": {"A": {"valueFrom": {}}}}, "goes into agent.extraEnv, a list"),
    ({"extraContainers": []}, "agent.sidecars?"),
    ({"updateStrategy": {}}, "agent.strategy?"),
]


@pytest.mark.parametrize(("values", "meant"), TYPOS)
def test_a_field_that_would_be_forgotten_is_named(
    explained: t.Callable[[Object], list[str]], values: Object, meant: str
) -> None:
    assert meant in "; ".join(explained({"agent": values}))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"podAnnotations": {}}, "podAnnotations does not exist: did you mean agent.podAnnotations?"),
        ({"extraDeploy": []}, "extraDeploy does not exist: did you mean extraObjects?"),
        (
            {"ingress": {"enabled": True, "ingressClassName": "nginx", "hosts": ["a.example"]}},
            "ingress.ingressClassName does not exist: did you mean ingress.className?",
        ),
        (
            {"httpRoute": {"enabled": True, "parentRefs": [{"name": "g", "section": "https"}]}},
            "did you mean httpRoute.parentRefs.0.sectionName?",
        ),
        ({"nameOverride": "My Agent"}, "nameOverride is 'My Agent' and must be a value of a label"),
    ],
)
def test_the_same_of_other_charts_names(
    explained: t.Callable[[Object], list[str]], values: Object, sentence: str
) -> None:
    assert sentence in "; ".join(explained(values))


def test_every_other_name_leads_to_a_value() -> None:
    schema = json.loads((ROOT / "chart/values.schema.json").read_text())
    for path in OTHER_NAMES.values():
        node = schema
        for key in path.split("."):
            node = node["properties"][key]


def test_no_block_is_defined_twice() -> None:
    """Of two templates of one name Helm keeps one, and says nothing: a guard would be gone."""
    files = [*ROOT.glob("chart/templates/**/*.tpl"), *ROOT.glob("subcharts/*/templates/*.tpl")]
    names = [name for file in files for name in re.findall(r'define "([^"]+)"', file.read_text(encoding="utf-8"))]
    assert len(names) > 50
    assert sorted({name for name in names if names.count(name) > 1}) == []
