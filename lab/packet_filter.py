"""The image that kube-proxy's and Calico's are built on: Debian with the packet filter's command line tools."""

from __future__ import annotations

from lab import debian, images
from lab.cache import digest
from lab.paths import REGISTRY, ROOT

RECIPE = ROOT / "lab" / "node" / "packet-filter.Dockerfile"


def image() -> str:
    """Build it when Docker does not have it; returns its name."""
    name = f"{REGISTRY}/packet-filter:{digest([RECIPE])[:8]}"
    if not images.present(name):
        with images.workspace() as folder:
            images.build(name, RECIPE, folder, {"BASE_IMAGE": debian.base_image("trixie")})
    return name
