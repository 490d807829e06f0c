"""Fields that others set, in managedFields as Kubernetes 1.34 writes them: what is taken, and what is left alone."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.autoscaling import scaled_by_others
from ansible_collections.ai_platform.agent.plugins.module_utils._release.ownership import conflicts

Object = dict[str, t.Any]

AGENT = 'k:{"name":"agent"}'
PORT = 'k:{"containerPort":8000,"protocol":"TCP"}'
POD: Object = {
    "containers": [{"name": "agent", "image": "agent:2", "ports": [{"containerPort": 8000, "protocol": "TCP"}]}]
}
PLANNED: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "demo", "labels": {"app": "demo"}},
    "spec": {"replicas": 3, "template": {"spec": POD}},
}
HELM: Object = {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}


def manager(name: str, fields: Object, **more: str) -> Object:
    return {
        "manager": name,
        "operation": "Update",
        "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    } | more


def in_agent(fields: Object) -> Object:
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {AGENT: fields}}}}}


SCALED = manager("kubectl", {"f:spec": {"f:replicas": {}}}, subresource="scale")
AUTOSCALER = manager("kube-controller-manager", {"f:spec": {"f:replicas": {}}}, subresource="scale")
EDITED = manager(
    "kubectl-edit",
    {
        "f:metadata": {"f:annotations": {"f:note": {}}},
        "f:spec": {
            "f:template": {
                "f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}},
                "f:spec": {"f:containers": {AGENT: {"f:image": {}}}},
            }
        },
    },
)
STATUS = manager("kube-controller-manager", {"f:status": {"f:replicas": {}}}, subresource="status")


def live(*entries: Object, replicas: int = 3, image: str = "agent:2") -> Object:
    found = copy.deepcopy(PLANNED)
    found["metadata"]["managedFields"] = [*entries]
    found["spec"]["replicas"] = replicas
    found["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return found


def applied(object_: Object, patch: list[Object]) -> list[Object]:
    """The managed fields after a JSON Patch, of the operations that are used."""
    entries: list[Object] = copy.deepcopy(object_["metadata"]["managedFields"])
    for operation in patch:
        _empty, _metadata, _fields, number, *rest = operation["path"].split("/")
        if operation["op"] == "test":
            assert entries[int(number)][rest[0]] == operation["value"]
        elif operation["op"] == "replace":
            entries[int(number)][rest[0]] = operation["value"]
        else:
            assert (operation["op"], rest) == ("remove", [])
            del entries[int(number)]
    return entries


def test_scaled_by_hand() -> None:
    there = live(HELM, SCALED, STATUS, replicas=5)
    [found] = conflicts([PLANNED], [there])
    assert found["sentence"] == "Deployment demo: kubectl set .spec.replicas, which these values set otherwise"
    assert (found["kind"], found["api_version"], found["name"]) == ("Deployment", "apps/v1", "demo")
    assert applied(there, found["patch"]) == [HELM, STATUS]


def test_the_autoscaler_is_off_again() -> None:
    there = live(AUTOSCALER, HELM, replicas=6)
    [found] = conflicts([PLANNED], [there])
    assert "kube-controller-manager set .spec.replicas" in found["sentence"]
    assert applied(there, found["patch"]) == [HELM]


def test_an_autoscaler_that_is_on_keeps_the_number() -> None:
    planned = copy.deepcopy(PLANNED)
    del planned["spec"]["replicas"]
    assert conflicts([planned], [live(AUTOSCALER, HELM, replicas=6)]) == []


def test_only_what_the_chart_sets_is_taken() -> None:
    there = live(EDITED, HELM, image="agent:debug")
    [found] = conflicts([PLANNED], [there])
    assert '.spec.template.spec.containers[name="agent"].image' in found["sentence"]
    assert "annotations" not in found["sentence"]
    [edited, helm] = applied(there, found["patch"])
    assert helm == HELM
    # What is left empty goes: an empty field owns everything that is in it.
    assert edited["fieldsV1"] == {
        "f:metadata": {"f:annotations": {"f:note": {}}},
        "f:spec": {"f:template": {"f:metadata": EDITED["fieldsV1"]["f:spec"]["f:template"]["f:metadata"]}},
    }


def test_several_managers_of_one_object() -> None:
    there = live(SCALED, EDITED, HELM, AUTOSCALER, replicas=5, image="agent:debug")
    [found] = conflicts([PLANNED], [there])
    assert [found["sentence"].count(name) for name in ("kubectl set", "kubectl-edit set", "manager set")] == [1, 1, 1]
    left = applied(there, found["patch"])
    assert [item["manager"] for item in left] == ["kubectl-edit", "helm"]


@pytest.mark.parametrize(
    "there",
    [
        # The same value is no conflict.
        live(SCALED, HELM),
        live(EDITED, HELM),
        live(replicas=5),
        live(STATUS, HELM, replicas=5),
        live(STATUS, HELM | {"operation": "Update"}, replicas=5),
        # What Helm set itself it may change.
        live(HELM, replicas=5),
        live(manager("other", in_agent({"f:ports": {PORT: {".": {}}}})), HELM),
        live(manager("other", {"f:metadata": {"f:finalizers": {'v:"x"': {}}}}), HELM),
    ],
)  # fmt: skip
def test_no_conflict(there: Object) -> None:
    assert conflicts([PLANNED], [there]) == []


def test_quantities_are_compared_as_such() -> None:
    planned, there = copy.deepcopy(PLANNED), live(HELM)
    for item, cpu in ((planned, "1000m"), (there, "1")):
        item["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": cpu}}
    fields = in_agent({"f:resources": {"f:limits": {"f:cpu": {}}}})
    there["metadata"]["managedFields"].append(manager("vpa", fields))
    assert conflicts([planned], [there]) == []
    there["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "2"
    assert "vpa set" in conflicts([planned], [there])[0]["sentence"]


def test_where_helm_does_not_apply_on_the_server_nothing_is_refused_and_the_field_is_set_again() -> None:
    [found] = conflicts([PLANNED], [live(SCALED, HELM | {"operation": "Update"}, replicas=5)])
    assert found["sentence"] == "Deployment demo: kubectl set .spec.replicas, which these values set otherwise"
    assert (found["server_side"], found["patch"]) == (False, [])
    assert found["definition"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "demo"},
        "spec": {"replicas": 3},
    }


def test_a_patch_finds_the_item_of_a_list_by_its_keys() -> None:
    planned = copy.deepcopy(PLANNED)
    planned["spec"]["template"]["spec"]["containers"].insert(0, {"name": "sidecar", "image": "proxy:1"})
    there = live(EDITED, HELM | {"operation": "Update"}, image="agent:debug")
    [found] = conflicts([planned], [there])
    [container] = found["definition"]["spec"]["template"]["spec"]["containers"]
    assert container == {"name": "agent", "image": "agent:2"}


def test_what_helm_applied_is_applied_again_with_the_fields_that_others_had() -> None:
    fields = {
        "f:metadata": {"f:annotations": {".": {}, "f:meta.helm.sh/release-name": {}}, "f:labels": {"f:app": {}}},
        "f:spec": {
            "f:template": {
                "f:spec": {
                    "f:containers": {
                        AGENT: {".": {}, "f:name": {}, "f:args": {}, "f:ports": {PORT: {".": {}}}},
                        'k:{"name":"gone"}': {".": {}},
                    },
                    "f:securityContext": {},
                    "f:nodeSelector": {".": {}},
                }
            },
        },
    }
    there = live(HELM | {"fieldsV1": fields}, SCALED, EDITED, replicas=5, image="agent:debug")
    there["metadata"] |= {"annotations": {"meta.helm.sh/release-name": "demo", "note": "theirs"}, "namespace": "agents"}
    pod = there["spec"]["template"]["spec"]
    pod |= {"securityContext": {"runAsNonRoot": True}, "nodeSelector": {"theirs": "1"}, "dnsPolicy": "ClusterFirst"}
    pod["containers"][0] |= {"args": ["serve", "--port=8000"], "imagePullPolicy": "IfNotPresent"}
    before = copy.deepcopy(there)
    [found] = conflicts([PLANNED], [there])
    assert found["server_side"]
    assert found["definition"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "demo",
            "namespace": "agents",
            "annotations": {"meta.helm.sh/release-name": "demo"},
            "labels": {"app": "demo"},
        },
        "spec": {
            "replicas": 3,
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "agent",
                            "image": "agent:2",
                            "args": ["serve", "--port=8000"],
                            "ports": [{"containerPort": 8000, "protocol": "TCP"}],
                        }
                    ],
                    "securityContext": {"runAsNonRoot": True},
                    "nodeSelector": {},
                }
            },
        },
    }
    assert there == before


def test_an_object_that_is_not_planned_is_nobodys_business() -> None:
    assert conflicts([], [live(SCALED, HELM, replicas=5)]) == []


def scaler(name: str, release: str = "", chart: str = "") -> Object:
    metadata: Object = {"name": name, "labels": {"helm.sh/chart": chart} if chart else {}}
    if release:
        metadata["annotations"] = {"meta.helm.sh/release-name": release}
    return {"metadata": metadata, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "demo"}}}


@pytest.mark.parametrize(
    ("found", "theirs"),
    [
        (scaler("keda-hpa-demo"), True),
        (scaler("demo"), True),
        (scaler("demo", release="another"), True),
        (scaler("second", release="demo"), True),
        (scaler("demo", release="demo"), False),
        (scaler("keda-hpa-demo", release="demo", chart="ai-agent-1.0.0"), False),
        (scaler("keda-hpa-demo", release="demo"), True),
        (scaler("keda-hpa-demo", release="another", chart="ai-agent-1.0.0"), True),
    ],
)
def test_whose_autoscaler_it_is(found: Object, theirs: bool) -> None:
    scaled = scaled_by_others([found], "demo")
    assert bool(scaled) is theirs
    # What else was changed goes back all the same.
    taken = conflicts([PLANNED], [live(HELM, AUTOSCALER, EDITED, replicas=7, image="debug:1")], scaled)
    assert (".spec.replicas" in taken[0]["sentence"]) is not theirs
    assert "image" in taken[0]["sentence"]
    assert ("kube-controller-manager" in str(taken[0]["patch"])) is not theirs
