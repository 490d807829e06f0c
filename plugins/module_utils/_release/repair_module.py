"""release_repair: what a killed run left half-way, said and mended."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release import facts, halfway, leased_helm
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import release_selector
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

Row = dict[str, t.Any]

ARGUMENTS: t.Final[Row] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    # Not secret; but nobody reads it in a log.
    "manifests": {"type": "str", "no_log": True},
    "helm_binary": {"type": "path", "default": "helm"},
    "helm_timeout": {"type": "str", "default": "10m"},
    "lease": {"type": "path"},
    # Read by the action plugin, which prints what is waited for while this module works.
    "progress": {"type": "float", "default": 0.0},
    "migration_wait": {"type": "int", "default": 900},
    "settle_seconds": {"type": "int", "default": 30},
}
LOOK_SECONDS = 2.0


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails (None: it does not).

    :param params: the module's arguments, and `check_mode`
    :raises FindingError: the API server or Helm refuses, or somebody works on the release without a Lease
    """
    cluster = connect(params)
    with leased_helm.of(params, cluster) as helm:
        history = helm.history()
        remedy = halfway.remedy(history, params["release_name"])
        failed = bool(history) and history[-1]["status"] == "failed"
        # A release that is uninstalled takes its servers along.
        stuck = _stuck(cluster, params) if failed or remedy.kind == "rollback" else []
        happened = [text for text in (remedy.happened, *(each.happened for each in stuck)) if text]
        remedies = [text for text in (remedy.words, *(_deletion(each) for each in stuck)) if text]
        result = {"happened": happened, "remedies": remedies, "status": history[-1]["status"] if history else ""}
        refused = [each.refusal for each in stuck if each.refusal]
        if refused:
            return result, " ".join(happened + refused)
        if remedies and not params["check_mode"]:
            _mend(cluster, helm, params, remedy, history)
            for each in stuck:
                cluster.delete("apps/v1", "statefulsets", each.name, params["release_namespace"])
    return result | {"changed": bool(remedies)}, None


def _stuck(cluster: Cluster, params: Row) -> list[halfway.StuckServer]:
    namespace, labels = params["release_namespace"], release_selector(params["release_name"])
    sets = cluster.list("apps/v1", "statefulsets", namespace, labels=labels)
    pods = cluster.list("v1", "pods", namespace, labels=labels) if sets else []
    return halfway.stuck_servers(sets, pods, facts.parse(params["manifests"]) if params["manifests"] else None)


def _deletion(each: halfway.StuckServer) -> str:
    return each.refusal or f"StatefulSet {each.name} is deleted, its volumes stay, and helm makes it again."


def _mend(cluster: Cluster, helm: leased_helm.Helm, params: Row, remedy: halfway.Remedy, history: list[Row]) -> None:
    if remedy.kind == "none":
        return
    _assert_quiet(cluster, params, history[-1]["revision"])
    if remedy.kind == "rollback":
        # Without --wait: the upgrade that follows waits, and its pods are the ones that count.
        leased_helm.roll_back(cluster, helm, remedy.revision, "--timeout", params["helm_timeout"])
    else:
        helm.change("uninstall", helm.release, "--wait", "--timeout", params["helm_timeout"])


def _assert_quiet(cluster: Cluster, params: Row, revision: int) -> None:
    """Wait for a migration that goes on without its helm, and watch whether a helm without a Lease goes on.

    A helm that lives writes its record in the second in which its hook has ended.

    :raises FindingError: it does, or the migration does not end
    """
    namespace, release = params["release_namespace"], params["release_name"]
    deadline = time.monotonic() + params["migration_wait"]
    labels = f"{release_selector(release)},job=migration"
    while active := [_name(item) for item in cluster.list("batch/v1", "jobs", namespace, labels=labels) if _runs(item)]:
        if time.monotonic() > deadline:
            words = f"The migration {active[0]} of release {release} in namespace {namespace} still runs"
            raise FindingError("release-pending", f"{words}: wait for its end, or delete the Job, then run again.")
        time.sleep(LOOK_SECONDS)
    name = f"sh.helm.release.v1.{release}.v{revision}"
    before = _version(cluster, name, namespace)
    deadline = time.monotonic() + params["settle_seconds"]
    while time.monotonic() < deadline:
        time.sleep(min(LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        if _version(cluster, name, namespace) != before:
            words = f"Somebody works on release {release} in namespace {namespace} with helm alone, without its Lease"
            raise FindingError("release-pending", f"{words}: nothing was mended; let that end, then run again.")


def _name(item: Row) -> str:
    return str(item["metadata"]["name"])


def _runs(item: Row) -> bool:
    return bool((item.get("status") or {}).get("active"))


def _version(cluster: Cluster, name: str, namespace: str) -> str:
    found = cluster.get("v1", "secrets", name, namespace, metadata_only=True)
    return str(found["metadata"]["resourceVersion"]) if found else ""


__all__ = ("ARGUMENTS", "execute")
