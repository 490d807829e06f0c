"""What LAB_MIRROR and its kin ask for, and what the nodes and Docker's engine are told of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lab import mirror, mirror_contents, own_checksums, pull, registry
from lab.progress import LabError
from tests.mirror_server import Authority

DIGEST = "a" * 64


@pytest.fixture(autouse=True)
def closed_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAB_MIRROR_IMAGES", "LAB_MIRROR_CA", "LAB_RELEASES", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAB_SOURCE", "registries")
    monkeypatch.setenv("LAB_MIRROR", "https://mirror.example.com:8443/lab/")
    monkeypatch.setattr(registry, "HOSTS", tmp_path / "hosts")
    monkeypatch.setattr(pull, "ENGINE_CERTS", tmp_path / "engine")
    monkeypatch.setattr(pull, "LAB", tmp_path)
    monkeypatch.setattr(pull, "TRUSTED", tmp_path / "trusted")


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("python:3.13", "docker.io/library/python:3.13"),
        ("kindest/node:v1@sha256:abc", "docker.io/kindest/node:v1@sha256:abc"),
        ("docker.io/calico/node:v3", "docker.io/calico/node:v3"),
        ("registry.k8s.io/pause:3", "registry.k8s.io/pause:3"),
        ("host:5000/a", "host:5000/a"),
        ("localhost/a", "localhost/a"),
    ],
)
def test_an_image_is_looked_for_under_its_full_name(short: str, full: str) -> None:
    assert mirror.image(short) == f"mirror.example.com:8443/{full}"


def test_images_may_be_somewhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_MIRROR_IMAGES", "images.example.com/proxies")
    assert mirror.image("calico/node:v3") == "images.example.com/proxies/docker.io/calico/node:v3"
    assert mirror.url("https://get.helm.sh/x.tar.gz") == "https://mirror.example.com:8443/lab/get.helm.sh/x.tar.gz"
    registry.write_hosts()
    written = tomllib.loads((registry.HOSTS / "docker.io" / "hosts.toml").read_text())
    assert written["server"] == "https://images.example.com/v2/proxies/docker.io"


def test_without_a_mirror_everything_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_MIRROR")
    assert mirror.url("https://get.helm.sh/x") == "https://get.helm.sh/x"
    assert mirror.image("calico/node:v3") == "calico/node:v3"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LAB_MIRROR", "mirror.example.com", "is no address of a mirror: https://"),
        ("LAB_MIRROR", "http://mirror.example.com", "is no address of a mirror: https://"),
        ("LAB_MIRROR", "https://", "is no address of a mirror"),
        ("LAB_MIRROR", "https://mirror.example.com:port", "is no address of a mirror"),
        ("LAB_MIRROR", "https://mirror.example.com/?a=b", "is no address of a mirror"),
        ("LAB_MIRROR", "https://localhost/lab", "localhost would be each node itself"),
        ("LAB_MIRROR", "https://127.0.0.1:5000", "127.0.0.1 would be each node itself"),
        ("LAB_MIRROR", "https://[::1]:5000", "::1 would be each node itself"),
        ("LAB_MIRROR_IMAGES", "https://images.example.com", "is no place for images"),
        ("LAB_MIRROR_CA", "/does/not/exist", r"/does/not/exist cannot be read \(No such file"),
        ("LAB_MIRROR_CA", __file__, "has no certificate in it"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(LabError, match=words) as caught:
        mirror.configured()
    assert name in str(caught.value) or "would be" in words


@pytest.mark.parametrize("value", ["https://me:geheim@mirror.example.com", "ftp://me:geheim@mirror.example.com"])
def test_a_login_is_refused_and_not_repeated(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_MIRROR", value)
    with pytest.raises(LabError) as caught:
        mirror.configured()
    assert "geheim" not in str(caught.value)


def test_images_alone_are_no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_MIRROR")
    monkeypatch.setenv("LAB_MIRROR_IMAGES", "images.example.com")
    with pytest.raises(LabError, match="without LAB_MIRROR"):
        mirror.configured()


def test_the_nodes_ask_only_the_mirror_and_know_its_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("LAB_MIRROR_CA", str(authority.file))
    registry.write_hosts()
    folder = registry.HOSTS / "docker.io"
    server = "https://mirror.example.com:8443/v2/docker.io"
    settings = {
        "override_path": True,
        "capabilities": ["pull", "resolve"],
        "ca": "/etc/containerd/certs.d/docker.io/ca.crt",
    }
    written = tomllib.loads((folder / "hosts.toml").read_text())
    assert written == {"server": server, **settings, "host": {server: settings}}
    assert (folder / "ca.crt").read_text() == authority.file.read_text()
    monkeypatch.delenv("LAB_MIRROR")
    registry.write_hosts()
    assert [path.name for path in registry.HOSTS.iterdir()] == ["ai-platform.local"]


def test_the_nodes_are_given_this_machines_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store.crt"
    store.write_text("certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    registry.write_hosts()
    assert (registry.HOSTS / "docker.io" / "ca.crt").read_text() == "certificates"


def test_the_engine_trusts_the_authority_for_the_mirror_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("LAB_MIRROR_CA", str(authority.file))
    pull.trust()
    pull.trust()
    written = tmp_path / "engine" / "mirror.example.com:8443" / "ai-agent-lab.crt"
    assert written.read_bytes() == authority.file.read_bytes()
    assert (tmp_path / "trusted").read_text() == f"{written}\n"
    pull.distrust()
    assert list((tmp_path / "engine").iterdir()) == []


def test_an_engine_that_trusts_the_authority_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("LAB_MIRROR_CA", str(authority.file))
    folder = tmp_path / "engine" / "mirror.example.com:8443"
    folder.mkdir(parents=True)
    (folder / "company.crt").write_bytes(authority.file.read_bytes())
    pull.trust()
    assert [path.name for path in folder.iterdir()] == ["company.crt"]


def test_an_engine_elsewhere_is_not_told_by_files_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_MIRROR_CA", str(Authority(tmp_path).file))
    monkeypatch.setenv("DOCKER_HOST", "ssh://elsewhere")
    pull.trust()
    assert not (tmp_path / "engine").exists()


SAID = {
    "x509: certificate signed by unknown authority": "does not trust the certificate of mirror.example.com:8443",
    "manifest verification failed for digest sha256:1": "sent something of another digest",
    'unexpected commit digest sha256:1, expected sha256:2: failed precondition"': "sent something of another digest",
    "manifest for x@sha256:1 not found: manifest unknown": "make lab-mirror lists what a mirror must hold",
    "unauthorized: authentication required": "asks for a login",
    "dial tcp 10.0.0.1:443: connect: connection refused": "check the network and LAB_MIRROR",
}


@pytest.mark.parametrize(("words", "sentence"), SAID.items())
def test_why_an_image_was_not_pulled_is_one_sentence(words: str, sentence: str) -> None:
    said = pull.explain(pull.name("kindest/node:v1"), f"pulling it failed:\n    {words}")
    assert said.startswith("mirror.example.com:8443/docker.io/kindest/node:v1 was not pulled, ")
    assert sentence in said
    assert "\n" not in said


def test_a_table_of_digests_pins_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "releases.yml"
    table.write_text(f"kindest/node:v1: sha256:{DIGEST}\ndocker.io/library/python:3.13: {DIGEST.upper()}\n")
    monkeypatch.setenv("LAB_RELEASES", str(table))
    assert pull.name("kindest/node:v1@sha256:" + "b" * 64).endswith(f"/docker.io/kindest/node:v1@sha256:{DIGEST}")
    assert pull.name("python:3.13").endswith(f"/docker.io/library/python:3.13@sha256:{DIGEST}")
    assert own_checksums.image("python:3.12") == "python:3.12"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("kindest/node:v1: ''", "no SHA-256 for kindest/node:v1"),
        ("kindest/node:v1: none", "no SHA-256 for kindest/node:v1"),
        (f"kindest/node:v1: {DIGEST}b", "no SHA-256 for kindest/node:v1"),
        ("- kindest/node:v1", "is no table"),
        ("", "is no table"),
        ("a: [", "is no YAML"),
    ],
)
def test_a_table_never_switches_a_verification_off(
    content: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "releases.yml").write_text(content)
    monkeypatch.setenv("LAB_RELEASES", str(tmp_path / "releases.yml"))
    with pytest.raises(LabError, match=words):
        own_checksums.image("python:3.12")


def test_a_mistyped_line_of_the_table_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "releases.yml"
    monkeypatch.setenv("LAB_RELEASES", str(table))
    tagged = [name for name in mirror_contents.names() if "@" not in name]
    table.write_text("\n".join(f"{mirror.full_name(name)}: {DIGEST}" for name in tagged))
    mirror_contents.demand_known_checksums()
    table.write_text(f"docker.io/calico/nodes:v3.28.5: {DIGEST}\n")
    with pytest.raises(LabError, match=r"calico/nodes:v3.28.5.*did you mean docker.io/calico/node:v3.28.5"):
        mirror_contents.demand_known_checksums()


def test_the_list_names_every_image_of_the_dockerfiles() -> None:
    said = list(mirror_contents.lines())
    for name in (
        "docker.io/kindest/node",
        "docker.io/library/python",
        "docker.io/library/debian",
        "docker.io/calico/cni",
    ):
        assert any(line.startswith(f"image  {name}:") for line in said)
    assert any(line.strip().startswith("mirror.example.com:8443/docker.io/kindest/node:") for line in said)
    assert "       https://mirror.example.com:8443/lab/get.helm.sh/helm-v4.3.1-linux-arm64.tar.gz" in said


def test_the_registry_is_asked_past_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed network has a proxy, which cannot reach this machine's own address."""
    import http.server
    import threading

    class Registry(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *_: object) -> None:
            """Nothing."""

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with http.server.HTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setattr(registry, "address", lambda: f"127.0.0.1:{server.server_address[1]}")
        assert registry.holds("ai-platform.local/agent:1")
        assert registry._answers()
        server.shutdown()
