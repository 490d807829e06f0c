"""Calico, which enforces NetworkPolicies: its images from Go modules and Debian packages, and its manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from lab import golang, images, packet_filter
from lab.cache import digest
from lab.paths import CALICO, CALICO_API_MODULE, CALICO_MODULE, REGISTRY, ROOT
from lab.progress import LabError

RECIPES = ROOT / "lab" / "calico"
PARTS = ("node", "cni")
"""The images that are built here."""

CONTROLLERS = "kube-controllers"
"""The part that is not: it tidies up after nodes that left for good, which the lab's never do, and calls functions that
Kubernetes' present modules no longer have."""

PUBLIC = "docker.io/calico"
PUBLIC_IMAGES = tuple(f"{PUBLIC}/{part}:v{CALICO}" for part in (*PARTS, CONTROLLERS))
"""Calico's own images, as its manifest names them."""

MODULE = "github.com/projectcalico/calico"


def key() -> str:
    """Digest of everything that Calico's images and manifest are made from."""
    go = ROOT / "lab" / "go"
    parts = [RECIPES, packet_filter.RECIPE, go / "calico", go / "kubernetes" / "go.mod", Path(__file__)]
    return digest([*parts, CALICO, CALICO_MODULE, CALICO_API_MODULE])


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
    """Calico's VXLAN manifest out of its module, with the images that are built here and without the controllers."""
    text = (golang.module_folder(MODULE, CALICO_MODULE) / "manifests" / "calico-vxlan.yaml").read_text()
    for part in PARTS:
        text = text.replace(f"{PUBLIC}/{part}:v{CALICO}", reference(part))
    return without_controllers(quiet(text))


def without_controllers(text: str) -> str:
    """The manifest without all that has the controllers' name: the Deployment, its account and rights."""
    documents = [document for document in yaml.safe_load_all(text) if document]
    name = f"calico-{CONTROLLERS}"
    kept = [document for document in documents if document["metadata"]["name"] != name]
    if len(kept) == len(documents):
        raise LabError(f"Calico's manifest of v{CALICO} has nothing of the name {name}")
    return yaml.safe_dump_all(kept, sort_keys=False)


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
            args = {"BASE_IMAGE": packet_filter.image()}
        else:
            (folder / "bin").mkdir()
            for name in ("install", "calico"):
                shutil.copy2(programs / name, folder / "bin")
            shutil.copy2(programs / "calico", folder / "bin" / "calico-ipam")
        images.build(reference(part), RECIPES / f"{part}.Dockerfile", folder, args)
