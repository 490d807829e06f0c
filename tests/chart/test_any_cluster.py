"""What clusters and servers want of pods, Services and routes, by values alone; what none takes is one sentence."""

from __future__ import annotations

import typing as t

import kubernetes_validate
import pytest

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, Object, Render, Rendered, RenderError

REQUESTS: Object = {"requests": {"cpu": "1m", "memory": "1Mi"}}
PROXY: Object = {
    "name": "sql-proxy",
    "image": "p:1",
    "restartPolicy": "Always",
    "resources": REQUESTS,
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
POD: Object = {
    "runtimeClassName": "nvidia",
    "schedulerName": "volcano",
    "hostAliases": [{"ip": "192.0.2.7", "hostnames": ["llm.corp.example"]}],
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["192.0.2.53"], "options": [{"name": "ndots", "value": "1"}]},
}
WISHES: Object = {
    "global": {"imagePullSecrets": ["first", {"name": "second"}]},
    "imagePullSecrets": [{"name": "second"}, {"name": "third"}],
    "serviceAccount": {"labels": {"a": "account"}, "imagePullSecrets": [{"name": "second"}]},
    "agent": {
        **POD,
        "nodeSelector": {"pool": "gpu"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "resourceClaims": [{"name": "card", "resourceClaimTemplateName": "one-card"}],
        "resources": {
            "requests": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": 1},
            "limits": {"nvidia.com/gpu": 1},
            "claims": [{"name": "card", "request": "one"}],
        },
        "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "minReadySeconds": 7,
        "annotations": {"reloader.stakater.com/auto": "true"},
        "extraPorts": [
            {"name": "grpc", "containerPort": 9000},
            {"name": "quic", "containerPort": 9000, "protocol": "UDP"},
        ],
        "livenessProbe": {"terminationGracePeriodSeconds": 5, "httpGet": {"port": "grpc"}},
        "lifecycle": {"postStart": {"exec": {"command": ["warm"]}}},
        "tmp": {"medium": "Memory", "sizeLimit": "64Mi"},
        "initContainers": [PROXY, {"name": "first", "image": "p:1", "resources": REQUESTS}],
        "service": {
            "type": "LoadBalancer",
            "labels": {"a": "service"},
            "nodePort": 30080,
            "appProtocol": "http",
            "ipFamilyPolicy": "PreferDualStack",
            "ipFamilies": ["IPv6", "IPv4"],
            "sessionAffinity": "ClientIP",
            "trafficDistribution": "PreferClose",
            "internalTrafficPolicy": "Cluster",
            "externalTrafficPolicy": "Local",
            "loadBalancerClass": "service.k8s.aws/nlb",
            "loadBalancerIP": "192.0.2.9",
            "loadBalancerSourceRanges": ["192.0.2.0/24"],
            "allocateLoadBalancerNodePorts": False,
        },
    },
    "migration": {
        "podAnnotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "batch", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    },
    "ingress": {
        "enabled": True,
        "hosts": ["a.example.org"],
        "labels": {"a": "ingress"},
        "path": "/ui(/|$)(.*)",
        "pathType": "ImplementationSpecific",
    },
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "g", "sectionName": "https"}], "labels": {"a": "route"}},
    "serviceMonitor": {
        "enabled": True,
        "relabelings": [{"targetLabel": "cluster", "replacement": "one"}],
        "metricRelabelings": [{"action": "drop", "sourceLabels": ["__name__"], "regex": "go_.*"}],
    },
    "networkPolicy": {"scrapers": [{"namespaceSelector": {}}]},
}


@pytest.fixture(scope="module")
def wished(render: Render) -> Rendered:
    """The chart with all of these wishes at once."""
    return render(WISHES)


def pods(made: Rendered) -> tuple[Object, Object, Object]:
    """The specs of the agent's pods, the migration's and the test's."""
    by_name = made.ours().pods()
    job = next(item for name, item in by_name.items() if name.startswith("Job/"))
    return by_name[f"Deployment/{RELEASE}"]["spec"], job["spec"], by_name[f"Pod/{RELEASE}-connection-test"]["spec"]


def test_kubernetes_takes_all_of_it(wished: Rendered) -> None:
    for item in wished:
        if item["apiVersion"].split("/")[0] not in {"gateway.networking.k8s.io", "monitoring.coreos.com"}:
            kubernetes_validate.validate(item, "1.34", strict=True)


def test_every_pod_of_the_image_is_as_the_values_say(wished: Rendered) -> None:
    for pod in pods(wished):
        assert {name: pod.get(name) for name in POD} == POD
        assert [item["name"] for item in pod["initContainers"]][:1] == ["sql-proxy"]
        assert {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}} in pod["volumes"]


def test_a_first_container_is_the_agents_alone(wished: Rendered) -> None:
    agent, job, test = pods(wished)
    assert [item["name"] for item in agent["initContainers"]] == ["sql-proxy", "first", "wait-for-schema"]
    assert [item["name"] for item in (*job["initContainers"], *test["initContainers"])] == ["sql-proxy"] * 2


def test_pull_secrets_of_all_charts_reach_every_pod(wished: Rendered) -> None:
    for name, pod in wished.pods().items():
        given = [item["name"] for item in pod["spec"]["imagePullSecrets"]]
        ours = [] if name.startswith("StatefulSet/") else ["third"]
        assert given == ["first", "second", *ours], name


def test_the_migration_has_nodes_of_its_own(wished: Rendered) -> None:
    agent, job, test = pods(wished)
    assert (job["nodeSelector"], job["tolerations"][0]["key"]) == ({"disk": "ssd"}, "batch")
    assert job["affinity"] == WISHES["migration"]["affinity"]
    assert agent["nodeSelector"] == test["nodeSelector"] == {"pool": "gpu"}
    template = next(item for item in wished if item["kind"] == "Job")["spec"]["template"]
    assert template["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


def test_the_deployment(wished: Rendered) -> None:
    made = wished.one("Deployment")
    assert made["metadata"]["annotations"] == {"reloader.stakater.com/auto": "true"}
    assert "reloader.stakater.com/auto" not in made["spec"]["template"]["metadata"]["annotations"]
    assert made["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert made["spec"]["minReadySeconds"] == 7
    assert made["spec"]["template"]["spec"]["resourceClaims"] == WISHES["agent"]["resourceClaims"]
    agent = made["spec"]["template"]["spec"]["containers"][0]
    assert sorted(agent["lifecycle"]) == ["postStart", "preStop"]
    assert agent["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    assert agent["livenessProbe"]["terminationGracePeriodSeconds"] == 5


def test_the_service(wished: Rendered) -> None:
    made = wished.one("Service", RELEASE)
    spec = made["spec"]
    for key in set(WISHES["agent"]["service"]) - {"labels", "nodePort", "appProtocol"}:
        assert spec[key] == WISHES["agent"]["service"][key], key
    assert made["metadata"]["labels"]["a"] == "service"
    assert "a" not in spec["selector"]
    assert [(port["name"], port["port"], port["protocol"]) for port in spec["ports"]] == [
        ("http", 8000, "TCP"),
        ("grpc", 9000, "TCP"),
        ("quic", 9000, "UDP"),
    ]
    assert (spec["ports"][0]["nodePort"], spec["ports"][0]["appProtocol"]) == (30080, "http")


def test_the_policy_opens_the_further_ports(wished: Rendered) -> None:
    ports = wished.one("NetworkPolicy", RELEASE)["spec"]["ingress"][0]["ports"]
    assert [(item["port"], item["protocol"]) for item in ports] == [("http", "TCP"), ("grpc", "TCP"), ("quic", "UDP")]


def test_doors_and_monitors(wished: Rendered) -> None:
    ingress, route = wished.one("Ingress"), wished.one("HTTPRoute")
    assert (ingress["metadata"]["labels"]["a"], route["metadata"]["labels"]["a"]) == ("ingress", "route")
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["pathType"] == "ImplementationSpecific"
    account = wished.one("ServiceAccount", RELEASE)
    assert (account["metadata"]["labels"]["a"], account["imagePullSecrets"]) == ("account", [{"name": "second"}])
    endpoint = wished.one("ServiceMonitor")["spec"]["endpoints"][0]
    assert endpoint["relabelings"] == WISHES["serviceMonitor"]["relabelings"]
    assert endpoint["metricRelabelings"] == WISHES["serviceMonitor"]["metricRelabelings"]


def test_one_pod_at_a_time_and_a_drain_of_its_own(render: Render) -> None:
    drain = {"exec": {"command": ["drain"]}}
    made = render({"agent": {"strategy": {"type": "Recreate"}, "lifecycle": {"preStop": drain}}}).one("Deployment")
    assert made["spec"]["strategy"] == {"type": "Recreate"}
    assert made["spec"]["template"]["spec"]["containers"][0]["lifecycle"] == {"preStop": drain}


def test_a_headless_service(render: Render) -> None:
    assert render({"agent": {"service": {"clusterIP": "None"}}}).one("Service", RELEASE)["spec"]["clusterIP"] == "None"


def test_values_of_a_release_before_these_keys_render_as_before(render: Render) -> None:
    """`helm upgrade --reuse-values` takes the values of then, which have none of these keys."""
    agent: Object = dict.fromkeys((*POD, "resourceClaims", "strategy", "minReadySeconds", "annotations"))
    agent |= {"extraPorts": None, "lifecycle": None, "tmp": None}
    agent["service"] = {key: None for key in WISHES["agent"]["service"] if key != "type"}
    then = {
        "agent": agent,
        "serviceAccount": {"labels": None, "imagePullSecrets": None},
        "migration": {"podAnnotations": None, "nodeSelector": None, "tolerations": None, "affinity": None},
        "ingress": {"labels": None, "pathType": None},
        "httpRoute": {"labels": None},
        "serviceMonitor": {"relabelings": None, "metricRelabelings": None},
    }
    own: Object = {"rotationId": "r", "redis": {"auth": {"password": "c"}}}
    own["postgresql"] = {"auth": {"password": "p", "postgresPassword": "a", "replicationPassword": "r"}}
    assert render(own, then) == render(own)


EMPTY: tuple[str, ...] = (
    "commonAnnotations",
    "commonLabels",
    "existingSecret",
    "existingSecretKeys",
    "extraObjects",
    "fullnameOverride",
    "global",
    "imagePullSecrets",
    "nameOverride",
)
EMPTY_OF_THE_AGENT: tuple[str, ...] = (
    "affinity",
    "args",
    "command",
    "env",
    "extraEnv",
    "extraEnvFrom",
    "extraVolumeMounts",
    "extraVolumes",
    "initContainers",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
    "priorityClassName",
    "sidecars",
    "tolerations",
    "topologySpreadConstraints",
    "workingDir",
)


def test_what_is_empty_anyway_may_be_null(render: Render) -> None:
    """Null takes away what another file of values has set, where nothing is a way to say it."""
    agent: Object = dict.fromkeys(EMPTY_OF_THE_AGENT)
    made = render({**dict.fromkeys(EMPTY), "agent": agent})
    for item in made:
        kubernetes_validate.validate(item, "1.34", strict=True)


SECTIONS: tuple[str, ...] = (
    "backup",
    "connectionTest",
    "externalCache",
    "externalDatabase",
    "externalSecret",
    "httpRoute",
    "ingress",
    "migration",
    "networkPolicy",
    "prometheusRule",
    "replicaPodDisruptionBudget",
    "retention",
    "serviceAccount",
    "serviceMonitor",
)
OF_THE_AGENT: tuple[str, ...] = (
    "auth",
    "autoscaling",
    "drainSeconds",
    "livenessProbe",
    "llm",
    "metrics",
    "podDisruptionBudget",
    "port",
    "rateLimit",
    "readinessProbe",
    "startupProbe",
    "tracing",
    "urls",
)


def test_a_section_that_null_took_away_is_named(render: Render, explained: t.Callable[[Object], list[str]]) -> None:
    with pytest.raises(RenderError) as refused:
        render(dict.fromkeys(SECTIONS), {"agent": dict.fromkeys(OF_THE_AGENT)})
    assert "nil pointer" not in str(refused.value)
    for name in (*SECTIONS, *OF_THE_AGENT):
        assert f"'{name}'" in str(refused.value), name
    sentence = explained({"agent": {"llm": None}})[0]
    assert sentence.startswith("agent.llm is missing: leave it out of your values (null takes")


DEVICES = {"requests": {"cpu": "1m", "memory": "1Mi", "nvidia.com/gpu": 1}}
REFUSED: list[tuple[Object, str]] = [
    (
        {"strategy": {"rollingUpdate": {"maxSurge": 0}}},
        "agent.strategy.rollingUpdate.maxSurge and maxUnavailable are both 0",
    ),
    ({"minReadySeconds": 300}, "agent.minReadySeconds (300) leaves a rollout no time"),
    ({"dnsPolicy": "None"}, "agent.dnsConfig.nameservers is empty"),
    ({"extraPorts": [{"name": "http", "containerPort": 1}]}, "agent.extraPorts has the name http"),
    (
        {"extraPorts": [{"name": "more", "containerPort": 8000}]},
        "agent.service.port and agent.extraPorts more are both 8000",
    ),
    (
        {"service": {"port": 9090}, "metrics": {"port": 9090}},
        "agent.service.port and agent.metrics.port are both 9090",
    ),
    (
        {"readinessProbe": {"httpGet": {"port": "htpp"}}},
        "agent.readinessProbe.httpGet.port is htpp, but the agent's container has no port of that name: choose http",
    ),
    ({"readinessProbe": {"terminationGracePeriodSeconds": 2}}, "a readiness probe ends nothing"),
    ({"resources": REQUESTS | {"claims": [{"name": "card"}]}}, "agent.resourceClaims has no claim of that name"),
    ({"resources": DEVICES}, "agent.resources.requests has 1 of nvidia.com/gpu and limits none"),
    ({"resources": DEVICES | {"limits": {"nvidia.com/gpu": 2}}}, "and limits 2, but a device is given whole"),
    (
        {"sidecars": [{**PROXY, "name": "p", "volumeMounts": [{"name": "nowhere", "mountPath": "/x"}]}]},
        "agent.sidecars: the container p mounts nowhere at /x",
    ),
    ({"service": {"nodePort": 30080}}, "agent.service.nodePort is set, but agent.service.type is ClusterIP"),
    ({"service": {"externalTrafficPolicy": "Local"}}, "agent.service.externalTrafficPolicy is set, but"),
    ({"service": {"loadBalancerClass": "x"}}, "set the type to LoadBalancer, or remove it"),
    ({"service": {"allocateLoadBalancerNodePorts": False}}, "agent.service.allocateLoadBalancerNodePorts is set, but"),
    ({"service": {"clusterIP": "None", "type": "NodePort"}}, "agent.service.clusterIP is None, but agent.service.type"),
    ({"service": {"clusterIP": "None", "port": 80}}, "set agent.service.port to 8000"),
    ({"service": {"ipFamilies": ["IPv4", "IPv6"]}}, "agent.service.ipFamilyPolicy is not PreferDualStack"),
    ({"service": {"labels": {"app": "x"}}}, "agent.service.labels names the label app"),
    ({"env": {"KEY": f"sk-{'a' * 20}"}}, "agent.env.KEY is a secret by its form"),
    ({"extraEnv": [{"name": "KEY", "value": f"hf_{'a' * 30}"}]}, "agent.extraEnv KEY is a secret by its form"),
    ({"podAnnotations": {"key": f"ghp_{'a' * 36}"}}, "agent.podAnnotations.key is a secret by its form"),
]


@pytest.mark.parametrize(("values", "sentence"), REFUSED)
def test_what_no_cluster_takes_is_one_sentence(render: Render, values: Object, sentence: str) -> None:
    with pytest.raises(RenderError) as refused:
        render({"agent": values})
    assert sentence in " ".join(str(refused.value).split())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"migration": {"resources": REQUESTS | {"claims": [{"name": "card"}]}}}, "for the agent's pods alone"),
        ({"fullnameOverride": "my.agent"}, "fullnameOverride my.agent gives a Service the name my.agent"),
    ],
)
def test_the_same_elsewhere(render: Render, values: Object, sentence: str) -> None:
    with pytest.raises(RenderError, match=sentence.replace(".", r"\.")):
        render(values)


@pytest.mark.parametrize("release", ["my.agent", "1agent"])
def test_a_release_whose_services_have_no_name(render: Render, release: str) -> None:
    with pytest.raises(RenderError, match=f"The release name {release} gives a Service the name {release}"):
        render(release=release)


@pytest.mark.parametrize(
    ("live", "wanted", "sentence"),
    [
        ({"clusterIP": "10.0.0.1"}, {"clusterIP": "None"}, "is not headless, which no upgrade can change"),
        ({"clusterIP": "None"}, {}, "is headless, which no upgrade can change: set it back, or delete the Service"),
        ({"type": "LoadBalancer"}, {"type": "LoadBalancer", "loadBalancerClass": "x"}, "loadBalancerClass is"),
        ({"ipFamilies": ["IPv4"]}, {"ipFamilies": ["IPv6"]}, "agent.service.ipFamilies begins with IPv6"),
        ({"clusterIP": "10.0.0.1", "ipFamilies": ["IPv4"]}, {"ipFamilies": ["IPv4"]}, None),
    ],
)
def test_what_no_upgrade_can_change(
    render: Render, cluster: Cluster, live: Object, wanted: Object, sentence: str | None
) -> None:
    cluster.add({"apiVersion": "v1", "kind": "Service", "metadata": {"name": RELEASE}, "spec": live})
    if sentence is None:
        render({"agent": {"service": wanted}}, cluster=cluster)
        return
    with pytest.raises(RenderError) as refused:
        render({"agent": {"service": wanted}}, cluster=cluster)
    assert sentence in " ".join(str(refused.value).split())
