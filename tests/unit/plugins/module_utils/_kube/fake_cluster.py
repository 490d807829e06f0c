"""A cluster of dictionaries that runs the containers of its Jobs as processes here: their command, in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
import types
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden, Refused
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import (
    INPUT_ANNOTATION,
    INPUT_VARIABLE,
)

Object = dict[str, t.Any]
# FakeCluster.list hides the type of that name from what follows it.
Objects = list[Object]
Lines = list[str]


class FakeCluster:
    """`folder`: working directory of every image. `denied`: (verb, resource) pairs that the account lacks.

    `status`: what a pod's status is instead of running. `env`: what the image itself brings. `broken`: images that
    nobody pushed.
    """

    address = "https://fake"

    def __init__(self, folder: Path, objects: t.Sequence[Object] = ()) -> None:
        self.folder = folder
        self.denied: set[tuple[str, str]] = set()
        self.api = types.SimpleNamespace(default_headers={})
        self.kept: dict[tuple[str, str], Object] = {}
        self.history: list[tuple[str, str, str]] = []
        self.bodies: list[Object] = []
        self.status: Object | None = None
        self.events: list[Object] = []
        self.minor = 34
        self.groups = {"metrics.k8s.io"}
        self.env: dict[str, str] = {}
        self.output: dict[str, tuple[list[str], int]] = {}
        self.cut: int | None = None
        self.broken: set[str] = set()
        for item in objects:
            self.kept[f"{item['kind'].lower()}s", item["metadata"]["name"]] = item

    def _noted(self, verb: str, version: str, plural: str, name: str = "") -> None:
        group = version.partition("/")[0] if "/" in version else ""
        resource = f"{plural}.{group}" if group else plural
        self.history.append((verb, plural, name))
        if (verb, resource) in self.denied:
            raise Forbidden(verb, resource, "demo")

    def get(self, version: str, plural: str, name: str, _namespace: str | None = None, **_: t.Any) -> Object | None:
        self._noted("get", version, plural, name)
        return self.kept.get((plural, name))

    def list(self, version: str, plural: str, _namespace: str | None = None, *, labels: str = "", **_: str) -> t.Any:
        self._noted("list", version, plural)
        if plural == "events":
            return self.events
        wanted = dict(part.split("=") for part in filter(None, labels.split(",")))
        found = [item for (kind, _name), item in self.kept.items() if kind == plural]
        return [item for item in found if wanted.items() <= (item["metadata"].get("labels") or {}).items()]

    def serves(self, group: str) -> bool:
        return group in self.groups

    def create(self, version: str, plural: str, body: Object, _namespace: str | None = None) -> Object:
        if plural == "selfsubjectrulesreviews":
            return {"status": {"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}}
        name = body["metadata"]["name"]
        self._noted("create", version, plural, name)
        body = body | {"metadata": body["metadata"] | {"uid": f"uid-{name}"}}
        self.kept[plural, name] = body
        self.bodies.append(body)
        if plural == "jobs" and not self.events:
            template = body["spec"]["template"]
            self.kept["pods", f"{name}-pod"] = {
                "metadata": {"name": f"{name}-pod", "uid": f"uid-{name}-pod", "labels": template["metadata"]["labels"]},
                "spec": dict(template["spec"]),
                "status": self.status or self._pending(template["spec"]["containers"][0]["image"]),
            }
            self._schedule(self.kept["pods", f"{name}-pod"])
        return body

    def _pending(self, image: str) -> Object:
        if image not in self.broken:
            return {"phase": "Pending"}
        waiting = {"reason": "ErrImagePull", "message": "not found"}
        return {"phase": "Pending", "containerStatuses": [{"name": "main", "state": {"waiting": waiting}}]}

    def patch(self, version: str, plural: str, name: str, body: Object, _namespace: str | None = None) -> Object:
        self._noted("patch", version, plural, name)
        found = self.kept[plural, name]
        if plural == "jobs":
            found["spec"] = found["spec"] | body["spec"]
        elif body == {"spec": {"schedulingGates": None}}:
            found["spec"].pop("schedulingGates")
            self._schedule(found)
        else:
            assert set(body) == {"metadata"}
            found["metadata"] = found["metadata"] | body["metadata"]
        return found

    def _schedule(self, pod: Object) -> None:
        if "schedulingGates" not in pod["spec"]:
            pod["spec"]["nodeName"] = "node-1"

    def delete(self, version: str, plural: str, name: str, _namespace: str | None = None) -> None:
        self._noted("delete", version, plural, name)
        self.kept = {key: item for key, item in self.kept.items() if not key[1].startswith(name)}

    def may(self, verb: str, resource: str, _namespace: str | None) -> bool:
        return (verb, resource) not in self.denied

    def server_minor(self) -> int:
        return self.minor

    def log(self, _namespace: str, name: str, _container: str, **options: t.Any) -> t.Iterator[str]:
        """The program runs at the first look. A stream that follows may end after `cut` lines, as real ones do."""
        pod = self.kept["pods", name]
        [container] = pod["spec"]["containers"]
        if self.status is not None:
            raise Refused("cluster-refused", "not started", 400, "is waiting to start")
        if name not in self.output:
            self.output[name] = self._run(container, pod["metadata"].get("annotations") or {})
        lines, code = self.output[name]
        if self.cut is None or options.get("follow"):
            state = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
            phase = "Failed" if code else "Succeeded"
            pod["status"] = {"phase": phase, "containerStatuses": [{"name": "main", "state": state}]}
        return iter(lines[: self.cut] if options.get("follow") else lines)

    def _run(self, container: Object, annotations: dict[str, str]) -> tuple[Lines, int]:
        literal = {item["name"]: item["value"] for item in container["env"] if "value" in item}
        if INPUT_VARIABLE in literal:
            told = self.folder.parent / "told"
            told.write_text(annotations[INPUT_ANNOTATION])
            literal[INPUT_VARIABLE] = str(told)
        done = subprocess.run(
            [sys.executable, *container["command"][1:]],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"]} | self.env | literal,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return (done.stdout + done.stderr).splitlines(), done.returncode

    def of(self, plural: str) -> Objects:
        """What was created of this kind, in order."""
        kind = {"jobs": "Job", "networkpolicies": "NetworkPolicy"}[plural]
        return [item for item in self.bodies if item["kind"] == kind]
