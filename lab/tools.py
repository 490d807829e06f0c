"""helm, kind and kubectl in ``.lab/bin``."""

from __future__ import annotations

import os
from pathlib import Path

from lab import golang, released, source
from lab.paths import BIN, HELMS, KIND, KUBERNETES
from lab.progress import LabError


def helm_major() -> str:
    """The Helm that LAB_HELM asks for: ``4`` or ``3``.

    :raises LabError: another one is asked for
    """
    wish = os.environ.get("LAB_HELM") or next(iter(HELMS))
    for major, version in HELMS.items():
        if wish in (major, version):
            return major
    raise LabError(f"LAB_HELM={wish} is unknown: choose {' or '.join(HELMS)} (versions {', '.join(HELMS.values())})")


def helm(*, later: bool = False) -> Path:
    """Helm, with its full version stamped in: a plain build calls itself v4.3, which version gates misread.

    :param later: where it is compiled, other programs have the processors first
    """
    major = helm_major()
    if source.chosen() == source.REGISTRIES:
        return _link(released.fetch(released.helm(major, released.architecture())), "helm")
    module = f"helm.sh/helm/v{major}"
    stamp = f"-X {module}/internal/version.version=v{HELMS[major]}"
    if major == "3":
        # For `helm template` and `helm lint` the version of the cluster; Helm 4 reads it from its own dependencies.
        known, minor, _patch = KUBERNETES.split(".")
        for package in ("pkg/chartutil", "pkg/lint/rules"):
            stamp += f" -X {module}/{package}.k8sVersionMajor={known} -X {module}/{package}.k8sVersionMinor={minor}"
    return _link(golang.install("helm", HELMS[major], f"{module}/cmd/helm", "helm", stamp, later=later), "helm")


def kind() -> Path:
    """kind."""
    if source.chosen() == source.REGISTRIES:
        return _link(released.fetch(released.kind(released.architecture())), "kind")
    return _link(golang.install("kind", KIND, "sigs.k8s.io/kind", "kind"), "kind")


def kubectl() -> Path:
    """kubectl, of the cluster's own version."""
    if source.chosen() == source.REGISTRIES:
        return _link(released.fetch(released.kubectl(released.architecture())), "kubectl")
    return _link(golang.kubernetes(KUBERNETES) / "kubectl", "kubectl")


def _link(program: Path, name: str) -> Path:
    BIN.mkdir(parents=True, exist_ok=True)
    link = BIN / name
    if not link.is_symlink() or link.readlink() != program:
        # A link is replaced by renaming another over it: a tool in use never disappears.
        fresh = BIN / f".{name}.{os.getpid()}"
        fresh.symlink_to(program)
        fresh.replace(link)
    return link
