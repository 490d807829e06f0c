"""Who sets the number of agents: autoscaler on, off and on, kubectl scale and edit, under Helm's both ways to apply.

The chart, helm and the API server are real; the autoscaler is its one request, to the subresource scale.
"""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.autoscaling import scaled_by_others
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble
from ansible_collections.ai_platform.agent.plugins.module_utils._release.ownership import conflicts

from dev.api_server import Server
from lab import tools
from lab.paths import ROOT
from tests.integration.api_server.conftest import NAMESPACE

Object = dict[str, t.Any]
ELSEWHERE: Object = {"auth": {"existingSecret": "given"}}
BASE: Object = {
    "existingSecret": "given",
    "rotationId": "r",
    "postgresql": ELSEWHERE,
    "redis": ELSEWHERE,
    "migration": {"enabled": False},
}


class Release:
    """One release, upgraded as the role does: what others changed is taken over first, then helm runs."""

    def __init__(self, api: Server, chart: Path, name: str, way: str, folder: Path) -> None:
        """Remember where; `way` is Helm's --server-side, false as Helm 3 and its releases apply."""
        self.api, self.chart, self.name, self.way, self.folder = api, chart, name, way, folder

    def helm(self, *words: str, values: Object) -> subprocess.CompletedProcess[str]:
        command = [str(tools.helm()), *words, "-n", NAMESPACE, "--kubeconfig", str(self.api.kubeconfig)]
        command += ["-f", "-"] if values else []
        return subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False)

    def values(self, *, scaled: bool) -> Object:
        return BASE | {"agent": {"replicaCount": 3, "autoscaling": {"enabled": scaled}}}

    def plain(self, *, scaled: bool) -> subprocess.CompletedProcess[str]:
        """Helm alone."""
        words = ("upgrade", "--install", self.name, str(self.chart), f"--server-side={self.way}")
        return self.helm(*words, values=self.values(scaled=scaled))

    def conflicts(self, *, scaled: bool) -> list[Object]:
        made = self.helm("template", self.name, str(self.chart), values=self.values(scaled=scaled))
        objects = [item for item in yaml.safe_load_all(made.stdout) if item]
        scalers = json.loads(self.kubectl("get", "hpa", "-o", "json"))["items"]
        return conflicts(objects, [self.live()], scaled_by_others(scalers, self.name))

    def deploy(self, *, scaled: bool) -> list[str]:
        """Take over, then upgrade; who was named."""
        found = self.conflicts(scaled=scaled)
        for item in found:
            if item["patch"]:
                self.kubectl("patch", "deployment", self.name, "--type=json", "-p", json.dumps(item["patch"]))
        done = self.plain(scaled=scaled)
        assert done.returncode == 0, done.stderr
        return [item["sentence"] for item in found]

    def set_again(self, *, scaled: bool) -> None:
        """What the role does where helm has nothing to do, in the words of kubectl."""
        for item in self.conflicts(scaled=scaled):
            definition = json.dumps(item["definition"])
            if item["server_side"]:
                self.kubectl("patch", "deployment", self.name, "--type=json", "-p", json.dumps(item["patch"]))
                file = self.folder / "definition.json"
                file.write_text(definition)
                self.kubectl("apply", "--server-side", "--field-manager=helm", "-f", str(file))
            else:
                self.kubectl("patch", "deployment", self.name, "--type=strategic", "-p", definition)

    def kubectl(self, *words: str) -> str:
        done = self.api.ask("-n", NAMESPACE, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def live(self) -> Object:
        found: Object = json.loads(self.kubectl("get", "deployment", self.name, "-o", "json", "--show-managed-fields"))
        return found

    @property
    def replicas(self) -> int:
        return int(self.live()["spec"]["replicas"])

    def autoscaler_sets(self, number: int) -> None:
        words = ("--subresource=scale", "--type=merge", "--field-manager=kube-controller-manager")
        self.kubectl("patch", "deployment", self.name, *words, "-p", json.dumps({"spec": {"replicas": number}}))


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with the embedded subcharts."""
    folder = tmp_path_factory.mktemp("charts")
    return assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=folder).path


@pytest.fixture(params=["true", "false"], ids=["server-side", "as Helm 3"])
def release(api: Server, chart: Path, request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[Release]:
    """A release of three pods."""
    made = Release(api, chart, f"r-{request.param}", request.param, tmp_path)
    done = made.plain(scaled=False)
    assert done.returncode == 0, done.stderr
    assert made.replicas == 3
    yield made
    gone = made.helm("uninstall", made.name, values={})
    assert gone.returncode == 0, gone.stderr


def test_the_autoscaler_on_off_and_on(release: Release) -> None:
    assert release.deploy(scaled=True) == []
    assert release.replicas == 3
    for number in (6, 7):
        release.autoscaler_sets(number)
        for _again in range(2):
            assert release.deploy(scaled=True) == []
            assert release.replicas == number
    named = release.deploy(scaled=False)
    assert release.replicas == 3
    assert ["kube-controller-manager set .spec.replicas" in said for said in named] == [True]
    assert release.deploy(scaled=True) == []
    assert release.replicas == 3


def test_an_autoscaler_of_somebody_else_keeps_its_number(release: Release) -> None:
    release.kubectl("autoscale", "deployment", release.name, "--name=theirs", "--min=2", "--max=9", "--cpu-percent=80")
    try:
        for number in (6, 7):
            release.autoscaler_sets(number)
            for _again in range(2):
                assert release.deploy(scaled=False) == []
                assert release.replicas == number
    finally:
        release.kubectl("delete", "hpa", "theirs")
    named = release.deploy(scaled=False)
    assert release.replicas == 3
    assert len(named) == 1


def test_kubectl_scale(release: Release) -> None:
    release.kubectl("scale", "deployment", release.name, "--replicas=5")
    if release.way == "true":
        assert 'conflict with "kubectl"' in release.plain(scaled=False).stderr
    assert release.deploy(scaled=False) == [
        f"Deployment {release.name}: kubectl set .spec.replicas, which these values set otherwise"
    ]
    assert release.replicas == 3
    release.deploy(scaled=True)
    release.kubectl("scale", "deployment", release.name, "--replicas=4")
    release.deploy(scaled=True)
    assert release.replicas == 4


def test_what_else_others_changed_of_a_field_of_the_chart_goes_and_the_rest_stays(release: Release) -> None:
    release.kubectl("set", "image", f"deployment/{release.name}", "agent=debug:1")
    release.kubectl("annotate", "deployment", release.name, "note=theirs")
    release.kubectl("rollout", "restart", f"deployment/{release.name}")
    named = release.deploy(scaled=False)
    assert 'kubectl-set set .spec.template.spec.containers[name="agent"].image' in named[0]
    live = release.live()
    [agent] = [item for item in live["spec"]["template"]["spec"]["containers"] if item["name"] == "agent"]
    assert agent["image"].startswith("my-company/ai-agent")
    assert live["metadata"]["annotations"]["note"] == "theirs"
    assert "kubectl.kubernetes.io/restartedAt" in live["spec"]["template"]["metadata"]["annotations"]


def changed_by_others(release: Release) -> None:
    release.kubectl("scale", "deployment", release.name, "--replicas=5")
    release.kubectl("set", "image", f"deployment/{release.name}", "agent=debug:1")
    release.kubectl("annotate", "deployment", release.name, "note=theirs")


def owned(live: Object) -> dict[tuple[str, str], Object]:
    """What managers own by their name and way, without when."""
    return {(each["manager"], each["operation"]): each["fieldsV1"] for each in live["metadata"]["managedFields"]}


def test_where_helm_has_nothing_to_do_the_fields_are_as_its_upgrade_leaves_them(release: Release) -> None:
    changed_by_others(release)
    release.deploy(scaled=False)
    by_helm = release.live()
    release.kubectl("annotate", "deployment", release.name, "note-")
    changed_by_others(release)
    release.set_again(scaled=False)
    live = release.live()
    assert live["spec"] == by_helm["spec"]
    assert live["metadata"]["annotations"] == by_helm["metadata"]["annotations"]
    assert live["metadata"]["labels"] == by_helm["metadata"]["labels"]
    if release.way == "true":
        assert owned(live)["helm", "Apply"] == owned(by_helm)["helm", "Apply"]
    assert release.conflicts(scaled=False) == []
    # A quiet second time, and later values meet no conflict.
    release.set_again(scaled=False)
    assert release.live()["metadata"]["generation"] == live["metadata"]["generation"]
    for scaled in (True, False):
        done = release.plain(scaled=scaled)
        assert done.returncode == 0, done.stderr
    assert release.replicas == 3
