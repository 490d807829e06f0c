"""The tasks of a playbook take, keep and give back a Lease, from the collection's files and from Ansible's archive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.api_server import Server
from lab.paths import ROOT
from tests.integration.api_server.conftest import NAMESPACE
from tests.integration.api_server.test_lease import wait_for

PLAY = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  module_defaults:
    ai_platform.agent.release_lease: {release_name: tasks, release_namespace: %s, kubeconfig: "%s", wait: 0}
  tasks:
    - ai_platform.agent.release_lease:
      register: first
    - ai_platform.agent.release_lease:
      check_mode: true
      register: looked
    - ai_platform.agent.release_lease:
      register: second
      ignore_errors: true
    - ai_platform.agent.release_lease: {state: free, folder: "{{ first.folder }}"}
      register: ended
    - ai_platform.agent.release_lease:
      register: third
    - ansible.builtin.copy:
        dest: %s
        content: "{{ {'first': first, 'looked': looked, 'second': second, 'ended': ended, 'third': third} | to_json }}"
"""


@pytest.mark.parametrize("in_place", ["true", "false"])
def test_take_look_refuse_and_give_back(api: Server, tmp_path: Path, in_place: str) -> None:
    said = tmp_path / "said.json"
    (tmp_path / "play.yml").write_text(PLAY % (NAMESPACE, api.kubeconfig, said))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(tmp_path / "play.yml")]
    environment = os.environ | {"AI_AGENT_MODULES_IN_PLACE": in_place, "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(said.read_text())
    assert told["first"]["waited"] == 0
    assert told["looked"]["holder"] == told["first"]["holder"]
    assert told["second"]["error_id"] == "lease-held"
    assert told["ended"]["lost"] == ""
    # The playbook forgot this one: its end gave it back.
    wait_for(lambda: not Path(told["third"]["folder"]).exists())
    path = "{.spec.holderIdentity}"
    left = api.ask("get", "lease", "tasks-writer", "-n", NAMESPACE, "-o", f"jsonpath={path}")
    assert (left.returncode, left.stdout) == (0, "")
