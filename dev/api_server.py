"""A Kubernetes API server for tests, without nodes and controllers: it stores, admits and refuses as a real one does.

Its programs are those that the lab compiles for its nodes.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import ssl
import subprocess
import tempfile
import time
import typing as t
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from dev.postgresql import free_port
from lab import golang
from lab.paths import KUBERNETES
from lab.progress import LabError

SECONDS = 180


@dataclass(frozen=True)
class Server:
    """A running server; its account is a cluster administrator, which may act for others.

    :param kubeconfig: leads there
    :param kubectl: the program, of the same version
    """

    kubeconfig: Path
    kubectl: Path

    def ask(self, *words: str, text: str | None = None, account: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl.

        :param text: its standard input
        :param account: namespace:name of a service account to act for
        """
        command = [str(self.kubectl), "--kubeconfig", str(self.kubeconfig), *words]
        if account:
            groups = ["system:serviceaccounts", f"system:serviceaccounts:{account.partition(':')[0]}"]
            command += ["--as", f"system:serviceaccount:{account}", *(f"--as-group={name}" for name in groups)]
            command += ["--as-group=system:authenticated"]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)

    def request(self, method: str, path: str, body: t.Any, account: str) -> str:
        """One request of an account that need not have the right to read, which kubectl does first.

        :param body: JSON, of a PATCH a merge patch
        :param account: namespace:name of a service account to act for
        :return: what was complained of, empty where it was done
        """
        config = yaml.safe_load(self.kubeconfig.read_text())
        headers = {
            "Authorization": f"Bearer {config['users'][0]['user']['token']}",
            "Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json",
            "Impersonate-User": f"system:serviceaccount:{account}",
            "Impersonate-Group": "system:authenticated",
        }
        address = config["clusters"][0]["cluster"]["server"]
        request = urllib.request.Request(f"{address}{path}", json.dumps(body).encode(), headers, method=method)  # noqa: S310 - the server above
        own = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago
        try:
            with urllib.request.urlopen(request, timeout=60, context=own):  # noqa: S310 - the same
                return ""
        except urllib.error.HTTPError as error:
            return str(json.load(error)["message"])

    def apply(self, text: str) -> None:
        """Create or change objects, YAML.

        :raises LabError: one of them was refused
        """
        done = self.ask("apply", "--server-side", "-f", "-", text=text)
        if done.returncode:
            raise LabError(done.stderr.strip())


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server on a free port of 127.0.0.1 with its own empty store, both gone afterwards.

    :raises LabError: it did not answer within three minutes
    """
    programs = golang.kubernetes(KUBERNETES)
    with tempfile.TemporaryDirectory(prefix="api-server-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        token, store, peer, port = secrets.token_hex(16), free_port(), free_port(), free_port()
        (folder / "tokens").write_text(f"{token},admin,admin,system:masters\n")
        (folder / "tokens").chmod(0o600)
        key = folder / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], capture_output=True, check=True)
        place, inside = f"http://127.0.0.1:{store}", f"http://127.0.0.1:{peer}"
        etcd = [programs / "etcd", "--data-dir", folder / "store", "--unsafe-no-fsync", "--log-level=error"]
        etcd += [f"--listen-client-urls={place}", f"--advertise-client-urls={place}", f"--listen-peer-urls={inside}"]
        etcd += [f"--initial-advertise-peer-urls={inside}", f"--initial-cluster=default={inside}"]
        api = [programs / "kube-apiserver", f"--etcd-servers={place}", f"--secure-port={port}"]
        api += ["--allow-privileged=true"]
        api += ["--bind-address=127.0.0.1", f"--cert-dir={folder / 'certificates'}", "--authorization-mode=RBAC"]
        api += [f"--token-auth-file={folder / 'tokens'}", "--service-cluster-ip-range=10.0.0.0/24"]
        api += ["--service-account-issuer=https://localhost", f"--service-account-key-file={key}"]
        # No controller makes the accounts that this one asks for.
        api += [f"--service-account-signing-key-file={key}", "--disable-admission-plugins=ServiceAccount"]
        for words, log in ((etcd, "etcd.log"), (api, "api.log")):
            stack.enter_context(_process(words, folder / log))
        kubeconfig = folder / "kubeconfig"
        cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
        entries: dict[str, t.Any] = {
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        content = {"apiVersion": "v1", "kind": "Config", "current-context": "test"} | entries
        kubeconfig.write_text(yaml.safe_dump(content))
        kubeconfig.chmod(0o600)
        server = Server(kubeconfig, programs / "kubectl")
        _wait(server, folder / "api.log")
        yield server


@contextlib.contextmanager
def _process(words: list[t.Any], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen([str(word) for word in words], stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Server, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    # kubectl asks for the whole description of the API before it creates anything, and gives up early.
    while any(server.ask("get", "--raw", path).returncode for path in ("/readyz", "/openapi/v2")):
        if time.monotonic() > deadline:
            raise LabError(f"the API server did not answer within {SECONDS} s: {log.read_text()[-500:]}")
        time.sleep(0.5)
