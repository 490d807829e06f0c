"""What the tests of the role share: running a playbook as a user does, and the lab's cluster."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
VENV = Path(sys.executable).parent
LAB_VARS = ROOT / ".lab/vars.yml"


@dataclass(frozen=True)
class Run:
    """A finished ansible-playbook: exit code, everything it printed, and the counters of its recap."""

    code: int
    output: str

    @property
    def errors(self) -> list[str]:
        """First lines of the errors, without Ansible's own preamble."""
        return [re.sub(r"^Task failed: (Action failed: )?", "", e) for e in re.findall(r"\[ERROR\]: (.*)", self.output)]

    def recap(self, counter: str) -> int:
        """Value of ``counter`` (ok, changed, failed ...) in the recap, summed over the hosts."""
        return sum(int(value) for value in re.findall(rf"\b{counter}=(\d+)", self.output))


def play(*words: str | Path, env: dict[str, str] | None = None, **variables: t.Any) -> Run:
    """Run ``ansible-playbook`` in the checkout with ``words`` and ``variables`` as extra variables."""
    command = [VENV / "ansible-playbook", *words]
    if variables:
        command += ["-e", json.dumps(variables)]
    environment = {**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000", **(env or {})}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return Run(done.returncode, done.stdout)


@pytest.fixture(scope="session")
def lab() -> dict[str, t.Any]:
    """Variables of the lab, as `make lab-up` wrote them. Without a lab these tests fail: nothing was proven."""
    assert LAB_VARS.is_file(), "make lab-up first"
    return t.cast("dict[str, t.Any]", yaml.safe_load(LAB_VARS.read_text(encoding="utf-8")))


@pytest.fixture
def fake_helm(tmp_path: Path) -> t.Callable[[str, str], Path]:
    """Make a helm that tells a version, answers `list` and `history`, and renders nothing: for states hard to reach."""

    def make(version: str, answer: str = "[]") -> Path:
        path = tmp_path / "helm"
        # Its history has one revision, in the state that `list` tells.
        history = json.dumps([entry | {"revision": 1} for entry in json.loads(answer)])
        cases = f"version) echo '{version}' ;; list) echo '{answer}' ;; history) echo '{history}' ;;"
        path.write_text(f"#!/bin/sh\ncase $1 in {cases} esac\n")
        path.chmod(0o755)
        return path

    return make
