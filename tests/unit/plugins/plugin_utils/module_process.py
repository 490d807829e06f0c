"""A collection of one module, made for a test, which does whatever the test wants."""

from __future__ import annotations

from pathlib import Path

MODULE = "ansible_collections.tried.kit.plugins.modules.tried"
ACTION = """
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import InPlace
from ansible.plugins.action import ActionBase

class ActionModule(InPlace, ActionBase):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return self._execute_module(module_name=self._task.action, module_args=self._task.args, task_vars=task_vars)
"""


def collection(root: Path, module: str) -> str:
    """Write a collection `tried.kit` below `root`, with the module `tried`; its path for Ansible."""
    place = root / "ansible_collections/tried/kit"
    files = {
        "galaxy.yml": "namespace: tried\nname: kit\nversion: 1.0.0\n",
        "plugins/modules/tried.py": module,
        "plugins/action/tried.py": ACTION,
    }
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return str(root)
