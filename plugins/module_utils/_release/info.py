"""release_info: what of a release is in the cluster. No value of its Secret is in the result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import dataclasses
import datetime
import os
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden, namespace_exists, whichever
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.kubeconfig import kubeconfig
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.target import assert_meant
from ansible_collections.ai_platform.agent.plugins.module_utils._release import (
    credential_age,
    database_login,
    facts,
    helm,
    identity_comparison,
    move_record,
    neighbours,
    redis_rotation,
    replication_rotation,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.keepers import keeper_of
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import AGENT, release_selector
from ansible_collections.ai_platform.agent.plugins.module_utils._release.model_key import record_of
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_MAP, AUTH_PROXY_HEADERS_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object


# What kubernetes.core.helm reads of the authentication that kubernetes.core's other modules know.
_KNOWN_TO_HELM = {"kubeconfig", "context", "host", "api_key", "verify_ssl", "ssl_ca_cert", "persist_config"}


def result(params: Object) -> Object:
    """The module's result without `python`; with `msg` and `error_id` where the cluster gave no answer."""
    binary, seconds = params["helm_binary"], params["helm_timeout"]
    account: Object | FindingError
    cluster: Cluster | None = None
    try:
        # The error names the package that is missing.
        cluster = whichever(params)
        if params["cluster_expected"]:
            assert_meant(cluster, params["cluster_expected"])
        account = kubeconfig(cluster) if binary is not None else {}
    except FindingError as error:
        with helm.version_and_record(binary, params, error, seconds) as releases:
            return _failure(error) | {"helm": releases(), "cluster": _described_cluster(cluster)}
    with helm.version_and_record(binary, params, account, seconds) as releases:
        try:
            found = look(cluster, params)
        except FindingError as error:
            found = _failure(error)
        return found | {"helm": releases(), "cluster": _described_cluster(cluster)}


def _failure(error: FindingError) -> Object:
    return {"msg": error.message, "error_id": error.id}


def _described_cluster(cluster: Cluster | None) -> Object:
    return {
        "address": cluster.address if cluster else "",
        "origin": cluster.origin if cluster else "",
        "context": cluster.context if cluster else "",
        "by_pod_account": cluster is not None and cluster.source == "pod",
        "unknown_to_helm": unknown_to_helm(os.environ),
    }


def unknown_to_helm(environment: t.Mapping[str, str]) -> list[str]:
    """The K8S_AUTH_* variables by which other modules would ask otherwise than kubernetes.core.helm."""
    options = {*AUTH_ARG_MAP, *AUTH_ARG_MAP.values(), "impersonate_user", "impersonate_groups"} - _KNOWN_TO_HELM
    options |= {f"proxy_headers_{name}" for name in AUTH_PROXY_HEADERS_SPEC}
    return sorted(name for name in (f"K8S_AUTH_{option.upper()}" for option in options) if environment.get(name))


def look(cluster: Cluster, params: Object) -> Object:
    """namespace_exists, statefulsets, secret, another and what follows it, as plugins/modules/release_info.py says.

    A namespace that may not be looked at is None.

    :raises FindingError: the API server refuses or does not answer
    """
    namespace, selector = params["release_namespace"], release_selector(params["release_name"])
    exists = namespace_exists(cluster, namespace)
    sets = [] if exists is False else cluster.list("apps/v1", "statefulsets", namespace, labels=selector)
    secret = None
    if params["secret_name"] and exists is not False:
        secret = cluster.get("v1", "secrets", params["secret_name"], namespace)
    # A rotation may have put another user into the URLs than the manifests name.
    expected = database_login.expected_now(params["secret_expected"] or {}, secret)
    found: Object = {
        "namespace_exists": exists,
        "statefulsets": [_described_set(item) for item in sets],
        "secret": _described(secret, expected, params["secret_shown"]),
        "another": [],
        "other_volumes": [],
        "lacking": [],
        "lost": [],
        "by_helm": [],
        "unfit": [],
        "unproven": [],
        "refused": [],
        "conflicts": [],
        "neighbours": [],
        "move": _move(cluster, namespace, params["release_name"]) if exists is not False else {},
    }
    if params["manifests"] and exists is False:
        found["neighbours"] = neighbours.neighbours(cluster, params["release_name"], namespace)
    if params["manifests"] and exists is not False:
        wanted = identity_comparison.Wanted(facts.parse(params["manifests"]), params["secret_name"], expected)
        found |= identity_comparison.comparison(cluster, wanted, sets, secret, params)
        if not sets and not cluster.list("apps/v1", "deployments", namespace, labels=f"{selector},{AGENT}"):
            found["neighbours"] = neighbours.neighbours(cluster, params["release_name"], namespace)
    return found


def _move(cluster: Cluster, namespace: str, release: str) -> Object:
    """How far a move of the database is; empty without one, and where the account may not look."""
    try:
        record = move_record.read(cluster, namespace, release)
    except Forbidden:
        return {}
    if not record.state:
        return {}
    unfinished = record.state in move_record.UNFINISHED
    return {"state": record.state, "source": record.source, "target": record.target, "unfinished": unfinished}


def _described_set(item: Object) -> Object:
    containers = item["spec"]["template"]["spec"]["containers"]
    return {
        "name": item["metadata"]["name"],
        "labels": item["metadata"].get("labels") or {},
        "containers": [{"name": each["name"], "image": each["image"]} for each in containers],
    }


def _described(secret: Object | None, expected: t.Mapping[str, str], shown: t.Sequence[str]) -> Object:
    """A Secret without its values, but for those of the keys `shown`.

    :param expected: base64, as in its data
    """
    data: dict[str, str] = (secret or {}).get("data") or {}
    metadata: Object = (secret or {}).get("metadata") or {}
    login = database_login.login_of(secret)
    return {
        "exists": secret is not None,
        "login": dataclasses.asdict(login) if login else {},
        "model_key": dataclasses.asdict(record_of(secret)),
        "redis_rotation": dataclasses.asdict(redis_rotation.record_of(secret)),
        "replication_rotation": dataclasses.asdict(replication_rotation.record_of(secret)),
        "age_days": database_login.age_days(secret, datetime.datetime.now(datetime.UTC)),
        "ages_days": credential_age.ages_days(secret, datetime.datetime.now(datetime.UTC)),
        "labels": metadata.get("labels") or {},
        "owner": keeper_of(metadata) if secret else "",
        "data_keys": sorted(data),
        "missing": sorted(name for name in expected if name not in data),
        "differing": sorted(name for name, value in expected.items() if name in data and data[name] != value),
        "shown": {name: _text(name, data[name]) for name in shown if name in data},
    }


def _text(name: str, value: str) -> str:
    try:
        return base64.b64decode(value).decode()
    except ValueError:
        raise FindingError("argument-invalid", f"The key {name} of the Secret holds no text.") from None


__all__ = ("look", "result", "unknown_to_helm")
