"""helm, kind and kubectl in ``.lab/bin``."""

from __future__ import annotations

import os
from pathlib import Path

from lab import golang
from lab.paths import BIN, HELM, KIND, KUBERNETES


def helm() -> Path:
    """Helm, with its full version stamped in: a plain build calls itself v4.3, which version gates misread."""
    stamp = f"-X helm.sh/helm/v4/internal/version.version=v{HELM}"
    return _link(golang.install("helm", HELM, "helm.sh/helm/v4/cmd/helm", "helm", stamp), "helm")


def kind() -> Path:
    """kind."""
    return _link(golang.install("kind", KIND, "sigs.k8s.io/kind", "kind"), "kind")


def kubectl() -> Path:
    """kubectl, of the cluster's own version."""
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
