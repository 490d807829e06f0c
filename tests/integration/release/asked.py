"""A pod that asks the agent without a pause, and what it counted (ask_during_outage.py runs in it)."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from .conftest import Release

ASKING = Path(__file__).with_name("ask_during_outage.py").read_text(encoding="utf-8")


class LoadPod:
    """A pod that asks all the time, and what it counted."""

    def __init__(self, release: Release, askers: int = 1, *, node: str = "", address: str = "") -> None:
        """Start it and wait for its first replies.

        :param node: on which it is to run; empty for any
        :param address: URL that it asks; empty for the Service by its name
        """
        self.release = release
        deployed = release.get("deployment", release.name)["spec"]["template"]["spec"]["containers"]
        image = next(item["image"] for item in deployed if item["name"] == "agent")
        container: dict[str, t.Any] = {"name": "asking", "image": image, "command": ["python", "-c", ASKING]}
        variables = {"AGENT_URL": address or f"http://{release.name}:8000", "ASKERS": str(askers)}
        container |= {"env": [{"name": name, "value": value} for name, value in variables.items()]}
        spec: dict[str, t.Any] = {"terminationGracePeriodSeconds": 0, "containers": [container]}
        spec |= {"nodeName": node} if node else {}
        file = release.folder / "asking.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asking"}, "spec": spec}))
        release.kubectl("apply", "-f", str(file))
        self.more(5)

    def counts(self) -> dict[str, t.Any]:
        lines = self.release.kubectl("logs", "asking", "--tail=1", check=False).splitlines()
        found: dict[str, t.Any] = json.loads(lines[0]) if lines else {"answered": 0}
        return found

    def more(self, replies: int, seconds: float = 180) -> dict[str, t.Any]:
        """Wait for so many more replies."""
        before = self.counts()["answered"]
        self.release.until("replies", lambda: self.counts()["answered"] >= before + replies, seconds)
        return self.counts()

    def stop(self) -> dict[str, t.Any]:
        """End asking; what it counted."""
        counts = self.counts()
        self.release.kubectl("delete", "pod", "asking")
        return counts
