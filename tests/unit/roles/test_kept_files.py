"""A run that keeps the files of modules would leave passwords in them, whatever the tasks say about pipelining."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.paths import ROOT

PLAY = """
- hosts: localhost
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.include_tasks: {tasks}
      vars:
        ai_agent_environment: {environment}
        __ai_agent_ansible_floor: '2.19'
        __ai_agent_kubernetes_core_floor: 6.6.0
        __ai_agent_kubernetes_core_ceiling: 7.0.0
"""


@pytest.mark.parametrize(
    ("environment", "kept", "stops"),
    [("prod", "1", True), ("prod", "0", False), ("staging", "yes", True), ("dev", "1", False)],
)
def test_a_run_that_keeps_the_files_of_modules_stops(tmp_path: Path, environment: str, kept: str, stops: bool) -> None:
    play = tmp_path / "play.yml"
    tasks = ROOT / "roles/ai_agent/tasks/guard_controller.yml"
    play.write_text(PLAY.format(tasks=tasks, environment=environment))
    program = Path(sys.executable).with_name("ansible-playbook")
    variables = {**os.environ, "ANSIBLE_KEEP_REMOTE_FILES": kept, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    done = subprocess.run(
        [program, "-i", "localhost,", play], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) == stops, done.stdout + done.stderr
    assert ("would leave the passwords of host localhost" in " ".join(done.stdout.split())) == stops, done.stdout
