"""Who deploys from git, on a real API server: kubectl apply, Argo CD's order and hooks, and Flux, which is Helm.

Each test is something that happened to people: a Job that cannot be changed, a hook that waits for what comes after
it, passwords that each rendering invents anew, a migration that no second sync runs, an application never in sync.
"""

from __future__ import annotations

import json
import subprocess
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble

from dev.api_server import Server
from lab import tools
from lab.paths import ROOT
from tests.integration.fleet.workloads import Workloads

Object = dict[str, t.Any]
RELEASE = "my-agent"
HOOK, DELETION = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"
# Argo CD's user guide, "Helm hooks": what it takes a hook of Helm for. Those that are missing here it does not run.
PHASES = {
    **dict.fromkeys(("pre-install", "pre-upgrade"), "PreSync"),
    **dict.fromkeys(("post-install", "post-upgrade"), "PostSync"),
}
# Within a phase and a wave Argo CD goes by kind, in the order of its gitops-engine; what is not here comes last.
KINDS = [
    *("NetworkPolicy", "PodDisruptionBudget", "ServiceAccount", "Secret", "ConfigMap", "Service"),
    *("Pod", "Deployment", "StatefulSet", "HorizontalPodAutoscaler", "Job", "Ingress"),
]
SECRETS: Object = {
    "existingSecret": "kept",
    "rotationId": "r1",
    "postgresql": {"auth": {"existingSecret": "kept"}},
    "redis": {"auth": {"existingSecret": "kept"}},
}
ARGO_JOB: Object = {"migration": {"annotations": {HOOK: "Sync", DELETION: "BeforeHookCreation"}}}


def version(tag: str) -> Object:
    """Values of a release of the agent."""
    return {"agent": {"image": {"tag": tag}}}


@dataclass
class Cluster:
    """A namespace, and what is rendered and applied there."""

    api: Server
    chart: Path
    namespace: str
    folder: Path

    def files(self, values: tuple[Object, ...]) -> list[str]:
        """Options that hand values to helm."""
        words = ["-f", str(self.chart / "values-dev.yaml")]
        for number, given in enumerate((SECRETS, *values)):
            file = self.folder / f"{number}.yaml"
            file.write_text(yaml.safe_dump(given))
            words += ["-f", str(file)]
        return words

    def render(self, *values: Object, words: tuple[str, ...] = ()) -> str:
        """Render as Argo CD does: without the cluster, always as an installation."""
        command = [str(tools.helm()), "template", RELEASE, str(self.chart), "-n", self.namespace, *self.files(values)]
        return subprocess.run([*command, *words], capture_output=True, text=True, check=True).stdout

    def kubectl(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the namespace."""
        return self.api.ask(*words, "-n", self.namespace, text=text)

    def sync(self, *values: Object) -> list[tuple[str, str]]:
        """Apply as Argo CD does, by phase and kind; return phase and kind in the order in which they were applied."""
        done = []
        objects = [item for item in yaml.safe_load_all(self.render(*values)) if item]
        for wanted in ("PreSync", "Sync", "PostSync"):
            for item in sorted(objects, key=lambda item: KINDS.index(item["kind"])):
                phase, hook = _phase(item)
                if phase != wanted:
                    continue
                if hook and "BeforeHookCreation" in item["metadata"]["annotations"].get(DELETION, ""):
                    self.kubectl("delete", item["kind"], item["metadata"]["name"], "--ignore-not-found")
                answer = self.kubectl("apply", "-f", "-", text=json.dumps(item))
                assert answer.returncode == 0, answer.stderr
                done.append((phase, item["kind"]))
        return done

    def jobs(self) -> dict[str, Object]:
        """The Jobs by name."""
        items = json.loads(self.kubectl("get", "jobs", "-o", "json").stdout)["items"]
        return {item["metadata"]["name"]: item for item in items}

    def helm(self, *values: Object) -> None:
        """Install or upgrade as Flux' helm-controller does, which is Helm with `--wait`."""
        command = [str(tools.helm()), "upgrade", "--install", RELEASE, str(self.chart), "-n", self.namespace, "--wait"]
        command += ["--timeout", "5m", "--kubeconfig", str(self.api.kubeconfig), *self.files(values)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _phase(item: Object) -> tuple[str, bool]:
    """Argo CD's phase of an object, empty where it runs it never, and whether it is a hook."""
    notes = item["metadata"].get("annotations") or {}
    if HOOK in notes:
        return str(notes[HOOK]), True
    if "helm.sh/hook" in notes:
        [phase] = {str(PHASES.get(name.strip(), "")) for name in notes["helm.sh/hook"].split(",")}
        return phase, True
    return "Sync", False


def images(jobs: dict[str, Object]) -> set[str]:
    """What the Jobs run."""
    return {job["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2] for job in jobs.values()}


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with the embedded subcharts."""
    folder = tmp_path_factory.mktemp("charts")
    return assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=folder).path


@pytest.fixture
def cluster(api: Server, chart: Path, tmp_path: Path) -> Cluster:
    """A namespace of its own with the Secret that somebody sealed."""
    made = Cluster(api, chart, f"gitops-{uuid.uuid4().hex[:8]}", tmp_path)
    api.apply(f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {made.namespace}}}}}")
    return made


def test_argo_migrates_at_each_version_and_nothing_waits_for_what_comes_later(cluster: Cluster) -> None:
    first = cluster.sync(version("1"))
    # A pre-upgrade hook would be PreSync at the first sync too, before the Secret, the ConfigMaps and the database.
    assert {phase for phase, _kind in first} == {"Sync"}
    assert images(cluster.jobs()) == {"1"}
    cluster.sync(version("2"))
    # The Job of before stays until Argo CD prunes it; it was not changed, which Kubernetes refuses.
    assert images(cluster.jobs()) == {"1", "2"}
    cluster.sync(version("2"))
    assert len(cluster.jobs()) == 2


@pytest.mark.parametrize("more", [{}, ARGO_JOB], ids=["plain", "hook"])
def test_what_was_applied_is_in_sync(cluster: Cluster, more: Object) -> None:
    cluster.sync(version("1"), more)
    text = cluster.render(version("1"), more, words=("--skip-tests",))
    assert text == cluster.render(version("1"), more, words=("--skip-tests",))
    differs = cluster.kubectl("diff", "-f", "-", text=text)
    assert (differs.returncode, differs.stdout) == (0, "")


def test_a_plain_job_is_run_once_and_a_hook_at_each_sync(cluster: Cluster) -> None:
    def uids() -> set[str]:
        return {job["metadata"]["uid"] for job in cluster.jobs().values()}

    cluster.sync(version("1"))
    first = uids()
    cluster.sync(version("1"))
    assert uids() == first
    # A Job that failed is tried again by the next sync only where it is a hook.
    cluster.sync(version("1"), ARGO_JOB)
    second = uids()
    assert second.isdisjoint(first)


def test_kubectl_apply_twice_with_a_migration_between(cluster: Cluster) -> None:
    for tag in ("1", "2"):
        done = cluster.kubectl("apply", "-f", "-", text=cluster.render(version(tag), words=("--skip-tests",)))
        assert done.returncode == 0, done.stderr
    assert images(cluster.jobs()) == {"1", "2"}


def test_why_the_tests_are_skipped(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", "-", text=cluster.render(version("1")))
    again = cluster.kubectl(
        "apply", "-f", "-", text=cluster.render({"connectionTest": {"timeout": 77}, **version("2")})
    )
    # kubectl knows no hook: the pod of `helm test` is an object among others, and the second version would change it.
    assert f'The Pod "{RELEASE}-connection-test" is invalid' in again.stderr


def test_flux_waits_for_the_first_version_and_migrates_before_the_second_one(cluster: Cluster) -> None:
    with Workloads(cluster.api.kubeconfig):
        # Flux waits: a post-install hook would wait for pods that wait for it.
        cluster.helm(version("1"))
        [first] = cluster.jobs()
        assert first.startswith(f"{RELEASE}-db-migrate-1-")
        cluster.helm(version("2"))
    jobs = cluster.jobs()
    hook = jobs[f"{RELEASE}-pre-upgrade-migration"]
    assert images({"hook": hook}) == {"2"}
    deployment = json.loads(cluster.kubectl("get", "deployment", RELEASE, "-o", "json", "--show-managed-fields").stdout)
    changed = [entry["time"] for entry in deployment["metadata"]["managedFields"] if entry["manager"] == "helm"]
    assert hook["status"]["completionTime"] <= max(changed)
