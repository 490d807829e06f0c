"""Container images: built with Docker when their inputs changed, named after those inputs."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lab import debian, own_checksums, pull, shell, source
from lab.cache import digest
from lab.paths import BUILT_IMAGES, LAB, REGISTRY, ROOT
from lab.progress import LabError, say


@dataclass(frozen=True)
class Recipe:
    """One of the project's images: where its Dockerfile is, which stage and version, and what the lab builds it on."""

    name: str
    folder: str
    version: str
    suite: str
    target: str | None = None

    @property
    def context(self) -> Path:
        """The build context."""
        return ROOT / "images" / self.folder

    @property
    def public_base(self) -> str:
        """The image that its Dockerfile names as base.

        :raises LabError: it names none
        """
        found = re.search("^ARG BASE_IMAGE=(.+)$", (self.context / "Dockerfile").read_text(), re.MULTILINE)
        if not found:
            raise LabError(f"{self.context}/Dockerfile has no line ARG BASE_IMAGE=..., so it has no base")
        return found[1].strip()

    @property
    def tag(self) -> str:
        """Version and content: ``1.0.0-1a2b3c4d``. An image whose inputs changed never hides behind an old name."""
        inputs: list[str | Path] = [self.context, self.suite, self.target or "", self.version]
        if source.chosen() == source.REGISTRIES:
            inputs.append(own_checksums.image(self.public_base))
        return f"{self.version}-{digest(inputs)[:8]}"

    @property
    def reference(self) -> str:
        """Full name in the lab."""
        return f"{REGISTRY}/{self.name}:{self.tag}"


AGENT = Recipe("agent", "agent", "1.0.0", "trixie", "agent")
AGENT_NEXT = Recipe("agent", "agent", "1.1.0", "trixie", "agent-next")
POSTGRESQL = Recipe("postgresql", "postgresql", "15", "bookworm")
REDIS = Recipe("redis", "redis", "7.0", "bookworm")
ALL = (AGENT, AGENT_NEXT, POSTGRESQL, REDIS)


PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")
"""Where pip finds packages, in a network that does not let it reach the public index."""

INPUTS = "local.ai-platform.inputs"
"""Label with the digest of what an image was made of, where its name cannot say that."""


def present(reference: str, inputs: str | None = None) -> bool:
    """Whether Docker has the image, made of `inputs` (a digest) where they are given."""
    words = ["docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{INPUTS}"}}}}', reference]
    done = shell.capture(words)
    return done.returncode == 0 and inputs in {None, done.stdout.strip()}


def build(
    reference: str,
    dockerfile: Path,
    context: Path,
    args: Mapping[str, str] | None = None,
    *,
    target: str | None = None,
    inputs: str | None = None,
) -> None:
    """Build one image with the classic builder, which every engine has, and remember that this checkout made it."""
    words: list[str | Path] = ["docker", "build", "--quiet", "--network", "host", "-t", reference, "-f", dockerfile]
    for name, value in (args or {}).items():
        words += ["--build-arg", f"{name}={value}"]
    if target:
        words += ["--target", target]
    if inputs:
        words += ["--label", f"{INPUTS}={inputs}"]
    log = f"image-{reference.rpartition('/')[2].partition(':')[0]}"
    shell.run([*words, context], log=log, what=f"building {reference}", env={"DOCKER_BUILDKIT": "0"})
    remember(reference)


def build_all() -> list[str]:
    """Build those of the project's images that Docker does not have yet; returns the names of all of them."""
    for recipe in ALL:
        if not present(recipe.reference):
            say(f"        building {recipe.reference}")
            _build(recipe, recipe.reference, source.chosen() == source.PACKAGES)
    return [recipe.reference for recipe in ALL]


def _build(recipe: Recipe, name: str, own_base: bool) -> None:
    args = {"BASE_IMAGE": debian.base_image(recipe.suite) if own_base else pull.ensure(recipe.public_base)}
    if "ARG PIP_INDEX_URL" in (recipe.context / "Dockerfile").read_text():
        args |= _package_index()
    build(name, recipe.context / "Dockerfile", recipe.context, args, target=recipe.target)


def _package_index() -> dict[str, str]:
    """Build arguments with this machine's pip settings, so that pip in a build uses the same index."""
    found = {name: os.environ[name] for name in PIP if os.environ.get(name)}
    for name in [name for name, value in found.items() if "@" in value]:
        say(f"        {name} has a login in it, which the image's history would show: pip in the build goes without it")
        del found[name]
    return found


def publish(registry: str, own_base: bool) -> list[str]:
    """Build the project's images and push them to *registry*.

    :param own_base: on the lab's Debian instead of the public base images that the Dockerfiles name
    :return: the names pushed
    :raises LabError: no registry was named, or Docker refused
    """
    if not registry:
        raise LabError("make images needs a registry to push to: make images REGISTRY=registry.example.com/team")
    names = []
    for recipe in ALL:
        name = f"{registry.rstrip('/')}/{recipe.name}:{recipe.version}"
        say(f"        {name}")
        _build(recipe, name, own_base)
        shell.run(["docker", "push", "--quiet", name], log="push", what=f"pushing {name}")
        names.append(name)
    return names


def static(reference: str, program: Path, name: str) -> None:
    """An image with one static program, called *name*, and nothing else; nothing where it is there already."""
    recipe = ROOT / "lab" / "node" / "static.Dockerfile"
    inputs = digest([program, recipe, name])
    if present(reference, inputs):
        return
    with workspace() as folder:
        (folder / "bin").mkdir()
        shutil.copy2(program, folder / "bin" / name)
        shutil.copy2(recipe, folder / "Dockerfile")
        with (folder / "Dockerfile").open("a") as stream:
            stream.write(f'ENTRYPOINT ["/usr/local/bin/{name}"]\n')
        build(reference, folder / "Dockerfile", folder, inputs=inputs)


@contextmanager
def workspace() -> Iterator[Path]:
    """An empty folder for a build context, removed afterwards."""
    LAB.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=LAB) as name:
        yield Path(name)


def remember(reference: str) -> None:
    """Note that this checkout made the image."""
    LAB.mkdir(exist_ok=True)
    known = BUILT_IMAGES.read_text().splitlines() if BUILT_IMAGES.exists() else []
    if reference not in known:
        BUILT_IMAGES.write_text("\n".join([*known, reference]) + "\n")


def forget_all() -> None:
    """Remove the images that this checkout made; one that another container still uses stays."""
    with suppress(FileNotFoundError):
        for reference in BUILT_IMAGES.read_text().splitlines():
            shell.capture(["docker", "image", "rm", reference])
