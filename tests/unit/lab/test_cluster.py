from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from lab import calico, cluster, kind_config, registry, shell, source
from lab.progress import LabError


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cluster, "COMPLETE", tmp_path / "cluster")
    monkeypatch.setattr(cluster, "_recipe", lambda: "abc")
    return tmp_path / "cluster"


def test_why_a_cluster_cannot_stay(complete: Path) -> None:
    whole = dict.fromkeys(cluster.NODES, "running")
    assert cluster._why_replace(whole) == "the cluster was left half made"
    complete.write_text("other\n")
    assert cluster._why_replace(whole) == "the cluster was made by another recipe"
    complete.write_text("abc\n")
    assert cluster._why_replace(whole) == ""
    assert cluster._why_replace({**whole, cluster.NODES[2]: "exited"}) == ""
    del whole[cluster.NODES[1]]
    assert cluster._why_replace(whole) == f"the cluster has lost {cluster.NODES[1]}"


def test_stopped_nodes_are_started_the_control_plane_first(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(shell, "run", lambda words, **_more: started.append(words[-1]))
    states = dict.fromkeys(reversed(cluster.NODES), "exited")
    assert cluster._start_stopped({**states, cluster.NODES[1]: "running"}) == [cluster.NODES[0], cluster.NODES[2]]
    assert started == [cluster.CONTROL_PLANE, cluster.NODES[2]]


@pytest.mark.parametrize(("chosen", "without_network"), [(source.PACKAGES, False), (source.REGISTRIES, True)])
def test_the_cluster_that_kind_is_asked_for(chosen: str, without_network: bool) -> None:
    config = kind_config.config(0, chosen)
    assert [node["role"] for node in config["nodes"]] == ["control-plane", "worker", "worker"]
    assert all(node["extraMounts"][0]["containerPath"] == registry.CERTS for node in config["nodes"])
    assert config["networking"]["disableDefaultCNI"] is without_network
    assert json.loads(config["nodes"][0]["kubeadmConfigPatches"][0])["nodeRegistration"] == {"taints": []}


MANIFEST = """
kind: DaemonSet
metadata: {name: calico-node}
spec:
  template:
    spec:
      initContainers: [{name: install-cni, env: []}]
      containers: [{name: calico-node, env: [{name: IP, value: autodetect}]}]
"""


def test_calico_does_not_call_home() -> None:
    documents = list(yaml.safe_load_all(calico.quiet("---\n" + MANIFEST)))
    pod = documents[0]["spec"]["template"]["spec"]
    assert {one["name"]: one["value"] for one in pod["containers"][0]["env"]} == {
        "IP": "autodetect",
        "FELIX_USAGEREPORTINGENABLED": "false",
        "FELIX_XDPENABLED": "false",
    }
    assert pod["initContainers"][0]["env"] == []


def test_a_manifest_of_another_form_is_refused() -> None:
    with pytest.raises(LabError, match="no container calico-node"):
        calico.quiet("kind: ConfigMap\nmetadata: {name: calico-node}\n")


@pytest.mark.parametrize(
    ("instances", "others", "says"),
    [
        (128, (), ""),
        (512, ("other",), ""),
        (128, ("other", "another"), "beside the cluster another, other this one may"),
    ],
)
def test_a_second_cluster_on_one_machine_is_warned_of_what_it_may_lack(
    instances: int, others: tuple[str, ...], says: str
) -> None:
    note = cluster.inotify_warning(instances, others)
    assert note.startswith(says)
    assert bool(note) is bool(says)
    assert not note or "run as root sysctl fs.inotify.max_user_instances=512" in note


def test_calico_without_its_controllers() -> None:
    theirs = "kind: {kind}\nmetadata: {{name: calico-kube-controllers}}\n"
    text = "---\n".join([MANIFEST, theirs.format(kind="Deployment"), theirs.format(kind="ServiceAccount")])
    assert list(yaml.safe_load_all(calico.without_controllers(text))) == [yaml.safe_load(MANIFEST)]


def test_controllers_of_another_name_are_not_kept_in_silence() -> None:
    with pytest.raises(LabError, match="nothing of the name calico-kube-controllers"):
        calico.without_controllers(MANIFEST)
