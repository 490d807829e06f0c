"""Calico, which enforces NetworkPolicies: its images from Go modules and Debian packages, and its manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from lab import debian, golang, images
from lab.cache import digest
from lab.paths import CALICO, CALICO_API_MODULE, CALICO_MODULE, REGISTRY, ROOT
from lab.progress import LabError

RECIPES = ROOT / "lab" / "calico"
PARTS = ("node", "cni", "kube-controllers")
PUBLIC = "docker.io/calico"
PUBLIC_IMAGES = tuple(f"{PUBLIC}/{part}:v{CALICO}" for part in PARTS)
"""Calico's own images, as its manifest names them."""

MODULE = "github.com/projectcalico/calico"


def key() -> str:
    """Digest of everything that Calico's images and manifest are made from."""
    return digest([RECIPES, ROOT / "lab" / "go" / "calico", Path(__file__), CALICO, CALICO_MODULE, CALICO_API_MODULE])


def reference(part: str) -> str:
    """Name of one of the images: not Calico's own, for these are built here."""
    return f"{REGISTRY}/calico-{part}:v{CALICO}-{key()[:8]}"


def build() -> list[str]:
    """Build the images that Docker does not have; returns the names of all of them."""
    programs = golang.calico()
    for part in PARTS:
        if not images.present(reference(part)):
            _build(part, programs)
    return [reference(part) for part in PARTS]


def manifest() -> str:
    """Calico's VXLAN manifest out of its module, with the images that are built here."""
    text = (golang.module_folder(MODULE, CALICO_MODULE) / "manifests" / "calico-vxlan.yaml").read_text()
    for part in PARTS:
        text = text.replace(f"{PUBLIC}/{part}:v{CALICO}", reference(part))
    return quiet(text)


def quiet(text: str) -> str:
    """The manifest with two more settings for felix: no usage reports to the outside, no XDP (it needs bpftool).

    :raises LabError: the manifest has no DaemonSet calico-node with a container of that name
    """
    documents = [document for document in yaml.safe_load_all(text) if document]
    settings = {"FELIX_USAGEREPORTINGENABLED": "false", "FELIX_XDPENABLED": "false"}
    for document in documents:
        if (document["kind"], document["metadata"]["name"]) == ("DaemonSet", "calico-node"):
            for container in document["spec"]["template"]["spec"]["containers"]:
                if container["name"] == "calico-node":
                    container["env"] += [{"name": name, "value": value} for name, value in settings.items()]
                    return yaml.safe_dump_all(documents, sort_keys=False)
    raise LabError(f"Calico's manifest of v{CALICO} has no container calico-node in a DaemonSet of that name")


def _build(part: str, programs: Path) -> None:
    with images.workspace() as folder:
        args = {}
        if part == "node":
            tree = golang.module_folder(MODULE, CALICO_MODULE) / "node" / "filesystem"
            for name in ("etc", "sbin"):
                shutil.copytree(tree / name, folder / name, copy_function=shutil.copyfile, symlinks=True)
            # A module's files are read-only and have lost their execute bits.
            for path in folder.rglob("*"):
                if not path.is_symlink():
                    path.chmod(0o755)
            shutil.copy2(programs / "calico-node", folder)
            args = {"BASE_IMAGE": debian.base_image("trixie")}
        else:
            (folder / "bin").mkdir()
            names = {"cni": ("install", "calico"), "kube-controllers": ("kube-controllers", "check-status")}[part]
            for name in names:
                shutil.copy2(programs / name, folder / "bin")
            if part == "cni":
                shutil.copy2(programs / "calico", folder / "bin" / "calico-ipam")
            for name in ("status", "profiles"):
                (folder / name).mkdir()
        images.build(reference(part), RECIPES / f"{part}.Dockerfile", folder, args)
