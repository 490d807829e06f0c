"""Runs in the worker of the task: conditions and messages are templates, which no module could read elsewhere."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.ai_platform.agent.plugins.plugin_utils import _specification

Row = dict[str, t.Any]

# In the process that makes the workers: each of them has it then.
_specification.prepare()

KEYS = {"name", "when", "msg", "warn"}


class ActionModule(ActionBase):
    """Action plugin, see the documentation in plugins/modules."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    @classmethod
    def finalize_task_arg(cls, name: str, value: t.Any, templar: t.Any, context: t.Any) -> t.Any:
        """The argument as it is: a message may read what is there only where its condition holds."""
        return value if name == "stops" else super().finalize_task_arg(name, value, templar, context)

    def run(self, tmp: str | None = None, task_vars: Row | None = None) -> Row:
        """Fail with the first stop whose conditions hold, or say what is only warned of."""
        super().run(tmp, task_vars)
        said: list[str] = []
        for stop in self._stops():
            conditions = stop["when"] if isinstance(stop["when"], list) else [stop["when"]]
            if not all(self._templar.evaluate_conditional(condition) for condition in conditions):
                continue
            message = self._templar.template(stop["msg"])
            messages = [str(each) for each in message] if isinstance(message, list) else [str(message)]
            if not stop.get("warn"):
                return {"failed": True, "changed": False, "stop": stop["name"], "msg": " ".join(messages), "said": said}
            said += messages
        if said:
            # The action `debug` sets this too: the message is printed without -v.
            return {"changed": False, "msg": said, "said": said, "_ansible_verbose_always": True}
        # A task that found nothing to say is left out of the output, as one is whose `when` does not hold.
        return {"changed": False, "skipped": True, "skip_reason": "There is nothing to stop at.", "said": said}

    def _stops(self) -> list[Row]:
        """The stops among the task's arguments.

        :raises AnsibleActionFail: they have another form
        """
        arguments = self._task.args
        stops = arguments.get("stops")
        if set(arguments) != {"stops"} or not isinstance(stops, list):
            raise AnsibleActionFail("guard takes one option, stops, which is a list: correct the task.")
        for stop in stops:
            if not isinstance(stop, dict) or not {"name", "when", "msg"} <= set(stop) <= KEYS:
                raise AnsibleActionFail(
                    f"Each of stops has name, when and msg, and perhaps warn: correct {stop!r:.200}."
                )
        return stops
