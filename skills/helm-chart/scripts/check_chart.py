#!/usr/bin/env python3
"""Render a Helm chart and name what the rules of this skill forbid: `check_chart.py CHART [-f VALUES]...`.

It leaves with 0 where nothing was found, 1 with findings, 2 where the chart could not be rendered. It needs helm and
PyYAML. What stands behind `--` goes to `helm template`; what only an upgrade renders is seen with a cluster:
`check_chart.py CHART -- --is-upgrade --dry-run=server`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
Found = Iterator[tuple[str, str]]
"""Where, and what to do."""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|TOKEN|SECRET|API_?KEY|CREDENTIAL|PRIVATE_KEY", re.IGNORECASE)
_LOGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@")
_DEFINE = re.compile(r'\{\{-?\s*define\s+"([^"]+)"')
_HASHED = re.compile(r"-[0-9a-f]{8,}$")


class ChartError(Exception):
    """The chart cannot be looked at; the text is one sentence."""


@dataclass
class Pod:
    """A pod, or the template that a workload makes pods of, with the object that has it."""

    owner: Object
    metadata: Object
    spec: Object

    @property
    def where(self) -> str:
        """The object's kind and name."""
        return where(self.owner)

    @property
    def labels(self) -> dict[str, str]:
        """The pod's own labels."""
        return self.metadata.get("labels") or {}

    def containers(self) -> list[Object]:
        """All containers, init containers included."""
        return [*(self.spec.get("initContainers") or []), *(self.spec.get("containers") or [])]


@dataclass
class Chart:
    """A chart and what it renders."""

    folder: Path
    objects: list[Object]
    again: list[Object]
    lint: str = ""
    takes_anything: bool = False
    metadata: Object = field(default_factory=dict)

    def pods(self) -> Iterator[Pod]:
        """Every pod that these objects make."""
        for item in self.objects:
            spec = item.get("spec") or {}
            if item["kind"] == "Pod":
                yield Pod(item, item["metadata"], spec)
            elif item["kind"] == "CronJob":
                template = spec["jobTemplate"]["spec"]["template"]
                yield Pod(item, template.get("metadata") or {}, template["spec"])
            elif isinstance(spec.get("template"), dict) and "spec" in spec["template"]:
                yield Pod(item, spec["template"].get("metadata") or {}, spec["template"]["spec"])

    def of(self, *kinds: str) -> list[Object]:
        """The objects of some kinds."""
        return [item for item in self.objects if item["kind"] in kinds]

    def ours(self, item: Object) -> bool:
        """Whether the chart itself made an object, and none of its subcharts."""
        label = (item["metadata"].get("labels") or {}).get("helm.sh/chart", "")
        return not label or str(label).startswith(f"{self.metadata['name']}-")

    def served(self) -> Iterator[Pod]:
        """The pods of Deployments that a Service sends requests to."""
        for pod in self.pods():
            if pod.owner["kind"] == "Deployment" and any(
                covers({"matchLabels": item["spec"].get("selector") or {}}, pod.labels)
                for item in self.of("Service")
                if item["spec"].get("selector")
            ):
                yield pod


def where(item: Object) -> str:
    """An object's kind and name."""
    return f"{item['kind']}/{item['metadata']['name']}"


def annotation(item: Object, name: str) -> str:
    """An annotation, empty where there is none."""
    return str((item["metadata"].get("annotations") or {}).get(name, ""))


def hooks(item: Object) -> set[str]:
    """The events of Helm at which an object is made, empty for an ordinary one."""
    return {word.strip() for word in annotation(item, "helm.sh/hook").split(",") if word.strip()}


def weight(item: Object) -> int:
    """A hook's weight; the lower comes first."""
    return int(annotation(item, "helm.sh/hook-weight") or 0)


def before(item: Object) -> bool:
    """Whether it is a hook that runs before an upgrade's objects are there."""
    return bool(hooks(item) & {"pre-install", "pre-upgrade", "pre-rollback"})


def covers(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector selects a pod; an empty one selects all."""
    for name, value in (selector.get("matchLabels") or {}).items():
        if labels.get(name) != value:
            return False
    for each in selector.get("matchExpressions") or []:
        there, values = labels.get(each["key"]), each.get("values") or []
        true = {
            "In": there in values,
            "NotIn": there not in values,
            "Exists": there is not None,
            "DoesNotExist": there is None,
        }
        if not true[each["operator"]]:
            return False
    return True


def policies(chart: Chart, pod: Pod, direction: str) -> list[Object]:
    """The network policies that decide about a pod's traffic in one direction, `Ingress` or `Egress`."""
    return [
        item
        for item in chart.of("NetworkPolicy")
        if direction in item["spec"].get("policyTypes", ["Ingress"]) and covers(item["spec"]["podSelector"], pod.labels)
    ]


def read_by(pod: Pod) -> set[tuple[str, str]]:
    """The Secrets, ConfigMaps and the account that a pod needs to start, as kind and name."""
    found: set[tuple[str, str]] = set()
    for container in pod.containers():
        for each in container.get("envFrom") or []:
            found |= {("Secret", source["name"]) for key, source in each.items() if key == "secretRef"}
            found |= {("ConfigMap", source["name"]) for key, source in each.items() if key == "configMapRef"}
        for each in container.get("env") or []:
            source = each.get("valueFrom") or {}
            found |= {("Secret", source["secretKeyRef"]["name"])} if "secretKeyRef" in source else set()
            found |= {("ConfigMap", source["configMapKeyRef"]["name"])} if "configMapKeyRef" in source else set()
    for volume in pod.spec.get("volumes") or []:
        found |= {("Secret", volume["secret"]["secretName"])} if "secret" in volume else set()
        found |= {("ConfigMap", volume["configMap"]["name"])} if "configMap" in volume else set()
    if pod.spec.get("serviceAccountName"):
        found.add(("ServiceAccount", pod.spec["serviceAccountName"]))
    return found


def texts(value: Any) -> Iterator[str]:
    """Every text below a value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


# Chart and values


def lint(chart: Chart) -> Found:
    """`helm lint --strict` complains."""
    if chart.lint:
        yield "chart", chart.lint


def kube_version(chart: Chart) -> Found:
    """Chart.yaml names no lowest version of Kubernetes."""
    if not chart.metadata.get("kubeVersion"):
        yield "Chart.yaml", "set kubeVersion to the oldest version that you validate against"


def lock_missing(chart: Chart) -> Found:
    """A range of versions without Chart.lock: another day, another chart."""
    for each in chart.metadata.get("dependencies") or []:
        exact = re.fullmatch(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?", str(each.get("version", "")))
        if not exact and not (chart.folder / "Chart.lock").is_file():
            yield f"Chart.yaml {each['name']}", "run `helm dependency update` and commit Chart.lock"


def define_name(chart: Chart) -> Found:
    """A named template without the chart's name: charts share one name space, and the last one wins."""
    for file in sorted((chart.folder / "templates").rglob("*")):
        for name in _DEFINE.findall(file.read_text(encoding="utf-8")) if file.is_file() else ():
            if not name.startswith(f"{chart.metadata['name']}."):
                yield file.name, f'call it "{chart.metadata["name"]}.…" instead of "{name}"'


def schema_open(chart: Chart) -> Found:
    """A key that nobody has is accepted: a typing error would pass."""
    if chart.takes_anything:
        yield "values.schema.json", "write one, with additionalProperties: false at the top and in each object of yours"


def schema_lacks(chart: Chart) -> Found:
    """A value in values.yaml that the schema does not describe."""
    file = chart.folder / "values.schema.json"
    if not file.is_file():
        return
    schema = json.loads(file.read_text(encoding="utf-8"))
    values = yaml.safe_load((chart.folder / "values.yaml").read_text(encoding="utf-8")) or {}
    free = {str(each.get("alias") or each["name"]) for each in chart.metadata.get("dependencies") or []} | {"global"}

    def compare(node: Object, given: Object, path: str) -> Iterator[str]:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        known = node.get("properties")
        if known is None:
            return
        for key, value in given.items():
            if key in known and isinstance(value, dict):
                yield from compare(known[key], value, f"{path}{key}.")
            elif key not in known and not node.get("additionalProperties") and not node.get("patternProperties"):
                yield f"{path}{key}"

    for path in compare(schema, {key: value for key, value in values.items() if key not in free}, ""):
        yield path, "describe it in values.schema.json"


def unstable(chart: Chart) -> Found:
    """Two renderings of the same values differ: each upgrade, and each look of a GitOps tool, is a change."""
    for one, other in zip(chart.objects, chart.again, strict=False):
        if one != other:
            yield where(one), "take what is random from a Secret that exists, or generate it once with lookup"


# Hooks and Jobs


def hook_order(chart: Chart) -> Found:
    """A Job in a hook that comes before the bundled database or after the new pods."""
    for item in chart.of("Job"):
        if "pre-install" in hooks(item) and chart.of("StatefulSet"):
            yield where(item), "at install use an ordinary Job: the database that it needs is not there before"
        if hooks(item) & {"post-install", "post-upgrade"}:
            yield where(item), "use an ordinary Job at install and pre-upgrade: a post hook comes after the new pods"


def hook_needs_upgrade(chart: Chart) -> Found:
    """A pre hook's pod that reads an object which the same upgrade brings after it."""
    for pod in chart.pods():
        if not before(pod.owner):
            continue
        for kind, name in sorted(read_by(pod)):
            for item in chart.of(kind):
                if item["metadata"]["name"] != name:
                    continue
                if not before(item) or weight(item) >= weight(pod.owner):
                    yield pod.where, f"bring a {kind} of its own, a hook of a lower weight, instead of {where(item)}"


def hook_evidence(chart: Chart) -> Found:
    """A hook's Job or pod that is deleted when it ends, with the log that says why."""
    for item in chart.of("Job", "Pod"):
        if hooks(item) and annotation(item, "helm.sh/hook-delete-policy") != "before-hook-creation":
            yield where(item), "set helm.sh/hook-delete-policy: before-hook-creation and nothing else"


def hook_deadline(chart: Chart) -> Found:
    """A hook's Job or a test that may run for ever, and Helm with it."""
    for item in chart.of("Job", "Pod"):
        if hooks(item) and not item["spec"].get("activeDeadlineSeconds"):
            yield where(item), "set spec.activeDeadlineSeconds below Helm's --timeout"


def job_deadline(chart: Chart) -> Found:
    """An ordinary Job with a deadline: it fails for good where the database beside it comes up late."""
    for item in chart.of("Job"):
        if not hooks(item) and item["spec"].get("activeDeadlineSeconds"):
            yield where(item), "remove spec.activeDeadlineSeconds; Helm's --timeout says how long is waited"


def job_name(chart: Chart) -> Found:
    """An ordinary Job that keeps its name while its template changes, which Kubernetes refuses."""
    for item in chart.of("Job"):
        if not hooks(item) and not _HASHED.search(item["metadata"]["name"]):
            yield where(item), "end its name with the first 8 hex digits of the digest of its rendered spec"


# Labels


def label_missing(chart: Chart) -> Found:
    """An object or a pod without app.kubernetes.io/instance: no selector and no cleaning up finds it."""
    for item in chart.objects:
        if "app.kubernetes.io/instance" not in (item["metadata"].get("labels") or {}):
            yield where(item), "label it app.kubernetes.io/instance: {{ .Release.Name }}"
    for pod in chart.pods():
        if "app.kubernetes.io/instance" not in pod.labels:
            yield f"{pod.where} (its pods)", "label them app.kubernetes.io/instance: {{ .Release.Name }}"


def version_in_pods(chart: Chart) -> Found:
    """A version among the labels of a workload's pods or in its selector: the next release replaces or breaks it."""
    for pod in chart.pods():
        if pod.owner["kind"] in WORKLOADS and "helm.sh/chart" in pod.labels and chart.ours(pod.owner):
            yield pod.where, "leave helm.sh/chart out of the pods' labels"
    for item in chart.of(*WORKLOADS):
        chosen = (item["spec"].get("selector") or {}).get("matchLabels") or {}
        if chosen.keys() & {"helm.sh/chart", "app.kubernetes.io/version"}:
            yield where(item), "select by name, instance and component alone: a selector cannot be changed"


def service_selects(chart: Chart) -> Found:
    """A Service that sends requests to the pods of a Job, a hook or a test."""
    for item in chart.of("Service"):
        chosen = item["spec"].get("selector")
        for pod in chart.pods() if chosen else ():
            if (pod.owner["kind"] == "Job" or hooks(pod.owner)) and covers({"matchLabels": chosen}, pod.labels):
                yield where(item), f"select by app.kubernetes.io/component too: it takes {pod.where} for a server"


# Secrets


def secret_literal(chart: Chart) -> Found:
    """A password, or a URL with one, outside a Secret."""
    for pod in chart.pods():
        for container in pod.containers():
            for each in container.get("env") or []:
                secret = _SECRET_NAME.search(each["name"]) and not each["name"].upper().endswith(("_FILE", "_NAME"))
                if secret and each.get("value") and not str(each["value"]).startswith("$("):
                    yield pod.where, f"take {each['name']} from a Secret by secretKeyRef"
    for item in chart.objects:
        if item["kind"] == "ConfigMap":
            for key in item.get("data") or {}:
                if _SECRET_NAME.fullmatch(key.rpartition("_")[2]):
                    yield where(item), f"move {key} into a Secret"
        if item["kind"] != "Secret" and item["kind"] != "ConfigMap" and any(map(_LOGIN.search, texts(item))):
            yield where(item), "take the URL with its password from a Secret"


def secret_lost(chart: Chart) -> Found:
    """A Secret that goes with the release while the volumes that know its passwords stay."""
    kept = [pod for pod in chart.pods() if pod.owner["spec"].get("volumeClaimTemplates")]
    names = {name for pod in kept for kind, name in read_by(pod) if kind == "Secret"}
    for item in chart.of("Secret"):
        if item["metadata"]["name"] in names and annotation(item, "helm.sh/resource-policy") != "keep":
            yield where(item), "annotate it helm.sh/resource-policy: keep"


# Pods


def pod_restricted(chart: Chart) -> Found:
    """A container outside the restricted Pod Security Standard."""
    for pod in chart.pods():
        of_pod = pod.spec.get("securityContext") or {}
        for container in pod.containers():
            own = container.get("securityContext") or {}
            both = of_pod | own
            lacking = [] if both.get("runAsNonRoot") is True else ["runAsNonRoot: true"]
            lacking += [] if own.get("allowPrivilegeEscalation") is False else ["allowPrivilegeEscalation: false"]
            dropped = (own.get("capabilities") or {}).get("drop") or []
            lacking += [] if "ALL" in dropped else ["capabilities: {drop: [ALL]}"]
            profile = (both.get("seccompProfile") or {}).get("type")
            lacking += [] if profile in ("RuntimeDefault", "Localhost") else ["seccompProfile: {type: RuntimeDefault}"]
            if lacking:
                yield f"{pod.where} {container['name']}", f"set {', '.join(lacking)}"


def pod_token(chart: Chart) -> Found:
    """A pod with a token of the Kubernetes API."""
    for pod in chart.pods():
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield pod.where, "set automountServiceAccountToken: false, unless it calls the Kubernetes API"


def pod_resources(chart: Chart) -> Found:
    """A container without requests, or without a limit of its memory."""
    for pod in chart.pods():
        for container in pod.containers():
            given = container.get("resources") or {}
            asked = given.get("requests") or {}
            if not {"cpu", "memory"} <= asked.keys() or "memory" not in (given.get("limits") or {}):
                yield f"{pod.where} {container['name']}", "set requests for cpu and memory, and a limit for memory"


def image_moves(chart: Chart) -> Found:
    """An image that another one may stand behind tomorrow."""
    for pod in chart.pods():
        for container in pod.containers():
            name = str(container.get("image", "")).rpartition("/")[2]
            if "@sha256:" not in name and (":" not in name or name.endswith(":latest")):
                yield f"{pod.where} {container['name']}", "name the image by a digest or a tag that never moves"


def config_unnoticed(chart: Chart) -> Found:
    """A ConfigMap of this chart whose change does not restart the pods that read it."""
    ours = {item["metadata"]["name"] for item in chart.of("ConfigMap")}
    for pod in chart.pods():
        names = {name for kind, name in read_by(pod) if kind == "ConfigMap"} & ours
        marked = any("checksum" in key for key in pod.metadata.get("annotations") or {})
        if pod.owner["kind"] in WORKLOADS and names and not marked:
            yield pod.where, f"annotate the pods with a checksum/… of {', '.join(sorted(names))}"


# Upgrades without a failed request


def rollout_gap(chart: Chart) -> Found:
    """A Deployment behind a Service that takes serving pods away before the new ones are ready."""
    for pod in chart.served():
        strategy = pod.owner["spec"].get("strategy") or {}
        least = (strategy.get("rollingUpdate") or {}).get("maxUnavailable")
        if strategy.get("type", "RollingUpdate") != "RollingUpdate" or least not in (0, "0%"):
            yield pod.where, "set strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}"


def not_ready(chart: Chart) -> Found:
    """A pod behind a Service that gets requests as soon as its process starts."""
    for pod in chart.served():
        if not any("readinessProbe" in container for container in pod.spec["containers"]):
            yield pod.where, "give its container a readinessProbe"


def probe_same(chart: Chart) -> Found:
    """A liveness probe that asks what readiness asks: a database that restarts restarts every pod."""
    for pod in chart.pods():
        for container in pod.spec.get("containers") or []:
            asked = [
                {key: value for key, value in container[probe].items() if key in ("httpGet", "exec", "grpc")}
                for probe in ("livenessProbe", "readinessProbe")
                if probe in container
            ]
            if pod.owner["kind"] == "Deployment" and len(asked) == 2 and asked[0] == asked[1] != {}:
                yield f"{pod.where} {container['name']}", "let livenessProbe ask the process alone"


def no_drain(chart: Chart) -> Found:
    """A pod that ends while the Service still sends it requests."""
    for pod in chart.served():
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        stops = [
            (container.get("lifecycle") or {}).get("preStop")
            for container in pod.spec["containers"]
            if container.get("readinessProbe")
        ]
        if not all(stops):
            yield pod.where, "add lifecycle.preStop: {sleep: {seconds: 5}} to what serves"
        elif max([0, *(int((stop.get("sleep") or {}).get("seconds", 0)) for stop in stops if stop)]) >= grace:
            yield pod.where, "set terminationGracePeriodSeconds above preStop and the time that running requests need"


def replicas_twice(chart: Chart) -> Found:
    """A number of pods beside an autoscaler: each upgrade sets it back."""
    for item in chart.of("HorizontalPodAutoscaler"):
        target = item["spec"]["scaleTargetRef"]
        for owner in chart.of(target["kind"]):
            if owner["metadata"]["name"] == target["name"] and "replicas" in owner["spec"]:
                yield where(owner), "leave spec.replicas out while an autoscaler sets it"


def budget_blocks(chart: Chart) -> Found:
    """A PodDisruptionBudget that no drain of a node gets past."""
    for pod in chart.pods():
        budgets = [
            item for item in chart.of("PodDisruptionBudget") if covers(item["spec"].get("selector") or {}, pod.labels)
        ]
        if len(budgets) > 1:
            yield pod.where, "leave one PodDisruptionBudget: Kubernetes evicts no pod that has two"
        for item in budgets:
            most, least = item["spec"].get("maxUnavailable"), item["spec"].get("minAvailable")
            count = pod.owner["spec"].get("replicas", 1)
            if most in (0, "0%") or least == "100%" or (isinstance(least, int) and least >= count):
                yield where(item), "set maxUnavailable: 1, and make no budget for a single pod"


def set_ordered(chart: Chart) -> Found:
    """A StatefulSet with volumes that never replaces a pod which was never ready."""
    for item in chart.of("StatefulSet"):
        if item["spec"].get("volumeClaimTemplates") and item["spec"].get("podManagementPolicy") != "Parallel":
            yield where(item), "set podManagementPolicy: Parallel, which cannot be changed later"


# Network


def network_open(chart: Chart) -> Found:
    """A pod that no network policy closes, inwards or outwards."""
    for pod in chart.pods():
        lacking = [direction for direction in ("Ingress", "Egress") if not policies(chart, pod, direction)]
        if lacking:
            yield pod.where, f"select it by a NetworkPolicy with policyTypes: [{', '.join(lacking)}]"


def network_dns(chart: Chart) -> Found:
    """A pod that may call servers, and may not ask for their addresses."""
    for pod in chart.pods():
        rules = [rule for item in policies(chart, pod, "Egress") for rule in item["spec"].get("egress") or []]
        open_to = {
            (str(port.get("protocol", "TCP")), port.get("port")) for rule in rules for port in rule.get("ports") or []
        }
        free = any(not rule.get("ports") and not rule.get("to") for rule in rules)
        if rules and not free and not {("UDP", 53), ("TCP", 53)} <= open_to:
            yield pod.where, "allow egress to port 53, UDP and TCP"


def network_port(chart: Chart) -> Found:
    """A policy's rule for a port that none of its pods has: rules count pods' ports, not Services'."""
    for item in chart.of("NetworkPolicy"):
        chosen = [pod for pod in chart.pods() if covers(item["spec"]["podSelector"], pod.labels)]
        ports = [port for pod in chosen for container in pod.containers() for port in container.get("ports") or []]
        known = {port["containerPort"] for port in ports} | {port.get("name") for port in ports}
        for rule in item["spec"].get("ingress") or []:
            for port in rule.get("ports") or []:
                if ports and port.get("port") is not None and port["port"] not in known and "endPort" not in port:
                    yield where(item), f"name a container's port instead of {port['port']}"


def network_hook(chart: Chart) -> Found:
    """A pre hook under the policies of the version before: a server that moved is out of its reach."""
    for pod in chart.pods():
        if before(pod.owner) and chart.of("NetworkPolicy"):
            own = [item for item in policies(chart, pod, "Egress") if before(item) and weight(item) < weight(pod.owner)]
            if not own:
                yield pod.where, "bring a NetworkPolicy for it, a hook of a lower weight"


def test_missing(chart: Chart) -> Found:
    """Nothing for `helm test` to run."""
    if not any("test" in hooks(item) for item in chart.objects):
        yield "chart", "add a pod with the annotation helm.sh/hook: test"


RULES: dict[str, Callable[[Chart], Found]] = {
    check.__name__.replace("_", "-"): check
    for check in (
        *(lint, kube_version, lock_missing, define_name, schema_open, schema_lacks, unstable),
        *(hook_order, hook_needs_upgrade, hook_evidence, hook_deadline, job_deadline, job_name),
        *(label_missing, version_in_pods, service_selects, secret_literal, secret_lost),
        *(pod_restricted, pod_token, pod_resources, image_moves, config_unnoticed),
        *(rollout_gap, not_ready, probe_same, no_drain, replicas_twice, budget_blocks, set_ordered),
        *(network_open, network_dns, network_port, network_hook, test_missing),
    )
}


def run(words: Sequence[object]) -> subprocess.CompletedProcess[str]:
    """Run helm.

    :raises ChartError: there is no such program, or it does not end
    """
    try:
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, check=False)
    except FileNotFoundError:
        raise ChartError(f"there is no program {words[0]}: install helm, or name it with --helm") from None
    except subprocess.TimeoutExpired:
        raise ChartError(f"{words[0]} did not end within 300 s") from None


def rendered(folder: Path, helm: str, words: Sequence[object], release: str = "my-release") -> list[Object]:
    """The objects that helm renders.

    :raises ChartError: helm refuses
    """
    done = run([helm, "template", release, folder, *words])
    if done.returncode:
        raise ChartError(f"helm cannot render {folder}: {done.stderr.strip()}")
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def linted(folder: Path, helm: str, words: Sequence[object]) -> str:
    """What `helm lint --strict` complains of, empty where it does not."""
    done = run([helm, "lint", "--strict", folder, *words])
    told = [line for line in done.stdout.splitlines() if line.startswith(("[ERROR]", "[WARNING]"))]
    return (" ".join(told) or done.stderr.strip()) if done.returncode else ""


def takes_anything(folder: Path, helm: str, words: Sequence[object], release: str = "my-release") -> bool:
    """Whether helm renders the chart with a key that nobody has."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as unknown:
        unknown.write("keyThatNobodyHas: 1\n")
        unknown.flush()
        return run([helm, "template", release, folder, *words, "--values", unknown.name]).returncode == 0


def load(
    folder: Path,
    values: Sequence[Path] = (),
    helm: str = "helm",
    release: str = "my-release",
    options: Sequence[str] = (),
) -> Chart:
    """Render a chart twice, lint it, and try whether it takes a key that nobody has.

    :param options: of `helm template`
    :raises ChartError: there is no chart, or helm refuses to render it
    """
    if not (folder / "Chart.yaml").is_file():
        raise ChartError(f"{folder} has no Chart.yaml: name the folder of a chart")
    given: list[object] = [word for file in values for word in ("--values", file)]
    both: list[object] = [*given, *options]
    metadata = yaml.safe_load((folder / "Chart.yaml").read_bytes())
    return Chart(
        folder,
        rendered(folder, helm, both, release),
        rendered(folder, helm, both, release),
        lint=linted(folder, helm, given),
        takes_anything=takes_anything(folder, helm, both, release),
        metadata=metadata,
    )


def check(chart: Chart) -> list[tuple[str, str, str]]:
    """Every finding: the rule, where, what to do."""
    found = [(rule, *each) for rule, judge in RULES.items() for each in judge(chart)]
    return list(dict.fromkeys(found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("chart", type=Path, nargs="?", help="folder of the chart, with its dependencies in charts/")
    parser.add_argument("-f", "--values", type=Path, action="append", default=[], help="values file, as helm takes it")
    parser.add_argument("--release", default="my-release", help="name of the release")
    parser.add_argument("--helm", default="helm", help="the helm program")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="RULE=REASON", help="a rule that does not count"
    )
    parser.add_argument("--rules", action="store_true", help="list the rules, and do nothing else")
    words = list(sys.argv[1:] if arguments is None else arguments)
    own, options = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    chosen = parser.parse_args(own)
    if chosen.rules or not chosen.chart:
        print("\n".join(f"{rule}: {judge.__doc__}" for rule, judge in RULES.items()))
        return 0 if chosen.rules else 2
    allowed = dict(word.partition("=")[::2] for word in chosen.allow)
    wrong = [rule for rule, reason in allowed.items() if rule not in RULES or not reason.strip()]
    if wrong:
        parser.error(f"--allow wants a rule and a reason, RULE=REASON, not {wrong[0]}")
    try:
        found = check(load(chosen.chart, chosen.values, chosen.helm, chosen.release, options))
    except ChartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for rule, place, words_ in found:
        print(f"{'allowed ' if rule in allowed else ''}{rule}: {place}: {words_}")
    counted = [each for each in found if each[0] not in allowed]
    print(f"{len(counted)} findings" if counted else "nothing found")
    return 1 if counted else 0


if __name__ == "__main__":
    sys.exit(main())
