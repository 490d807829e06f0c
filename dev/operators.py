"""Kinds that operators bring, as their own projects define them, for an API server that then judges our objects."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

from lab import golang
from lab.cache import cached, digest

# Module, version and file of each CustomResourceDefinition.
DEFINITIONS: t.Final = (
    ("github.com/kedacore/keda/v2", "v2.17.2", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    (
        "github.com/external-secrets/external-secrets",
        "v0.18.2",
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
    ("sigs.k8s.io/gateway-api", "v1.3.0", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.83.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.83.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
)


def definitions() -> list[Path]:
    """The files, each with one CustomResourceDefinition, fetched on first use.

    :raises LabError: Go's module proxy cannot be reached
    """

    def fetch(folder: Path) -> None:
        for module, version, file in DEFINITIONS:
            shutil.copyfile(golang.module_folder(module, version) / file, folder / Path(file).name)

    key = digest([word for each in DEFINITIONS for word in each])
    return sorted(cached("operators", key, fetch).iterdir())
