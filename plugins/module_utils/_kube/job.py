"""One program in a Job: created, watched until it runs or can be said to fail, its log read, removed again.

Whoever dies in between leaves a Job that ends at its deadline and is removed, with all that it owns, a minute later.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import math
import secrets
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import MOST_BYTES
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import job_failures
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden, Refused
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import (
    INPUT_ANNOTATION,
    RUN_LABEL,
    manifest,
    policy,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task

CONTAINER = job_failures.CONTAINER
# Pods can be held by a gate from this minor version of Kubernetes on.
GATES_SINCE = 27
POLL_SECONDS = 0.15
EVENTS_SECONDS = 1.0
# How long a container takes to start once its image is there.
AFTER_PULL_SECONDS = 15.0
# How long to wait for the node to tell the API server how a container ended.
STATUS_SECONDS = 10.0
# The most that answers may hold (framing.MOST_BYTES), as base64, and what else a program prints.
LOG_BYTES = 2 * MOST_BYTES


class JobRun(contextlib.AbstractContextManager["JobRun"]):
    """A task at work.

    The pod is looked at again and again: a watch would need one more right and can break unseen.

    :raises FindingError: every method, with an id of its own for each way in which a pod cannot run
    """

    def __init__(self, cluster: Cluster, task: Task) -> None:
        self.cluster, self.task = cluster, task
        self.run = secrets.token_hex(4)
        if task.isolated and cluster.server_minor() < GATES_SINCE:
            words = (
                f"The cluster at {cluster.address} is older than Kubernetes 1.{GATES_SINCE}, which cannot hold a pod"
            )
            raise FindingError("cluster-old", f"{words} until its policy is there; upgrade it.")
        self.began = time.monotonic()
        self.deadline = self.began + task.start_seconds
        # Whether the node was seen to pull beyond the time that a pod has to start, and for how long then.
        self.pulls, self.pulled_seconds = False, 0.0
        self.next_events = time.monotonic() + EVENTS_SECONDS
        self.pod_name = ""
        self.job = cluster.create("batch/v1", "jobs", manifest(task, self.run), task.namespace)
        try:
            if task.isolated:
                closed = policy(self.job, self.run)
                cluster.create("networking.k8s.io/v1", "networkpolicies", closed, task.namespace)
                self._open_gate()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        # The Job is removed by its time to live as well.
        with contextlib.suppress(FindingError):
            self.cluster.delete("batch/v1", "jobs", self.job["metadata"]["name"], self.task.namespace)

    def _pod(self) -> Object | None:
        """The pod, if there is one.

        :raises FindingError: it will not get better, or time is up
        """
        found = self._pods()
        error = job_failures.failure(found[0], self.task.image) if found else self._refusal()
        if error is None and time.monotonic() >= self.deadline:
            error = self._late(found)
        if error:
            raise error
        return found[0] if found else None

    def _late(self, pods: list[Object]) -> FindingError | None:
        """What to say when the time is up, None while the node still pulls the image and may go on."""
        if not pods or not job_failures.pulling(pods[0], self._events(pods[0])):
            return job_failures.not_started_error(pods, self.task.namespace, self.task.start_seconds)
        self.pulled_seconds = time.monotonic() - self.began
        if self.pulled_seconds >= self.task.pull_seconds:
            return job_failures.slow_pull_error(pods[0], self.task.image, self.task.pull_seconds)
        if not self.pulls:
            self.pulls = True
            if error := self._prolonged(pods[0]):
                return error
        self.deadline = time.monotonic() + AFTER_PULL_SECONDS
        return None

    def _prolonged(self, pod: Object) -> FindingError | None:
        """Let the Job live as long as the pull may take: what nobody waits for any more should end soon."""
        task = self.task
        seconds = task.pull_seconds + AFTER_PULL_SECONDS + task.run_seconds + (task.input_seconds or 0)
        longer = {"spec": {"activeDeadlineSeconds": math.ceil(seconds) + 5}}
        try:
            self.cluster.patch("batch/v1", "jobs", self.job["metadata"]["name"], longer, task.namespace)
        except Forbidden:
            why = "the account may not patch jobs to wait"
            return job_failures.slow_pull_error(pod, task.image, task.start_seconds, why)
        return None

    def findings(self) -> list[Finding]:
        """What there is to say of the start of the pod: that its image was pulled for longer than a pod may take."""
        if not self.pulls:
            return []
        words = f"The image {self.task.image} was pulled for {self.pulled_seconds:.0f} s before its pod could start."
        return [finding("image-pulled", words)]

    def _events(self, of: Object) -> list[Object] | None:
        """Events of an object, None where they may not be read."""
        fields = f"involvedObject.uid={of['metadata']['uid']}"
        try:
            found: list[Object] = self.cluster.list("v1", "events", self.task.namespace, fields=fields)
        except Forbidden:
            return None
        return found

    def _pods(self) -> list[Object]:
        found: list[Object] = self.cluster.list("v1", "pods", self.task.namespace, labels=f"{RUN_LABEL}={self.run}")
        return found

    def _refusal(self) -> FindingError | None:
        if time.monotonic() < self.next_events:
            return None
        self.next_events = time.monotonic() + EVENTS_SECONDS
        events = self._events(self.job)
        return None if events is None else job_failures.refusal(events, self.task.namespace)

    def _open_gate(self) -> None:
        """Let the pod be scheduled: its policy is there."""
        while (pod := self._pod()) is None:
            time.sleep(POLL_SECONDS / 3)
        self.pod_name = pod["metadata"]["name"]
        self.cluster.patch("v1", "pods", self.pod_name, {"spec": {"schedulingGates": None}}, self.task.namespace)

    def send_input(self, words: str) -> None:
        """Give the program of an isolated task what it waits for; its time begins."""
        change = {"metadata": {"annotations": {INPUT_ANNOTATION: words}}}
        self.cluster.patch("v1", "pods", self.pod_name, change, self.task.namespace)
        self.deadline = time.monotonic() + self.task.start_seconds

    def lines(self) -> t.Iterator[str]:
        """The log, from the moment in which the container runs until it ends.

        :raises FindingError: the pod does not start, or `pod-timeout`: it does not end in time
        """
        pod = self.started()
        end = time.monotonic() + self.task.run_seconds
        seen = 0
        while True:
            # A stream can end before the program does: nodes run out of what it takes to follow a file. It is read
            # again then, and what is read after the end was seen is all.
            over = self._is_over()
            for number, line in enumerate(self._log(pod, end, follow=not over)):
                if number == seen:
                    seen += 1
                    yield line
            if over:
                return
            self._in_time(end)
            time.sleep(POLL_SECONDS)

    def _log(self, pod: str, end: float, *, follow: bool) -> t.Iterator[str]:
        left = max(1.0, end - time.monotonic())
        try:
            yield from self.cluster.log(
                self.task.namespace,
                pod,
                CONTAINER,
                follow=follow,
                unfinished=not follow,
                limit_bytes=LOG_BYTES,
                seconds=left,
            )
        except FindingError:
            # A log without a line for so long is how time runs out.
            self._in_time(end)
            raise

    def _in_time(self, end: float) -> None:
        if time.monotonic() >= end:
            words = f"The pod of image {self.task.image} did not end within {self.task.run_seconds:g} s."
            raise FindingError("pod-timeout", words)

    def started(self) -> str:
        """Name of the pod, once the container runs and its log can be read.

        :raises FindingError: it does not start
        """
        while True:
            pod = self._pod()
            if pod and (pod.get("spec") or {}).get("nodeName"):
                name: str = pod["metadata"]["name"]
                try:
                    for _line in self.cluster.log(
                        self.task.namespace, name, CONTAINER, limit_bytes=1, seconds=self.task.run_seconds
                    ):
                        break
                except Refused as error:
                    # 400: not started yet. 404: gone meanwhile, which the next look finds out.
                    if error.status not in {400, 404}:
                        raise
                else:
                    return name
            time.sleep(POLL_SECONDS)

    def _is_over(self) -> bool:
        """Whether the container has ended, or the pod went away. Other containers, put there by a mesh, never end."""
        pods = self._pods()
        return not pods or any("terminated" in state for pod in pods for state in job_failures.states(pod))

    def ended(self) -> FindingError | None:
        """Once the log ended: what was wrong with the container's end, None where its exit code is 0."""
        end = time.monotonic() + STATUS_SECONDS
        while time.monotonic() < end:
            for pod in self._pods():
                if error := job_failures.exit_error(pod, self.task.image):
                    return error
                if any("terminated" in state for state in job_failures.states(pod)):
                    return None
            time.sleep(POLL_SECONDS)
        return FindingError("image-start", f"The pod of image {self.task.image} went away before it ended.")


__all__ = ("CONTAINER", "JobRun")
