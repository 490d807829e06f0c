"""Programs of others that judge the rendered chart: kube-score, kubeconform and checkov, in the user's cache."""

from __future__ import annotations

import sys
from pathlib import Path

from lab import golang, shell
from lab.cache import cached

KUBE_SCORE = "1.20.0"
KUBECONFORM = "0.7.0"
CHECKOV = "3.3.30"


def kube_score() -> Path:
    """kube-score, compiled from its Go module."""
    return golang.install("kube-score", KUBE_SCORE, "github.com/zegl/kube-score/cmd/kube-score", "kube-score")


def kubeconform() -> Path:
    """kubeconform, likewise."""
    return golang.install("kubeconform", KUBECONFORM, "github.com/yannh/kubeconform/cmd/kubeconform", "kubeconform")


def checkov() -> Path:
    """checkov, from PyPI in an environment of its own: its pins would fight with everybody's."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"

    def build(folder: Path) -> None:
        # A virtual environment cannot be moved, and `cached` renames the folder: so no environment, only its packages.
        words = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder / "packages"]
        shell.run([*words, f"checkov=={CHECKOV}"], log="checkov", what=f"fetching checkov {CHECKOV} from PyPI")

    return cached("checkov", f"{CHECKOV}-{python}", build) / "packages"
