"""The end of a release on a real API server with the real helm: what goes, what stays, and what is none of ours.

There are no controllers here: claims are made by hand with the labels that a StatefulSet's controller gives them, and
without the finalizer that a controller would take off.
"""

from __future__ import annotations

import base64
import datetime
import gzip
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task, manifest, policy
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble
from ansible_collections.ai_platform.agent.plugins.module_utils._release.uninstall import ARGUMENTS, execute

from dev.api_server import Server
from lab import tools
from lab.paths import ROOT
from tests.integration.api_server.conftest import NAMESPACE
from tests.integration.role.conftest import Run, play

Object = dict[str, t.Any]
# The second name begins as the first one does, and so do the names of its objects.
RELEASE, NEIGHBOUR = "end", "end-two"
CANARY = "c4n4ry!p4ss"
INSTANCE = "app.kubernetes.io/instance"


def labels_of(component: str, release: str) -> Object:
    name = "postgresql" if component == "primary" else "redis"
    return {
        "app.kubernetes.io/name": name,
        INSTANCE: release,
        "app.kubernetes.io/component": component,
    }


def plain(kind: str, version: str, name: str, labels: Object, **more: t.Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels}, **more}


def claim(template: str, component: str, release: str) -> Object:
    chart = "postgresql" if component == "primary" else "redis-master"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    name = f"{template}-{release}-{chart}-0"
    return plain("PersistentVolumeClaim", "v1", name, labels_of(component, release), spec=spec)


def beside(release: str) -> list[Object]:
    """What runs, hooks and the role make of a release, and helm does not remove."""
    run = manifest(Task(NAMESPACE, release, "trace", "agent:1", ["python"]), "abcd1234")
    role = {
        "app": release,
        "app.kubernetes.io/name": "ai-agent",
        INSTANCE: release,
        "app.kubernetes.io/component": "credentials",
        "app.kubernetes.io/managed-by": "ansible",
    }
    hook = {
        "app": release,
        INSTANCE: release,
        "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": "ai-agent-1.0.0_abc",
        "app.kubernetes.io/component": "migration",
    }
    hooks = [
        plain("Secret", "v1", f"{release}-db-migrate-pre-upgrade", dict(hook), stringData={"url": CANARY}),
        plain("ConfigMap", "v1", f"{release}-db-migrate-pre-upgrade", dict(hook)),
    ]
    for item in hooks:
        item["metadata"]["annotations"] = {"helm.sh/hook": "pre-upgrade"}
    lease = {"app.kubernetes.io/managed-by": "ai_platform.agent", INSTANCE: release}
    closed = policy(run | {"metadata": run["metadata"] | {"uid": "0"}}, "abcd1234")
    del closed["metadata"]["ownerReferences"]
    return [
        run,
        closed,
        *hooks,
        plain("Lease", "coordination.k8s.io/v1", release, lease),
        plain("Secret", "v1", f"{release}-secret", role, stringData={"password": CANARY}),
        claim("data", "primary", release),
        claim("redis-data", "master", release),
    ]


# What somebody else put into the namespace, with names and labels as like ours as may be.
THEIRS: list[Object] = [
    plain("ConfigMap", "v1", f"{RELEASE}-notes", {}),
    plain("ConfigMap", "v1", f"{RELEASE}-dashboard", {INSTANCE: RELEASE, "app": RELEASE}),
    plain("Secret", "v1", f"{RELEASE}-tls", {INSTANCE: RELEASE, "app.kubernetes.io/managed-by": "cert-manager"}),
    plain("Lease", "coordination.k8s.io/v1", f"{RELEASE}-leader", {}),
    plain("NetworkPolicy", "networking.k8s.io/v1", f"{RELEASE}-trace-abcd", {}, spec={"podSelector": {}}),
    claim("backup", "primary", RELEASE),
]
KINDS = (
    "deployments,statefulsets,jobs,pods,services,configmaps,secrets,serviceaccounts,networkpolicies,"
    "poddisruptionbudgets,horizontalpodautoscalers,leases,persistentvolumeclaims"
)


class World:
    """The namespace as a test finds it."""

    def __init__(self, api: Server, chart: Path) -> None:
        self.api, self.chart = api, chart

    def helm(self, *words: str, text: str = "") -> None:
        command = [str(tools.helm()), *words, "-n", NAMESPACE, "--kubeconfig", str(self.api.kubeconfig)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def install(self, release: str) -> None:
        given = {"auth": {"existingSecret": f"{release}-secret"}}
        values = {"existingSecret": f"{release}-secret", "rotationId": "r", "postgresql": given, "redis": given}
        self.apply(beside(release))
        self.helm("upgrade", "--install", release, str(self.chart), "-f", "-", text=json.dumps(values))

    def apply(self, items: list[Object]) -> None:
        self.kubectl("apply", "--server-side", "-f", "-", text="\n---\n".join(map(json.dumps, items)))
        for item in items:
            if item["kind"] == "PersistentVolumeClaim":
                free = '{"metadata": {"finalizers": null}}'
                self.kubectl("patch", "pvc", item["metadata"]["name"], "--type=merge", "-p", free)

    def kubectl(self, *words: str, text: str | None = None) -> str:
        done = self.api.ask("-n", NAMESPACE, *words, text=text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def names(self) -> set[str]:
        """Kind and name of everything but what every namespace has."""
        said = self.kubectl("get", KINDS, "-o", "name")
        return {name for name in said.split() if not name.endswith(("kube-root-ca.crt", "/default"))}

    def end(self, *, check_mode: bool = False, **params: t.Any) -> Object:
        own = {"helm_binary": str(tools.helm()), "kubeconfig": str(self.api.kubeconfig), "timeout": "20s"}
        given = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
        named = {"release_name": RELEASE, "release_namespace": NAMESPACE}
        result, problem = execute(given | own | named | {"check_mode": check_mode} | params)
        assert problem is None
        return result

    def play(self, *words: str, **variables: t.Any) -> Run:
        given = {
            "ai_agent_release_name": RELEASE,
            "ai_agent_kubeconfig": str(self.api.kubeconfig),
            "ai_agent_helm_binary": str(tools.helm()),
            "ai_agent_timeout": "20s",
        }
        vault = ("--vault-id", "dev@lab/dev-vault-password")
        return play("-i", "inventories/dev", *vault, "playbooks/uninstall.yml", *words, **(given | variables))


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with the embedded subcharts."""
    folder = tmp_path_factory.mktemp("charts")
    return assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=folder).path


@pytest.fixture
def world(api: Server, chart: Path) -> t.Iterator[World]:
    """Two releases, and what others have beside them; nothing of it stays."""
    made = World(api, chart)
    # Tests of other files share the namespace.
    made.kubectl("delete", KINDS, "--all", "--now")
    made.apply(THEIRS)
    made.install(RELEASE)
    made.install(NEIGHBOUR)
    yield made
    made.kubectl("delete", KINDS, "--all", "--now")
    assert made.names() == set()


def of(names: set[str], release: str) -> set[str]:
    """Of these, what belongs to a release, by the names that this test gave."""
    own = {f"/{item['metadata']['name']}" for item in THEIRS}
    mine = {name for name in names if not any(name.endswith(each) for each in own)}
    others = {name for name in mine if f"{NEIGHBOUR}" in name}
    return others if release == NEIGHBOUR else mine - others


STAYS = {
    f"secret/{RELEASE}-secret",
    f"persistentvolumeclaim/data-{RELEASE}-postgresql-0",
    f"persistentvolumeclaim/redis-data-{RELEASE}-redis-master-0",
}


def test_all_goes_but_what_was_stored_and_what_others_have(world: World) -> None:
    before = world.names()
    said = world.end(check_mode=True)
    assert said["changed"] is True
    assert world.names() == before
    result = world.end()
    after = world.names()
    assert of(after, RELEASE) == STAYS
    assert of(after, NEIGHBOUR) == of(before, NEIGHBOUR)
    assert {f"/{item['metadata']['name']}" for item in THEIRS} == {
        f"/{name.partition('/')[2]}" for name in after if name not in STAYS | of(after, NEIGHBOUR)
    }
    # What a check says is what a run does.
    for name in ("removed", "kept", "others"):
        assert said[name] == result[name], name
    gone = {item["name"] for item in result["removed"]}
    record = f"sh.helm.release.v1.{RELEASE}.v1"
    assert gone | {record} == {name.partition("/")[2] for name in before - after}
    assert {item["name"] for item in result["others"]} == {
        f"{RELEASE}-dashboard",
        f"{RELEASE}-tls",
        "backup-end-postgresql-0",
    }
    assert CANARY not in json.dumps(result)


def test_the_second_run_is_quiet(world: World) -> None:
    world.end()
    before = world.names()
    for check in (True, False):
        again = world.end(check_mode=check)
        assert again["changed"] is False
        assert again["removed"] == []
        assert again["summary"][0].startswith(f"Nothing of release {RELEASE} is there in namespace {NAMESPACE}")
    assert world.names() == before


def test_the_command_that_is_printed_removes_what_stays(world: World) -> None:
    kept = world.end()["kept"]
    assert {item["what"] for item in kept} == {"postgresql-volume", "redis-volume", "secret"}
    for item in kept:
        words = item["command"].split()
        assert words[0] == "kubectl"
        subprocess.run([str(world.api.kubectl), *words[1:]], check=True, capture_output=True)
    assert of(world.names(), RELEASE) == set()
    assert world.end()["kept"] == []


def test_what_is_named_goes_with_the_release_s_name_only(world: World) -> None:
    before = world.names()
    for confirm in (None, NEIGHBOUR):
        with pytest.raises(FindingError) as caught:
            world.end(remove=["redis-volume"], confirm=confirm)
        assert caught.value.id == "uninstall-unconfirmed"
    with pytest.raises(FindingError):
        world.end(confirm=NEIGHBOUR)
    assert world.names() == before
    said = world.end(check_mode=True, remove=["redis-volume"])
    assert "A run that is not a check would stop here" in said["summary"][-1]
    assert world.names() == before
    world.end(remove=["redis-volume"], confirm=RELEASE)
    assert of(world.names(), RELEASE) == {name for name in STAYS if "redis" not in name}
    # Later as well, when the release itself is gone.
    result = world.end(remove=["postgresql-volume", "secret"], confirm=RELEASE)
    assert {item["what"] for item in result["removed"]} == {"postgresql-volume", "secret"}
    assert of(world.names(), RELEASE) == set()


def test_one_that_was_interrupted_is_finished(world: World, tmp_path: Path) -> None:
    # As helm leaves it when it is killed: the record says uninstalling, some objects are gone.
    write_record(world, tmp_path, {"status": "uninstalling"})
    world.kubectl("delete", f"deployment/{RELEASE}", f"service/{RELEASE}")
    world.end()
    assert of(world.names(), RELEASE) == STAYS


def test_objects_whose_record_is_gone_are_found_by_helms_own_annotations(world: World) -> None:
    world.kubectl("delete", "secrets", "-l", f"owner=helm,name={RELEASE}")
    assert world.end(check_mode=True)["release"] == {}
    assert world.end()["changed"] is True
    assert of(world.names(), RELEASE) == STAYS


def test_another_chart_s_release_of_this_name(world: World, tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: grafana, version: 1.2.3}")
    world.helm("install", "foreign", str(tmp_path))
    before = world.names()
    with pytest.raises(FindingError) as caught:
        world.end(release_name="foreign")
    assert caught.value.id == "release-another-chart"
    assert "grafana-1.2.3" in caught.value.message
    assert world.names() == before


def test_a_release_on_which_another_run_works(world: World, tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    write_record(world, tmp_path, {"status": "pending-upgrade", "last_deployed": now.isoformat()})
    before = world.names()
    for check in (True, False):
        with pytest.raises(FindingError) as caught:
            world.end(check_mode=check)
        assert caught.value.id == "uninstall-busy"
    assert world.names() == before
    # No helm lives for longer than twice its time-out.
    write_record(world, tmp_path, {"last_deployed": (now - datetime.timedelta(hours=1)).isoformat()})
    world.end()
    assert of(world.names(), RELEASE) == STAYS


def write_record(world: World, folder: Path, info: Object) -> None:
    """Write into helm's record itself: JSON, gzip, base64 of helm, base64 of Kubernetes."""
    [record] = world.kubectl("get", "secrets", "-l", f"owner=helm,name={RELEASE}", "-o", "name").split()
    packed = json.loads(world.kubectl("get", record, "-o", "json"))["data"]["release"]
    content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(packed))))
    content["info"] |= info
    status = content["info"]["status"]
    again = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(content).encode()))).decode()
    change = {"data": {"release": again}, "metadata": {"labels": {"status": status}}}
    # Longer than an argument may be.
    file = folder / "record.json"
    file.write_text(json.dumps(change))
    world.kubectl("patch", record, "--type=merge", "--patch-file", str(file))


def test_a_volume_that_would_go_with_the_release(world: World) -> None:
    name = f"statefulset/{RELEASE}-postgresql"
    change = {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}}
    world.kubectl("patch", name, "--type=merge", "-p", json.dumps(change))
    before = world.names()
    for remove in ([], ["redis-volume"]):
        with pytest.raises(FindingError) as caught:
            world.end(remove=remove, confirm=RELEASE)
        assert caught.value.id == "uninstall-takes-data"
    assert world.names() == before
    world.end(remove=["postgresql-volume"], confirm=RELEASE)


def test_what_something_holds_is_named(world: World) -> None:
    held = '{"metadata": {"finalizers": ["example.com/held"]}}'
    name = f"persistentvolumeclaim/redis-data-{RELEASE}-redis-master-0"
    world.kubectl("patch", name, "--type=merge", "-p", held)
    with pytest.raises(FindingError) as caught:
        world.end(remove=["redis-volume"], confirm=RELEASE, timeout="2s")
    assert caught.value.id == "uninstall-unfinished"
    assert caught.value.changed is True
    assert "held by example.com/held" in caught.value.message
    world.kubectl("patch", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    world.end(remove=["redis-volume"], confirm=RELEASE)


def test_the_playbook(world: World, tmp_path: Path) -> None:
    before = world.names()
    wrong = world.play(ai_agent_cluster="https://127.0.0.2:1")
    assert wrong.code != 0
    assert "is not the one that is meant" in wrong.output
    unconfirmed = world.play(ai_agent_uninstall_remove=["secret"])
    assert unconfirmed.code != 0
    assert "runbook.md#uninstall-unconfirmed" in unconfirmed.output
    check = world.play("--check")
    assert check.code == 0, check.output
    assert "would be uninstalled" in check.output
    assert world.names() == before
    done = world.play(ai_agent_reports_dir=str(tmp_path))
    assert done.code == 0, done.output
    assert done.recap("changed") == 1
    assert f"OK  agent-dev: Release {RELEASE} in namespace {NAMESPACE} was uninstalled" in done.output
    assert of(world.names(), RELEASE) == STAYS
    assert json.loads((tmp_path / "agent-dev-uninstall.json").read_text())["changed"] is True
    again = world.play()
    assert again.code == 0, again.output
    assert again.recap("changed") == 0
    assert f"Nothing of release {RELEASE} is there" in again.output
    assert CANARY not in done.output + again.output + check.output


def test_guard_accepts_a_reinstallation_with_what_stayed(world: World) -> None:
    """The Secret with the vault's passwords, and the volumes, are those of the release that was."""
    words = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password", "site.yml", "--tags", "guard"]
    names = ("postgresql", "postgresql_admin", "replication", "redis")
    given: Object = {f"ai_agent_{name}_password": CANARY for name in names} | {
        "ai_agent_release_name": RELEASE,
        "ai_agent_subcharts": "embedded",
        "ai_agent_kubeconfig": str(world.api.kubeconfig),
        "ai_agent_helm_binary": str(tools.helm()),
    }
    credentials = play(*words[:-1], "guard,credentials", **given | {"ai_agent_release_name": "again"})
    assert credentials.code == 0, credentials.output
    world.apply([claim("data", "primary", "again")])
    world.end(release_name="again")
    assert "secret/again-secret" in world.names()
    run = play(*words, **given | {"ai_agent_release_name": "again"})
    assert run.code == 0, run.output
    other = play(*words, **given | {"ai_agent_release_name": "again", "ai_agent_redis_password": "another-one-1"})
    assert other.code != 0
    assert "ai_agent_redis_password" in other.output
