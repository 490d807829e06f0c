"""Jobs of the preflight and of the connectivity test are like the chart's own: held against what the chart renders."""

from __future__ import annotations

import copy
import types
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import cluster as connectivity
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.release import ReleaseObjects
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task, manifest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import render_job
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.collection_plan import decide
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source_cluster import ClusterSource, Options
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, planned

from tests.chart.conftest import RELEASE, Object, Render, Rendered

OUTSIDE: Object = {
    "existingSecret": "agent-urls",
    "postgresql": {"enabled": False, "auth": {"existingSecret": "agent-urls"}},
    "redis": {"enabled": False, "auth": {"existingSecret": "agent-urls"}},
    "networkPolicy": {
        "database": {"to": [{"ipBlock": {"cidr": "192.0.2.10/32"}}]},
        "cache": {"to": [{"ipBlock": {"cidr": "192.0.2.11/32"}}]},
    },
}
# A private authority, a client certificate, variables from elsewhere; an account that pulls; a mesh; the clumsy rest.
ASKED: Object = {
    "serviceAccount": {"create": False, "name": "agent-runner"},
    "commonLabels": {"sidecar.istio.io/inject": "false", "cost-centre": "7"},
    "commonAnnotations": {"policy.example.com/owner": "team"},
    "imagePullSecrets": [{"name": "registry"}],
    "agent": {
        "podLabels": {"sidecar.istio.io/inject": "true"},
        "extraVolumes": [
            {"name": "db-ca", "configMap": {"name": "rds-ca-bundle"}},
            {"name": "client", "secret": {"secretName": "db-client-cert"}},
            {
                "name": "both",
                "projected": {"sources": [{"configMap": {"name": "a"}}, {"secret": {"name": "b"}}]},
            },
            {"name": "scratch", "emptyDir": {}},
        ],
        "extraVolumeMounts": [
            {"name": "db-ca", "mountPath": "/etc/db-ca", "readOnly": True},
            {"name": "client", "mountPath": "/etc/client", "readOnly": True},
            {"name": "both", "mountPath": "/etc/both", "subPath": "x"},
            {"name": "scratch", "mountPath": "/scratch"},
        ],
        "extraEnv": [
            {"name": "PGSSLROOTCERT", "value": "/etc/db-ca/ca.crt"},
            {"name": "PGSSLKEYPASS", "valueFrom": {"secretKeyRef": {"name": "db-client-cert", "key": "pass"}}},
            {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "elsewhere", "key": "k"}}},
            {"name": "SMTP_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "smtp", "key": "pass"}}},
        ],
        "extraEnvFrom": [{"configMapRef": {"name": "db-env"}}, {"secretRef": {"name": "db-secrets"}}],
    },
}
OPTIONS = Options(RELEASE, "test", "heads", 60, 30, {"connect_timeout": 5}, "trusted")
ACCOUNTS = types.SimpleNamespace(
    get=lambda *words: {"imagePullSecrets": [{"name": "of-the-account"}]} if words[2] == "agent-runner" else None
)
RIGHTS = types.SimpleNamespace(may_exec=False, secret_exists=True, elsewhere=lambda _live: None)


def deployed(rendered: Rendered) -> Live:
    """The release as it is once it runs, with a pod into which a mesh has put itself."""
    deployment = copy.deepcopy(rendered.one("Deployment"))
    deployment["status"] = {"availableReplicas": 1}
    deployment["metadata"].setdefault("annotations", {})["deployment.kubernetes.io/revision"] = "1"
    spec = copy.deepcopy(deployment["spec"]["template"]["spec"])
    token = {"name": "kube-api-access-x", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    spec["volumes"].append(token)
    mount = {"name": token["name"], "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
    agent = next(item for item in spec["containers"] if item["name"] == "agent")
    agent["volumeMounts"].append(mount)
    spec["containers"].insert(0, {"name": "istio-proxy", "image": "istio/proxyv2:1", "volumeMounts": [mount]})
    metadata = {
        "name": "p",
        "labels": deployment["spec"]["template"]["metadata"]["labels"] | {"pod-template-hash": "x"},
    }
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    return Live(deployment=deployment, pods=({"metadata": metadata, "spec": spec, "status": status},))


def asking(
    rendered: Rendered, live: Live, monkeypatch: pytest.MonkeyPatch, image: str | None = None
) -> dict[str, Task]:
    """The Jobs of the preflight: that which renders, and that which asks the database."""
    objects: list[Object] = copy.deepcopy(list(rendered))
    if image:
        for item in objects:
            if item["kind"] in {"Deployment", "Job"}:
                for container in item["spec"]["template"]["spec"]["containers"]:
                    container["image"] = image
    wanted = planned(objects, RELEASE)
    source = ClusterSource(t.cast("t.Any", None), wanted, OPTIONS)
    tasks: dict[str, Task] = {"facts": source._task(decide(live, RIGHTS, wanted, "test", "trusted"))}
    monkeypatch.setattr(render_job, "JobRun", lambda _cluster, task: tasks.setdefault("render", task) and Nothing())
    render_job.RenderJob(t.cast("t.Any", ACCOUNTS), wanted, OPTIONS).begin([])
    return tasks


def connecting(live: Live, monkeypatch: pytest.MonkeyPatch) -> dict[str, Task]:
    """The Jobs of the connectivity test."""
    seen = ReleaseObjects(t.cast("Object", live.deployment), live.pods, (), (), (), exec_allowed=False)
    options = connectivity.Options(RELEASE, "test", other_namespace="other")
    work = connectivity.PodRuns(t.cast("t.Any", None), options, seen, t.cast("t.Any", {"servers": {}}))
    tasks: dict[str, Task] = {}
    monkeypatch.setattr(connectivity.PodRuns, "_run", lambda _self, place, task: tasks.setdefault(place, task))
    work.probe()
    for place in work.places():
        work.stranger(place)
    return tasks


class Nothing:
    """A Job that does not run."""

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def pod_of(task: Task) -> tuple[Object, Object, Object]:
    """Pod spec, its container, and the metadata of the Job, which is its pod's."""
    job = manifest(task, "x")
    template = job["spec"]["template"]
    given = {name: job["metadata"].get(name) for name in ("labels", "annotations")}
    assert given == {name: template["metadata"].get(name) for name in given}
    [container] = template["spec"]["containers"]
    names = [item["name"] for item in template["spec"]["volumes"]]
    assert len(names) == len(set(names))
    assert {item["name"] for item in container["volumeMounts"]} == set(names)
    return template["spec"], container, job["metadata"]


def named(items: t.Iterable[Object]) -> dict[str, Object]:
    return {item["name"]: item for item in items}


@pytest.mark.parametrize("first", [True, False], ids=["first install", "upgrade"])
@pytest.mark.parametrize("job", ["facts", "probe"])
def test_what_connects_has_what_the_migration_has(
    render: Render, monkeypatch: pytest.MonkeyPatch, job: str, *, first: bool
) -> None:
    rendered = render(OUTSIDE, ASKED)
    live = Live() if first else deployed(rendered)
    if job == "probe" and first:
        live = deployed(rendered)
    tasks = asking(rendered, live, monkeypatch, None if first else "agent:2") | connecting(
        deployed(rendered), monkeypatch
    )
    spec, container, metadata = pod_of(tasks[job])
    migration = rendered.one("Job")["spec"]["template"]["spec"]
    [migrate] = migration["containers"]
    own = {"migration-scripts", "tmp"}
    volumes = {name: item for name, item in named(migration["volumes"]).items() if name not in own}
    assert {name: item for name, item in named(spec["volumes"]).items() if name in volumes} == volumes
    assert not set(named(spec["volumes"])) - set(volumes) - own
    for mount in migrate["volumeMounts"]:
        assert mount["name"] in own or mount in container["volumeMounts"]
    assert all(source in container["envFrom"] for source in migrate["envFrom"])
    kept = {name: item for name, item in named(migrate["env"]).items() if name not in {"DATABASE_URL", "SMTP_PASSWORD"}}
    # What the ConfigMap of the release says reaches the agent by envFrom.
    config = rendered.one("ConfigMap", f"{RELEASE}-config")["data"]
    theirs = {"SCHEMA_VERSION_TABLE", "SCHEMA_LOCK_TIMEOUT", *config}
    got = named(container["env"])
    assert {name: item for name, item in got.items() if name in kept} | {
        name: item for name, item in kept.items() if name in theirs
    } == kept
    assert "SMTP_PASSWORD" not in got
    assert "secretKeyRef" in got["DATABASE_URL"]["valueFrom"]
    assert spec["serviceAccountName"] == migration["serviceAccountName"] == "agent-runner"
    assert spec["automountServiceAccountToken"] is False
    assert spec["imagePullSecrets"] == migration["imagePullSecrets"]
    assert metadata["labels"].items() >= {"sidecar.istio.io/inject": "false", "cost-centre": "7"}.items()
    assert metadata["annotations"] == {"policy.example.com/owner": "team"}
    assert metadata["labels"][f"{RELEASE}-db-client"] == "true"


def test_what_renders_gets_no_secret(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = render(OUTSIDE, ASKED)
    task = asking(rendered, deployed(rendered), monkeypatch, "agent:2")["render"]
    spec, container, metadata = pod_of(task)
    assert set(named(spec["volumes"])) == {"tmp", "db-ca", "scratch"}
    assert container["envFrom"] == [{"configMapRef": {"name": "db-env"}}]
    for word in ("secretKeyRef", "secretRef", "'secret'", "secretName"):
        assert word not in str(manifest(task, "x"))
    # The account brings what pulls the image, and stays away: clouds give its pods a token.
    assert spec["imagePullSecrets"] == [{"name": "registry"}, {"name": "of-the-account"}]
    assert ("serviceAccountName" in spec, spec["automountServiceAccountToken"]) == (False, False)
    assert metadata["labels"].items() >= {"sidecar.istio.io/inject": "false", "cost-centre": "7"}.items()
    assert f"{RELEASE}-db-client" not in metadata["labels"]


@pytest.mark.parametrize("place", ["stranger", "elsewhere"])
def test_a_stranger_is_labelled_as_all_are_and_gets_nothing(
    render: Render, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    spec, container, metadata = pod_of(connecting(deployed(render(OUTSIDE, ASKED)), monkeypatch)[place])
    assert metadata["labels"].items() >= {"sidecar.istio.io/inject": "false", "cost-centre": "7"}.items()
    assert not set(metadata["labels"]) & {f"{RELEASE}-db-client", "app.kubernetes.io/instance", "app"}
    assert (set(named(spec["volumes"])), container.get("envFrom"), container["env"]) == ({"tmp"}, None, [])
    # A service account is one namespace's.
    assert spec.get("serviceAccountName") == ("agent-runner" if place == "stranger" else None)


def test_what_the_release_itself_will_make_is_not_there_at_a_first_install(
    render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = render({**OUTSIDE, "serviceAccount": {"create": True}})
    for name, task in asking(rendered, Live(), monkeypatch).items():
        spec, container, _metadata = pod_of(task)
        assert "serviceAccountName" not in spec, name
        assert "envFrom" not in container, name
        assert set(named(spec["volumes"])) == {"tmp"}, name
    names = asking(rendered, deployed(rendered), monkeypatch, "agent:2")
    assert pod_of(names["facts"])[0]["serviceAccountName"] == RELEASE
