"""What publishers release, in the form they release it, built here: enough to fill a mirror with.

The versions in the names are those that the lab asks for; the programs are this machine's, of the lab's own versions.
"""

from __future__ import annotations

import functools
import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

from lab import calico, debian, golang, images, mirror, mirror_contents, node, registry, released, tools
from lab.paths import CALICO_MODULE, KUBERNETES, REGISTRY, REGISTRY_IMAGE, RELEASED_NODE
from tests.integration.mirror.conftest import Mirror

UNWANTED = "a-network-that-nobody-asked-for"
"""A ConfigMap that kind creates where it installs the node image's own network."""


PYTHON = f"{REGISTRY}/mirror-test-python:1"
CONTROLLERS = f"{REGISTRY}/mirror-test-controllers:1"


def fill(mirrored: Mirror, helm: str = "4") -> None:
    """Put everything that a lab of this machine's architecture takes into the mirror."""
    _files(mirrored, helm)
    makers = _images()
    wanted = mirror_contents.names()
    assert set(makers) == set(wanted), "the mirror would not hold all that the lab takes"
    for name in wanted:
        mirrored.push(makers[name](), name)


def _files(mirrored: Mirror, helm: str) -> None:
    arch = released.architecture()
    for release, program in (
        (released.helm(helm, arch), tools.helm()),
        (released.kind(arch), tools.kind()),
        (released.kubectl(arch), golang.kubernetes(KUBERNETES) / "kubectl"),
    ):
        content = program.read_bytes()
        if release.member:
            content = _packed(release.member, content)
        name = release.url.rpartition("/")[2]
        checksum = hashlib.sha256(content).hexdigest()
        # dl.k8s.io has the digits alone, the others a line as sha256sum writes it.
        line = checksum if release.name == "kubectl" else f"{checksum}  {name}\n"
        _put(mirrored, release.url, content)
        _put(mirrored, release.sha256_url, line.encode())
    manifest = golang.module_folder(calico.MODULE, CALICO_MODULE) / "manifests" / "calico-vxlan.yaml"
    _put(mirrored, released.calico().url, manifest)


def _put(mirrored: Mirror, url: str, content: bytes | Path) -> None:
    mirrored.server.files[f"lab/{url.removeprefix('https://')}"] = content


def _packed(member: str, content: bytes) -> bytes:
    """An archive as Helm's: the program and two texts in a folder of the platform's name."""
    folder = member.rpartition("/")[0]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, data in ((f"{folder}/LICENSE", b"licence"), (member, content), (f"{folder}/README.md", b"read me")):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def _images() -> dict[str, Callable[[], str]]:
    """By the name that the lab asks for: what makes it and returns its name on this machine."""
    made: dict[str, Callable[[], str]] = {RELEASED_NODE: _node, REGISTRY_IMAGE: _registry}
    for recipe in images.ALL:
        made[recipe.public_base] = _python if "python" in recipe.public_base else lambda: debian.base_image("bookworm")
    *built, controllers = calico.PUBLIC_IMAGES
    for part, name in zip(calico.PARTS, built, strict=True):
        made[name] = functools.partial(_calico, part)
    made[controllers] = _controllers
    return made


def _registry() -> str:
    registry.build()
    return registry.image()


def _calico(part: str) -> str:
    calico.build()
    return calico.reference(part)


def _built(name: str, recipe: str, **files: str) -> str:
    """An image of a Dockerfile and the files that it copies; its name."""
    with images.workspace() as folder:
        for file, content in {"Dockerfile": recipe, **files}.items():
            (folder / file).write_text(content)
        images.build(name, folder / "Dockerfile", folder)
    return name


def _controllers() -> str:
    """A stand-in that runs and says that it is well: the lab does not build Calico's controllers."""
    recipe = (
        f"FROM {debian.base_image('bookworm')}\n"
        "COPY status /usr/bin/check-status\nRUN chmod 0755 /usr/bin/check-status\n"
        'ENTRYPOINT ["sleep", "infinity"]\n'
    )
    return _built(CONTROLLERS, recipe, status="#!/bin/sh\nexit 0\n")


def _python() -> str:
    """A Debian that has Python, as Docker's own Python image is one."""
    recipe = (
        f"FROM {debian.base_image('trixie')}\n"
        "RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "
        "python3 python3-venv && rm -rf /var/lib/apt/lists/*\n"
    )
    return _built(PYTHON, recipe)


def _node() -> str:
    """The lab's node image as kind's is: with a default network that the lab does not want, and without Calico."""
    tag = node.reference().rpartition(":")[2]
    bare, name = (f"{REGISTRY}/mirror-test-node:{tag}{end}" for end in ("-bare", ""))
    if not images.present(name):
        parts = node.parts()
        recipe = f"FROM {node.reference()}-bare\nCOPY network /kind/manifests/default-cni.yaml\n"
        unwanted = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {UNWANTED}, namespace: default}}\n"
        _built(bare, recipe, network=unwanted)
        node._preload(bare, name, parts)
    return name


def table(mirrored: Mirror) -> str:
    """Checksums for LAB_RELEASES: of the node image, which is none of kind's, and of one that has no other digest."""
    names = [mirror.full_name(name).partition("@")[0] for name in (RELEASED_NODE, calico.PUBLIC_IMAGES[0])]
    return "".join(f"{name}: {mirrored.digests[name]}\n" for name in names)
