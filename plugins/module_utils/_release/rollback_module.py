"""release_rollback: looks at earlier revisions, chooses one and has Helm roll back to it; and records deployments."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release import (
    belongings,
    facts,
    info,
    leased_helm,
    records,
    rollback,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import release_selector
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

Row = dict[str, t.Any]

# Records outlive Helm's revisions, of which it keeps ten unless it is told otherwise: a longer history may be set.
_KEPT = 50

ARGUMENTS: t.Final[Row] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["recorded", "rolled_back"], "default": "rolled_back"},
    "preflight": {"type": "dict", "default": {}},
    # The manifests hold no secret and are too long for a log.
    "manifests": {"type": "str", "no_log": True},
    "to": {"type": "int", "default": 0},
    "accept": {"type": "str", "default": ""},
    "helm_binary": {"type": "path", "default": "helm"},
    "helm_timeout": {"type": "str", "default": "10m"},
    "lease": {"type": "path"},
    # Read by the action plugin, which prints what is waited for while this module works.
    "progress": {"type": "float", "default": 0.0},
    "revision": {"type": "int"},
}
CONSTRAINTS: t.Final[Row] = {"required_if": [["state", "recorded", ["revision", "manifests"]]]}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails (None: it does not).

    :param params: the module's arguments, and `check_mode`
    :raises FindingError: the API server or Helm refuses or does not answer
    """
    cluster = connect(params)
    if params["state"] == "recorded":
        image = _agent_image(params["manifests"], params["release_name"])
        record = records.of_preflight(params["preflight"], image)
        if not params["preflight"]:
            record = records.inherited(_data(cluster, params), params["revision"], image) or record
        written = _write(cluster, params, params["revision"], record)
        return {"changed": written}, None
    with leased_helm.of(params, cluster) as helm:
        return _roll_back(cluster, helm, params)


def _roll_back(cluster: Cluster, helm: leased_helm.Helm, params: Row) -> tuple[Row, str | None]:
    history = helm.history()
    if not history:
        words = f"There is no release {params['release_name']} in namespace {params['release_namespace']}."
        raise FindingError("release-missing", words)
    current = int(history[-1]["revision"])
    recorded = records.read(_data(cluster, params))
    # Nobody asked where the verdict is missing; what was deduced was recorded by somebody who asked.
    live = params["preflight"].get("live_revisions") if "verdict" in params["preflight"] else None
    rows = _rows(cluster, helm, params, history, _Schema(recorded, live))
    try:
        chosen = rollback.choose(rows, params["to"], params["accept"], params["release_name"])
    except FindingError as error:
        told = {"revisions": rows, "chosen": 0, "error_id": error.id, "summary": rollback.table(rows, 0)}
        return told, error.message
    number = int(chosen["revision"])
    result = {
        "changed": True,
        "revisions": rows,
        "chosen": number,
        "summary": rollback.table(rows, number),
        "sentence": rollback.sentence(chosen, params, 0),
    }
    if not params["check_mode"]:
        # What Helm makes of it is a new revision, of which the same is known; it migrates nothing.
        if number in recorded:
            _write(cluster, params, current + 1, dataclasses.replace(recorded[number], breaks=()))
        options = ("--wait", "--wait-for-jobs", "--timeout", params["helm_timeout"])
        leased_helm.roll_back(cluster, helm, number, *options)
        last = helm.history()[-1]
        if last["status"] != "deployed":
            return (
                result,
                f"Helm rolled back to revision {number} and calls the release {last['status']}, not deployed.",
            )
        became = int(last["revision"])
        result |= {"revision": became, "sentence": rollback.sentence(chosen, params, became)}
    return result, None


class _Schema(t.NamedTuple):
    """What is known of the schemas of deployments, and of the live one."""

    recorded: dict[int, records.Record]
    live: list[str] | None


def _rows(cluster: Cluster, helm: leased_helm.Helm, params: Row, history: list[Row], schema: _Schema) -> list[Row]:
    earlier = history[:-1]
    pods = cluster.list("v1", "pods", params["release_namespace"], labels=release_selector(params["release_name"]))
    texts = helm.manifests([int(entry["revision"]) for entry in earlier])
    rows = []
    for entry in reversed(earlier):
        number = int(entry["revision"])
        text = texts.get(number, "")
        found = rollback.Candidate(
            number,
            str(entry["status"]),
            str(entry.get("updated") or ""),
            str(entry.get("chart") or ""),
            _agent_image(text, params["release_name"]) if text else "",
            _obstacles(cluster, params, text) if text else (),
        )
        rows.append(rollback.row(found, schema.recorded, schema.live, pods))
    return rows


def _obstacles(cluster: Cluster, params: Row, text: str) -> tuple[str, ...]:
    """What stands in the way of these manifests, as guard looks at those of a deployment."""
    asked = params | {"manifests": text, "secret_name": None, "secret_expected": {}, "secret_shown": []}
    found = info.look(cluster, asked)
    return tuple(word for name in ("lacking", "another", "other_volumes", "refused", "lost") for word in found[name])


def _agent_image(text: str, release: str) -> str:
    return facts.planned(facts.parse(text), release).agent.image


def _data(cluster: Cluster, params: Row) -> dict[str, str]:
    found = cluster.get("v1", "configmaps", records.name_of(params["release_name"]), params["release_namespace"])
    data: dict[str, str] = (found or {}).get("data") or {}
    return data


def _write(cluster: Cluster, params: Row, revision: int, record: records.Record) -> bool:
    """Keep a record; whether there was another one.

    :raises FindingError: the API server refuses or does not answer
    """
    name, namespace = records.name_of(params["release_name"]), params["release_namespace"]
    found = cluster.get("v1", "configmaps", name, namespace)
    data: dict[str, str] = (found or {}).get("data") or {}
    key = records.key_of(revision)
    # Revisions that were never made, and those that Helm gave up long ago.
    gone = [old for old in data if old in _not_kept(revision, data)]
    more = records.learned(data, revision, params["preflight"])
    if data.get(key) == record.text() and not gone and not more:
        return False
    if params["check_mode"]:
        return True
    if found is None:
        labels = belongings.own_labels(params["release_name"])
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {key: record.text()}}
        cluster.create("v1", "configmaps", body, namespace)
    else:
        changes = dict.fromkeys(gone) | more | {key: record.text()}
        cluster.patch("v1", "configmaps", name, {"data": changes}, namespace)
    return True


def _not_kept(revision: int, data: dict[str, str]) -> set[str]:
    numbers = records.read(data)
    return {records.key_of(old) for old in numbers if old > revision or old < revision - _KEPT}


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
