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


Execute: t.TypeAlias = "t.Callable[[Row], tuple[Row, str | None]]"  # noqa: UP040


def started(arguments: Row, **constraints: t.Any) -> AnsibleModule:
    """The module with its arguments read; secrets of a kubeconfig that was passed as a dictionary are hidden."""
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True, **constraints)
    module.no_log_values.update(secrets(module.params))
    return module


def secrets(params: Row) -> set[str]:
    """What must not be in a result, besides the options that say so themselves."""
    kubeconfig = params.get("kubeconfig")
    return set(extract_sensitive_values_from_kubeconfig(kubeconfig)) if isinstance(kubeconfig, dict) else set()


def outcome(execute: Execute, params: Row) -> Row:
    """The module's result; with `msg` where it failed.

    :param execute: returns the result (`changed` is false where it does not say) and the sentence for which the module
        fails (None: it does not), or raises FindingError
    """
    try:
        result, problem = execute(params)
    except FindingError as error:
        told = {"msg": error.message, "error_id": error.id, "findings": [of_error(error)]}
        return told | {"changed": error.changed}
    return {"changed": False, **result} | ({"msg": problem} if problem else {})


def end(module: AnsibleModule, execute: Execute, params: Row) -> None:
    """Print the result of `execute`, as `outcome` takes it, and leave."""
    result = outcome(execute, params)
    if "msg" in result:
        module.fail_json(**result)
    module.exit_json(**result)


__all__ = ("end", "outcome", "secrets", "started")
