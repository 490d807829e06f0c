"""Helm itself asks the cluster that kubernetes.core's options name, as the account that they name."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import os
import ssl
import subprocess
import threading
import types
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.kubeconfig import HELMS_OWN, kubeconfig
from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm as helm_asks
from ansible_collections.kubernetes.core.plugins.module_utils.helm import AnsibleHelmModule
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes.client import Configuration

ANSWER = b'{"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": []}'
PARAMS = {"release_name": "x", "release_namespace": "dev"}


class Server(http.server.BaseHTTPRequestHandler):
    """Keeps the headers of each question."""

    asked: t.ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        headers = {name.lower(): ",".join(self.headers.get_all(name) or []) for name in self.headers}
        Server.asked.append((self.path, headers))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: t.Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself: client-go sends no credentials without TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster")])
    now = datetime.datetime.now(datetime.UTC)
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(1))
    builder = builder.add_extension(place, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "cluster.pem"
    signed = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    path.write_bytes(key.private_bytes(*plain) + signed)
    return path


@pytest.fixture
def server(certificate: Path) -> t.Iterator[tuple[str, str]]:
    """An API server without releases: its URL and its certificate."""
    Server.asked = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as found:
        found.socket = context.wrap_socket(found.socket, server_side=True)
        threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True).start()
        yield f"https://127.0.0.1:{found.server_port}", str(certificate)
        found.shutdown()


@pytest.mark.parametrize(
    ("more", "headers"),
    [
        ({"api_key": "t0ken"}, {"authorization": "Bearer t0ken"}),
        ({"api_key": "t0ken", "validate_certs": False}, {"authorization": "Bearer t0ken"}),
        (
            {"api_key": "t0ken", "impersonate_user": "jane", "impersonate_groups": ["a", "b"]},
            {"impersonate-user": "jane", "impersonate-group": "a,b"},
        ),
        ({"username": "u", "password": "p"}, {"authorization": "Basic dTpw"}),
    ],
)
def test_helm_asks_as_the_module_does(
    helm: str, server: tuple[str, str], monkeypatch: pytest.MonkeyPatch, more: dict[str, t.Any], headers: dict[str, str]
) -> None:
    monkeypatch.setattr(Configuration, "_default", None)
    # A proxy that does not exist and an account of helm's own: neither may count.
    monkeypatch.setenv("HELM_KUBETOKEN", "another")
    monkeypatch.setenv("HELM_KUBEAPISERVER", "http://127.0.0.1:1")
    host, certificate = server
    trust = {} if "validate_certs" in more else {"ca_cert": certificate}
    account = kubeconfig(connect({"host": host, **trust, **more}))
    with helm_asks.version_and_record(helm, PARAMS, account, 20) as releases:
        told = releases()
    assert told is not None
    assert (told["problem"], told["release"]) == ("", {})
    path, seen = Server.asked[-1]
    assert path.startswith("/api/v1/namespaces/dev/secrets?")
    assert headers.items() <= seen.items()


def test_helm_trusts_no_other_certificate(helm: str, server: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Configuration, "_default", None)
    account = kubeconfig(connect({"host": server[0], "api_key": "t0ken"}))
    with helm_asks.version_and_record(helm, PARAMS, account, 20) as releases:
        told = releases()
    assert told is not None
    assert "certificate" in told["problem"]
    assert Server.asked == []


# What each of Helm's own variables could be in somebody's shell.
MISLEADING = {
    "HELM_KUBECONTEXT": "there",
    "HELM_KUBETOKEN": "another",
    "HELM_KUBEASUSER": "jane",
    "HELM_KUBEASGROUPS": "admins",
    "HELM_KUBEAPISERVER": "https://127.0.0.1:1",
    "HELM_KUBECAFILE": "/nowhere",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY": "true",
    "HELM_KUBETLS_SERVER_NAME": "another.example",
}


def role_environment() -> dict[str, str]:
    """What the role gives to a task that starts helm."""
    variables = Path(__file__).resolve().parents[2] / "roles/ai_agent/vars/main.yml"
    return dict(yaml.safe_load(variables.read_text(encoding="utf-8"))["__ai_agent_helm_environment"])


def core_environment(kubeconfig_path: Path) -> dict[str, str]:
    """What kubernetes.core.helm itself gives to helm."""
    module = types.SimpleNamespace(
        params={"kubeconfig": str(kubeconfig_path), "release_namespace": "dev", "validate_certs": True},
        no_log_values=set(),
        add_cleanup_file=lambda _path: None,
    )
    return dict(AnsibleHelmModule(module=module)._prepare_helm_environment())


def asked(helm: str, *environments: dict[str, str]) -> tuple[int, str, list[t.Any]]:
    """How `helm list` ended, and who asked what."""
    Server.asked = []
    environment = dict(os.environ)
    for each in environments:
        environment |= each
    done = subprocess.run([helm, "list"], env=environment, capture_output=True, text=True, check=False)
    who = [(path, seen.get("authorization"), seen.get("impersonate-user")) for path, seen in Server.asked]
    return done.returncode, done.stderr, who


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
@pytest.mark.parametrize("variable", MISLEADING)
def test_no_variable_of_helms_leads_kubernetes_core_helm_elsewhere(
    helm: str, server: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, *, trusted: bool
) -> None:
    monkeypatch.setattr(Configuration, "_default", None)
    for name in HELMS_OWN:
        monkeypatch.delenv(name, raising=False)
    host, certificate = server
    content = kubeconfig(connect({"host": host, "api_key": "t0ken"} | ({"ca_cert": certificate} if trusted else {})))
    content["contexts"].append({"name": "there", "context": {"cluster": "there", "user": "here"}})
    content["clusters"].append({"name": "there", "cluster": {"server": "https://127.0.0.1:2"}})
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(content))
    undisturbed = asked(helm, core_environment(path))
    assert (undisturbed[0] == 0) is trusted
    monkeypatch.setenv(variable, MISLEADING[variable])
    # Whoever trusts nobody sees no difference of an account, and whoever trusts the server none of a check left out.
    if trusted is not (variable == "HELM_KUBEINSECURE_SKIP_TLS_VERIFY"):
        assert asked(helm, core_environment(path)) != undisturbed
    assert asked(helm, role_environment(), core_environment(path)) == undisturbed


def test_all_variables_of_helms_are_known(helm: str) -> None:
    told = subprocess.run([helm, "env"], capture_output=True, text=True, check=True).stdout
    assert {line.partition("=")[0] for line in told.splitlines() if line.startswith("HELM_KUBE")} == set(HELMS_OWN)
    assert set(MISLEADING) == set(HELMS_OWN)


def test_beside_a_pods_account_helm_finds_no_kubeconfig(
    helm: str, server: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Configuration, "_default", None)
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig(connect({"host": server[0], "api_key": "t0ken", "ca_cert": server[1]}))))
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert asked(helm)[2]
    variables = Path(__file__).resolve().parents[2] / "roles/ai_agent/vars/main.yml"
    chosen = yaml.safe_load(variables.read_text(encoding="utf-8"))["__ai_agent_helm_kubeconfig"]
    rendered = jinja2.Environment(autoescape=False).from_string(chosen)  # noqa: S701 - no page
    inside, outside = (
        yaml.safe_load(rendered.render(__ai_agent_found={"cluster": {"by_pod_account": each}}))
        for each in (True, False)
    )
    assert asked(helm, inside)[2] == []
    assert asked(helm, outside)[2]
