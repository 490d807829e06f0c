"""The rulebook in the real ansible-rulebook: the webhook of Alertmanager in, the playbook of the test started, once."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from dev import controllers, environments, sanity
from lab import needs
from lab.cache import cached

ROOT = Path(__file__).resolve().parents[3]
RULEBOOK = "ansible-rulebook==1.3.2"
TOKEN = "t0ken-of-alertmanager"
# Drools starts in a Java machine of its own, which takes its time where others work as well.
SECONDS = 240
PLAY = "PLAY [Verify the AI agent]"


def program() -> Path:
    def build(folder: Path) -> None:
        environments.fill(folder / "venv", RULEBOOK)

    return cached("rulebook", f"{RULEBOOK.partition('==')[2]}-{environments.python()}", build) / "venv" / "bin"


class Running:
    """ansible-rulebook with the rulebook, and what it printed."""

    def __init__(self, folder: Path) -> None:
        """Start it with an inventory that names no cluster, so the playbook ends in its first task."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "vars.yml").write_text(yaml.safe_dump({"ai_agent_eda_port": self.port, "ai_agent_eda_token": TOKEN}))
        host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        host |= {"ai_agent_environment": "prod", "ai_agent_namespace": "prod"}
        (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"agent-prod": host}}}))
        controller = controllers.environment(sanity.NEWEST)
        java = needs.find("java")
        assert java, "no Java runtime"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("K8S_AUTH_", "ANSIBLE_"))}
        environment = kept | {
            "PATH": os.pathsep.join([str(program()), str(controller / "bin"), os.environ["PATH"]]),
            "JAVA_HOME": str(Path(java).resolve().parents[1]),
            "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / 'collections'}{os.pathsep}{controller / 'collections'}",
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(folder),
        }
        self.log = folder / "log"
        rulebook = ROOT / "extensions/eda/rulebooks/verify_on_alert.yml"
        words: list[str | Path] = [program() / "ansible-rulebook", "--rulebook", rulebook, "--inventory", "hosts.yml"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*words, "--vars", "vars.yml", "--print-events"],
                cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def tell(self, alert: str, status: str = "firing", token: str = TOKEN) -> int:
        """Say it as Alertmanager does; the HTTP status, 0 while nobody listens."""
        body = json.dumps({"version": "4", "status": status, "commonLabels": {"alertname": alert}, "alerts": []})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request("POST", "/alerts", body, headers)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def until(self, wanted: t.Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not wanted():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(1)


@pytest.fixture
def running(tmp_path: Path) -> t.Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.stop()


def test_an_alert_is_answered_by_one_test(running: Running) -> None:
    running.until(lambda: running.tell("AgentDown", token="wrong") not in {0, 200})
    for alert, status in (("AgentDown", "resolved"), ("KubeNodeNotReady", "firing"), ("AgentDown", "firing")):
        assert running.tell(alert, status) == 200
    assert running.tell("AgentDown") == 200
    running.until(lambda: "PLAY RECAP" in running.log.read_text())
    # What stops it here is the playbook's own guard: the right playbook ran, on the inventory's host.
    assert "No cluster is named for host agent-prod" in running.log.read_text()
    running.until(lambda: running.log.read_text().count("'alertname'") >= 4)
    time.sleep(5)
    text = running.log.read_text().partition("ansible_rulebook.action.run_playbook - ERROR")[0]
    assert text.count(PLAY) == 1, text
    assert TOKEN not in running.log.read_text().replace(f"Bearer {TOKEN}", "")
