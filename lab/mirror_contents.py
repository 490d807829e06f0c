"""All that the lab takes from servers of releases, for whoever fills a mirror or writes down checksums."""

from __future__ import annotations

from collections.abc import Iterator

from lab import calico, images, mirror, own_checksums, pull, released
from lab.paths import REGISTRY_IMAGE, RELEASED_NODE


def files() -> list[released.Release]:
    """Programs and manifests, for each architecture."""
    return list(released.everything())


def names() -> list[str]:
    """Images: the node's, the registry's, the bases of the project's own, Calico's."""
    bases = dict.fromkeys(recipe.public_base for recipe in images.ALL)
    return [RELEASED_NODE, REGISTRY_IMAGE, *bases, *calico.PUBLIC_IMAGES]


def demand_known_checksums() -> None:
    """Refuse a table of checksums (LAB_RELEASES) with a line for something else.

    :raises LabError: it has one
    """
    own_checksums.demand_known([*(release.url for release in files()), *names()])


def lines() -> Iterator[str]:
    """For a reader: what there is at its publisher, what it is verified by, and where a mirror must have it."""
    mirrored = mirror.configured() is not None
    for release in files():
        yield f"file   {release.url}"
        if mirrored:
            yield f"       {mirror.url(release.url)}"
        if known := own_checksums.of(release.url) or release.sha256:
            yield f"       SHA-256 {known}"
        else:
            yield f"       by the publisher's checksums: {mirror.url(release.sha256_url)}"
    for name in names():
        yield f"image  {mirror.full_name(name)}"
        if mirrored:
            yield f"       {pull.name(name)}"
        elif (pinned := own_checksums.image(name)) != name:
            yield f"       {pinned}"
