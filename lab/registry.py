"""The lab's OCI registry: a container beside the nodes, which pull from it what the lab pushes, layer by layer."""

from __future__ import annotations

import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from lab import debian, images, mirror, pull, shell, source
from lab.cache import digest
from lab.paths import CLUSTER, LAB, REGISTRY, REGISTRY_IMAGE, ROOT
from lab.progress import LabError

NAME = f"{CLUSTER}-registry"
"""The container, which the nodes reach by this name; also the volume that keeps its layers when it is removed."""

PORT = 5000
RECIPE = ROOT / "lab" / "registry"
HOSTS = LAB / "certs.d"
"""containerd's registry configuration, mounted into every node (its documentation calls this layout ``hosts.toml``)."""

CERTS = "/etc/containerd/certs.d"
"""Where containerd on the nodes reads its settings of registries."""

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy of the environment could not reach this machine's own address."""

MEDIA_TYPES = (
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
)


def image() -> str:
    """Name of the registry's own image."""
    if source.chosen() == source.REGISTRIES:
        return pull.name(REGISTRY_IMAGE)
    return f"{REGISTRY}/registry:{digest([RECIPE])}"


def build() -> None:
    """Pull the registry's image, or build it from Debian's package, when Docker does not have it."""
    if source.chosen() == source.REGISTRIES:
        pull.ensure(REGISTRY_IMAGE)
    elif not images.present(image()):
        images.build(image(), RECIPE / "Dockerfile", RECIPE, {"BASE_IMAGE": debian.base_image("bookworm")})


def ensure() -> None:
    """Leave with a registry that answers; its container is made, started or made anew as needed.

    :raises LabError: it does not answer
    """
    state = shell.capture(
        ["docker", "container", "inspect", "--format", "{{.State.Status}} {{.Config.Image}}", NAME]
    ).stdout.split()
    if state and state != ["running", image()]:
        remove()
        state = []
    if not state:
        words = ["docker", "run", "--detach", "--name", NAME, "--restart", "unless-stopped"]
        words += ["--publish", f"127.0.0.1::{PORT}", "--volume", f"{NAME}:/var/lib/registry", image()]
        shell.run(words, log="registry", what="starting the registry")
    deadline = time.monotonic() + 30
    while not _answers():
        if time.monotonic() > deadline:
            raise LabError(f"the registry does not answer within 30 s: docker logs {NAME} tells why")
        time.sleep(0.2)


def join(network: str = "kind") -> None:
    """Let the nodes reach the registry by its name."""
    names = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    networks = shell.capture(["docker", "container", "inspect", "--format", names, NAME])
    if network not in networks.stdout.split():
        shell.run(["docker", "network", "connect", network, NAME], log="registry", what="connecting the registry")


def write_hosts() -> None:
    """Tell the nodes' containerd where images are: those named after :data:`lab.paths.REGISTRY` in this registry.

    With a mirror also that Docker Hub's are there, and only there. Running nodes read it at their next pull.
    """
    server = f"http://{NAME}:{PORT}"
    _write(
        HOSTS / REGISTRY / "hosts.toml",
        f'server = "{server}"\n\n[host."{server}"]\n  capabilities = ["pull", "resolve"]\n',
    )
    found = mirror.configured()
    if found is None:
        shutil.rmtree(HOSTS / mirror.DOCKER_HUB, ignore_errors=True)
        return
    host, _, path = f"{found.images}/{mirror.DOCKER_HUB}".partition("/")
    server = f"https://{host}/v2/{path}"
    settings = ['capabilities = ["pull", "resolve"]', "override_path = true"]
    if authorities := mirror.node_authorities(found):
        _write(HOSTS / mirror.DOCKER_HUB / "ca.crt", authorities.read_text())
        settings.append(f'ca = "{CERTS}/{mirror.DOCKER_HUB}/ca.crt"')
    # The mirror is named as the server, too: it would be Docker Hub otherwise, whose silence hides the mirror's answer.
    lines = [f'server = "{server}"', *settings, "", f'[host."{server}"]', *settings]
    _write(HOSTS / mirror.DOCKER_HUB / "hosts.toml", "\n".join(lines) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def address() -> str:
    """``127.0.0.1:<port>`` of the registry on this machine.

    :raises LabError: it does not run
    """
    done = shell.capture(["docker", "port", NAME, f"{PORT}/tcp"])
    if done.returncode or not done.stdout.strip():
        raise LabError(f"the registry {NAME} does not run: make lab-up starts it")
    return done.stdout.split()[0]


def push(references: Sequence[str]) -> list[str]:
    """Push those images that the registry does not have; returns them."""
    missing = [reference for reference in references if not holds(reference)]
    for reference in missing:
        # Docker pushes to the server that a name begins with, and trusts one on this machine without TLS.
        local = reference.replace(REGISTRY, address(), 1)
        shell.run(["docker", "tag", reference, local], log="registry", what=f"naming {reference}")
        try:
            shell.run(["docker", "push", "--quiet", local], log="registry", what=f"pushing {reference}")
        finally:
            shell.capture(["docker", "image", "rm", local])
    return missing


def holds(reference: str) -> bool:
    """Whether the registry has the image (GET manifest, OCI distribution specification, "Pull")."""
    name, _, tag = reference.removeprefix(f"{REGISTRY}/").rpartition(":")
    url = f"http://{address()}/v2/{name}/manifests/{tag}"
    question = urllib.request.Request(url, method="HEAD", headers={"Accept": MEDIA_TYPES})
    try:
        with DIRECT.open(question, timeout=10):
            return True
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise LabError(f"the registry answers {error.code} for {reference}: docker logs {NAME} tells why") from None


def remove(volume: bool = False) -> None:
    """Remove the registry; with *volume* also what was pushed to it."""
    shell.capture(["docker", "rm", "--force", NAME])
    if volume:
        shell.capture(["docker", "volume", "rm", NAME])


def _answers() -> bool:
    try:
        with DIRECT.open(f"http://{address()}/v2/", timeout=2):
            return True
    except (OSError, LabError):
        return False
