"""What is asked of the API and what is sent into pods, with a cluster made of dictionaries."""

from __future__ import annotations

import base64
import dataclasses
import json
import typing as t
import zlib

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import cluster as cluster_module
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.cluster import Options, collect
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import Thresholds, judge
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.negatives import negatives
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.release import look, release_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import Framer
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Forbidden, Refused
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task, manifest

from tests.unit.plugins.module_utils._connectivity.test_release import policies, records

Object = dict[str, t.Any]
OURS = {"app.kubernetes.io/instance": "r"}
AGENT = OURS | {"app.kubernetes.io/component": "agent"}
SECRET = {"secretKeyRef": {"name": "r-secret", "key": "database-url"}}


def pod(name: str, *, ready: bool = True, running: bool = True, **meta: t.Any) -> Object:
    state = {"running": {}} if running else {"waiting": {"reason": "CrashLoopBackOff"}}
    conditions = [{"type": "Ready", "status": "True" if ready else "False", "message": "containers not ready"}]
    return {
        "metadata": {"name": name, "labels": AGENT | {"r-db-client": "true"}, **meta},
        "spec": {"nodeName": f"node-{name}"},
        "status": {"conditions": conditions, "containerStatuses": [{"name": "agent", "state": state}]},
    }


def service(name: str, component: str, port: str, number: int, cluster_ip: str = "10.0.0.1") -> Object:
    labels = OURS | {"app.kubernetes.io/component": component}
    spec = {"clusterIP": cluster_ip, "selector": labels, "ports": [{"name": port, "port": number}]}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def slice_of(made: Object, *pods: str, ready: bool = True) -> Object:
    labels = made["metadata"]["labels"] | {"kubernetes.io/service-name": made["metadata"]["name"]}
    found = [{"conditions": {"ready": ready}, "targetRef": {"name": name}} for name in pods]
    return {"metadata": {"labels": labels}, "endpoints": found}


def deployment() -> Object:
    env = [{"name": "DATABASE_URL", "valueFrom": SECRET}, {"name": "REDIS_URL", "valueFrom": SECRET}]
    env.append({"name": "LLM_API_KEY", "valueFrom": SECRET})
    agent: Object = {"name": "agent", "image": "agent:1", "env": env}
    agent["ports"] = [{"name": "http", "containerPort": 8000}]
    agent["livenessProbe"] = {"httpGet": {"path": "/health", "port": "http"}}
    agent["readinessProbe"] = {"httpGet": {"path": "/ready", "port": "http"}}
    gate = {"name": "wait-for-schema", "env": [{"name": "SCHEMA_VERSION_TABLE", "value": "alembic_version"}]}
    spec = {"containers": [agent], "initContainers": [gate], "imagePullSecrets": [{"name": "pull"}]}
    return {"metadata": {"name": "r", "labels": AGENT}, "spec": {"replicas": 2, "template": {"spec": spec}}}


class FakeCluster:
    """Objects by plural; a plural in `closed` may not be listed."""

    def __init__(self, **objects: list[Object]) -> None:
        postgresql = service("r-postgresql", "primary", "tcp-postgresql", 5432)
        headless = service("r-postgresql-hl", "primary", "tcp-postgresql", 5432, "None")
        redis, own = service("r-redis-master", "master", "tcp-redis", 6379), service("r", "agent", "http", 8000)
        self.objects: dict[str, list[Object]] = {
            "deployments": [deployment()],
            "pods": [pod("a"), pod("b")],
            "services": [postgresql, headless, redis, own],
            "endpointslices": [slice_of(own, "a", "b"), slice_of(postgresql, "p-0"), slice_of(redis, "m-0")],
            "networkpolicies": policies(),
            **objects,
        }
        self.closed: set[str] = set()
        self.exec_allowed = True
        self.api = type("Api", (), {"default_headers": {}})

    def list(self, _version: str, plural: str, namespace: str | None = None, **_chosen: str) -> list[Object]:
        if plural in self.closed:
            raise Forbidden("list", plural, namespace)
        return self.objects[plural]

    def get(self, *_: t.Any, **__: t.Any) -> Object:
        return {"metadata": {"name": "other", "labels": {"team": "x"}}}

    def may(self, _verb: str, _resource: str, _namespace: str | None) -> bool:
        return self.exec_allowed


def unpacked(bundle: str) -> Object:
    """The request in what a pod is sent."""
    whole = json.loads(zlib.decompress(base64.b64decode(bundle)))
    return t.cast("Object", whole["request"])


class Sent:
    """What went into pods, and what they answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: dict[str, Object] = {}
        self.tasks: list[Task] = []
        self.broken: dict[str, FindingError] = {}
        self.full: set[str] = set()
        monkeypatch.setattr(cluster_module, "ExecSession", self._session)
        monkeypatch.setattr(cluster_module, "JobRun", self._job)
        monkeypatch.setattr(cluster_module, "SETTLE_SECONDS", 0)

    def _answers(self, request: Object, host: str) -> list[str]:
        if host in self.full:
            assert request["guest"] is True
            return [json.dumps({"record": "refused", "text": "has 20 MiB left of its memory limit"})]
        well = records("postgresql-well", "redis-well") if request.get("dependencies") else []
        told = [{"record": "http", "name": item["name"], "path": item["path"], "ms": 1, "status": 200}
                for item in request.get("http", [])]  # fmt: skip
        told += [
            {"record": "reach", "name": item["name"], "got": "timeout", "ms": 1} for item in request.get("reach", [])
        ]
        end = {"record": "end", "host": host, "ms": 1, "peak_kib": 1}
        return [json.dumps(record) for record in [*well, *told, end]]

    def _session(self, _cluster: Cluster, _namespace: str, name: str, container: str, command: list[str]) -> t.Any:
        assert (container, command[:2]) == ("agent", ["python", "-c"])
        return Session(self, name)

    def _job(self, _cluster: Cluster, task: Task) -> t.Any:
        self.tasks.append(task)
        if error := self.broken.get(task.purpose):
            raise error
        request = unpacked(task.command[-1])
        self.requests[task.purpose] = request
        return Run(self._answers(request, f"r-{task.purpose}-x"))

    def lines(self, name: str, sent: list[str]) -> list[str]:
        if error := self.broken.get(name):
            raise error
        self.requests[name] = unpacked(sent[0])
        return self._answers(self.requests[name], name)


class Session:
    def __init__(self, sent: Sent, name: str) -> None:
        self.sent, self.name = sent, name
        self.lines: list[str] = []
        self.answers: t.Iterator[str] | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, line: str) -> None:
        assert line.isascii()
        assert "\n" not in line
        self.lines.append(line)

    def receive(self, _seconds: float) -> str | None:
        self.answers = self.answers or iter(self.sent.lines(self.name, self.lines))
        return next(self.answers, None)


class Run:
    def __init__(self, answers: list[str]) -> None:
        self.answers = answers

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def lines(self) -> t.Iterator[str]:
        framer = Framer()
        framed = [line for answer in self.answers for line in framer.lines(json.loads(answer))]
        return iter(["a line that foreign code printed", *framed])

    def findings(self) -> list[Finding]:
        return []

    def ended(self) -> None:
        return None


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    return Sent(monkeypatch)


def asked(cluster: FakeCluster, **options: t.Any) -> tuple[t.Any, list[str]]:
    """The facts, and the ids of all findings over them."""
    given = {"release": "r", "namespace": "n", **options}
    facts, found = collect(t.cast("Cluster", cluster), Options(**given))
    ids = [item.id for item in (*judge(facts, Thresholds()), *negatives(facts)[1], *found)]
    return facts, ids


def test_each_agent_and_a_stranger_are_asked(sent: Sent) -> None:
    facts, ids = asked(FakeCluster())
    assert ids == []
    assert [(item["from"], item["pod"]) for item in facts["observations"]] == [
        ("agent", "a"),
        ("agent", "b"),
        ("stranger", "r-stranger-x"),
    ]
    request = sent.requests["a"]
    assert [item["name"] for item in request["dependencies"]] == ["postgresql", "redis"]
    assert request["dependencies"][0]["env"] == "DATABASE_URL"
    assert request["dependencies"][0]["version_table"] == "alembic_version"
    assert "url" not in json.dumps(request["dependencies"])
    assert [item["path"] for item in request["http"]] == ["/health", "/ready"]
    assert sent.requests["stranger"]["reach"] == [
        {"name": "postgresql", "host": "r-postgresql.n.svc", "port": 5432},
        {"name": "redis", "host": "r-redis-master.n.svc", "port": 6379},
        {"name": "metadata", "host": "169.254.169.254", "port": 80},
    ]
    assert {item["host"] for item in sent.requests["stranger"]["http"]} == {"r.n.svc"}


def test_the_model_is_asked_where_the_agent_finds_it(sent: Sent) -> None:
    asked(
        FakeCluster(), model={"key_variable": "OPENAI_API_KEY", "ca_file": "/ca.pem", "ask": True}, outside="[::1]:443"
    )
    request = sent.requests["a"]
    assert request["dependencies"][-1] == {
        "name": "model",
        "kind": "model",
        "optional": True,
        "env": "LLM_BASE_URL",
        "key_env": "OPENAI_API_KEY",
        "model_env": "LLM_MODEL",
        "ca_file": "/ca.pem",
    }
    assert request["reach"][1:] == [
        {"name": "metadata", "host": "169.254.169.254", "port": 80},
        {"name": "outside", "host": "::1", "port": 443},
    ]
    assert sent.requests["stranger"]["reach"][2:] == request["reach"][1:]
    assert "dependencies" not in sent.requests["stranger"]


def test_without_exec_the_probe_has_the_models_key_and_no_other_secret(sent: Sent) -> None:
    cluster = FakeCluster()
    cluster.exec_allowed = False
    asked(cluster, model={})
    task = next(task for task in sent.tasks if task.purpose == "probe")
    assert "LLM_API_KEY" in json.dumps(manifest(task, "x"))
    asked(cluster)
    assert "LLM_API_KEY" not in json.dumps(manifest(sent.tasks[-1], "x"))


def test_another_image_is_asked_where_it_answers_and_for_what_it_has(sent: Sent) -> None:
    """It has no cache, its own names of variables, one path for both probes, and a Service on another port."""
    made = deployment()
    agent = made["spec"]["template"]["spec"]["containers"][0]
    agent["env"] = [{"name": "PG_URI", "valueFrom": SECRET}, {"name": "AI_AGENT_DATABASE_URL", "valueFrom": SECRET}]
    agent["ports"] = [{"name": "http", "containerPort": 5000}]
    agent["livenessProbe"] = agent["readinessProbe"] = {"httpGet": {"path": "/status", "port": "http"}}
    own = service("r", "agent", "http", 80)
    own["spec"]["ports"][0]["targetPort"] = "http"
    postgresql = service("r-postgresql", "primary", "tcp-postgresql", 5432)
    slices = [slice_of(own, "a", "b"), slice_of(postgresql, "p-0")]
    asked(FakeCluster(deployments=[made], services=[postgresql, own], endpointslices=slices))
    request = sent.requests["a"]
    assert [(item["name"], item["env"]) for item in request["dependencies"]] == [
        ("postgresql", "AI_AGENT_DATABASE_URL")
    ]
    assert request["http"] == [{"name": "itself", "host": "127.0.0.1", "port": 5000, "path": "/status"}]
    assert [(item["port"], item["path"]) for item in sent.requests["stranger"]["http"]] == [(80, "/status")]


def test_a_stranger_has_neither_label_nor_credentials(sent: Sent) -> None:
    asked(FakeCluster())
    [task] = sent.tasks
    job = manifest(task, "x")
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert not set(labels) & {"r-db-client", "app.kubernetes.io/instance"}
    assert "secretKeyRef" not in json.dumps(job)
    assert "LLM_API_KEY" not in json.dumps(job)


def test_without_exec_a_probe_with_the_client_label_asks(sent: Sent) -> None:
    cluster = FakeCluster()
    cluster.exec_allowed = False
    facts, ids = asked(cluster)
    assert ids == ["exec-forbidden"]
    assert sorted(item["from"] for item in facts["observations"]) == ["probe", "stranger"]
    task = next(task for task in sent.tasks if task.purpose == "probe")
    job = manifest(task, "x")
    template = job["spec"]["template"]
    assert template["metadata"]["labels"]["r-db-client"] == "true"
    # What the Service selects by is the component, and that is not the agent's.
    assert template["metadata"]["labels"]["app.kubernetes.io/component"] == "probe"
    assert [item["name"] for item in template["spec"]["containers"][0]["env"]] == ["DATABASE_URL", "REDIS_URL"]
    assert all(item["valueFrom"] == SECRET for item in template["spec"]["containers"][0]["env"])
    assert template["spec"]["imagePullSecrets"] == [{"name": "pull"}]
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert job["spec"]["activeDeadlineSeconds"] > 0


def test_agents_only_needs_the_right(sent: Sent) -> None:
    cluster = FakeCluster()
    cluster.exec_allowed = False
    with pytest.raises(Forbidden, match="pods/exec"):
        asked(cluster, pods="agent")
    with pytest.raises(FindingError) as caught:
        asked(FakeCluster(pods=[]), pods="agent")
    assert caught.value.id == "agent-absent"


def test_none_runs_and_none_may_be_started_to_ask_instead(sent: Sent) -> None:
    refused = Refused("cluster-refused", "The cluster refuses: the verifier may start strangers only.", 422, "")
    for pods, running, wanted in (("auto", [], "agent-absent"), ("probe", [pod("a")], "cluster-refused")):
        sent.broken["probe"] = refused
        with pytest.raises(FindingError, match="strangers only") as caught:
            asked(FakeCluster(pods=running), pods=pods)
        assert caught.value.id == wanted


def test_a_probe_on_request(sent: Sent) -> None:
    facts, ids = asked(FakeCluster(), pods="probe", negative=False)
    assert ids == []
    assert [item["from"] for item in facts["observations"]] == ["probe"]


def test_ready_pods_first_then_those_that_run(sent: Sent) -> None:
    there = [pod("a", ready=False), pod("b"), pod("c", ready=False, running=False), pod("d", deletionTimestamp="now")]
    facts, ids = asked(FakeCluster(pods=there), max_pods=2)
    assert [item["pod"] for item in facts["observations"] if item["from"] == "agent"] == ["b", "a"]
    # a and c are not ready, and the Service still leads to a.
    assert sorted(ids) == ["agent-not-ready", "agent-not-ready", "service-endpoints-differ"]
    reasons = {item["name"]: item["reason"] for item in facts["release"]["pods"]}
    assert reasons == {"a": "containers not ready", "b": None, "c": "CrashLoopBackOff"}


def test_an_agent_that_breaks_is_no_pass(sent: Sent) -> None:
    sent.broken["b"] = FindingError("cluster-unreachable", "The session in pod n/b broke; run it again.")
    facts, ids = asked(FakeCluster())
    assert ids == ["collector-broken"]
    assert facts["observations"][1]["problem"] == "The session in pod n/b broke; run it again."


def test_a_stranger_that_cannot_start_is_no_pass(sent: Sent) -> None:
    sent.broken["stranger"] = FindingError("quota-exceeded", "A quota stands in the way.")
    _facts, ids = asked(FakeCluster())
    assert ids == ["negative-not-tested"]


def test_a_probe_that_cannot_start_is_no_verdict(sent: Sent) -> None:
    sent.broken["probe"] = FindingError("image-pull", "The image cannot be pulled.")
    with pytest.raises(FindingError, match="cannot be pulled"):
        asked(FakeCluster(), pods="probe")


def test_another_namespace(sent: Sent) -> None:
    facts, ids = asked(FakeCluster(), other_namespace="other")
    assert ids == []
    assert sorted(task.namespace for task in sent.tasks) == ["n", "other"]
    assert facts["release"]["other_namespace"] == {
        "name": "other",
        "labels": {"kubernetes.io/metadata.name": "other", "team": "x"},
    }
    assert "elsewhere" in {entry["from"] for entry in negatives(facts)[0]}


def test_read_replicas_are_asked_through_their_service(sent: Sent) -> None:
    cluster = FakeCluster()
    read = service("r-postgresql-read", "read", "tcp-postgresql", 5432)
    cluster.objects["services"].append(read)
    cluster.objects["endpointslices"].append(slice_of(read, "q-0"))
    asked(cluster)
    names = [item["name"] for item in sent.requests["a"]["dependencies"]]
    assert names == ["postgresql", "postgresql-replica", "redis"]
    assert sent.requests["a"]["dependencies"][1]["host"] == "r-postgresql-read"


@pytest.mark.parametrize("plural", ["services", "endpointslices", "networkpolicies"])
def test_what_may_not_be_listed_is_said(sent: Sent, plural: str) -> None:
    cluster = FakeCluster()
    cluster.closed.add(plural)
    _facts, ids = asked(cluster)
    assert ids == ["rights-incomplete"]


def test_without_a_release_nothing_is_said() -> None:
    with pytest.raises(FindingError) as caught:
        look(t.cast("Cluster", FakeCluster(deployments=[])), "r", "n")
    assert caught.value.id == "release-missing"


def test_a_service_without_ready_endpoints_is_seen() -> None:
    cluster = FakeCluster()
    redis = cluster.objects["services"][2]
    cluster.objects["endpointslices"][2] = slice_of(redis, "m-0", ready=False)
    facts = release_facts(look(t.cast("Cluster", cluster), "r", "n"), "r", "n")
    assert {name: item["ready"] for name, item in facts["servers"].items()} == {"postgresql": 1, "redis": 0}
    assert facts["endpoints"] == {"ready": ["a", "b"], "unready": []}


def test_the_modules_limits_are_the_judges() -> None:
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import module

    assert dataclasses.asdict(Thresholds()) == module._LIMITS
    options = module.ARGUMENTS["thresholds"]["options"]
    assert {name: option["default"] for name, option in options.items()} == module._LIMITS


def test_an_agent_without_memory_to_spare_is_spared(sent: Sent) -> None:
    sent.full = {"a"}
    facts, ids = asked(FakeCluster(), negative=False)
    assert ids == ["agent-memory-short"]
    assert [(item["from"], item["pod"]) for item in facts["observations"]] == [("agent", "b")]
    sent.full = {"a", "b"}
    facts, ids = asked(FakeCluster(), negative=False)
    assert ids == ["agent-memory-short"]
    assert [(item["from"], item["pod"]) for item in facts["observations"]] == [("probe", "r-probe-x")]
    assert not sent.requests["probe"].get("guest")
    _facts, found = collect(t.cast("Cluster", FakeCluster()), Options("r", "n", negative=False))
    assert found[0].pods == ("a", "b")
    assert found[0].message == (
        "a has 20 MiB left of its memory limit, and 1 more; a pod of the same image and labels asked."
    )
