"""What an upgrade would take away for good."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import losses
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import servers

Object = dict[str, t.Any]
HELMS = {"meta.helm.sh/release-name": "demo", "meta.helm.sh/release-namespace": "here"}
KEPT = {"helm.sh/resource-policy": "keep"}


def thing(kind: str, name: str = "x", **metadata: t.Any) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}


def removed(item: Object, *planned: Object, needed: t.Sequence[tuple[str, str]] = ()) -> list[str]:
    return losses.removed(planned, [item], "demo", "here", needed)


def test_a_claim_goes_with_its_data_whether_or_not_a_pod_names_it() -> None:
    (found,) = removed(thing(losses.CLAIM, annotations=HELMS))
    assert found.startswith("PersistentVolumeClaim x: Helm made it")
    assert "with its data" in found


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", "ServiceAccount"])
def test_what_pods_need_goes_from_under_them(kind: str) -> None:
    item = thing(kind, annotations=HELMS)
    (found,) = removed(item, needed=[(kind, "x")])
    assert "could not start without it" in found
    assert removed(item) == []


@pytest.mark.parametrize(
    "metadata",
    [
        {"annotations": HELMS | KEPT},
        {"annotations": HELMS | {"meta.helm.sh/release-name": "other"}},
        {"annotations": HELMS | {"meta.helm.sh/release-namespace": "there"}},
        {"annotations": HELMS, "deletionTimestamp": "2026-11-29T00:00:00Z"},
        {"annotations": None},
        {},
    ],
)
def test_what_helm_would_leave(metadata: Object) -> None:
    assert removed(thing(losses.CLAIM, **metadata)) == []


def test_what_is_planned_stays() -> None:
    assert removed(thing(losses.CLAIM, annotations=HELMS), thing(losses.CLAIM)) == []


def test_two_objects_of_one_name() -> None:
    first, elsewhere = thing("Service"), thing("Service", namespace="there")
    assert losses.twice([first, thing("Secret"), elsewhere], "here") == []
    (found,) = losses.twice([first, thing("Service", namespace="here")], "here")
    assert found.startswith("Service x stands twice")
    other_group = thing("Service") | {"apiVersion": "serving.knative.dev/v1"}
    assert losses.twice([first, other_group], "here") == []


def pod(name: str, claim: str, phase: str = "Running", **labels: str) -> Object:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
    return thing("Pod", name, labels=labels) | {"spec": {"volumes": [volume]}, "status": {"phase": phase}}


def test_a_claim_in_which_somebody_else_writes() -> None:
    labels = {"app.kubernetes.io/component": "primary", "app.kubernetes.io/instance": "demo"}
    spec = pod("p", "theirs")["spec"] | {"containers": [{"name": "x"}]}
    planned = thing("StatefulSet", "demo-postgresql", labels=labels) | {"spec": {"template": {"spec": spec}}}
    named = losses.named_claims([planned])
    assert named == {"demo-postgresql": "theirs"}

    def found(*pods: Object) -> list[str]:
        return losses.shared_claims(servers([planned]), named, pods, "demo")

    (words,) = found(pod("other-0", "theirs"), pod("third", "its"))
    assert words.startswith("StatefulSet demo-postgresql would use the claim theirs, which pod other-0 has")
    assert found(pod("backup", "theirs", "Succeeded"), pod("third", "its")) == []
    assert found(pod("demo-postgresql-0", "theirs", **labels)) == []
