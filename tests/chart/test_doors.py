"""Ways into the release from outside, its Secret from a store, objects beside it, one registry for all images."""

from __future__ import annotations

import kubernetes_validate
import pytest

from tests.chart.conftest import RELEASE, Object, Render, RenderError, containers
from tests.chart.test_secrets import EXISTING


def test_nothing_of_it_is_there_by_default(render: Render) -> None:
    assert not {"Ingress", "HTTPRoute", "ExternalSecret", "ScaledObject"} & {item["kind"] for item in render("prod")}


def test_ingress(render: Render) -> None:
    tls = [{"secretName": "tls", "hosts": ["agent.example.org"]}]
    values: Object = {"enabled": True, "className": "nginx", "hosts": ["agent.example.org"], "tls": tls}
    made = render({"ingress": values, "agent": {"service": {"port": 80}}})
    spec = made.one("Ingress", RELEASE)["spec"]
    [rule] = spec["rules"]
    [path] = rule["http"]["paths"]
    assert (spec["ingressClassName"], spec["tls"], rule["host"]) == ("nginx", tls, "agent.example.org")
    assert path["backend"] == {"service": {"name": RELEASE, "port": {"name": "http"}}}
    kubernetes_validate.validate(made.one("Ingress"), kubernetes_validate.latest_version(), strict=True)


def test_route_of_the_gateway_api(render: Render) -> None:
    values: Object = {"enabled": True, "parentRefs": [{"name": "public", "namespace": "gateways"}]}
    made = render({"httpRoute": values | {"timeouts": {"request": "300s"}}, "agent": {"service": {"port": 80}}})
    spec = made.one("HTTPRoute", RELEASE)["spec"]
    [rule] = spec["rules"]
    assert spec["parentRefs"] == values["parentRefs"]
    assert rule["backendRefs"] == [{"name": RELEASE, "port": 80}]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert rule["timeouts"] == {"request": "300s"}


def test_external_secret_makes_the_one_that_is_read(render: Render) -> None:
    data = [{"secretKey": "password", "remoteRef": {"key": "agent", "property": "password"}}]
    values: Object = {"enabled": True, "storeRef": {"name": "vault", "kind": "ClusterSecretStore"}, "data": data}
    made = render(EXISTING, {"externalSecret": values | {"templateData": {"redis-url": "redis://:{{ .cache }}@kv"}}})
    spec = made.one("ExternalSecret")["spec"]
    assert made.names("Secret") == []
    assert spec["target"]["name"] == "kept"
    assert (spec["data"], spec["secretStoreRef"]) == (data, values["storeRef"])
    # What its own operator fills in stays as it is.
    assert spec["target"]["template"]["data"] == {"redis-url": "redis://:{{ .cache }}@kv"}
    assert spec["target"]["deletionPolicy"] == "Retain"


def test_objects_beside_it_may_be_templates(render: Render) -> None:
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-map"}}
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-text\n"
    made = render({"extraObjects": [whole, text]})
    assert {f"{RELEASE}-map", f"{RELEASE}-text"} <= set(made.names("ConfigMap"))


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("my-company/ai-agent", "registry.local:5000/mirror/my-company/ai-agent"),
        ("ghcr.io/team/agent", "registry.local:5000/mirror/team/agent"),
        ("localhost/agent", "registry.local:5000/mirror/agent"),
        ("127.0.0.1:5000/agent", "registry.local:5000/mirror/agent"),
    ],
)
def test_one_registry_for_all_images(render: Render, name: str, image: str) -> None:
    values: Object = {"global": {"imageRegistry": "registry.local:5000/mirror"}}
    tools = {"migration": {"gate": {"image": "docker.io/library/python:3"}}}
    made = render(values, tools, {"agent": {"image": {"repository": name, "tag": "2"}}})
    used = {container["image"] for pod in made.pods().values() for container in containers(pod)}
    assert {item for item in used if not item.startswith("registry.local:5000/mirror/")} == set()
    assert {f"{image}:2", "registry.local:5000/mirror/library/python:3"} <= used


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap"}, r"extraObjects\[0\], of kind ConfigMap, has no name"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, "has no name once it is rendered"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Values.nothing }}'}", "has no name"),
        ({"kind": "ConfigMap", "metadata": {"name": "x"}}, "is no object of Kubernetes"),
        ("just words", "is no object of Kubernetes"),
        ("- a\n- b", "is no object of Kubernetes"),
    ],
)
def test_what_is_no_object_is_refused(render: Render, given: object, said: str) -> None:
    with pytest.raises(RenderError, match=said):
        render({"extraObjects": [given]})
