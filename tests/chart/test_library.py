"""The library chart: what each building block renders, for any chart that depends on it."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.chart.cluster import Cluster
from tests.chart.conftest import ROOT, Object

LIBRARY = ROOT / "subcharts" / "platform-library"
CHART = """apiVersion: v2
name: other
version: 1.2.3+build
appVersion: "9"
dependencies:
  - {name: platform-library, version: 1.x.x, repository: "file://../platform-library"}
"""
VALUES: Object = {"commonLabels": {"team": "x"}, "commonAnnotations": {"by": "{{ .Release.Name }}"}}
VALUES |= {
    "serviceAccount": {"create": True, "name": ""},
    "image": {"repository": "r.example/a/b", "tag": "", "digest": ""},
}
OWN = 'dict "root" . "name" "n" "component" "server"'


class Refused(Exception):
    """Helm refused; the text is its message."""


class Block(t.Protocol):
    """Renders one expression of a chart that depends on the library."""

    def __call__(self, expression: str, *, values: Object | None = None, cluster: Cluster | None = None) -> t.Any:
        """Render `{{ expression }}` as YAML.

        :raises Refused: helm refuses
        """


@pytest.fixture
def block(helm: str, tmp_path: Path) -> Block:
    """A chart of its own, whose only template is what a test asks for."""
    shutil.copytree(LIBRARY, tmp_path / "platform-library", ignore=shutil.ignore_patterns("charts"))
    chart = tmp_path / "other"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(CHART)
    subprocess.run([helm, "dependency", "build", str(chart)], capture_output=True, check=True)

    def call(expression: str, *, values: Object | None = None, cluster: Cluster | None = None) -> t.Any:
        (chart / "values.yaml").write_text(yaml.safe_dump(VALUES | (values or {})))
        # Helm takes objects alone; as the text of one, anything comes through.
        head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata:\n  result: |\n"
        (chart / "templates" / "one.yaml").write_text(head + "{{ " + expression + " | nindent 4 }}\n")
        command = [helm, "template", "my-release", str(chart), "--namespace", "there"]
        if cluster:
            command += ["--is-upgrade", "--dry-run=server", "--disable-openapi-validation"]
            command += ["--kubeconfig", str(cluster.kubeconfig)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(done.stderr)
        return yaml.safe_load(yaml.safe_load(done.stdout)["data"]["result"])

    return call


def test_it_is_a_library_with_a_version_and_renders_nothing_itself(helm: str) -> None:
    about = yaml.safe_load((LIBRARY / "Chart.yaml").read_text())
    assert (about["type"], about["version"].count(".")) == ("library", 2)
    assert not list(LIBRARY.glob("templates/*.yaml"))
    done = subprocess.run([helm, "lint", "--strict", str(LIBRARY)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_template_is_the_librarys_own_and_documented() -> None:
    for file in LIBRARY.glob("templates/*.tpl"):
        text = file.read_text()
        names = [line.split('"')[1] for line in text.splitlines() if line.startswith('{{- define "')]
        assert names
        assert all(name.startswith("platform.") for name in names)
        readme = (LIBRARY / "README.md").read_text()
        assert [name for name in names if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("name", ["postgresql", "redis", "chart"])
def test_no_copy_of_a_helper_is_left(name: str) -> None:
    folder = ROOT / ("chart" if name == "chart" else f"subcharts/{name}") / "templates"
    texts = "".join(file.read_text() for file in folder.rglob("*.tpl"))
    for gone in (
        "selectorLabels",
        "podLabels",
        "annotations",
        "securityContext",
        "probe",
        "peers",
        "fromRegistry",
        "tpl",
    ):
        assert f'.{gone}" -}}}}' not in texts.replace("platform.", "")


# How charts find it


def test_the_lock_is_that_of_the_dependencies() -> None:
    """By Helm's own rule: the digest of what Chart.yaml asks for and what the lock says, as JSON."""
    wanted = yaml.safe_load((ROOT / "chart" / "Chart.yaml").read_text())["dependencies"]
    lock = yaml.safe_load((ROOT / "chart" / "Chart.lock").read_text())
    order = ("name", "version", "repository", "condition")
    both = [[{key: one[key] for key in order if key in one} for one in side] for side in (wanted, lock["dependencies"])]
    digest = hashlib.sha256(json.dumps(both, separators=(",", ":")).encode()).hexdigest()
    assert lock["digest"] == f"sha256:{digest}", "Chart.lock is out of sync with Chart.yaml"
    [ours] = [one for one in lock["dependencies"] if one["name"] == "platform-library"]
    assert ours["version"] == yaml.safe_load((LIBRARY / "Chart.yaml").read_text())["version"]


def test_plain_helm_finds_it_without_a_network_and_renders_what_the_assembled_chart_does(
    helm: str, chart: Path, tmp_path: Path
) -> None:
    for name in ("chart", "subcharts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("charts"))
    plain = tmp_path / "chart"
    (plain / "Chart.lock").unlink()
    about = yaml.safe_load((plain / "Chart.yaml").read_text())
    for one in about["dependencies"]:
        # In the place of Bitnami's registry.
        one["repository"] = f"file://../subcharts/{one['name']}"
    about["version"] = yaml.safe_load((chart / "Chart.yaml").read_text())["version"]
    (plain / "Chart.yaml").write_text(yaml.safe_dump(about))
    subprocess.run([helm, "dependency", "build", str(plain)], capture_output=True, check=True)
    more = ["-f", str(chart / "values-dev.yaml"), "--set", "existingSecret=s,rotationId=r", "--skip-tests"]
    more += ["--set", "postgresql.auth.existingSecret=s,redis.auth.existingSecret=s"]
    texts = {
        subprocess.run([helm, "template", "one", str(each), *more], capture_output=True, text=True, check=True).stdout
        for each in (plain, chart)
    }
    assert len(texts) == 1


# Names


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "my-release-other"),
        ({"nameOverride": "release"}, "my-release"),
        ({"nameOverride": "x" * 70}, "my-release-" + "x" * 52),
        ({"fullnameOverride": "mine-"}, "mine"),
    ],
)
def test_fullname(block: Block, values: Object, name: str) -> None:
    assert block('include "platform.fullname" .', values=values) == name


def test_two_long_names_stay_two(block: Block) -> None:
    made = [
        block(f'include "platform.objectName" (dict "fullname" "{"a" * 60}{end}" "suffix" "config")') for end in "bc"
    ]
    assert [len(name) for name in made] == [63, 63]
    assert made[0] != made[1]


def test_account_of_the_pods(block: Block) -> None:
    account = 'include "platform.serviceAccountName" (dict "root" . "fullname" "full")'
    given = [{"create": True, "name": ""}, {"create": False, "name": ""}, {"create": True, "name": "mine"}]
    assert [block(account, values={"serviceAccount": one}) for one in given] == ["full", "default", "mine"]


# Labels


def test_metadata(block: Block) -> None:
    made = block(f'include "platform.metadata" (merge (dict "own" (dict "a" "b")) ({OWN}))')["metadata"]
    assert (made["name"], made["namespace"]) == ("n", "there")
    assert made["labels"] == {
        "helm.sh/chart": "other-1.2.3_build",
        "app": "my-release",
        "app.kubernetes.io/name": "other",
        "app.kubernetes.io/instance": "my-release",
        "app.kubernetes.io/component": "server",
        "app.kubernetes.io/version": "9",
        "app.kubernetes.io/managed-by": "Helm",
        "team": "x",
        "a": "b",
    }
    # Not a template: the annotations of Vault's injector have braces that are theirs.
    assert made["annotations"] == {"by": "{{ .Release.Name }}"}


def test_names_that_look_like_numbers_stay_texts(block: Block) -> None:
    made = block(f'include "platform.selectorLabels" ({OWN})', values={"nameOverride": "007"})
    assert made["app.kubernetes.io/name"] == "007"


def test_bitnamis_values_are_templates(block: Block) -> None:
    made = block(
        'include "platform.serverPodLabels" (dict "root" . "component" "c" "own" (dict "own" "{{ .Chart.Name }}"))',
        values={"commonLabels": {"app": "{{ .Release.Name }}"}},
    )
    assert (made["own"], made["app"]) == ("other", "my-release")
    made = block('include "platform.annotations" (dict "root" . "templates" true)')
    assert made == {"annotations": {"by": "my-release"}}


# Pods


def test_security_standard_is_laid_under(block: Block) -> None:
    pod = block('include "platform.securityContext" (dict "root" . "level" "pod" "own" (dict "runAsUser" 7))')
    assert pod == {"runAsNonRoot": True, "runAsUser": 7, "seccompProfile": {"type": "RuntimeDefault"}}
    container = block('include "platform.securityContext" (dict "root" . "level" "container")')
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert (container["allowPrivilegeEscalation"], container["readOnlyRootFilesystem"]) == (False, True)


def test_a_whole_context_is_taken_as_it_is(block: Block) -> None:
    whole = 'include "platform.securityContext" (dict "whole" .Values.it)'
    assert block(whole, values={"it": {"enabled": True, "runAsUser": 1}}) == {"runAsUser": 1}
    assert block(whole, values={"it": {"enabled": False, "runAsUser": 1}}) == {}
    assert block(whole, values={"it": {"runAsUser": 1}}) == {"runAsUser": 1}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"podSecurityContext": {"runAsNonRoot": False}}, "runAsNonRoot"),
        ({"containerSecurityContext": {"allowPrivilegeEscalation": True}}, "allowPrivilegeEscalation"),
        ({"dns": {"to": []}}, "dns/to"),
        ({"dnss": {}}, "dnss"),
    ],
)
def test_a_standard_is_not_switched_off(block: Block, values: Object, words: str) -> None:
    with pytest.raises(Refused, match=words):
        block('include "platform.name" .', values={"platform-library": values})


@pytest.mark.parametrize(
    ("probe", "asks"),
    [
        ({}, {"httpGet": {"path": "/ready", "port": "http"}}),
        (
            {"httpGet": {"path": "/x", "scheme": "HTTPS"}},
            {"httpGet": {"path": "/x", "port": "http", "scheme": "HTTPS"}},
        ),
        ({"tcpSocket": {}}, {"tcpSocket": {"port": "http"}}),
        ({"grpc": {"service": "s"}}, {"grpc": {"port": 9, "service": "s"}}),
        ({"exec": {"command": ["a"]}, "periodSeconds": 3}, {"exec": {"command": ["a"]}, "periodSeconds": 3}),
    ],
)
def test_probes(block: Block, probe: Object, asks: Object) -> None:
    made = block(
        'include "platform.probes" (dict "values" .Values "port" 9)',
        values={"readinessProbe": probe, "livenessProbe": {"enabled": False}, "startupProbe": {"enabled": False}},
    )
    assert made == {"readinessProbe": asks}


@pytest.mark.parametrize(
    ("image", "registry", "name"),
    [
        ({}, "", "r.example/a/b:9"),
        ({"tag": "2"}, "closed:5000/", "closed:5000/a/b:2"),
        ({"tag": "2", "digest": "sha256:1"}, "", "r.example/a/b@sha256:1"),
        ({"repository": "team/b"}, "closed", "closed/team/b:9"),
    ],
)
def test_image(block: Block, image: Object, registry: str, name: str) -> None:
    values = {"image": {**VALUES["image"], **image}, "global": {"imageRegistry": registry}}
    assert block('include "platform.image" (dict "root" . "image" .Values.image)', values=values) == name


def test_a_servers_image_has_a_version(block: Block) -> None:
    with pytest.raises(Refused, match=r"other\.image\.tag is empty: name the tag .* for data stay\."):
        block('include "platform.serverImage" (dict "root" . "because" "data stay")')


# Policies


def test_policy_without_peers_admits_nobody(block: Block) -> None:
    rule = '(list (dict "ports" (list 5432) "peers" .Values.peers))'
    policy = f'include "platform.networkPolicy" (merge (dict "from" {rule} "to" {rule}) ({OWN}))'
    spec = block(policy, values={"peers": []})["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    assert [port["port"] for rule in spec["egress"] for port in rule["ports"]] == [53, 53, 5353, 5353]
    peer = {"podSelector": {"matchLabels": {"a": "b"}}}
    spec = block(policy, values={"peers": [peer]})["spec"]
    assert spec["ingress"] == [{"from": [peer], "ports": [{"port": 5432, "protocol": "TCP"}]}]
    assert spec["egress"][-1] == {"to": [peer], "ports": [{"port": 5432, "protocol": "TCP"}]}


def test_everything_of_a_release_is_closed(block: Block) -> None:
    spec = block(f'include "platform.defaultDeny" ({OWN})')["spec"]
    assert spec["podSelector"]["matchLabels"] == {"app.kubernetes.io/instance": "my-release"}
    assert "ingress" not in spec
    assert "egress" not in spec


# Whole objects


def test_budget(block: Block) -> None:
    budget = f'include "platform.podDisruptionBudget" (merge (dict "values" .Values.it) ({OWN}))'
    assert block(budget, values={"it": {"minAvailable": 0, "maxUnavailable": 1}})["spec"]["minAvailable"] == 0
    spec = block(budget, values={"it": {"minAvailable": "", "maxUnavailable": 1}})["spec"]
    assert (spec["maxUnavailable"], spec["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_autoscaler_looks_at_one_container(block: Block) -> None:
    values = {"it": {"minReplicas": 1, "maxReplicas": 2, "targetMemoryUtilizationPercentage": 70}}
    made = block(
        f'include "platform.horizontalPodAutoscaler" (merge (dict "container" "c" "values" .Values.it) ({OWN}))',
        values=values,
    )
    assert made["spec"]["scaleTargetRef"]["name"] == "n"
    [metric] = made["spec"]["metrics"]
    assert (metric["containerResource"]["name"], metric["containerResource"]["container"]) == ("memory", "c")


def test_monitor_selects_the_service(block: Block) -> None:
    values = {"it": {"interval": "9s", "scrapeTimeout": "3s"}}
    monitor = block(
        f'include "platform.serviceMonitor" (merge (dict "port" "http" "path" "/m" "values" .Values.it) ({OWN}))',
        values=values,
    )
    service = block(f'include "platform.service" (merge (dict "values" (dict "type" "ClusterIP" "port" 80)) ({OWN}))')
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service["spec"]["ports"][0]["name"] == monitor["spec"]["endpoints"][0]["port"]


# The pair that waits and migrates

JOB = """include "platform.migration.job" (dict "root" . "name" "full" "values" .Values.it "annotations" .Values.notes
  "pod" "automountServiceAccountToken: false" "container" .Values.container "volumes" "[]")"""
IT: Object = {
    "it": {"backoffLimit": 1, "timeout": 60, "ttlSecondsAfterFinished": 3600},
    "container": "image: one",
    "notes": {"argocd.argoproj.io/hook": "Sync"},
}
SERVING: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "full"},
    "status": {"availableReplicas": 1},
}


def test_plain_job_is_called_by_what_it_runs(block: Block) -> None:
    first, again = block(JOB, values=IT), block(JOB, values=IT)
    other = block(JOB, values=IT | {"container": "image: two"})
    assert first == again
    assert first["metadata"]["name"] != other["metadata"]["name"]
    assert first["metadata"]["name"].startswith("full-db-migrate-1-")
    assert first["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "Sync"
    assert "activeDeadlineSeconds" not in first["spec"]


def test_while_a_version_serves_it_is_a_hook(block: Block, empty_cluster: Cluster) -> None:
    assert "hook" not in json.dumps(block(JOB, values=IT | {"notes": {}}, cluster=empty_cluster))
    empty_cluster.add(SERVING, "there")
    made = block(JOB, values=IT, cluster=empty_cluster)
    assert made["metadata"]["name"] == "full-pre-upgrade-migration"
    assert made["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"
    assert "argocd.argoproj.io/hook" not in made["metadata"]["annotations"]
    assert made["spec"]["activeDeadlineSeconds"] == 60
    assert made["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [124]


def test_a_job_may_stay(block: Block) -> None:
    stays = {**IT["it"], "ttlSecondsAfterFinished": None}
    assert "ttlSecondsAfterFinished" not in block(JOB, values=IT | {"it": stays})["spec"]


def test_waiting_program_waits_for_the_server_and_then_for_the_check(block: Block, tmp_path: Path) -> None:
    command = block('include "platform.migration.waitCommand" (dict "variables" (list "URL") "check" .Values.check)',
                    values={"check": ["sh", "-c", f"test -e {tmp_path}/migrated"]})  # fmt: skip
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        environment = {"URL": f"postgresql+asyncpg://u:secret@127.0.0.1:{port}/d", "PATH": "/usr/bin:/bin"}
        waiting = subprocess.Popen(
            [sys.executable, *command[1:]], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert waiting.stdout
        killer = threading.Timer(60, waiting.kill)
        killer.start()
        try:
            assert f"URL: 127.0.0.1:{port} does not answer yet" in waiting.stdout.readline()
            server.listen()
            lines = iter(waiting.stdout.readline, "")
            line = next(line for line in lines if "does not answer" not in line)
            assert line == "sh says that the database is not ready for this version yet\n"
            (tmp_path / "migrated").touch()
            assert "secret" not in "".join(lines)
            assert waiting.wait() == 0
        finally:
            killer.cancel()
            waiting.kill()
