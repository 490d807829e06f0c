"""The agent's CPU limit while a benchmark runs: dev's quarter of a core is where most of a module's time goes."""

from __future__ import annotations

import contextlib
import typing as t

import yaml

from lab import cluster
from lab.deploy import NAMESPACE, RELEASE
from lab.paths import ROOT

AGENT = f"deployment/{RELEASE}"


def shipped(environment: str) -> str:
    """The limit in the chart's values of an environment."""
    values = yaml.safe_load((ROOT / "chart" / f"values-{environment}.yaml").read_text())
    return str(values["agent"]["resources"]["limits"]["cpu"])


@contextlib.contextmanager
def agent_cpu(environment: str) -> t.Iterator[str]:
    """The release of `make up` with the limit of `environment`, and with dev's again afterwards; yields the limit."""
    limit = shipped(environment)
    _limited(limit)
    try:
        yield limit
    finally:
        _limited(shipped("dev"))


def _limited(limit: str) -> None:
    words = ["set", "resources", AGENT, "--containers=agent", f"--limits=cpu={limit}"]
    cluster.kubectl("-n", NAMESPACE, *words)
    cluster.kubectl("-n", NAMESPACE, "rollout", "status", AGENT, "--timeout=180s")


__all__ = ("agent_cpu", "shipped")
