"""What a cluster's controllers and nodes would do for a release: its workloads become ready, its Jobs complete.

The API server of `dev/api_server.py` stores and admits, and nothing runs. Helm waits for states, which this sets.
"""

from __future__ import annotations

import contextlib
import threading
import typing as t
from pathlib import Path

import urllib3
from kubernetes import client, config

SECONDS = 2


class Workloads:
    """Sets states while it is entered. `broken` names namespaces in which nothing becomes ready."""

    def __init__(self, kubeconfig: Path) -> None:
        """Ask the server of this kubeconfig."""
        urllib3.disable_warnings()  # the server's certificate was made a moment ago
        api = config.new_client_from_config(str(kubeconfig))
        self._apps, self._batch = client.AppsV1Api(api), client.BatchV1Api(api)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.broken: set[str] = set()

    def __enter__(self) -> t.Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End."""
        self._end.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._end.wait(SECONDS):
            # A release that is deleted or changed meanwhile is looked at again.
            with contextlib.suppress(client.ApiException):
                self._look()

    def _look(self) -> None:
        for item in self._apps.list_deployment_for_all_namespaces().items:
            if self._due(item):
                number = item.spec.replicas
                ready = {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
                done = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
                status = {"updatedReplicas": number, "availableReplicas": number, "conditions": [ready, done]}
                body = {"status": status | self._same(item, number)}
                self._apps.patch_namespaced_deployment_status(item.metadata.name, item.metadata.namespace, body)
        for item in self._apps.list_stateful_set_for_all_namespaces().items:
            if self._due(item):
                number = item.spec.replicas
                status = {"updatedReplicas": number, "currentReplicas": number, "availableReplicas": number}
                body = {"status": status | {"currentRevision": "1", "updateRevision": "1"} | self._same(item, number)}
                self._apps.patch_namespaced_stateful_set_status(item.metadata.name, item.metadata.namespace, body)
        for item in self._batch.list_job_for_all_namespaces().items:
            if not item.status.conditions and item.metadata.namespace not in self.broken:
                began = item.metadata.creation_timestamp.isoformat()
                ended = [{"type": name, "status": "True"} for name in ("SuccessCriteriaMet", "Complete")]
                status = {"startTime": began, "completionTime": began, "succeeded": 1, "conditions": ended}
                self._batch.patch_namespaced_job_status(item.metadata.name, item.metadata.namespace, {"status": status})

    def _due(self, item: t.Any) -> bool:
        return (
            item.metadata.namespace not in self.broken and item.status.observed_generation != item.metadata.generation
        )

    @staticmethod
    def _same(item: t.Any, number: int) -> dict[str, t.Any]:
        return {"observedGeneration": item.metadata.generation, "replicas": number, "readyReplicas": number}
