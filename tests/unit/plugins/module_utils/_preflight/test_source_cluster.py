"""The cluster transport from end to end, on a cluster of dictionaries that really runs the new image's program."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import job as job_module
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import bundle
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import collector
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import run as preflight
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source_cluster import ClusterSource, Options
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.table import summary
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import planned

from tests.unit.plugins.module_utils._in_pod.project import Project
from tests.unit.plugins.module_utils._kube.fake_cluster import FakeCluster, Object
from tests.unit.plugins.module_utils._release.manifests import labels, living, release

NAMESPACE: Object = {"kind": "Namespace", "metadata": {"name": "demo"}}
CLASS: Object = {
    "kind": "StorageClasse",
    "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
}
NO_EXEC = [("get", "pods/exec"), ("create", "pods/exec")]


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no pod whose network would have to begin; _in_pod/test_collect.py is about that."""
    monkeypatch.setattr(collector, "NETWORK_SECONDS", 0.0)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "app").add("0001", None, "CREATE TABLE t (id int)")
    return made.add("0002", "0001", "ALTER TABLE t ADD a int")


@pytest.fixture
def cluster(project: Project) -> FakeCluster:
    return FakeCluster(project.folder, [NAMESPACE, CLASS])


def run(cluster: FakeCluster, objects: list[Object], **more: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any], str]:
    limits = {"connect_timeout": 1, "lock_timeout_ms": 500, "statement_timeout_ms": 1000}
    options = Options(
        "demo", "demo", "heads", more.get("job_timeout", 5), 30, limits, more.get("new_image", "untrusted"),
        environment=more.get("environment", {}),
    )  # fmt: skip
    source = ClusterSource(cluster, planned(objects, "demo"), options)  # type: ignore[arg-type]
    with source:
        full, findings, sql = preflight.run(preflight.Request(migrator_sets_lock_timeout=True), source)
    return full, {item.id: item for item in findings}, sql


def refused(cluster: FakeCluster, objects: list[Object], **more: t.Any) -> FindingError:
    with pytest.raises(FindingError) as caught:
        run(cluster, objects, **more)
    assert "\n" not in caught.value.message
    return caught.value


def deployed(cluster: FakeCluster, objects: list[Object], *, ready: bool = True, database: bool = True) -> None:
    """Objects as they are once they run, with one pod of the agent.

    :param database: PostgreSQL runs
    """
    server = living(objects, "StatefulSet", readyReplicas=int(database))
    server["metadata"]["labels"]["app.kubernetes.io/instance"] = "demo"
    cluster.kept["statefulsets", "demo-postgresql"] = server
    deployment = living(objects, "Deployment", availableReplicas=2 if ready else 0)
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    cluster.kept["deployments", "demo"] = deployment
    cluster.kept["pods", "demo-1"] = {
        "metadata": {"name": "demo-1", "labels": labels("agent")},
        "spec": deployment["spec"]["template"]["spec"],
        "status": {"conditions": conditions},
    }


def test_a_first_install_is_rendered_and_asks_nobody(cluster: FakeCluster) -> None:
    full, found, sql = run(cluster, release())
    assert (full["state"], full["live_revisions"], full["target_revisions"]) == ("absent", [], ["0002"])
    assert [item["revision"] for item in full["pending"]] == ["0001", "0002"]
    assert "CREATE TABLE t (id int)" in sql
    assert (full["server"], full["subject"], full["verdict"]) == ({}, "demo/demo", "safe")
    assert full["pending_unknown"] is None
    assert not {item.id for item in found.values() if item.severity == "fail"}
    assert len(cluster.of("jobs")) == 1


@pytest.mark.parametrize("cut", [0, 1, 3])
def test_a_stream_of_the_log_that_breaks_off_is_read_again(cluster: FakeCluster, cut: int) -> None:
    cluster.cut = cut
    assert [item["revision"] for item in run(cluster, release())[0]["pending"]] == ["0001", "0002"]


def test_the_pod_that_renders_is_closed_before_it_starts_and_has_no_credentials(cluster: FakeCluster) -> None:
    objects = release()
    migrate = next(item for item in objects if item["kind"] == "Job")["spec"]["template"]["spec"]
    migrate |= {
        "imagePullSecrets": [{"name": "pull"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"operator": "Exists"}],
        "priorityClassName": "low",
        "serviceAccountName": "demo",
        "securityContext": {"runAsUser": 1000, "runAsNonRoot": False},
        "volumes": [{"name": "ca", "secret": {"secretName": "ca"}}],
    }
    migrate["containers"][0]["envFrom"] = [{"secretRef": {"name": "more"}}]
    run(cluster, objects)
    order = [(verb, plural) for verb, plural, _name in cluster.history if verb not in {"get", "list"}]
    assert order == [("create", "jobs"), ("create", "networkpolicies"), ("patch", "pods"), ("delete", "jobs")]
    [job], [policy] = cluster.of("jobs"), cluster.of("networkpolicies")
    spec = job["spec"]["template"]["spec"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & policy["spec"].keys()
    chosen = policy["spec"]["podSelector"]["matchLabels"]
    assert chosen.items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert policy["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
    assert job["spec"]["ttlSecondsAfterFinished"] <= 120
    assert job["spec"]["activeDeadlineSeconds"] == 5 + 30 + 5
    assert job["spec"]["backoffLimit"] == 0
    text = str(job)
    for word in (
        "secretKeyRef",
        "secretRef",
        "envFrom",
        "serviceAccountName",
        "db-client",
        "app.kubernetes.io/instance",
    ):
        assert word not in text, word
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert {spec["priorityClassName"], spec["imagePullSecrets"][0]["name"], spec["nodeSelector"]["disk"]} == {
        "low",
        "pull",
        "ssd",
    }
    assert [volume["name"] for volume in spec["volumes"]] == ["tmp"]
    [container] = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"]["memory"] == "1Gi"
    assert {item["name"]: item["value"] for item in container["env"]}["DATABASE_URL"].endswith(
        "@preflight.invalid/preflight"
    )
    assert not any(key[0] in {"jobs", "pods"} for key in cluster.kept), "nothing stays"


def test_settings_from_secrets_have_a_placeholder_and_what_is_left_out_is_named(
    cluster: FakeCluster, project: Project
) -> None:
    objects = release()
    migrate = next(item for item in objects if item["kind"] == "Job")["spec"]["template"]["spec"]["containers"][0]
    key = {"secretKeyRef": {"name": "app", "key": "key"}}
    migrate["env"] = [*migrate["env"], {"name": "SECRET_KEY", "valueFrom": key}]
    env = project.folder / "migrations" / "env.py"
    env.write_text("import os\nassert os.environ['SECRET_KEY']\n" + env.read_text())
    assert run(cluster, objects)[0]["pending"]
    env.write_text("import os\nos.environ['API_KEY']\n" + env.read_text())
    migrate["envFrom"] = [{"secretRef": {"name": "more"}}]
    error = refused(cluster, objects)
    assert error.id == "alembic-env-failed"
    assert "SECRET_KEY had a placeholder" in error.message
    assert "envFrom" in error.message
    # What the caller gives is there, and the URL stays a placeholder whatever it gives.
    given = {"API_KEY": "x", "SECRET_KEY": "own", "DATABASE_URL": "postgresql://u:p@elsewhere/d"}
    mine = "assert os.environ['SECRET_KEY'] == 'own' and 'elsewhere' not in os.environ['DATABASE_URL']\n"
    env.write_text("import os\n" + mine + env.read_text())
    assert run(cluster, objects, environment=given)[0]["pending"]


@pytest.mark.parametrize("denied", [NO_EXEC, []], ids=["without exec", "with exec"])
def test_an_unchanged_release_starts_no_pod(cluster: FakeCluster, denied: list[tuple[str, str]]) -> None:
    """With exec the fake would fail: it has no session to give."""
    deployed(cluster, release())
    cluster.denied.update(denied)
    full, found, sql = run(cluster, release())
    assert (full["state"], full["pending"], sql) == ("current", [], "")
    assert full["pending_unknown"] is None
    assert "1 pods of agent:1 are ready" in found["schema-deduced"].message
    assert cluster.of("jobs") == []


@pytest.mark.parametrize("ready", [True, False])
def test_a_job_of_the_deployed_image_asks_where_no_pod_can(cluster: FakeCluster, *, ready: bool) -> None:
    deployed(cluster, release("agent:1"), ready=ready)
    cluster.denied.update(NO_EXEC)
    cluster.env = {"DATABASE_URL": "postgresql://u:canary@127.0.0.1:1/db"}
    error = refused(cluster, release("agent:2"))
    assert error.id == "database-unreachable"
    assert "canary" not in error.message
    [job] = asked(cluster)
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "agent:1"
    urls = [item for item in container["env"] if item["name"] == "DATABASE_URL"]
    assert urls == [
        {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "demo-secret", "key": "database-url"}}}
    ]
    marks = job["spec"]["template"]["metadata"]["labels"]
    assert (marks["demo-db-client"], marks["app.kubernetes.io/instance"]) == ("true", "demo")
    assert marks["app.kubernetes.io/component"] not in {"agent", "migration", "primary"}
    assert not any(key[0] == "jobs" for key in cluster.kept)


def test_a_release_of_which_nothing_runs_may_be_repaired(cluster: FakeCluster) -> None:
    deployed(cluster, release("agent:1"), ready=False, database=False)
    cluster.env = {"DATABASE_URL": "postgresql://u:canary@127.0.0.1:1/db"}
    full, found, _sql = run(cluster, release("agent:2"))
    assert (full["state"], full["verdict"]) == ("unknown", "unknown")
    assert found["database-unreachable"].severity == "unknown"
    assert "canary" not in str(full)
    images = [job["spec"]["template"]["spec"]["containers"][0]["image"] for job in cluster.of("jobs")]
    assert images == ["agent:1", "agent:2"], "the new image was tried all the same"
    # Rendering needs no database: all that the image has is judged, and how much of it is pending is not claimed.
    assert [item["revision"] for item in full["pending"]] == ["0001", "0002"]
    assert full["target_revisions"] == ["0002"]
    assert full["pending_unknown"] == "database-unreachable"
    assert summary(full)[0] == (
        "UNKNOWN  demo/demo: database not asked, pending at most all 2 revisions of the image (database-unreachable)"
    )


def test_a_revision_that_may_be_applied_already_stops_no_repair(cluster: FakeCluster, project: Project) -> None:
    """A statement that would surely fail, in a revision that may have been applied otherwise long ago."""
    project.add("0003", "0002", "CREATE INDEX CONCURRENTLY i ON t (a)")
    deployed(cluster, release("agent:1"), ready=False, database=False)
    cluster.env = {"DATABASE_URL": "postgresql://u@127.0.0.1:1/db"}
    full, found, _sql = run(cluster, release("agent:2"))
    assert (full["verdict"], found["concurrently-in-transaction"].severity) == ("unknown", "unknown")


@pytest.mark.parametrize("there", [True, False])
def test_an_image_that_never_started_is_not_asked(cluster: FakeCluster, *, there: bool) -> None:
    deployed(cluster, release("agent:broken"), ready=False)
    cluster.env = {"DATABASE_URL": "postgresql://u@host.invalid/db"}
    cluster.broken = {"agent:broken"}
    if there:
        cluster.kept["secrets", "demo-secret"] = {"metadata": {"name": "demo-secret"}}
    error = refused(cluster, release("agent:2"), new_image="trusted")
    assert error.id == ("database-host-unknown" if there else "image-pull")


def test_a_new_image_that_is_not_trusted_gets_no_database(cluster: FakeCluster) -> None:
    """Neither in place of one that never started, nor at a first install on a database that is there."""
    cluster.kept["secrets", "demo-secret"] = {"metadata": {"name": "demo-secret"}}
    cluster.env = {"DATABASE_URL": "postgresql://u@host.invalid/db"}
    full, found, sql = run(cluster, external())
    assert (full["verdict"], full["pending_unknown"]) == ("unknown", "database-unasked")
    assert "CREATE TABLE t (id int)" in sql
    full, found, _sql = run(cluster, external(), new_image="check-mode")
    assert found["database-unasked"].severity == "skip"
    deployed(cluster, release("agent:broken"), ready=False)
    cluster.broken = {"agent:broken"}
    full, found, _sql = run(cluster, release("agent:2"))
    assert (full["verdict"], full["state"], full["pending_unknown"]) == ("unknown", "unknown", "database-unasked")
    assert "agent:broken" in found["database-unasked"].message
    given = {
        job["spec"]["template"]["spec"]["containers"][0]["image"]
        for job in cluster.of("jobs")
        if "secretKeyRef" in str(job)
    }
    assert given == {"agent:broken"}


def test_a_stuck_rollout_is_asked_by_what_still_serves(cluster: FakeCluster) -> None:
    """The Deployment wants agent:2, whose image cannot be pulled; agent:1 serves, and is neither unchanged nor new."""
    deployed(cluster, release("agent:1"))
    cluster.kept["deployments", "demo"] = living(release("agent:2"), "Deployment", availableReplicas=1)
    cluster.denied.update(NO_EXEC)
    cluster.env = {"DATABASE_URL": "postgresql://u@127.0.0.1:1/db"}
    for image in ("agent:2", "agent:3"):
        assert refused(cluster, release(image)).id == "database-unreachable"
    images = [job["spec"]["template"]["spec"]["containers"][0]["image"] for job in asked(cluster)]
    assert images == ["agent:1", "agent:1"]


def test_the_network_of_a_new_pod_gets_time_to_begin(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Object] = []

    def kept(program: tuple[str, ...], request: Object) -> str:
        given.append(request)
        return bundle(program, request)

    monkeypatch.setattr(collector, "NETWORK_SECONDS", 0.25)
    monkeypatch.setattr(collector, "bundle", kept)
    deployed(cluster, release("agent:1"))
    cluster.denied.update(NO_EXEC)
    cluster.env = {"DATABASE_URL": "postgresql://u@127.0.0.1:1/db"}
    assert refused(cluster, release("agent:2")).id == "database-unreachable"
    assert [request["settle"] for request in given] == [0.25]


def asked(cluster: FakeCluster) -> list[Object]:
    """The Jobs that asked the database, without those that rendered."""
    component = "app.kubernetes.io/component"
    return [job for job in cluster.of("jobs") if job["metadata"]["labels"][component] == "facts"]


def test_the_new_image_starts_while_the_database_is_asked(cluster: FakeCluster) -> None:
    """It is told the live revisions once they are known."""
    deployed(cluster, release("agent:1"))
    cluster.denied.update(NO_EXEC)
    cluster.env = {"DATABASE_URL": "postgresql://u@127.0.0.1:1/db"}
    assert refused(cluster, release("agent:2")).id == "database-unreachable"
    rendering, asking = cluster.of("jobs")
    assert [job["metadata"]["labels"]["app.kubernetes.io/component"] for job in (rendering, asking)] == [
        "render",
        "facts",
    ]
    spec = rendering["spec"]["template"]["spec"]
    assert (
        spec["volumes"][-1]["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"]
        == "metadata.annotations['ai-agent/told']"
    )
    assert "downwardAPI" not in str(asking)
    # However long the answer takes, the pod is there; and it goes when nobody tells it anything.
    assert rendering["spec"]["activeDeadlineSeconds"] > 60 + 5 + 30


def external() -> list[Object]:
    return [item for item in release("agent:2") if item["kind"] != "StatefulSet"]


def test_a_first_install_on_an_external_database(cluster: FakeCluster) -> None:
    full, found, _sql = run(cluster, external())
    assert full["state"] == "absent"
    assert found["secret-missing"].severity == "skip"
    assert full["pending_unknown"] == "secret-missing"
    assert [job["spec"]["template"]["spec"]["containers"][0]["image"] for job in cluster.of("jobs")] == ["agent:2"]
    cluster.kept["secrets", "demo-secret"] = {"metadata": {"name": "demo-secret"}}
    cluster.env = {"DATABASE_URL": "postgresql://u@host.invalid/db"}
    assert refused(cluster, external(), new_image="trusted").id == "database-host-unknown"
    [job] = asked(cluster)
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "agent:2"
    assert "migration-database-url" in str(container["env"])


def test_a_volume_of_an_earlier_release(cluster: FakeCluster) -> None:
    name = "data-demo-postgresql-0"
    cluster.kept["persistentvolumeclaims", name] = {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": "demo"}}
    }
    full, found, _sql = run(cluster, release())
    assert name in found["volume-kept"].message
    assert full["pending_unknown"] == "volume-kept"


@pytest.mark.parametrize("lost", ["", "postgres-password", "password"])
@pytest.mark.parametrize("may_look", [True, False])
def test_a_volume_that_knows_a_password_which_is_lost(cluster: FakeCluster, lost: str, *, may_look: bool) -> None:
    name = "data-demo-postgresql-0"
    mine = {"app.kubernetes.io/instance": "demo"}
    cluster.kept["persistentvolumeclaims", name] = {"metadata": {"name": name, "labels": mine}}
    objects = release()
    variables = {"POSTGRES_PASSWORD": "password", "POSTGRES_POSTGRES_PASSWORD": "postgres-password"}
    [server] = [item for item in objects if item["kind"] == "StatefulSet"]
    server["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "POSTGRES_USER", "value": "agent"},
        *(
            {"name": each, "valueFrom": {"secretKeyRef": {"name": "demo-secret", "key": key}}}
            for each, key in variables.items()
        ),
    ]
    data = dict.fromkeys({*variables.values()} - {lost}, "eA==")
    cluster.kept["secrets", "demo-secret"] = {"metadata": {"name": "demo-secret"}, "data": data}
    if not may_look:
        cluster.denied.add(("get", "secrets"))
    found = run(cluster, objects)[1]["volume-kept"]
    assert found.severity == ("fail" if lost and may_look else "warn")
    assert (f"the Secret has no {lost} any more" in found.message) is (bool(lost) and may_look)


def test_without_the_namespace_nothing_is_tried(cluster: FakeCluster) -> None:
    del cluster.kept["namespaces", "demo"]
    full, found, _sql = run(cluster, release())
    assert (full["state"], full["verdict"]) == ("absent", "warn")
    assert set(found) == {"namespace-missing"}
    assert summary(full, reported=False) == [
        "WARN  demo/demo: database not asked, what is pending is not known (namespace-missing)",
        "further: 1 skip (namespace-missing)",
    ]
    assert [verb for verb, _plural, _name in cluster.history] == ["get"]


def test_an_account_that_may_not_see_namespaces_works_in_one(cluster: FakeCluster) -> None:
    del cluster.kept["namespaces", "demo"]
    cluster.denied.add(("get", "namespaces"))
    assert run(cluster, release())[0]["state"] == "absent"


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (("list", "deployments.apps"), "list deployments.apps"),
        (("create", "jobs.batch"), "create jobs.batch"),
        (("create", "networkpolicies.networking.k8s.io"), "create networkpolicies.networking.k8s.io"),
        (("patch", "pods"), "patch pods"),
    ],
)
def test_a_right_that_is_missing_is_named_and_no_pod_runs_open(
    cluster: FakeCluster, right: tuple[str, str], words: str
) -> None:
    cluster.denied.add(right)
    error = refused(cluster, release())
    assert error.id == "cluster-forbidden"
    assert words in error.message
    assert not any(key[0] in {"jobs", "pods"} for key in cluster.kept)


def test_pods_that_do_not_run(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "EVENTS_SECONDS", 0.0)
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    cluster.status = {"phase": "Pending", "containerStatuses": [{"name": "main", "state": {"waiting": waiting}}]}
    assert refused(cluster, release()).id == "image-pull"
    condition = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    cluster.status = {"phase": "Pending", "conditions": [condition]}
    assert refused(cluster, release(), job_timeout=1).id == "pod-unschedulable"
    message = 'pods "x" is forbidden: exceeded quota: few, requested: pods=1'
    cluster.events = [{"reason": "FailedCreate", "message": message}]
    assert refused(cluster, release()).id == "quota-exceeded"
    assert not any(key[0] == "jobs" for key in cluster.kept)
    cluster.minor = 26
    assert refused(cluster, release()).id == "cluster-old"


def test_an_image_that_writes_to_the_terminal(cluster: FakeCluster, project: Project) -> None:
    env_py = "raise RuntimeError('\\x1b]52;c;UFdORUQ=\\x07\\x1b[2J\\x9b2Jpwned')"
    (project.folder / "migrations" / "env.py").write_text(env_py)
    error = refused(cluster, release())
    assert error.id == "alembic-env-failed"
    assert "pwned" in error.message
    assert error.message.isprintable()


def test_sql_that_takes_too_long_ends_the_run(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "JUDGE_SECONDS", 0.0)
    error = refused(cluster, release())
    assert error.id == "answer-too-large"
    assert "processor time" in error.message


def test_an_answer_that_would_fill_the_memory(cluster: FakeCluster, project: Project) -> None:
    # Such an image answers by itself, in the form of the collection's own program.
    env_py = """
import base64, os, sys, zlib
packed = base64.b64encode(zlib.compress(b'{"a":[' + b'[],' * 5_000_000 + b'[]]}')).decode()
frame = sys.modules[[name for name in sys.modules if name.endswith('framing')][0]]
import gc
for framer in gc.get_objects():
    if isinstance(framer, frame.Framer):
        number = framer._number
file = [one for one in gc.get_objects() if type(one).__name__ == 'TextIOWrapper' and one.encoding == 'ascii'][-1]
for start in range(0, len(packed), 12000):
    file.write(f"@@preflight:{number}:{int(start + 12000 >= len(packed))}:{packed[start:start + 12000]}@@\\n")
    number += 1
file.flush()
os._exit(0)
"""
    (project.folder / "migrations" / "env.py").write_text(env_py)
    error = refused(cluster, release())
    assert (error.id, "16 MiB" in error.message) == ("answer-too-large", True)


@pytest.mark.parametrize(
    ("env_py", "error_id"),
    [
        ("import os; os._exit(3)", "alembic-env-failed"),
        ("raise RuntimeError('x')", "alembic-env-failed"),
        ("import psycopg; psycopg.connect('postgresql://u:p@127.0.0.1:1/x')", "alembic-env-failed"),
    ],
)
def test_an_env_py_that_fails(tmp_path: Path, env_py: str, error_id: str) -> None:
    cluster = FakeCluster(Project(tmp_path / "bad", env_py).add("0001", None).folder, [NAMESPACE, CLASS])
    error = refused(cluster, release("registry.example.com/agent:9"))
    assert error.id == error_id
    assert "registry.example.com/agent:9" in error.message


def test_an_image_without_python_or_alembic(cluster: FakeCluster, project: Project) -> None:
    (project.folder / "alembic.ini").unlink()
    assert refused(cluster, release()).id == "image-without-alembic"
    (project.folder / "sitecustomize.py").write_text("raise SystemExit(4)")
    cluster.env = {"PYTHONPATH": str(project.folder)}
    assert refused(cluster, release()).id == "image-start"


def test_a_version_table_of_which_the_release_does_not_know(tmp_path: Path) -> None:
    env = (tmp_path / "app").joinpath
    project = Project(tmp_path / "app").add("0001", None)
    text = env("migrations", "env.py").read_text().replace("literal_binds=True", "version_table='revisions'")
    env("migrations", "env.py").write_text(text)
    found = run(FakeCluster(project.folder, [NAMESPACE, CLASS]), release())[1]
    assert "revisions" in found["version-table-differs"].message
    assert found["version-table-differs"].severity == "fail"


def moved(cluster: FakeCluster, url: str) -> list[Object]:
    """A release whose next pods read their URL from another Secret. What is asked would answer: a Job can."""
    objects = [item for item in release("agent:2") if item["kind"] != "StatefulSet"]
    deployed(cluster, release(), ready=False)
    del cluster.kept["statefulsets", "demo-postgresql"]
    data = {"demo-secret": "postgresql://a:b@prod-db/z", "bb": url}
    for name, value in data.items():
        encoded = {"database-url": base64.b64encode(value.encode()).decode()}
        cluster.kept["secrets", name] = {"metadata": {"name": name}, "data": encoded if value else {}}
    for item in objects:
        for container in (
            (item["spec"].get("template") or {}).get("spec", {}).get("containers", []) if "spec" in item else []
        ):
            for variable in container.get("env", []):
                if "valueFrom" in variable:
                    variable["valueFrom"]["secretKeyRef"]["name"] = "bb"
    return objects


@pytest.mark.parametrize(
    ("url", "readable", "severity", "words"),
    [
        (
            "postgresql://a:b@staging-db/z",
            True,
            "fail",
            "leads to prod-db:5432/z as a; these values lead to staging-db:",
        ),
        ("", True, "unknown", "one of which is not there"),
        ("postgresql://a:b@prod-db/z", False, "unknown", "which the account may not read"),
    ],
)
def test_the_old_database_is_not_judged_for_another_one(
    cluster: FakeCluster, url: str, severity: str, words: str, *, readable: bool
) -> None:
    objects = moved(cluster, url)
    if not readable:
        cluster.denied.add(("get", "secrets"))
    full, found, _sql = run(cluster, objects)
    assert (found["another-database"].severity, full["state"]) == (severity, "unknown")
    assert words in found["another-database"].message
    assert full["server"] == {}


def test_the_same_database_in_another_secret_is_asked(cluster: FakeCluster) -> None:
    error = refused(cluster, moved(cluster, "postgresql://a:c@prod-db:5432/z"))
    assert error.id.startswith("database-")
