"""The image of kind's nodes, from Go modules and Debian packages: for networks without a container registry.

What kind asks of a node image is in its images/base folder, which its Go module carries; those files are used as they
are, from the module cache, on a Debian whose packages stand in for what kind compiles.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from lab import calico, debian, golang, images, packet_filter, pull, shell, source
from lab.cache import digest
from lab.paths import (
    CLUSTER,
    KIND,
    KUBERNETES,
    LOCAL_PATH_PROVISIONER,
    PAUSE,
    REGISTRY,
    RELEASED_NODE,
    ROOT,
)
from lab.progress import LabError

RECIPES = ROOT / "lab" / "node"
STORAGE = f"{REGISTRY}/local-path-provisioner:v{LOCAL_PATH_PROVISIONER}"
STORAGE_HELPER = f"{REGISTRY}/local-path-helper:1"


def reference() -> str:
    """Name of the node image: kind's own by its digest, or Kubernetes' version and the digest of what goes into it."""
    if source.chosen() == source.REGISTRIES:
        return pull.name(RELEASED_NODE)
    versions = " ".join([KUBERNETES, PAUSE, LOCAL_PATH_PROVISIONER, KIND, calico.key()])
    return f"{REGISTRY}/node:v{KUBERNETES}-{digest([RECIPES, ROOT / 'lab' / 'go', versions])[:8]}"


def programs() -> None:
    """Compile what the node image holds besides Kubernetes; a step of its own, beside the others."""
    golang.programs(KUBERNETES)
    golang.pause()


def system() -> None:
    """Build all that comes from Debian's packages; it waits for the network while the compilers have the cores."""
    if not images.present(reference()):
        base()
        packet_filter.image()
        _helper()


def base() -> str:
    """Build the node's operating system when Docker does not have it; returns its name."""
    name = f"{REGISTRY}/node-base:{digest([RECIPES, KIND])}"
    if not images.present(name):
        _base(name)
    return name


def parts() -> list[str]:
    """Build what the node image is put together from, Calico's images aside; returns the images that go into it."""
    bare = f"{reference()}-bare"
    binaries = golang.kubernetes(KUBERNETES)
    if not images.present(bare):
        with images.workspace() as folder:
            (folder / "bin").mkdir()
            for program in ("kubernetes", "kubeadm", "kubelet", "kubectl"):
                shutil.copy2(binaries / program, folder / "bin", follow_symlinks=False)
            (folder / "version").write_text(f"v{KUBERNETES}")
            shutil.copytree(RECIPES / "manifests", folder / "manifests")
            (folder / "manifests" / "default-cni.yaml").write_text(calico.manifest())
            images.build(bare, RECIPES / "node.Dockerfile", folder, {"BASE_IMAGE": base()})
    return [*_control_plane(binaries), *_storage()]


def prepare() -> None:
    """The half of :func:`build` that need not wait for Calico's compiler; nothing where the node image is there."""
    if not images.present(reference()):
        parts()


def build() -> str:
    """Build the node image when Docker does not have it; returns its name."""
    name = reference()
    if not images.present(name):
        _preload(f"{name}-bare", name, [*parts(), *calico.build()])
    return name


def _base(name: str) -> None:
    source = golang.module_folder("sigs.k8s.io/kind", f"v{KIND}") / "images" / "base" / "files"
    with images.workspace() as folder:
        shutil.copytree(source, folder / "files", copy_function=shutil.copyfile)
        # The module cache is read-only, folders included; a build context must be removable.
        for path in [folder / "files", *(folder / "files").rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        images.build(name, RECIPES / "base.Dockerfile", folder, {"BASE_IMAGE": debian.base_image("trixie")})


def _control_plane(binaries: Path) -> list[str]:
    """Images under the names that kubeadm will ask for."""
    listed = shell.capture([binaries / "kubeadm", "config", "images", "list", "--kubernetes-version", f"v{KUBERNETES}"])
    if listed.returncode:
        raise LabError(f"kubeadm does not say which images it needs: {listed.stderr.strip()}")
    names = {word.rpartition("/")[2].partition(":")[0]: word for word in listed.stdout.split()}
    together = {part for part in golang.TOGETHER if part in names}
    alone = {"coredns": golang.programs(KUBERNETES) / "coredns", "pause": golang.pause()}
    if set(names) != together | set(alone):
        built = sorted(together | set(alone))
        raise LabError(f"kubeadm {KUBERNETES} wants the images {sorted(names)}, the lab builds {built}")
    _kubernetes(binaries, {part: names[part] for part in sorted(together)})
    for part, program in alone.items():
        images.static(names[part], program, part)
    return list(names.values())


def _kubernetes(binaries: Path, names: Mapping[str, str]) -> None:
    """One image with the programs that are one file, under each name that is asked for.

    kubeadm's manifests call these programs by name, so that they need no entry point.
    """
    recipe = RECIPES / "kubernetes.Dockerfile"
    base = packet_filter.image()
    inputs = digest([binaries / "kubernetes", recipe, base, *names])
    missing = [name for name in names.values() if not images.present(name, inputs)]
    if not missing:
        return
    with images.workspace() as folder:
        (folder / "bin").mkdir()
        for program in ("kubernetes", *names):
            shutil.copy2(binaries / program, folder / "bin", follow_symlinks=False)
        first, *others = names.values()
        images.build(first, recipe, folder, {"BASE_IMAGE": base}, inputs=inputs)
        for name in others:
            shell.run(["docker", "tag", first, name], log="node", what=f"naming {name}")
            images.remember(name)


def _storage() -> list[str]:
    images.static(STORAGE, golang.programs(KUBERNETES) / "local-path-provisioner", "local-path-provisioner")
    return [STORAGE, _helper()]


def _helper() -> str:
    recipe = RECIPES / "helper.Dockerfile"
    if not images.present(STORAGE_HELPER, inputs := digest([recipe])):
        with images.workspace() as folder:
            args = {"BASE_IMAGE": debian.base_image("bookworm")}
            images.build(STORAGE_HELPER, recipe, folder, args, inputs=inputs)
    return STORAGE_HELPER


def _preload(bare: str, name: str, parts: list[str]) -> None:
    """Import the images into the containerd of a container of *bare*, and keep that container as the node image."""
    container = f"{CLUSTER}-preload"
    # An earlier run that was killed could not remove its own.
    shell.capture(["docker", "rm", "--force", "--volumes", container])
    with images.workspace() as folder:
        shell.run(["docker", "save", "-o", folder / "parts.tar", *parts], log="node", what="saving the node's images")
        mount = f"type=bind,source={folder},target=/parts,readonly"
        start = ["docker", "run", "--detach", "--privileged", "--name", container, "--mount", mount]
        shell.run([*start, "--entrypoint", "sleep", bare, "infinity"], log="node", what="starting the node image")
        try:
            inside = ["docker", "exec", container]
            shell.run(["docker", "exec", "--detach", container, "containerd"], log="node", what="starting containerd")
            _wait_for_containerd(container)
            load = [*inside, "ctr", "-n", "k8s.io", "images", "import", "--no-unpack", "/parts/parts.tar"]
            shell.run(load, log="node", what="importing the control plane's images")
            stop = "pkill -x containerd; while pgrep -x containerd; do sleep 0.2; done; rm -rf /run/containerd"
            shell.run([*inside, "sh", "-c", stop], log="node", what="stopping containerd")
            entry = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
            commit = ["docker", "commit", "--change", entry, "--change", "CMD []", container, name]
            shell.run(commit, log="node", what="keeping the node image")
        finally:
            shell.capture(["docker", "rm", "--force", "--volumes", container])
    images.remember(name)


def _wait_for_containerd(container: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if shell.capture(["docker", "exec", container, "ctr", "version"]).returncode == 0:
            return
        time.sleep(0.3)
    raise LabError("containerd in the node image did not answer within 60 s: see docker logs of the node image")
