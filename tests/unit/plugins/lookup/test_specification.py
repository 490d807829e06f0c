"""The specification of the role is read once in a run, before the workers are made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from ansible_collections.ai_platform.agent.plugins.plugin_utils import _specification

ROOT = Path(__file__).resolve().parents[4]
OWN = ROOT / "roles/ai_agent/meta/argument_specs.yml"
# As Ansible's strategy loads the action, and then each worker asks.
ONCE = """
import sys
from pathlib import Path
real, read = Path.read_text, []
Path.read_text = lambda self, *a, **k: (read.append(self.name), real(self, *a, **k))[1]
from ansible_collections.ai_platform.agent.plugins.action import guard
from ansible_collections.ai_platform.agent.plugins.lookup.mistyped import specified
from ansible_collections.ai_platform.agent.plugins.plugin_utils._specification import entry_points
at_first = read.count("argument_specs.yml")
through_link = "collections/ansible_collections/ai_platform/agent/roles/ai_agent/meta/argument_specs.yml"
for _each in range(3):
    assert "ai_agent_soak" in specified(entry_points(through_link))
print(at_first, read.count("argument_specs.yml"))
"""


def test_it_is_read_once_and_before_anybody_asks() -> None:
    environment = {"PYTHONPATH": str(ROOT / "collections"), "HOME": str(Path.home())}
    done = subprocess.run(
        [sys.executable, "-c", ONCE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["1", "1"], done.stderr


def test_it_is_what_the_file_says() -> None:
    assert _specification.entry_points(str(OWN)) == yaml.safe_load(OWN.read_text())["argument_specs"]
    assert _specification.OWN == OWN


def test_the_lookup_returns_the_options_of_an_entry_point() -> None:
    expression = (
        f"{{{{ lookup('ai_platform.agent.specification', '{OWN}') | dict2items | map(attribute='key') | first }}}}"
    )
    command: list[str | Path] = [
        Path(sys.executable).with_name("ansible"),
        "localhost",
        "-m",
        "ansible.builtin.debug",
        "-a",
    ]
    done = subprocess.run([*command, f'msg="{expression}"'], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    first = next(iter(yaml.safe_load(OWN.read_text())["argument_specs"]["main"]["options"]))
    assert yaml.safe_load(done.stdout.partition("=> ")[2])["msg"] == first
