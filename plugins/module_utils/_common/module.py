"""A judging module from its arguments to its end; the module file itself holds only documentation and this call."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import of_error
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import (
    extract_sensitive_values_from_kubeconfig,
)

Row = dict[str, t.Any]


def started(arguments: Row, **constraints: t.Any) -> AnsibleModule:
    """The module with its arguments read; secrets of a kubeconfig that was passed as a dictionary are hidden."""
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True, **constraints)
    if isinstance(module.params["kubeconfig"], dict):
        module.no_log_values.update(extract_sensitive_values_from_kubeconfig(module.params["kubeconfig"]))
    return module


def end(module: AnsibleModule, execute: t.Callable[[Row], tuple[Row, str | None]], params: Row) -> None:
    """Print the result of `execute` and leave.

    :param execute: returns the result and the sentence for which the module fails (None: it does not), or raises
        FindingError
    """
    try:
        result, problem = execute(params)
    except FindingError as error:
        module.fail_json(msg=error.message, error_id=error.id, findings=[of_error(error)], changed=False)
    # Only a module that changes something says so itself.
    result = {"changed": False} | result
    if problem:
        module.fail_json(msg=problem, **result)
    module.exit_json(**result)


__all__ = ("end", "started")
