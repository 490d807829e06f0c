"""A stand-in for the Kubernetes API: discovery, and reading objects, one or all, as `lookup` asks for them."""

from __future__ import annotations

import json
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import yaml

from tests.mirror_server import Authority

Object = dict[str, t.Any]

# Kind to plural, by group and version: what the chart looks up or makes.
RESOURCES = {
    "v1": {
        "ConfigMap": "configmaps",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps/v1": {"Deployment": "deployments", "StatefulSet": "statefulsets"},
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "batch/v1": {"Job": "jobs"},
    "keda.sh/v1alpha1": {"ScaledObject": "scaledobjects"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
}


def selected(item: Object, query: str) -> bool:
    """Whether the label selector of a query, which here is of the form a=b,c=d, takes an object."""
    selector = "".join(parse_qs(query).get("labelSelector", []))
    labels = item["metadata"].get("labels") or {}
    return all(
        labels.get(name) == value for name, _, value in (part.partition("=") for part in selector.split(",") if part)
    )


VERBS = ["get", "list"]
PLURALS = {plural for kinds in RESOURCES.values() for plural in kinds.values()}


class Cluster:
    """Serves objects on a port of this machine while it is entered; `kubeconfig` leads there.

    With a token it serves TLS, without which client-go sends no credentials, and knows no other account; `address` and
    `authority`, a file, are what a client without a kubeconfig needs.
    """

    def __init__(self, folder: Path, token: str = "") -> None:
        """Keep the kubeconfig, and the certificates, in `folder`."""
        self.kubeconfig = folder / "kubeconfig"
        self.address = ""
        authority = Authority(folder) if token else None
        self.authority = authority and authority.file
        self._context = authority and authority.server("127.0.0.1")
        self._token = token
        # Path and account, the header `Authorization`, of each request.
        self.asked: list[tuple[str, str]] = []
        self._answers: dict[str, Object] = {}
        # What is written is refused with words that quote it, as an admission webhook may; or never answered.
        self.hangs = False
        # Only Leases and ConfigMaps are kept; how often one was written.
        self.leases = 0
        self.written = threading.Event()
        for group_version, kinds in RESOURCES.items():
            resources = [
                {
                    "name": plural,
                    "kind": kind,
                    "namespaced": True,
                    "singularName": kind.lower(),
                    "verbs": ["get", "list"],
                }
                for kind, plural in kinds.items()
            ]
            answer = {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": group_version,
                "resources": resources,
            }
            self._answers[self._root(group_version)] = answer
        self._answers["/version"] = {"major": "1", "minor": "34", "gitVersion": "v1.34.4"}
        self._answers["/api"] = {"kind": "APIVersions", "versions": ["v1"]}
        groups = []
        for group_version in RESOURCES:
            name, _, number = group_version.partition("/")
            if number:
                version = {"groupVersion": group_version, "version": number}
                groups.append({"name": name, "versions": [version], "preferredVersion": version})
        self._answers["/apis"] = {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    @staticmethod
    def _root(version: str) -> str:
        return f"/apis/{version}" if "/" in version else f"/api/{version}"

    def add_namespace(self, name: str) -> None:
        """Make a namespace."""
        item = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self._answers[f"/api/v1/namespaces/{name}"] = item

    def add(self, item: Object, namespace: str = "test") -> None:
        """Make `item` a live object."""
        version = item["apiVersion"]
        plural = RESOURCES[version][item["kind"]]
        self._answers[f"{self._root(version)}/namespaces/{namespace}/{plural}/{item['metadata']['name']}"] = item

    def __enter__(self) -> t.Self:
        """Start serving."""
        answers, world, token = self._answers, self, self._token

        class Handler(BaseHTTPRequestHandler):
            def known(self) -> bool:
                """Whether it knows who asks; where not, that is the answer."""
                world.asked.append((self.path.partition("?")[0], self.headers.get("Authorization") or ""))
                if not token or self.headers.get("Authorization") == f"Bearer {token}":
                    return True
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.told(401, {"kind": "Status", "status": "Failure", "code": 401, "message": "Unauthorized"})
                return False

            def told(self, code: int, answer: Object) -> None:
                body = json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_PATCH(self) -> None:
                if not self.known():
                    return
                quoted = self.rfile.read(int(self.headers["Content-Length"])).decode()
                world.written.set()
                while world.hangs:
                    time.sleep(0.1)
                said = {"kind": "Status", "status": "Failure", "code": 422, "message": f"the webhook denied {quoted}"}
                self.told(422, said)

            def do_POST(self) -> None:
                if not self.path.endswith(("/leases", "/configmaps")):
                    self.do_PATCH()
                elif self.known():
                    body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                    self.keep(f"{self.path}/{body['metadata']['name']}", body)

            def do_PUT(self) -> None:
                """Leases are written as a real server does: refused in another version than the one it has."""
                if not self.known():
                    return
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                there = answers[self.path]["metadata"]["resourceVersion"]
                if body["metadata"].get("resourceVersion") == there:
                    self.keep(self.path, body)
                else:
                    said = {"kind": "Status", "status": "Failure", "code": 409, "message": "modified meanwhile"}
                    self.told(409, said)

            def keep(self, path: str, body: Object) -> None:
                world.leases += 1
                body["metadata"]["resourceVersion"] = str(world.leases)
                answers[path] = body
                self.told(200, body)

            def do_GET(self) -> None:
                if not self.known():
                    return
                path, _, query = self.path.partition("?")
                found = answers.get(path)
                if found is None and path.startswith(("/api/", "/apis/")) and path.rpartition("/")[2] in PLURALS:
                    items = [item for name, item in answers.items() if name.startswith(f"{path}/")]
                    items = [item for item in items if selected(item, query)]
                    found = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}
                missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
                self.told(200 if found else 404, found or missing)

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self._context:
            self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http{'s' if token else ''}://127.0.0.1:{self._server.server_port}"
        trust = {"certificate-authority": str(self.authority)} if self.authority else {}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.address} | trust}],
            "users": [{"name": "u", "user": {"token": token} if token else {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "test"}}],
            "current-context": "x",
        }
        self.kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop serving."""
        self.hangs = False
        # Only Leases are kept; how often one was written.
        self.leases = 0
        self._server.shutdown()
        self._server.server_close()
