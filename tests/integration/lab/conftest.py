"""Pods on chosen nodes of the lab's cluster, and connections tried from inside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from lab import cluster, images, shell, tools
from lab.paths import KUBECONFIG

SERVER = """
import http.server, threading
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'hello')
    def log_message(self, *_): pass
for port in (8080, 9090):
    threading.Thread(target=http.server.ThreadingHTTPServer(('', port), Hello).serve_forever).start()
"""
ASK = """
import socket, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(':', 1)
    try:
        socket.create_connection((host, int(port)), timeout=3).close(); print('open')
    except socket.gaierror: print('no such name')
    except TimeoutError: print('timed out')
    except OSError as error: print(error.strerror or error)
"""


def apply(*objects: dict[str, object]) -> None:
    """Create or change objects."""
    with images.workspace() as folder:
        file = folder / "objects.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
        cluster.kubectl("apply", "-f", str(file))


@dataclass(frozen=True)
class Pod:
    """A pod that serves HTTP on 8080 and 9090, and connects to others on request."""

    namespace: str
    name: str

    @property
    def address(self) -> str:
        """Its IP address."""
        return cluster.kubectl("get", "pod", "-n", self.namespace, self.name, "-o", "jsonpath={.status.podIP}")

    def ask(self, *targets: str) -> list[str]:
        """``open``, ``timed out``, ``no such name`` or the system's message for each ``host:port``."""
        words = ["exec", "-n", self.namespace, self.name, "--", "python3", "-c", ASK, *targets]
        return cluster.kubectl(*words).split("\n")[:-1]


def ask_all(pods: Sequence[Pod], targets: Sequence[str]) -> dict[str, list[str]]:
    """What each pod finds at *targets*; side by side, since a dropped packet costs three seconds."""
    with ThreadPoolExecutor(len(pods)) as pool:
        return dict(zip([pod.name for pod in pods], pool.map(lambda pod: pod.ask(*targets), pods), strict=True))


class Namespaces:
    """Namespaces for one test module, removed afterwards."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def make(self, name: str) -> str:
        """A fresh namespace."""
        cluster.kubectl("delete", "namespace", name, "--ignore-not-found", timeout=120)
        cluster.kubectl("create", "namespace", name)
        self.names.append(name)
        words = ["wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=30s"]
        cluster.kubectl(*words)
        return name

    def pod(self, namespace: str, name: str, node: str, **labels: str) -> Pod:
        """Create a pod on *node*; :meth:`ready` waits for it."""
        container = {"name": "main", "image": images.AGENT.reference, "command": ["python3", "-c", SERVER]}
        apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, **labels}},
                "spec": {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container]},
            }
        )
        return Pod(namespace, name)

    def ready(self) -> None:
        """Wait for every pod."""
        for name in self.names:
            words = ["wait", "--for=condition=Ready", "pod", "--all", "-n", name, "--timeout=90s"]
            cluster.kubectl(*words, timeout=100)


@pytest.fixture(scope="module")
def namespaces() -> Iterator[Namespaces]:
    made = Namespaces()
    yield made
    for name in made.names:
        words = ["delete", "namespace", name, "--wait=false"]
        shell.capture([tools.kubectl(), "--kubeconfig", KUBECONFIG, *words])
