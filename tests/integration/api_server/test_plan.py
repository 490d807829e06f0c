"""A plan with the real helm and a real API server: what it says is what helm then does, under both ways to apply."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release import evidence, plan_module

from dev.api_server import Server
from lab import tools
from tests.integration.api_server.conftest import NAMESPACE
from tests.integration.api_server.test_lease import account

__all__ = ("account",)

Object = dict[str, t.Any]
# By plural and name.
State = dict[tuple[str, str], Object]
CANARY = "kanarienvogel-4711"
CHART = """
{{- $all := dict "app.kubernetes.io/instance" .Release.Name "helm.sh/chart" (printf "agent-%s" .Chart.Version) }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {{ toJson $all }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}, annotations: {rotation: {{ .Values.rotation | quote }}}}
    spec:
      containers:
        - name: agent
          image: {{ .Values.image }}
          resources: {limits: {cpu: {{ .Values.cpu }}, memory: 1Gi}}
          ports: [{name: http, containerPort: 8080}]
          envFrom: [{configMapRef: {name: {{ .Release.Name }}-config}}]
          env: {{ toJson .Values.env }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config, labels: {{ toJson $all }}}
data: {{ toJson .Values.config }}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-own, labels: {{ toJson $all }}}
stringData: {{ toJson .Values.secret }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}, labels: {{ toJson $all }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{name: http, port: {{ .Values.port }}, targetPort: http}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: {{ .Release.Name }}-db, labels: {{ toJson $all }}}
spec:
  serviceName: db
  replicas: {{ .Values.databases }}
  selector: {matchLabels: {app: {{ .Release.Name }}-db}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}-db}}
    spec: {containers: [{name: db, image: {{ .Values.database }}}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: {{ .Values.size }}}}}
{{- range .Values.extra }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ $.Release.Name }}-{{ .name }}, annotations: {{ toJson (default dict .annotations) }}}
data: {a: b}
{{- end }}
"""
HOOK = """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate-{{ .Release.Revision }}
  annotations: {helm.sh/hook: pre-upgrade}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: m, image: m}]}}}
"""
KINDS = (("apps/v1", "deployments"), ("apps/v1", "statefulsets"), ("v1", "configmaps"), ("v1", "secrets"),
         ("v1", "services"))  # fmt: skip
VALUES: Object = {
    "replicas": 3,
    "image": "agent:1",
    "cpu": "1000m",
    "rotation": "r",
    "env": [{"name": "MODE", "value": "a"}, {"name": "DB_PASSWORD", "value": CANARY}],
    "config": {"LEVEL": "info", "script": "one\ntwo\nthree\n"},
    "secret": {"password": CANARY},
    "port": 80,
    "databases": 1,
    "database": "db:1",
    "size": "1Gi",
    "extra": [],
}


class Release:
    """One release, planned and then upgraded with the same values, so that the two can be compared."""

    def __init__(self, api: Server, kubeconfig: Path, folder: Path, name: str, way: str) -> None:
        """:param way: Helm's --server-side; false as Helm 3 and its releases apply"""
        self.api, self.kubeconfig, self.folder, self.name, self.way = api, kubeconfig, folder, name, way
        self.chart = folder / "chart"
        (self.chart / "templates").mkdir(parents=True)
        (self.chart / "templates" / "all.yaml").write_text(CHART)
        self.version = "1.0.0"
        self.cluster = connect({"kubeconfig": str(api.kubeconfig)})

    def with_hook(self) -> None:
        (self.chart / "templates" / "hook.yaml").write_text(HOOK)

    def _chart(self) -> str:
        (self.chart / "Chart.yaml").write_text(f"{{apiVersion: v2, name: agent, version: {self.version}}}\n")
        return str(self.chart)

    def values(self, **more: t.Any) -> str:
        file = self.folder / "values.json"
        file.write_text(json.dumps(VALUES | more))
        return str(file)

    def deploy(self, **more: t.Any) -> subprocess.CompletedProcess[str]:
        """Helm alone."""
        command = [str(tools.helm()), "upgrade", "--install", self.name, self._chart(), "-f", self.values(**more)]
        command += ["-n", NAMESPACE, "--kubeconfig", str(self.kubeconfig), f"--server-side={self.way}", "--no-hooks"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def asked(self, options: Object | None = None, **more: t.Any) -> tuple[Object, str | None]:
        given = {name: option.get("default") for name, option in plan_module.ARGUMENTS.items()}
        given |= {"kubeconfig": str(self.kubeconfig), "release_name": self.name, "release_namespace": NAMESPACE}
        given |= {"chart": self._chart(), "chart_version": self.version, "values_file": self.values(**more)}
        given |= {"helm_binary": str(tools.helm()), "report_path": str(self.folder / "plan.json")}
        return plan_module.execute(given | {"text_path": str(self.folder / "plan.txt")} | (options or {}))

    def plan(self, options: Object | None = None, **more: t.Any) -> Object:
        before = specs(self.state())
        result, problem = self.asked(options, **more)
        assert problem is None
        assert specs(self.state()) == before, "a plan changes nothing"
        kept = (self.folder / "plan.json").read_text() + (self.folder / "plan.txt").read_text()
        assert CANARY not in json.dumps(result) + kept
        found: Object = result["plan"]
        return found

    def state(self) -> State:
        found = {}
        for version, plural in KINDS:
            for item in self.cluster.list(version, plural, NAMESPACE):
                if item["metadata"]["name"].startswith(self.name):
                    found[plural, item["metadata"]["name"]] = item
        return found

    def patch(self, plural: str, ending: str, body: Object, manager: str) -> None:
        version = next(version for version, name in KINDS if name == plural)
        self.cluster.patch(version, plural, self.name + ending, body, NAMESPACE, query={"fieldManager": manager})

    def kubectl(self, *words: str) -> str:
        done = self.api.ask("-n", NAMESPACE, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def told(self, plan: Object) -> dict[str, str]:
        """What happens to each object, by kind and what follows the release's name."""
        return {
            each["kind"] + each["name"].removeprefix(self.name): each["action"]
            for each in plan["objects"]
            if each["action"] != "unchanged"
        }

    def field(self, plan: Object, kind: str, path: str, ending: str = "") -> tuple[str | None, str | None]:
        [entry] = [each for each in plan["objects"] if (each["kind"], each["name"]) == (kind, self.name + ending)]
        [found] = [each for each in entry["differences"] if each["path"] == path]
        return found["before"], found["after"]


@pytest.fixture(params=["true", "false"], ids=["server-side", "as Helm 3"])
def release(api: Server, account: Path, tmp_path: Path, request: pytest.FixtureRequest) -> t.Iterator[Release]:
    """A release that is deployed."""
    made = Release(api, account, tmp_path, f"p{abs(hash(tmp_path)) % 10**8}", request.param)
    done = made.deploy()
    assert done.returncode == 0, done.stderr
    yield made
    kinds = "deployment,statefulset,configmap,service,secret,serviceaccount,role,rolebinding"
    api.ask("delete", kinds, "-n", NAMESPACE, "-l", f"app.kubernetes.io/instance={made.name}")
    api.ask("delete", "role,rolebinding,serviceaccount", "reader", "-n", NAMESPACE)


def specs(state: State) -> State:
    return {
        key: {name: value for name, value in item.items() if name not in {"metadata", "status"}}
        | {name: item["metadata"].get(name) for name in ("labels", "annotations", "generation")}
        for key, item in state.items()
        if not item["metadata"]["name"].startswith("sh.helm")
    }


def test_nothing_to_do(release: Release) -> None:
    plan = release.plan({"helm_runs": False})
    assert (plan["changes"], release.told(plan), plan["pods"], plan["volumes"]) == (False, {}, [], [])
    # Helm makes a revision where it is told to, and still no object changes.
    plan = release.plan()
    assert (plan["changes"], release.told(plan), plan["pods"]) == (True, {}, [])
    # The same quantity, written otherwise: what Argo and helm-diff call a difference.
    assert release.told(release.plan(cpu="1")) == {}


CHANGES: list[tuple[Object, dict[str, str], int, int]] = [
    ({"image": "agent:2"}, {"Deployment": "changed"}, 1, 0),
    ({"replicas": 5}, {"Deployment": "changed"}, 1, 0),
    ({"port": 81}, {"Service": "changed"}, 0, 0),
    ({"database": "db:2"}, {"StatefulSet-db": "changed"}, 1, 0),
    ({"databases": 2}, {"StatefulSet-db": "changed"}, 1, 1),
    ({"env": VALUES["env"][::-1]}, {"Deployment": "changed"}, 1, 0),
    ({"env": VALUES["env"][:1]}, {"Deployment": "changed"}, 1, 0),
    ({"config": {"LEVEL": "debug"}}, {"ConfigMap-config": "changed"}, 0, 0),
    ({"secret": {"password": "another-one-7"}}, {"Secret-own": "changed"}, 0, 0),
    ({"extra": [{"name": "more"}]}, {"ConfigMap-more": "added"}, 0, 0),
    ({"extra": []}, {"ConfigMap-more": "removed"}, 0, 0),
]
KIND_OF = {"deployments": "Deployment", "statefulsets": "StatefulSet", "configmaps": "ConfigMap", "secrets": "Secret",
           "services": "Service"}  # fmt: skip


def test_what_is_planned_is_what_happens(release: Release) -> None:
    values: Object = {}
    for change, told, pods, volumes in CHANGES:
        if release.way == "false" and change == {"env": VALUES["env"][::-1]}:
            continue  # a strategic merge has an order of its own
        values |= change
        plan = release.plan(**values)
        assert (change, release.told(plan)) == (change, told)
        assert (change, len(plan["pods"]), len(plan["volumes"])) == (change, pods, volumes)
        before = specs(release.state())
        assert release.deploy(**values).returncode == 0
        after = specs(release.state())
        changed = {
            KIND_OF[plural] + name.removeprefix(release.name)
            for plural, name in before | after
            if before.get((plural, name)) != after.get((plural, name))
        }
        assert (change, changed) == (change, set(told))
    assert release.told(release.plan(**values)) == {}


def test_objects_that_go_and_those_that_are_kept(release: Release) -> None:
    extra = [{"name": "goes"}, {"name": "stays", "annotations": {"helm.sh/resource-policy": "keep"}}, {"name": "gone"}]
    assert release.deploy(extra=extra).returncode == 0
    release.cluster.delete("v1", "configmaps", f"{release.name}-gone", NAMESPACE)
    plan = release.plan()
    assert release.told(plan) == {"ConfigMap-goes": "removed", "ConfigMap-stays": "kept"}
    assert release.deploy().returncode == 0
    left = {name for plural, name in release.state() if plural == "configmaps"}
    assert f"{release.name}-stays" in left
    assert f"{release.name}-goes" not in left


def test_fields_are_named_and_secrets_are_not(release: Release) -> None:
    release.with_hook()
    release.version = "1.0.1"
    changed = [{"name": "MODE", "value": "b"}, {"name": "DB_PASSWORD", "value": "another-one-7"}]
    plan = release.plan(env=changed, config={"LEVEL": "debug", "script": "one\n2\nthree\n"}, secret={"password": "x"})
    path = ".spec.template.spec.containers[agent].env"
    assert release.field(plan, "Deployment", f"{path}[MODE].value") == ("a", "b")
    assert release.field(plan, "Deployment", f"{path}[DB_PASSWORD].value") == ("***", "***")
    assert release.field(plan, "ConfigMap", ".data.LEVEL", "-config") == ("info", "debug")
    assert release.field(plan, "Secret", ".data.password", "-own") == ("***", "***")
    assert release.told(plan)["Service"] == "relabelled"
    page = (release.folder / "plan.txt").read_text()
    assert "-two" in page
    assert "+2" in page
    assert "another-one-7" not in page
    assert plan["hooks"] == [f"pre-upgrade: Job {release.name}-migrate-2"]
    # Its pods are replaced for the variable, so nobody goes on with the old ConfigMap.
    assert plan["unseen"] == []
    only = release.plan(config={"LEVEL": "debug"})
    words = f"its pods go on with the old ConfigMap {release.name}-config until something restarts them"
    assert only["unseen"] == [f"Deployment {release.name}: {words}"]


def test_the_manifests_of_a_support_bundle(release: Release, tmp_path: Path) -> None:
    given: Object = {name: option.get("default") for name, option in evidence.ARGUMENTS.items()}
    given |= {"kubeconfig": str(release.kubeconfig), "release_name": release.name, "release_namespace": NAMESPACE}
    kept, shown = tmp_path / "evidence.txt", tmp_path / "manifests.yaml"
    given |= {"helm_binary": str(tools.helm()), "path": str(kept), "manifests_path": str(shown)}
    result, problem = evidence.execute(given)
    assert (problem, result["manifests_path"]) == (None, str(shown))
    objects = {item["kind"]: item for item in yaml.safe_load_all(shown.read_text()) if item["kind"] != "ConfigMap"}
    assert set(objects) == {"Deployment", "Secret", "Service", "StatefulSet"}
    assert objects["Secret"]["stringData"] == {"password": "***"}
    [agent] = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert agent["env"] == [{"name": "MODE", "value": "a"}, {"name": "DB_PASSWORD", "value": "***"}]
    assert CANARY not in shown.read_text() + kept.read_text() + json.dumps(result)
    assert shown.stat().st_mode & 0o077 == 0


def test_what_would_be_refused_is_told_before(release: Release) -> None:
    plan = release.plan(size="2Gi")
    assert "updates to statefulset spec" in plan["refused"][0]
    assert plan["stops"]
    assert release.deploy(size="2Gi").returncode != 0
    with pytest.raises(FindingError, match="Helm would refuse"):
        release.asked(None, image="{nonsense: [")


def test_what_others_changed(release: Release) -> None:
    release.kubectl("set", "image", f"deployment/{release.name}", "agent=debug:1")
    release.patch("deployments", "", {"metadata": {"annotations": {"note": "theirs"}}}, "somebody")
    release.kubectl(
        "patch", "configmap", f"{release.name}-config", "--type=merge", "-p", '{"data": {"MORE": "theirs"}}'
    )
    # A key that only lives there survives both ways, so it is no change.
    quiet = release.plan({"helm_runs": False})
    assert (quiet["changes"], release.told(quiet)) == (False, {"Deployment": "drifted"})
    taken = [{"kind": "Deployment", "name": release.name}]
    assert release.told(release.plan({"helm_runs": False, "taken": taken})) == {"Deployment": "changed"}
    plan = release.plan()
    image = release.field(plan, "Deployment", ".spec.template.spec.containers[agent].image")
    assert image == ("debug:1", "agent:1")
    if release.way == "true":
        assert 'conflict with "kubectl-set"' in plan["refused"][0]
        assert release.deploy(cpu="2").returncode != 0
        assert release.plan({"taken": taken})["refused"] == []
    else:
        assert plan["refused"] == []


def test_the_plan_that_was_read_is_the_one_that_is_carried_out(release: Release) -> None:
    release.plan(image="agent:2")
    kept = release.folder / "kept.json"
    kept.write_text((release.folder / "plan.json").read_text())
    options: Object = {"earlier": str(kept), "report_path": None, "text_path": None}
    result, problem = release.asked(options, image="agent:2")
    assert (problem, result["changed"], result["deviations"]) == (None, False, [])

    _result, problem = release.asked(options, image="agent:3")
    assert "containers[agent].image: planned agent:1 -> agent:2, now agent:1 -> agent:3" in str(problem)

    expired, problem = release.asked(options | {"valid_hours": 0.0}, image="agent:2")
    assert expired["error_id"] == "plan-expired"
    assert problem

    release.patch("deployments", "", {"spec": {"replicas": 7}}, "somebody")
    _result, problem = release.asked(options, image="agent:2")
    assert ".spec.replicas: planned nothing, now 7 -> 3" in str(problem)
    release.patch("deployments", "", {"spec": {"replicas": 3}}, "somebody")

    release.patch("secrets", "-own", {"stringData": {"password": "y"}}, "somebody")
    _result, problem = release.asked(options, image="agent:2")
    assert f"Secret {release.name}-own was written after the plan was made" in str(problem)

    changed = json.loads(kept.read_text())
    changed["objects"] = []
    kept.write_text(json.dumps(changed))
    with pytest.raises(FindingError, match="changed after it was made"):
        release.asked(options, image="agent:2")
    kept.write_text("no plan")
    with pytest.raises(FindingError, match="no JSON"):
        release.asked(options, image="agent:2")


def test_a_new_id_of_each_run_is_no_difference(release: Release) -> None:
    release.plan({"new_id": "abcdef0123456789"}, rotation="abcdef0123456789")
    kept = release.folder / "kept.json"
    kept.write_text((release.folder / "plan.json").read_text())
    options = {"earlier": str(kept), "new_id": "9876543210fedcba"}
    assert release.asked(options, rotation="9876543210fedcba")[1] is None
    assert "(a new id)" in kept.read_text()


def test_a_first_install(api: Server, account: Path, tmp_path: Path) -> None:
    new = Release(api, account, tmp_path, "first", "true")
    plan = new.plan()
    assert set(new.told(plan).values()) == {"added"}
    assert (plan["revision"], plan["changes"]) == ({"before": 0, "after": 1}, True)
    assert plan["pods"] == ["Deployment first: 3 pods start", "StatefulSet first-db: 1 pod starts"]
    assert plan["volumes"] == ["data-first-db-0: made, unless it is there already"]
    # Who deploys into one namespace cannot look into another one.
    new.kubeconfig = api.kubeconfig
    result, _problem = new.asked({"release_namespace": "nowhere"})
    assert ("Namespace", "added") in {(each["kind"], each["action"]) for each in result["plan"]["objects"]}


def test_an_account_that_may_only_read_is_told_what_it_cannot_know(release: Release, tmp_path: Path) -> None:
    release.kubectl("create", "serviceaccount", "reader")
    kinds = "deployments.apps,statefulsets.apps,configmaps,secrets,services"
    release.kubectl("create", "role", "reader", "--verb=get,list", f"--resource={kinds}")
    release.kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={NAMESPACE}:reader")
    config = yaml.safe_load(release.api.kubeconfig.read_text())
    token = release.kubectl("create", "token", "reader").strip()
    config["users"][0]["user"] = {"token": token}
    file = tmp_path / "reader"
    file.write_text(yaml.safe_dump(config))
    release.kubeconfig, before = file, release.kubeconfig
    assert release.told(release.plan({"helm_runs": False})) == {}
    plan = release.plan(image="agent:2")
    release.kubeconfig = before
    [agent] = [each for each in plan["objects"] if each["kind"] == "Deployment"]
    assert agent["action"] == "changed"
    assert "compared without the API server's own answer" in agent["notes"][0]
