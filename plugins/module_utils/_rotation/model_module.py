"""From the parameters of model_key_rotation to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import told
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.model_cluster import Keys
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.model_run import ModelRotation, next_step
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

Row = dict[str, t.Any]
# The defaults of connectivity_test; the chart gives the variables these names.
MODEL_VARIABLES: t.Final = {"url_variable": "LLM_BASE_URL", "name_variable": "LLM_MODEL"}

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "release_secret": {"type": "str", "required": True, "no_log": False},
    "secret_name": {"type": "str", "required": True, "no_log": False},
    "secret_key": {"type": "str", "default": "api-key", "no_log": False},
    "wanted": {"type": "str", "required": True, "no_log": True},
    "model": {
        "type": "dict",
        "default": {},
        "options": {
            "ask": {"type": "bool", "default": True},
            **{name: {"type": "str", "default": value, "no_log": False} for name, value in MODEL_VARIABLES.items()},
            # Accepted as connectivity_test accepts it, and unused: it names the variable of the key in use.
            "key_variable": {"type": "str", "no_log": False},
            "ca_file": {"type": "str"},
            "path": {"type": "str", "default": "/models"},
        },
    },
    "begin": {"type": "bool", "default": True},
}

# What is yet to come, by the next step, from there to the end.
_TO_COME: t.Final = {
    "mark": "the new key of the model's provider would be tried from an agent pod and put into its Secret, and the"
    " agent's pods would be replaced; then the old one may be revoked",
    "switch": "a rotation was interrupted: the new key would be put into its Secret, and the pods would be replaced",
    "renew": "a rotation was interrupted: the new key is in its Secret, and the pods would be replaced",
    "roll": "a rotation was interrupted: the pods would be replaced, and then the old key may be revoked",
    "clear": "a rotation was interrupted, and all but its record is done",
    "nothing": "the pods have the model provider's key of the vault",
}
_NEXT: t.Final = {
    "mark": "a rotation that was interrupted is finished, and the vault has another key by now",
    "roll": "the agent's pods are to be replaced now, and the provider's old key to be revoked after that",
    "nothing": _TO_COME["nothing"],
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result; it fails by an error only.

    :param params: the module's, and `check_mode`
    :raises FindingError: a step could not be done; then what was done before it stands in the Secret's annotation
    """
    if not params["wanted"].isprintable() or not params["wanted"].isascii() or params["wanted"].strip() == "":
        # A header of HTTP may not have it, so no provider makes such keys.
        raise FindingError("argument-invalid", "wanted is no key: it is empty, or holds what no HTTP header may.")
    dependencies.assert_libraries({"kubernetes": dependencies.CLUSTER["kubernetes"]})
    release = Release(
        connect(params), params["release_name"], params["release_namespace"], secret_name=params["release_secret"]
    )
    model = MODEL_VARIABLES | {name: value for name, value in params["model"].items() if value is not None}
    keys = Keys(release, params["secret_name"], params["secret_key"], params["wanted"], model)
    rotation = ModelRotation(keys, params["begin"])
    if params["check_mode"]:
        step = next_step(keys.facts())
        words, changed = _TO_COME[step], step != "nothing"
    else:
        step = rotation.run()
        words, changed = told.words_after(step, rotation.done, _TO_COME, _NEXT), bool(rotation.done)
    return told.result(release, step, rotation.done, words, changed=changed, rotation_id=keys.facts().rotation_id), None


__all__ = ("ARGUMENTS", "execute")
