"""The facts of a release: the probe in every agent pod, in a probe pod, and in pods that must reach nothing."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import agent_process, probe_answers
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import FORBIDDEN
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.release import (
    agent_service,
    look,
    release_facts,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_startup import NETWORK_SECONDS
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden, Refused
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import PROBE, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task, manifest

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import (
        Facts,
        NamespaceFacts,
        Observation,
        Record,
        ReleaseFacts,
        SeenRelease,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.release import ReleaseObjects
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

API_SERVER = {"name": FORBIDDEN, "host": "kubernetes.default.svc", "port": 443}
METADATA = {"name": "metadata", "host": "169.254.169.254", "port": 80}
STRANGERS: t.Final[dict[str, str]] = {"stranger": "this namespace", "elsewhere": "another namespace"}
# What the test's own pods ask for and may use, as the chart's test pod.
RESOURCES: t.Final[dict[str, dict[str, str]]] = {
    "requests": {"cpu": "20m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
    "limits": {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "128Mi"},
}
# The endpoint controller follows a pod's readiness with a delay.
SETTLE_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Options:
    """How a release is tested. Times in seconds.

    :param pods: auto, agent or probe
    :param other_namespace: from which a stranger tries as well
    :param model: None: the model's endpoint is not asked; else what agent_process.model_dependency takes
    :param outside: host:port outside of the cluster, which the agent must not reach unless its policies let it
    """

    release: str
    namespace: str
    pods: str = "auto"
    max_pods: int = 10
    rounds: int = 10
    timeout: float = 5
    negative: bool = True
    other_namespace: str | None = None
    model: t.Mapping[str, t.Any] | None = None
    outside: str = ""
    job_timeout: float = 60
    pull_timeout: float = 600

    @property
    def deadline(self) -> float:
        """Seconds that one probe may take: 18 phases of `timeout`, three seconds a round, ten for its start."""
        return 18 * self.timeout + 3 * self.rounds + 10


def collect(cluster: Cluster, options: Options) -> tuple[Facts, list[Finding]]:
    """Collect the facts, and findings about how they were collected.

    :raises FindingError: nothing can be said
    """
    seen = look(cluster, options.release, options.namespace)
    found = _rights(seen, options)
    chosen = _choose(seen, options, found)
    release = release_facts(seen, options.release, options.namespace)
    work = PodRuns(cluster, options, seen, release)
    untested: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(len(chosen) + 3) as pool:
        strangers = {place: pool.submit(work.stranger, place) for place in work.places()}
        agents = [pool.submit(work.agent, pod) for pod in chosen] if chosen else [pool.submit(work.probe_instead)]
        observations = [future.result() for future in agents]
        if refused := [item for item in observations if item.get("refused")]:
            observations = [item for item in observations if not item.get("refused")]
            # Each that has room says what all of them reach; where none has, a pod of our own does.
            observations = observations or [work.probe()]
            found.append(_spared_agents(refused, observations))
        for place, future in strangers.items():
            try:
                observations.append(future.result())
            except FindingError as error:
                untested.append(f"No pod of {STRANGERS[place]} could try what it must not reach: {error.message}")
    whole: ReleaseFacts = {
        **_after_a_pause(cluster, options, release),
        "stranger_labels": work.stranger_labels(),
        "other_namespace": work.other_namespace(),
    }
    return {"observations": observations, "release": whole, "untested": untested}, found + work.pulls[:1]


def _rights(seen: ReleaseObjects, options: Options) -> list[Finding]:
    """What may not be looked at, and so is not judged."""
    looked = {"services": seen.services, "endpointslices": seen.slices, "networkpolicies": seen.policies}
    closed = [name for name, objects in looked.items() if objects is None]
    if not closed:
        return []
    words = (
        f"The account may not list {', '.join(closed)} in namespace {options.namespace}; what they say is not judged."
    )
    return [finding("rights-incomplete", words)]


def _choose(seen: ReleaseObjects, options: Options, found: list[Finding]) -> list[Object]:
    """The pods into which the probe goes; none: it gets a pod of its own."""
    running: list[Object] = seen.running[: options.max_pods]
    if options.pods == "probe" or (options.pods == "auto" and not running):
        return []
    if seen.exec_allowed:
        if not running:
            words = f"No pod of release {options.release} runs in namespace {options.namespace}"
            raise FindingError("agent-absent", f"{words}; start one, or use pods=auto.")
        return running
    if options.pods == "agent":
        raise Forbidden("create", "pods/exec", options.namespace)
    words = f"The account may not exec into pods of {options.namespace}; a pod of the same image and labels asked."
    found.append(finding("exec-forbidden", words))
    return []


def _spared_agents(refused: list[Observation], instead: list[Observation]) -> Finding:
    """The finding about agents with too little memory left to run the probe in them."""
    names = tuple(item["pod"] for item in refused)
    by = "a pod of the same image and labels" if instead[0]["from"] == "probe" else "the other pods"
    words = f"{names[0]} {refused[0]['problem']}{f', and {len(names) - 1} more' if names[1:] else ''}; {by} asked."
    return finding("agent-memory-short", words, pods=names)


def _after_a_pause(cluster: Cluster, options: Options, release: SeenRelease) -> SeenRelease:
    """Read pods and endpoints again where they disagreed: one of the two may just have changed."""
    ready = sorted(pod["name"] for pod in release["pods"] if pod["ready"])
    if release["endpoints"] is None or release["endpoints"]["ready"] == ready:
        return release
    time.sleep(SETTLE_SECONDS)
    again = release_facts(look(cluster, options.release, options.namespace), options.release, options.namespace)
    return {**release, "pods": again["pods"], "endpoints": again["endpoints"]}


class PodRuns:
    """The probes of one test. Every method may run in a thread of its own."""

    def __init__(self, cluster: Cluster, options: Options, seen: ReleaseObjects, release: SeenRelease) -> None:
        self._cluster, self._options, self._seen, self._release = cluster, options, seen, release
        self.pulls: list[Finding] = []
        self._container = shared.agent_container(seen.pod_spec)
        self._variables = agent_process.variables(self._container)
        self._model = None if options.model is None else agent_process.model_dependency(options.model)

    def _request(self, **more: t.Any) -> Object:
        options = self._options
        own = {"timeout": options.timeout, "deadline": options.deadline, "rounds": options.rounds}
        return own | more

    def _dependencies(self) -> list[Object]:
        gates = {item["name"]: item for item in self._seen.pod_spec.get("initContainers") or ()}
        gate = gates.get("wait-for-schema", {}).get("env") or ()
        table = next((item.get("value") for item in gate if item["name"] == "SCHEMA_VERSION_TABLE"), None)
        named = self._variables.items()
        asked: list[Object] = [{"name": name, "kind": name, "env": variable} for name, variable in named]
        asked[0]["version_table"] = table
        if replica := self._release["servers"].get("postgresql-replica"):
            place = {"host": replica["host"].partition(".")[0], "port": replica["port"]}
            asked.insert(
                1, {"name": "postgresql-replica", "kind": "replica", "env": self._variables["postgresql"], **place}
            )
        return [*asked, *([self._model] if self._model else [])]

    def _outside(self) -> list[Object]:
        """Addresses outside of the cluster, which the agent tries, and a pod that no policy limits as well."""
        host, _colon, port = self._options.outside.rpartition(":")
        return [METADATA, *([{"name": "outside", "host": host.strip("[]"), "port": int(port)}] if host else [])]

    def agent(self, pod: Object) -> Observation:
        """The probe in a running pod of the agent. Failing is part of the observation."""
        name = pod["metadata"]["name"]
        own = [{"name": "itself", "host": "127.0.0.1", **place} for place in agent_process.answers(self._container)]
        negative = [API_SERVER, *self._outside()] if self._options.negative else []
        request = self._request(dependencies=self._dependencies(), http=own, reach=negative) | {"guest": True}
        lines: list[str] = []
        problem = None
        try:
            for line in self._answers(name, request):
                lines.append(line)
        except FindingError as error:
            problem = error.message
        records, ended = probe_answers.read(probe_answers.from_stream(lines))
        if refusal := next((item for item in records if item["record"] == "refused"), None):
            why = str(refusal.get("text"))
            return {**self._observation("agent", name, pod["spec"].get("nodeName"), [], why), "refused": True}
        if not ended and problem is None:
            problem = f"The probe in pod {name} ended before it was done."
        return self._observation("agent", name, pod["spec"].get("nodeName"), records, problem)

    def _answers(self, pod: str, request: Object) -> t.Iterator[str]:
        options = self._options
        with ExecSession(self._cluster, options.namespace, pod, self._container["name"], command()) as session:
            session.send(bundle(PROBE, request))
            # The probe ends itself at its deadline; what else runs in the image might go on talking.
            end = time.monotonic() + options.deadline + 5
            while (line := session.receive(max(0.0, end - time.monotonic()))) is not None:
                yield line
                if '"record": "end"' in line:
                    return

    def probe(self) -> Observation:
        """The observation of a pod of our own with the release's client label.

        :raises FindingError: the pod cannot run, or gives no answer
        """
        client = {"app.kubernetes.io/instance": self._options.release, f"{self._options.release}-db-client": "true"}
        model = [self._model[name] for name in ("env", "key_env")] if self._model else []
        env = shared.environment(self._container, (*self._variables.values(), *model))
        request = self._request(dependencies=self._dependencies())
        task = self._task("probe", self._options.namespace, request)
        own = dataclasses.replace(task, labels={**task.labels, **client}, env=env, container=self._container)
        return self._run("probe", own)

    def probe_instead(self) -> Observation:
        """As `probe`, where no pod of the agent is asked.

        :raises FindingError: also `agent-absent`, where none runs and the account may start none, as the verifier's
        """
        try:
            return self.probe()
        except (Forbidden, Refused) as error:
            if self._seen.running:
                raise
            place = f"release {self._options.release} runs in namespace {self._options.namespace}"
            words = f"No pod of {place}, and none could be started to ask in its place: {error.message}"
            raise FindingError("agent-absent", words) from None

    def places(self) -> list[str]:
        """The places from which pods without the client label try to connect."""
        if not self._options.negative:
            return []
        return ["stranger", *(["elsewhere"] if self._options.other_namespace else [])]

    def stranger(self, place: str) -> Observation:
        """What a pod without the client label reaches, and whether the agent answers it.

        :raises FindingError: the pod cannot run, or gives no answer
        """
        targets = [
            {"name": name, "host": server["host"], "port": server["port"]}
            for name, server in self._release["servers"].items()
        ]
        targets += self._outside() if place == "stranger" else []
        service = agent_service(self._seen) if place == "stranger" else None
        http = self._through(service) if service else []
        namespace = self._options.namespace if place == "stranger" else str(self._options.other_namespace)
        return self._run(place, self._task("stranger", namespace, self._request(reach=targets, http=http)))

    def _through(self, service: Object) -> list[Object]:
        """The agent's paths through its Service."""
        host = f"{service['metadata']['name']}.{self._options.namespace}.svc"
        places = [
            {"port": agent_process.service_port(self._container, service, place["port"]), "path": place["path"]}
            for place in agent_process.answers(self._container)
        ]
        return [{"name": "service", "host": host, **place} for place in places if place["port"]]

    def stranger_labels(self) -> dict[str, str]:
        """The labels by which a policy could know a stranger."""
        labels: dict[str, str] = manifest(self._task("stranger", "", {}), "")["metadata"]["labels"]
        return labels

    def _task(self, purpose: str, namespace: str, request: Object) -> Task:
        seconds = self._options.deadline + NETWORK_SECONDS
        new = {"framed": True, "settle": NETWORK_SECONDS, "deadline": seconds}
        return Task(
            namespace=namespace,
            release=self._options.release,
            purpose=purpose,
            image=self._container["image"],
            command=command(bundle(PROBE, request | new)),
            labels=shared.given_labels(self._seen.deployment, self._options.release),
            annotations=shared.given_annotations(self._seen.deployment["metadata"]),
            pod=self._seen.pod_spec if namespace == self._options.namespace else self._elsewhere(),
            pull_policy=self._container.get("imagePullPolicy"),
            resources=RESOURCES,
            start_seconds=self._options.job_timeout,
            pull_seconds=self._options.pull_timeout,
            run_seconds=seconds,
        )

    def _elsewhere(self) -> Object:
        """The pod spec without what another namespace does not have."""
        return {name: value for name, value in self._seen.pod_spec.items() if name != "serviceAccountName"}

    def _run(self, place: str, task: Task) -> Observation:
        with JobRun(self._cluster, task) as run:
            records, ended = probe_answers.read(probe_answers.from_log(run.lines()))
            problem = run.ended() if not ended else None
        self.pulls += run.findings()
        if problem:
            raise problem
        host = next((item["host"] for item in records if item["record"] == "end"), task.purpose)
        said = None if ended else f"The probe in a pod of its own ({task.purpose}) ended before it was done."
        return self._observation(place, host, None, records, said)

    def other_namespace(self) -> NamespaceFacts | None:
        """Name and labels of the other namespace; its own name is a label that every namespace has."""
        if not (name := self._options.other_namespace):
            return None
        labels = {"kubernetes.io/metadata.name": name}
        with contextlib.suppress(Forbidden):
            there = self._cluster.get("v1", "namespaces", name) or {"metadata": {}}
            labels |= there["metadata"].get("labels") or {}
        return {"name": name, "labels": labels}

    @staticmethod
    def _observation(place: str, pod: str, node: str | None, records: list[Record], problem: str | None) -> Observation:
        return {"from": place, "pod": pod, "node": node, "records": records, "problem": problem, "refused": False}


__all__ = ("Options", "collect")
