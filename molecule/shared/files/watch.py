"""Keep what happens in a namespace until a file named `stop` appears: objects as they change, logs of all pods.

    python watch.py KUBECONFIG NAMESPACE FOLDER

Secrets are left out: they are where the passwords belong. Pods of a preflight live for seconds, so each log is
followed from the moment in which its container runs.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import typing as t
from pathlib import Path

from kubernetes import client, config, watch

NAMESPACE, FOLDER = sys.argv[2], Path(sys.argv[3])
config.load_kube_config(sys.argv[1])
CORE = client.CoreV1Api()
KINDS: dict[str, t.Callable[..., t.Any]] = {
    "pods": CORE.list_namespaced_pod,
    "events": CORE.list_namespaced_event,
    "configmaps": CORE.list_namespaced_config_map,
    "jobs": client.BatchV1Api().list_namespaced_job,
    "networkpolicies": client.NetworkingV1Api().list_namespaced_network_policy,
}
followed: set[tuple[str, str]] = set()


def objects(kind: str) -> None:
    """One line of JSON for each change."""
    with (FOLDER / f"{kind}.jsonl").open("a") as stream:
        while True:
            try:
                for event in watch.Watch().stream(KINDS[kind], NAMESPACE, timeout_seconds=300):
                    form = CORE.api_client.sanitize_for_serialization(event["object"])
                    stream.write(json.dumps(form) + "\n")
                    stream.flush()
                    if kind == "pods":
                        follow(form)
            except Exception as error:
                print(f"{kind}: {error}", flush=True)
                time.sleep(0.2)


def follow(pod: dict[str, t.Any]) -> None:
    """A thread for each container that has begun."""
    statuses = pod.get("status", {})
    for status in [*statuses.get("initContainerStatuses", ()), *statuses.get("containerStatuses", ())]:
        key = (pod["metadata"]["uid"], status["name"])
        if key not in followed and {"running", "terminated"} & set(status.get("state", {})):
            followed.add(key)
            threading.Thread(target=log, args=(pod["metadata"]["name"], status["name"]), daemon=True).start()


def log(pod: str, container: str) -> None:
    """The log of a container to its end, whatever stream of it breaks: the last reading is whole."""
    path = FOLDER / "logs" / f"{pod}.{container}.{time.monotonic_ns()}.log"
    ended = False
    while True:
        try:
            ended = _ended(pod, container)
            options = {"container": container, "follow": not ended, "_preload_content": False}
            response = CORE.read_namespaced_pod_log(pod, NAMESPACE, **options)
            with path.open("wb") as stream:
                for chunk in response.stream():
                    stream.write(chunk)
                    stream.flush()
        except Exception as error:
            print(f"{pod}: {error}", flush=True)
            ended = ended or "(404)" in str(error)
        if ended:
            return
        time.sleep(0.1)


def _ended(pod: str, container: str) -> bool:
    statuses = CORE.read_namespaced_pod_status(pod, NAMESPACE).status
    found = [*(statuses.init_container_statuses or ()), *(statuses.container_statuses or ())]
    return any(item.name == container and item.state.terminated for item in found)


(FOLDER / "logs").mkdir(parents=True)
for name in KINDS:
    threading.Thread(target=objects, args=(name,), daemon=True).start()
while not (FOLDER / "stop").exists():
    time.sleep(0.5)
