"""Controllers to try the collection on: one environment for each ansible-core, as an execution environment has it.

ansible-core alone, kubernetes.core, what requirements.txt asks for, and ansible-runner, by which AWX runs a playbook.
"""

from __future__ import annotations

import re
import shutil
import sysconfig
from pathlib import Path

from dev import environments, sanity
from lab.cache import cached, digest
from lab.paths import ROOT

RUNNER = "ansible-runner==2.4.3"


def _pins() -> str:
    """The project's pins but for those of Ansible, of which each environment has its own."""
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines()
    return "\n".join(line for line in lines if "==" in line and not line.startswith(("ansible==", "ansible-core==")))


def environment(core: str) -> Path:
    """The folder of an environment, made on first use: its programs are in ``bin``, its collections in ``collections``.

    :param core: a key of `dev.sanity.CORES`
    :raises LabError: PyPI cannot be reached
    """
    asked = re.findall(r"^[A-Za-z].*", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    wanted = [f"ansible-core=={sanity.CORES[core]}", RUNNER, *asked]

    def build(folder: Path) -> None:
        pins = folder / "pins.txt"
        pins.write_text(_pins())
        environments.fill(folder / "venv", *wanted, pins=pins)
        site = Path(sysconfig.get_paths()["purelib"]) / "ansible_collections"
        for namespace, name in sanity.DEPENDENCIES:
            place = folder / "venv" / "collections" / "ansible_collections" / namespace / name
            shutil.copytree(site / namespace / name, place)

    key = digest([*wanted, _pins()])[:6]
    return cached("controller", f"{sanity.CORES[core]}-{environments.python()}-{key}", build) / "venv"
