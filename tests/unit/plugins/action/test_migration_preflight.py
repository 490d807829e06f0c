"""The action plugin: kubernetes.core's, but for what it does to a result without arguments."""

from __future__ import annotations

from ansible_collections.ai_platform.agent.plugins.action.migration_preflight import ActionModule
from ansible_collections.kubernetes.core.plugins.action.k8s_info import ActionModule as KubernetesActionModule


def test_no_argument_is_added_to_the_result_of_a_module_that_died() -> None:
    assert issubclass(ActionModule, KubernetesActionModule)
    assert "_ensure_invocation" in vars(KubernetesActionModule), "or nothing is overridden"
    plugin = ActionModule.__new__(ActionModule)
    assert plugin._ensure_invocation({"failed": True}) == {"failed": True}
