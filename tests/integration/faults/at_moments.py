"""Who is killed at a moment of a run that nobody chose: the playbook, its group, helm, its network, a node."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.contract_relay import Relay

from lab.paths import KUBECONFIG

from .in_controllers import killed_helm
from .in_nodes import without
from .stage import AWAY, Running

AWAY_SECONDS = 20.0
"""For how long the network and the node are away: longer than a request is tried again, shorter than a run."""


class Wire:
    """The way from a controller to the API server, which can be cut."""

    def __init__(self, folder: Path) -> None:
        """Listen, and write a kubeconfig that leads here."""
        content = yaml.safe_load(KUBECONFIG.read_text(encoding="utf-8"))
        (entry,) = content["clusters"]
        at = urlsplit(entry["cluster"]["server"])
        self._relay = Relay(0, (at.hostname or "", at.port or 443), "127.0.0.1")
        entry["cluster"]["server"] = f"https://127.0.0.1:{self._relay.port}"
        entry["cluster"]["tls-server-name"] = at.hostname
        self.kubeconfig = folder / "wire.yaml"
        self.kubeconfig.write_text(yaml.safe_dump(content), encoding="utf-8")
        self.kubeconfig.chmod(0o600)

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Nothing passes meanwhile, and what was open breaks."""
        self._relay.shut()
        try:
            yield
        finally:
            self._relay.open()

    def close(self) -> None:
        """Pass nothing on any more."""
        self._relay.shut()


def playbook(run: Running, _wire: Wire) -> None:
    """Ansible alone is killed: what it started goes on without it."""
    os.kill(run.process.pid, signal.SIGKILL)


def group(run: Running, _wire: Wire) -> None:
    """Everything that the run started is killed, but for what made itself a session of its own."""
    os.killpg(run.process.pid, signal.SIGKILL)


def helm(run: Running, _wire: Wire) -> None:
    """Helm is killed, at once or as soon as it begins."""
    run.until("helm is at work", lambda: killed_helm(run))


def network(_run: Running, wire: Wire) -> None:
    """The controller reaches the cluster no more, for a while."""
    with wire.cut():
        time.sleep(AWAY_SECONDS)


def node(_run: Running, _wire: Wire) -> None:
    """A node that new pods may be on loses its network and its power, for a while."""
    with without(AWAY):
        time.sleep(AWAY_SECONDS)


VICTIMS: dict[str, t.Callable[[Running, Wire], None]] = {
    "playbook": playbook,
    "its group": group,
    "helm": helm,
    "network": network,
    "node": node,
}


def at_work(run: Running) -> str:
    """The task that a run was last seen to begin."""
    found: list[str] = re.findall(r"TASK \[(?:[\w.]+ : )?([^\]\n]+)\]", run.output)
    return found[-1] if found else "before the first task"
